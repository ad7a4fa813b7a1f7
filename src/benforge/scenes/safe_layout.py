"""Where the files of a SAFE product stand, in each of its layouts; pure, on names alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from benforge.core.sensor import Band
from benforge.errors import ProductError
from benforge.scenes.safe_files import PRODUCT_XML, ProductFiles

_GRANULE_XML = re.compile(
    r"(?P<folder>GRANULE/[^/]+)/(MTD_TL|S2[A-Z]_(OPER|USER)_MTD_L(1C|2A)_[^/]*)\.xml"
)
_TILE = re.compile(r"_T(\d{2}[A-Z]{3})(?:_|$)")
_OTHER_PRODUCTS = (
    ("a Landsat product", r"(^|/)L[CEMOT]0\d_|_MTL\.(txt|xml|json)$"),
    ("a Sentinel-1 product", r"(^|/)S1[A-D]_"),
    ("a Sentinel-3 product", r"(^|/)S3[A-D]_|(^|/)xfdumanifest\.xml$"),
    ("a Sentinel-2 product below level 1C", r"MTD_(MSI|SAF)L(0|1A|1B)|_MSI_?L(0|1A|1B)_"),
)


def find_product_xml(files: ProductFiles) -> str:
    """Name of the main metadata file.

    Raises:
        ProductError: there is none, or more than one; says what product it seems to be instead.
    """
    found = [name for name in files.sizes if PRODUCT_XML.fullmatch(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ProductError(f"several main metadata files: {', '.join(found)}", where=files.where())
    names = [files.name, *files.sizes]
    other = [kind for kind, mark in _OTHER_PRODUCTS if any(re.search(mark, n) for n in names)]
    what = f", but {other[0]}" if other else ": there is no MTD_MSIL1C.xml or MTD_MSIL2A.xml"
    raise ProductError(
        f"not a Sentinel-2 L1C or L2A product{what}",
        where=files.where(),
        do="Give the .SAFE folder of such a product or its zip",
    )


def tile_of(name: str) -> str | None:
    """The MGRS tile in the name of a granule, `_T33UUP_`, or None."""
    match = _TILE.search(name)
    return match[1] if match else None


def find_granule(files: ProductFiles, tile: str | None = None) -> tuple[str, str]:
    """The folder of a granule and the name of its metadata file.

    Args:
        files: the product.
        tile: which, where a product from before December 2016 has several.

    Raises:
        ProductError: none, several and no tile given, or no such tile.
    """
    found = {name: m["folder"] for name in files.sizes if (m := _GRANULE_XML.fullmatch(name))}
    tiles = {name: tile_of(folder) or "without a tile" for name, folder in found.items()}
    if not found:
        raise ProductError(
            "no granule with metadata", where=files.where("GRANULE"), do="Download it again"
        )
    if tile is not None:
        found = {name: folder for name, folder in found.items() if tiles[name] == tile}
    if len(found) != 1:
        asked = f"no tile {tile}" if tile and not found else "more than one granule"
        listed = ", ".join(sorted(tiles.values()))
        raise ProductError(
            f"{asked} in the product",
            where=files.where(),
            do=f"Name one of its tiles after its path, as PATH#TILE: {listed}",
        )
    [(xml, folder)] = found.items()
    return folder, xml


def find_band(
    names: Collection[str], granule: str, band: Band, level: str, listed: Iterable[str]
) -> list[str]:
    """The files of a band at its native pixel size; one in a good product.

    Args:
        names: all files of the product.
        granule: folder of the granule.
        band: which.
        level: "L2A" products hold a band at several pixel sizes.
        listed: image files as the metadata name them; those that exist are preferred.
    """
    size = f"_{band.pixel_size}m" if level == "L2A" else ""
    return _preferred(_images(names, granule, f"_{band.name}{size}"), listed)


def find_classification(names: Collection[str], granule: str, listed: Iterable[str]) -> list[str]:
    """The scene classification at 20 m; at most one in a good product.

    Newer names end in `_SCL_20m`, those of 2016 have `_SCL_` before the tile.
    """
    return _preferred(_images(names, granule, r"_SCL_(?:.*_)?20m"), listed)


def _images(names: Collection[str], granule: str, ending: str) -> list[str]:
    pattern = re.compile(rf"{re.escape(granule)}/IMG_DATA/(?:[^/]+/)?[^/]*{ending}\.jp2")
    return [name for name in names if pattern.fullmatch(name)]


def _preferred(found: list[str], listed: Iterable[str]) -> list[str]:
    """Those that the metadata name; all where they name none, as after a renaming.

    Only the last part of an entry counts, so that none leads out of the product.
    """
    stems = {PurePosixPath(entry).name.removesuffix(".jp2") for entry in listed}
    return [name for name in found if PurePosixPath(name).stem in stems] or found
