"""An archive's index in memory, in columns that a filter of 590,326 rows goes through at once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from benforge.archive.archive import Archive
from benforge.archive.layout import FLAGS as FLAGS_FOLDER
from benforge.archive.layout import INDEX, SCREENINGS
from benforge.archive.sidecars import read_flags, sidecar_names, sidecar_path
from benforge.errors import ArchiveError, InputError
from benforge.labels.hot import Hot, labels_hot
from benforge.quality.screening import FLAGS, SHARES, Screening
from benforge.quality.screening_files import read_screening
from benforge.statistics.counts import UNKNOWN

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
FileState = tuple[int, int, int] | None
"""Time of change, ns, size, bytes, and inode of a file; None where there is none."""
Rows = npt.NDArray[np.int64]
"""Row numbers of patches in the index."""


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of few distinct texts.

    Args:
        names: the texts, sorted.
        codes: `patch`, the place of each patch's text in `names`.
    """

    names: tuple[str, ...]
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Coded:
        """From a column of the index; a null becomes "unknown"."""
        texts = pc.fill_null(column.cast(pa.string()), UNKNOWN).combine_chunks()
        found = texts.dictionary_encode()
        names = np.asarray(found.dictionary.to_pylist(), object)
        order = np.argsort(names, kind="stable")
        ranks = np.empty(len(names), np.int32)
        ranks[order] = np.arange(len(names))
        return cls(tuple(names[order]), ranks[np.asarray(found.indices)])

    def equals(self, name: str) -> Bools:
        """`patch`: which have this text.

        Raises:
            InputError: none has.
        """
        if name not in self.names:
            raise InputError(f"the archive has no {name!r}", do="Choose one that it has")
        return np.asarray(self.codes == self.names.index(name))

    def counts(self, rows: Rows) -> dict[str, int]:
        """Text to how many of these patches have it, every text counted."""
        found = np.bincount(self.codes[rows], minlength=len(self.names)).tolist()
        return dict(zip(self.names, found, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Screened:
    """A screening beside the index: row by row.

    Args:
        name: of the screening.
        method: what looked.
        known: `patch`: whether the screening names it.
        shares: snow, cloud, shadow and nodata, `patch`, 0 to 1; NaN where it is not known.
        proposed: `patch`, one bit a flag in the order of `FLAGS`.
        confidence: `patch`, of the less sure of the proposals, 0.5 to 1; NaN where not known.
    """

    name: str
    method: str
    known: Bools
    shares: dict[str, Floats]
    proposed: npt.NDArray[np.uint8]
    confidence: Floats

    @classmethod
    def of(cls, screening: Screening, patch_ids: pa.Array) -> Screened:
        """A screening, put in the order of these patches."""
        places = pc.index_in(patch_ids, screening.table["patch_id"].combine_chunks())
        table = screening.table.take(places)

        def numbers(name: str) -> Floats:
            column = table[name].combine_chunks().cast(pa.float32())
            return np.asarray(column.fill_null(float("nan")), np.float32)

        proposed = np.zeros(len(patch_ids), np.uint8)
        for bit, flag in enumerate(FLAGS):
            proposed |= np.asarray(table[flag].fill_null(False), np.uint8) << np.uint8(bit)
        return cls(
            screening.name,
            screening.method,
            np.asarray(places.is_valid()),
            {name: numbers(name) for name in SHARES},
            proposed,
            np.minimum(*(numbers(f"{flag}_confidence") for flag in FLAGS)),
        )


@dataclass(frozen=True, eq=False)
class Catalogue:
    """What is asked of an archive's patches; pixels are read elsewhere.

    Args:
        archive: whose patches these are; row numbers are its own.
        patch_ids: as texts.
        v1_names: as texts, null where a patch has none.
        scenes: of each patch.
        tiles: of each patch.
        countries: of each patch.
        seasons: of each patch.
        days: `patch`, day of acquisition, days since 1970-01-01.
        labels: `patch class`, in the order of the archive's nomenclature.
        screened: None without a screening.
        files: what this was read from, and the state in which it was.
    """

    archive: Archive
    patch_ids: pa.Array
    v1_names: pa.Array
    scenes: Coded
    tiles: Coded
    countries: Coded
    seasons: Coded
    days: npt.NDArray[np.int32]
    labels: Hot
    screened: Screened | None
    files: dict[Path, FileState]

    @classmethod
    def open(cls, path: Path, screening: str) -> Catalogue:
        """The catalogue of an archive, with this screening where the archive has it.

        Raises:
            MissingError: there is no such folder.
            ArchiveError: it is no archive, or its index or the screening is damaged.
        """
        sources = [path / INDEX, *_sidecar(path, screening)]
        files = {source: _state_of(source) for source in sources}
        archive = Archive.open(path)
        rows = archive.index
        ids = rows["patch_id"].combine_chunks()
        there = screening in sidecar_names(path, SCREENINGS)
        return cls(
            archive,
            ids,
            rows["v1_name"].combine_chunks(),
            Coded.of(rows["scene"]),
            Coded.of(rows["tile"]),
            Coded.of(rows["country"]),
            Coded.of(rows["season"]),
            _days(rows["sensing_time"]),
            labels_hot(rows, archive.meta.nomenclature),
            Screened.of(read_screening(path, screening), ids) if there else None,
            files,
        )

    def __len__(self) -> int:
        return len(self.patch_ids)

    def outdated(self) -> bool:
        """Whether the index or the screening is another than the one that was read."""
        return any(_state_of(path) != state for path, state in self.files.items())

    @cached_property
    def corners(self) -> npt.NDArray[np.float64]:
        """`patch corner axis`: longitude and latitude of the four corners of each footprint.

        Raises:
            ArchiveError: a footprint that is no polygon of four corners.
        """
        try:
            shapes = shapely.from_wkb(self.archive.index["geometry"].to_numpy())
            points = shapely.get_coordinates(shapes).reshape(len(self), 5, 2)
        except (shapely.errors.GEOSException, ValueError) as error:
            raise ArchiveError(
                "a footprint in the index is damaged", do="Run: ben check"
            ) from error
        return np.ascontiguousarray(points[:, :4])

    @cached_property
    def centres(self) -> npt.NDArray[np.float64]:
        """`patch axis`: longitude and latitude of the middle of each footprint."""
        return np.asarray(self.corners.mean(axis=1))

    def centre(self, row: int) -> tuple[float, float]:
        """Longitude and latitude of the middle of one footprint, without the others.

        Raises:
            ArchiveError: it is damaged.
        """
        try:
            middle = shapely.from_wkb(self.archive.index["geometry"][row].as_py()).centroid
            return float(middle.x), float(middle.y)
        except shapely.errors.GEOSException as error:
            raise ArchiveError(
                "a footprint in the index is damaged", do="Run: ben check"
            ) from error

    @cached_property
    def places(self) -> npt.NDArray[np.float64]:
        """`patch axis`: easting and northing of the upper-left corner, m, of the tile's zone."""
        return np.stack([self.archive.index[name].to_numpy() for name in ("ulx", "uly")], axis=1)

    @cached_property
    def cells(self) -> npt.NDArray[np.int16]:
        """`patch axis`: column and row of each patch in its tile."""
        return np.stack([self.archive.index[name].to_numpy() for name in ("column", "row")], axis=1)

    @cached_property
    def zones(self) -> Coded:
        """The CRS of each patch."""
        return Coded.of(self.archive.index["crs"])

    def flag_sets(self) -> tuple[str, ...]:
        """The names of the flags beside the scenes."""
        return sidecar_names(self.archive.root, FLAGS_FOLDER)

    def marked(self, name: str) -> Bools:
        """`patch`: which are marked in these flags.

        Raises:
            InputError: the archive has no flags of this name.
            ArchiveError: the flags are damaged.
        """
        if name not in self.flag_sets():
            raise InputError(f"the archive has no flags {name!r}", do="Choose some that it has")
        return read_flags(self.archive.root, name).marked(self.patch_ids)

    def orders(self, name: str) -> Rows:
        """Every row number in an order: "doubt", "name", "date", "snow" or "cloud"."""
        if name not in self._orders:
            self._orders[name] = self._order(name)
        return self._orders[name]

    @cached_property
    def _orders(self) -> dict[str, Rows]:
        return {}

    def _order(self, name: str) -> Rows:
        if name == "date":
            return np.argsort(self.days, kind="stable")
        if name == "name" or self.screened is None:
            return np.arange(len(self))
        shown = self.screened
        keys = {
            "doubt": shown.confidence,
            "snow": -shown.shares["snow"],
            "cloud": -(shown.shares["cloud"] + shown.shares["shadow"]),
        }
        return np.argsort(keys[name], kind="stable")


def _sidecar(root: Path, screening: str) -> list[Path]:
    """Where the screening lies or would lie; nowhere for a name that no file could have."""
    with suppress(InputError):
        return [sidecar_path(root, SCREENINGS, screening)]
    return []


def _state_of(path: Path) -> FileState:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _days(times: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    days = times.cast(pa.timestamp("us")).cast(pa.date32()).cast(pa.int32())
    return np.asarray(days.combine_chunks(), np.int32)
