"""Where things lie in an archive, and how a scene is cut into shards and patches. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benforge.core.grid import Grid
from benforge.core.sensor import Band, Sensor
from benforge.errors import ArchiveError, ConflictError, GridError, InputError

META = "archive.json"
INDEX = "patches.parquet"
MANIFEST = "manifest.sha256"
SCENES = "scenes"
BUILD = ".build"
FLAGS, SPLITS, SCREENINGS, REVIEWS = "flags", "splits", "screenings", "reviews"
SIDECARS = (FLAGS, SPLITS, SCREENINGS, REVIEWS)
"""Folders of quality marks, splits, screenings and what reviewers decided, which lie beside the
scenes and rewrite none of them."""

LAND_COVER = "land_cover"
CLASSIFICATION = "scene_classification"
CLASSIFICATION_PIXEL_SIZE = 20
"""The scene classification (SCL) of Sentinel-2 L2A has pixels of 20 m."""

SHARD = 13
"""Patches along the edge of a shard: 91 = 7 x 13, so a full tile has 49 shards."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_outside_archives(out: Path) -> None:
    """Raise where something that is no part of an archive would be written into one.

    Raises:
        ConflictError: the folder is an archive, this or another, or lies in one.
    """
    place = out.resolve()
    for folder in (place, *place.parents):
        if (folder / META).is_file():
            what = "the folder is an archive" if folder == place else f"lies in archive {folder}"
            raise ConflictError(what, where=out, do="Write into another folder: --out")


def scene_path(root: Path, scene: str) -> Path:
    """The Zarr group of a scene.

    Raises:
        InputError: the name could not be a folder's everywhere.
    """
    if not _NAME.fullmatch(scene):
        raise InputError(
            "not a name for a scene",
            where=root / SCENES / f"{scene}.zarr",
            do="Use letters, digits, . _ -",
        )
    return root / SCENES / f"{scene}.zarr"


def scene_names(root: Path) -> tuple[str, ...]:
    """The scenes whose folders are there, sorted; none where the folder is missing."""
    folders = (path for path in (root / SCENES).glob("*.zarr") if path.is_dir())
    return tuple(sorted(path.name.removesuffix(".zarr") for path in folders))


def array_name(pixel_size: int) -> str:
    """The array that holds the bands of a pixel size: "r10m"."""
    return f"r{pixel_size}m"


@dataclass(frozen=True, slots=True)
class ArrayPlan:
    """One array of a scene.

    Args:
        name: "r10m", "land_cover" or "scene_classification".
        pixel_size: m.
        bands: its band axis; empty for an array of `row col`.
        dtype: numpy's name of the type of a value.
    """

    name: str
    pixel_size: int
    bands: tuple[Band, ...]
    dtype: str

    def shape(self, height: int, width: int) -> tuple[int, ...]:
        """`band row col`, or `row col` for an array without bands."""
        return (len(self.bands), height, width) if self.bands else (height, width)


def shard_path(scene: Path, plan: ArrayPlan, row: int, column: int) -> Path:
    """The file of one shard below a scene's folder; the band axis is never cut."""
    bands = ("0",) if plan.bands else ()
    return scene.joinpath(plan.name, "c", *bands, str(row), str(column))


def plan_arrays(sensor: Sensor) -> dict[str, ArrayPlan]:
    """Every array that a scene of this sensor may hold, by name."""
    sizes = sensor.pixel_sizes
    arrays = [ArrayPlan(array_name(s), s, sensor.bands_at(s), "uint16") for s in sizes]
    arrays.append(ArrayPlan(LAND_COVER, sizes[0], (), "uint16"))
    arrays.append(ArrayPlan(CLASSIFICATION, CLASSIFICATION_PIXEL_SIZE, (), "uint8"))
    return {array.name: array for array in arrays}


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """The ground of a scene, cut into patches.

    Args:
        grid: whole patches in pixels of the finest size.
        columns: patches from left to right, 91 for a full tile.
        rows: patches from top to bottom.
        patch_pixels: edge of a patch in pixels of `grid`, 120.

    Raises:
        GridError: the grid is not `rows` x `columns` patches.
    """

    grid: Grid
    columns: int
    rows: int
    patch_pixels: int

    def __post_init__(self) -> None:
        expected = self.rows * self.patch_pixels, self.columns * self.patch_pixels
        if self.grid.shape != expected:
            raise GridError(
                f"a grid of {self.grid.height} x {self.grid.width} pixels is not "
                f"{self.rows} x {self.columns} patches of {self.patch_pixels}"
            )

    def patch_edge(self, pixel_size: int) -> int:
        """Pixels along the edge of a patch at a pixel size: 120, 60 or 20.

        Raises:
            GridError: a patch is not a whole number of such pixels.
        """
        edge = self.patch_pixels * self.grid.pixel_size / pixel_size
        if not edge.is_integer() or edge < 1:
            raise GridError(
                f"a patch of {self.patch_pixels} pixels of {self.grid.pixel_size:g} m "
                f"is not a whole number of pixels of {pixel_size} m"
            )
        return int(edge)

    def patch_grid(self, column: int, row: int) -> Grid:
        """The ground of one patch, in pixels of the finest size.

        Raises:
            GridError: there is no such patch.
        """
        edge = self.patch_pixels
        return self.grid.crop(row * edge, column * edge, edge, edge)

    @property
    def shard_shape(self) -> tuple[int, int]:
        """Rows and columns of patches in one shard: 13 x 13, fewer in a smaller frame."""
        return min(SHARD, self.rows), min(SHARD, self.columns)

    @property
    def shard_counts(self) -> tuple[int, int]:
        """Rows and columns of shards; the last of each may reach over the frame."""
        high, wide = self.shard_shape
        return -(-self.rows // high), -(-self.columns // wide)

    def shards(self) -> Iterator[tuple[int, int]]:
        """Row and column of every shard, row by row."""
        rows, columns = self.shard_counts
        return ((row, column) for row in range(rows) for column in range(columns))

    def shard_patches(self, shard_row: int, shard_column: int) -> tuple[slice, slice]:
        """The patches of a shard, as slices of patch rows and patch columns within the frame.

        Raises:
            GridError: there is no such shard.
        """
        if (shard_row, shard_column) not in self.shards():
            raise GridError(f"there is no shard {shard_row}, {shard_column}")
        high, wide = self.shard_shape
        top, left = shard_row * high, shard_column * wide
        return slice(top, min(top + high, self.rows)), slice(left, min(left + wide, self.columns))


def parse_frame(attributes: Mapping[str, Any], where: Path) -> SceneFrame:
    """The frame that a scene's attributes tell.

    Raises:
        ArchiveError: they tell none, or one that does not fit itself.
    """
    try:
        return msgspec.convert(attributes["frame"], SceneFrame)
    except (KeyError, msgspec.ValidationError) as error:
        raise ArchiveError(f"the scene's frame cannot be read, {error}", where=where) from error
