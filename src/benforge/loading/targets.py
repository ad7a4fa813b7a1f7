"""What a model learns: the labels of patches, multi-hot, in the classes that were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.archive.archive import Archive
from benforge.core.nomenclature import Nomenclature, load_nomenclature
from benforge.errors import InputError
from benforge.labels.hot import Hot, hot_through, labels_hot, level_3_hot, way_to

LABELS: Mapping[str, str] = {
    "43": "clc-43",
    "19": "ben-19",
    "level2": "clc-level-2",
    "level1": "clc-level-1",
}
"""What `--labels` may name, to the nomenclature that it means."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The labels of an archive's patches.

    Args:
        hot: `patch label`, in the order of the index and of the classes.
        nomenclature: the classes.
    """

    hot: Hot
    nomenclature: Nomenclature

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
        labels: a word of `LABELS`, or the name of a nomenclature.

    Raises:
        InputError: no such classes, or the archive does not tell which of them occur.
        ArchiveError: a label that is none of the archive's.
    """
    name = LABELS.get(labels, labels)
    if name not in LABELS.values():
        raise InputError(f"no labels are called {labels!r}", do=f"Use {', '.join(LABELS)}")
    ours, target = archive.meta.nomenclature, load_nomenclature(name)
    if ours.codes == target.codes:
        return Targets(labels_hot(archive.index, ours), target)
    level_3 = level_3_hot(archive.index, ours)
    if level_3 is None:
        raise InputError(
            f"labels of {ours.name} cannot be brought to {name}",
            where=archive.root,
            do="Ask for its own labels, or take an archive that tells the classes of CLC level 3",
        )
    return Targets(hot_through(level_3, way_to(name)), target)
