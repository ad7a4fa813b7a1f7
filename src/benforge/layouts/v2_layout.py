"""Where the files of the published v2 layout lie: products, patches, bands, reference maps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benforge.core.bigearthnet import TILE_PATCHES
from benforge.core.identity import PatchId, ProductId
from benforge.errors import BenError, InputError, MissingError

PIXELS = "BigEarthNet-S2"
"""The folder of the Sentinel-2 patches; Sentinel-1 lies beside it and is passed over."""
MAPS = "Reference_Maps"
METADATA = "metadata.parquet"
FLAGGED = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
MAP_SUFFIX = "_reference_map"
SIMULATED_KEY = b"benforge:simulated"
"""In the schema of `metadata.parquet`: a JSON list of products; published files have none."""


@dataclass(frozen=True, slots=True)
class V2Folders:
    """The folders of one v2 archive.

    Args:
        pixels: holds a folder for each product, which hold one for each patch.
        maps: holds the reference maps likewise; None where there are none.
    """

    pixels: Path
    maps: Path | None

    @classmethod
    def find(cls, path: Path) -> V2Folders:
        """The folders of an archive, told its root or its folder of Sentinel-2 patches.

        Raises:
            MissingError: `path` is not a folder.
        """
        if not path.is_dir():
            raise MissingError("no such folder", where=path)
        inside = (path / PIXELS).is_dir()
        pixels = path / PIXELS if inside else path
        maps = pixels.absolute().parent / MAPS
        return cls(pixels, maps if maps.is_dir() else None)

    @property
    def root(self) -> Path:
        """The folder that holds all of it, and the metadata."""
        return self.pixels.absolute().parent

    def patch(self, patch: PatchId) -> Path:
        """The folder of a patch's bands."""
        return self.pixels / patch.product / str(patch)


def map_path(maps: Path, patch: PatchId) -> Path:
    """The reference map of a patch."""
    return maps / patch.product / str(patch) / f"{patch}{MAP_SUFFIX}.tif"


def is_v2(path: Path) -> bool:
    """Whether a folder holds a product folder that holds a v2 patch, told from names alone."""
    if not path.is_dir():
        return False
    pixels = path / PIXELS if (path / PIXELS).is_dir() else path
    products = (entry for entry in _folders(pixels) if _is_product(entry))
    return any(
        _is_patch_of(name, product) for product in products for name in _folders(pixels / product)
    )


def list_v2_patches(pixels: Path) -> list[str]:
    """The names of the patches of a v2 layout, sorted; hidden folders are passed over.

    Raises:
        InputError: a folder in it is not named like a product or a patch of it, or there is no
            patch at all.
    """
    names: list[str] = []
    for product in _folders(pixels):
        if not _is_product(product):
            raise InputError(
                "not named like a product",
                where=pixels / product,
                do="Take it out; a folder of v2 holds S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP",
            )
        for name in _folders(pixels / product):
            if not _is_patch_of(name, product):
                raise InputError(
                    "not named like a patch of its product",
                    where=pixels / product / name,
                    do=f"Take it out; one would be named {product}_26_57",
                )
            names.append(name)
    if not names:
        raise InputError(
            "holds no BigEarthNet v2 patch",
            where=pixels,
            do=f"Give the folder that holds {PIXELS}, or that folder itself",
        )
    return sorted(names)


def parse_v2_name(name: str) -> PatchId:
    """The id that a v2 name is.

    Raises:
        InputError: it is none, or lies outside a tile.
    """
    patch = PatchId.parse(name)
    if patch.column >= TILE_PATCHES or patch.row >= TILE_PATCHES:
        raise InputError(f"a tile has {TILE_PATCHES} x {TILE_PATCHES} patches", where=name)
    parse_product(patch.product)
    return patch


@cache
def parse_product(product: str) -> ProductId:
    """The product of a folder's name.

    Raises:
        InputError: it is none.
    """
    return ProductId.parse(product)


def _folders(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (e.name for e in entries if not e.name.startswith(".") and e.is_dir())
    except OSError as error:
        raise InputError(f"cannot be read, {error.strerror}", where=folder) from error


def _is_product(name: str) -> bool:
    """Whether the name is a product id without generation time, as v2's folders have it."""
    try:
        return str(parse_product(name)) == name
    except BenError:
        return False


def _is_patch_of(name: str, product: str) -> bool:
    try:
        return PatchId.parse(name).product == product
    except BenError:
        return False
