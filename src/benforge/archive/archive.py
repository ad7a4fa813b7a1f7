"""An archive, opened: its index in memory, its pixels at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.index import read_rows
from benforge.archive.layout import INDEX, LAND_COVER
from benforge.archive.meta import ArchiveMeta, read_meta
from benforge.archive.pixels import PixelReader, Place
from benforge.archive.remote import RemotePixelReader
from benforge.core.grid import Grid
from benforge.core.identity import PatchId
from benforge.core.object_path import ObjectPath, parse_place
from benforge.core.patch import Patch
from benforge.core.record import PatchRecord, code_texts, number_texts
from benforge.core.sensor import Sensor
from benforge.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """The patches of an archive, or some of them after `filter`; nothing of it changes.

    Args:
        root: the archive's folder or address.
        meta: what `archive.json` says.
        index: one row a patch, a table of `benforge.core.record.SCHEMA`.
        pixels: the reader; archives made by `filter` share it.
    """

    root: Path
    meta: ArchiveMeta
    index: pa.Table
    pixels: PixelReader

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the archive in a folder, or at an address `s3://bucket/prefix`.

        Raises:
            MissingError: there is no such folder.
            ArchiveError: the folder is not an archive, or its index is damaged.
            ArchiveVersionError: a newer benforge wrote it.
            ObjectStorageError: the storage cannot be asked.
        """
        root = parse_place(path)
        meta = read_meta(root)
        return cls(root, meta, read_rows(root / INDEX), _open_pixels(root, meta.sensor))

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        return f"Archive({str(self.root)!r}, {len(self)} patches, profile {self.meta.profile})"

    def __getitem__(self, position: int) -> Patch:
        """The patch in this row of the index; negative counts from the end.

        Raises:
            TypeError: a slice or an array; `filter` takes several.
            IndexError: there is no such row.
            ArchiveError: its pixels are damaged.
        """
        record = self.record(position)
        arrays = self.pixels.read(record.scene, record.column, record.row)
        finest = min(arrays)
        height, width = arrays[finest].shape[1:]
        grid = Grid(record.crs, record.ulx, record.uly, finest, height, width)
        return Patch(record.id, grid, self.meta.sensor, arrays)

    def __iter__(self) -> Iterator[Patch]:
        return (self[position] for position in range(len(self)))

    def record(self, position: int) -> PatchRecord:
        """One row of the index; negative counts from the end.

        Raises:
            TypeError: a slice or an array; `filter` takes several.
            IndexError: there is no such row.
        """
        if not isinstance(position, int | np.integer):
            raise TypeError(
                f"a patch is taken by one whole number, not by {type(position).__name__}; "
                "take several with filter"
            )
        if not -len(self) <= position < len(self):
            raise IndexError(f"{position} in an archive of {len(self)} patches")
        return PatchRecord.from_row(self.index.slice(position % len(self), 1).to_pylist()[0])

    def records(self) -> Iterator[PatchRecord]:
        """Every row of the index, in order."""
        for batch in self.index.to_batches(max_chunksize=1024):
            yield from (PatchRecord.from_row(row) for row in batch.to_pylist())

    def places(self) -> list[Place]:
        """Scene, column and row of every patch, in order: what `pixels.read_many` takes."""
        names, scenes = code_texts(self.index["scene"])
        columns, rows = (self.index[name].to_numpy().tolist() for name in ("column", "row"))
        return list(zip((names[i] for i in scenes.tolist()), columns, rows, strict=True))

    def places_by_scene(self) -> Iterator[tuple[npt.NDArray[np.int64], list[Place]]]:
        """Scene by scene the rows of its patches in the index, ascending, and their places."""
        names, scenes = number_texts(self.index["scene"])
        columns, rows = (self.index[name].to_numpy() for name in ("column", "row"))
        order, ends = np.argsort(scenes, kind="stable"), np.bincount(scenes).cumsum()
        for name, of in zip(names, np.split(order, ends)[:-1], strict=True):
            yield of, list(zip(repeat(name), columns[of].tolist(), rows[of].tolist(), strict=False))

    def land_cover(self, position: int) -> npt.NDArray[np.uint16] | None:
        """The reference map of one patch, `row col`, class codes, 999 in gaps; None without one.

        Raises:
            IndexError: there is no such row.
            ArchiveError: the map is damaged.
        """
        record = self.record(position)
        return self.pixels.read_map(record.scene, LAND_COVER, record.column, record.row)

    def filter(self, which: pc.Expression | npt.NDArray[np.bool_]) -> Self:
        """The same archive with some of its patches, in the same order.

        Args:
            which: an expression over the index's columns, such as
                `pc.field("season") == "summer"`, or one truth value a patch.

        Raises:
            InputError: an unknown column, numbers in place of truth values, or another number of
                truth values than patches.
        """
        try:
            mask = which if isinstance(which, pc.Expression) else _truth_values(which)
            return replace(self, index=self.index.filter(mask))
        except pa.ArrowException as error:
            what = str(error).partition(f" in {self.index.schema.names[0]}: ")[0]  # not the schema
            raise InputError(
                f"patches cannot be chosen by this, {what}",
                do=f"Its columns: {', '.join(self.index.schema.names)}",
            ) from error

    def find(self, patch_id: PatchId | str) -> int:
        """The row of a patch in the index.

        Raises:
            InputError: the archive does not hold it.
        """
        position = pc.index(self.index["patch_id"], pa.scalar(str(patch_id), pa.string())).as_py()
        if position < 0:
            raise InputError("the archive holds no such patch", where=str(patch_id))
        return int(position)


def _open_pixels(root: Path, sensor: Sensor) -> PixelReader:
    if isinstance(root, ObjectPath):
        return RemotePixelReader(root, sensor)
    return PixelReader(root, sensor)


def _truth_values(which: npt.NDArray[np.bool_]) -> pa.Array:
    """The mask as Arrow has it; positions are refused, which would count as true."""
    values = np.asarray(which)
    if values.dtype != np.bool_:
        raise InputError(
            f"patches cannot be chosen by values of {values.dtype}",
            do="Give one truth value a patch, or an expression",
        )
    return pa.array(values, pa.bool_())
