"""What a model learns: the labels of patches, multi-hot, in the classes that were asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.archive.archive import Archive
from benforge.core.contract import Contract
from benforge.core.nomenclature import Crosswalk, Nomenclature, load_nomenclature
from benforge.errors import InputError
from benforge.labels.hot import LEVEL_3, Hot, hot_through, labels_hot, level_3_hot, way_to
from benforge.labels.nomenclature import read_crosswalk

LABELS: Mapping[str, str] = {
    "43": "clc-43",
    "19": "ben-19",
    "level2": "clc-level-2",
    "level1": "clc-level-1",
}
"""What `--labels` may name besides a TOML file, to the nomenclature that it means."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The labels of an archive's patches.

    Args:
        hot: `patch label`, in the order of the index and of the classes.
        nomenclature: the classes.
        members: of each class the codes of CLC level 3 that it merges, where the classes are those
            of a user's file; empty for a nomenclature that ships.
    """

    hot: Hot
    nomenclature: Nomenclature
    members: tuple[tuple[int, ...], ...] = ()

    def counts(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Class: how many of these patches have it."""
        found: npt.NDArray[np.int64] = self.hot[positions].sum(axis=0, dtype=np.int64)
        return found


def load_targets(archive: Archive, labels: str) -> Targets:
    """The labels of every patch of an archive.

    Where the archive's own labels are of other classes, theirs follow from the classes of CLC
    level 3: a class is a label if one of its members occurs.

    Args:
        archive: opened.
        labels: a word of `LABELS`, the name of a nomenclature, or a TOML file of one.

    Raises:
        InputError: no such classes, or the archive does not tell which of them occur.
        MissingError: there is no such file.
        RecipeError: the file does not describe a nomenclature.
        ArchiveError: a label that is none of the archive's.
    """
    if labels.endswith(".toml"):
        way = read_crosswalk(labels)
        members = tuple(_members(way, code) for code in way.target.codes)
        return Targets(_find_hot(archive, way), way.target, members)
    name = LABELS.get(labels, labels)
    if name not in LABELS.values():
        known = f"Use {', '.join(LABELS)}, or a TOML file of classes"
        raise InputError(f"no labels are called {labels!r}", do=known)
    return Targets(_find_hot(archive, way_to(name)), load_nomenclature(name))


def digest_labels(labels: str) -> str:
    """SHA-256 of the classes of a user's file and their members; "" for those that ship.

    Raises:
        MissingError: there is no such file.
        RecipeError: the file does not describe a nomenclature.
    """
    if not labels.endswith(".toml"):
        return ""
    way = read_crosswalk(labels)
    said = msgspec.json.encode([way.target, [way(code) for code in way.source.codes]])
    return hashlib.sha256(said).hexdigest()


def recall_targets(archive: Archive, contract: Contract) -> Targets:
    """The labels of every patch of an archive, in the classes that a model was trained on.

    Raises:
        InputError: the archive does not tell which of them occur.
        ArchiveError: a label that is none of the archive's.
    """
    if contract.own is None:
        return load_targets(archive, contract.nomenclature)
    source = load_nomenclature(LEVEL_3)
    codes = zip(contract.own.codes, contract.members, strict=True)
    found = {member: code for code, members in codes for member in members}
    way = Crosswalk(source, contract.own, dict.fromkeys(source.codes) | found)
    return Targets(_find_hot(archive, way), contract.own, contract.members)


def _members(way: Crosswalk, target: int) -> tuple[int, ...]:
    return tuple(code for code in way.source.codes if way(code) == target)


def _find_hot(archive: Archive, way: Crosswalk) -> Hot:
    """The archive's own labels if they are of these classes, else what follows from level 3."""
    ours, target = archive.meta.nomenclature, way.target
    if (ours.codes, ours.names) == (target.codes, target.names):
        return labels_hot(archive.index, ours)
    level_3 = level_3_hot(archive.index, ours)
    if level_3 is None:
        raise InputError(
            f"labels of {ours.name} cannot be brought to {target.name}",
            where=archive.root,
            do="Ask for its own labels, or take an archive that tells the classes of CLC level 3",
        )
    return hot_through(level_3, way)
