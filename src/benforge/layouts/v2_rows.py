"""What v2's metadata says of single patches, and the labels of patches it does not name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benforge.core.fractions import FractionTable
from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.errors import ArchiveError, InputError, MissingError
from benforge.labels.policy import label_patches
from benforge.labels.port import GAP
from benforge.labels.recipe import LabelRecipe
from benforge.layouts.import_lists import find_import_lists
from benforge.layouts.v2_layout import METADATA, SIMULATED_KEY
from benforge.published.lists import PublishedLists

_COLUMNS = ["patch_id", "labels", "country", "s1_name", "s2v1_name"]


@dataclass(frozen=True, slots=True)
class V2Row:
    """One patch in v2's metadata.

    Args:
        patch_id: its name in v2.
        labels: names of `ben-19`, in the published order.
        country: as published, None where it is not told; the names likewise.
        s1_name: of the Sentinel-1 patch of the same place.
        v1_name: of the patch in BigEarthNet v1.
    """

    patch_id: str
    labels: tuple[str, ...]
    country: str | None = None
    s1_name: str | None = None
    v1_name: str | None = None


@dataclass(frozen=True, slots=True)
class SortedNames:
    """Names of rows, looked up by bisection: a fifth of the room of a dict.

    Args:
        names: sorted, as bytes.
        places: the row of each.
    """

    names: npt.NDArray[np.bytes_]
    places: npt.NDArray[np.intp]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> SortedNames:
        """The names of a column of texts; null is the empty name."""
        names = np.array([(name or "").encode() for name in column.to_pylist()], np.bytes_)
        places = np.argsort(names, kind="stable")
        return cls(names[places], places)

    def find(self, name: str) -> int | None:
        """The first row of this name, or None."""
        wanted = name.encode()
        at = int(np.searchsorted(self.names, np.bytes_(wanted)))
        found = at < len(self.names) and self.names[at] == wanted
        return int(self.places[at]) if found else None


@dataclass(frozen=True)
class V2Rows:
    """V2's metadata, looked up by name.

    Args:
        table: the columns of `PublishedLists.v2`.
    """

    table: pa.Table = field(repr=False)

    def by_id(self, patch_id: str) -> V2Row | None:
        """The row of a v2 patch, or None."""
        return self._row(self._ids, patch_id)

    def by_v1(self, name: str) -> V2Row | None:
        """The row of the v2 patch that was cut anew from a v1 patch, or None."""
        return self._row(self._v1_names, name)

    @cached_property
    def _ids(self) -> SortedNames:
        return SortedNames.of(self.table["patch_id"])

    @cached_property
    def _v1_names(self) -> SortedNames:
        return SortedNames.of(self.table["s2v1_name"])

    def _row(self, names: SortedNames, name: str) -> V2Row | None:
        place = names.find(name)
        if place is None:
            return None
        told = self.table.slice(place, 1).to_pylist()[0]
        return V2Row(
            told["patch_id"],
            _known_labels(told["labels"] or (), told["patch_id"]),
            told["country"],
            told["s1_name"],
            told["s2v1_name"],
        )


def read_v2_rows(lists: PublishedLists) -> V2Rows:
    """V2's metadata out of published lists, read once in a process.

    Raises:
        BenError: a file is damaged.
    """
    return _read(tuple(sorted((kind, str(path)) for kind, path in lists.files.items())))


@lru_cache(maxsize=2)
def _read(files: tuple[tuple[str, str], ...]) -> V2Rows:
    lists = PublishedLists({kind: Path(path) for kind, path in files})
    return V2Rows(lists.v2().select(_COLUMNS).combine_chunks())


def find_v2_lists(named: Path | None, *beside: Path) -> PublishedLists:
    """The lists in the folder that the user named, else those that lie beside the pixels.

    Raises:
        MissingError: the folder that was named is not there, or holds no metadata of v2.
    """
    lists = find_import_lists(named, *beside)
    if named and not lists.has("v2"):
        raise MissingError(
            f"holds no {METADATA}", where=named, do="Name the folder that does with --metadata"
        )
    return lists


def only_v2(lists: PublishedLists) -> PublishedLists:
    """V2's own lists: beside v1's, whose split is another, they alone say what v2 published."""
    own = {kind: path for kind, path in lists.files.items() if kind.startswith("v2_")}
    return PublishedLists(own)


def read_simulated(lists: PublishedLists) -> frozenset[str]:
    """The products that the metadata marks as simulated; published metadata marks none.

    Raises:
        InputError: the metadata is damaged.
    """
    path = lists.files.get("v2_unflagged")
    try:
        told = pq.read_schema(path).metadata if path else None
        text = (told or {}).get(SIMULATED_KEY, b"[]")
        return frozenset(msgspec.json.decode(text, type=list[str]))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError("the metadata cannot be read", where=path or "") from error


@lru_cache(maxsize=4096)
def _intern(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for equal label sets: there are a few thousand in half a million patches."""
    nomenclature = load_nomenclature("ben-19")
    return tuple(nomenclature.by_name(label).name for label in labels)


def _known_labels(labels: Sequence[str], patch: str) -> tuple[str, ...]:
    try:
        return _intern(tuple(labels))
    except InputError as error:
        raise InputError(error.what, where=f"{METADATA}: {patch}", do=error.do) from error


def missing_metadata(where: Path) -> MissingError:
    """The error where neither metadata nor reference maps tell labels."""
    return MissingError(
        f"there are no labels: neither {METADATA} nor reference maps lie here",
        where=where,
        do=f"Give the folder that holds {METADATA} with --metadata",
    )


def unnamed(name: str, where: Path) -> InputError:
    """The error for a patch that the metadata does not name."""
    return InputError(
        f"{METADATA} does not name the patch {name}",
        where=where,
        do="Give the folder that holds both metadata files with --metadata, or use --skip-bad",
    )


@cache
def _allowed_codes() -> npt.NDArray[np.bool_]:
    allowed = np.zeros(2**16, np.bool_)
    allowed[[0, GAP, *load_nomenclature("clc-44").codes]] = True
    return allowed


def check_map(cover: npt.NDArray[np.uint16], where: Path | str) -> npt.NDArray[np.uint16]:
    """The reference map, its codes checked: CLC classes, 0 for no data and 999 for gaps.

    Raises:
        ArchiveError: it holds other codes.
    """
    known = _allowed_codes().take(cover)
    if not known.all():
        raise ArchiveError(
            f"the reference map holds {int(cover[~known][0])}, which is no CLC class",
            where=where,
            do="Copy it again, or use --skip-bad",
        )
    return cover


def labels_of_map(cover: npt.NDArray[np.uint16]) -> tuple[str, ...]:
    """The labels of a reference map by v2's rule, every class with a pixel (fidelity 14).

    Returns:
        Names of `ben-19`, alphabetical as v2 publishes them; none where every class is dropped.
    """
    crosswalk = load_crosswalk("ben-19")
    codes = crosswalk.source.codes
    pixels = np.bincount(cover.ravel(), minlength=GAP + 1)[list(codes)].astype(np.int32)[None]
    table = FractionTable(codes, pixels / cover.size, pixels, cover.size)
    hit = label_patches(table, LabelRecipe(), crosswalk)[0]
    return _intern(tuple(sorted(np.array(crosswalk.target.names)[hit].tolist())))
