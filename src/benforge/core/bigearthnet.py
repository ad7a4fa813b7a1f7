"""Facts of the published archive: its countries, products and tiles, and what was counted in it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

EDGE = 1200
"""Edge of a patch, m (fidelity 1)."""

TILE_PATCHES = 91
"""Patches along the edge of a tile."""


class TileCorner(NamedTuple):
    """Where a tile lies.

    Args:
        epsg: code of the CRS of its UTM zone, 32633.
        ulx: easting of its upper-left corner, m.
        uly: northing of the same, m.
    """

    epsg: int
    ulx: int
    uly: int


@dataclass(frozen=True, slots=True)
class BigEarthNet:
    """What the 2019 paper chose, and what was published of it and of the second version.

    Args:
        countries: the ten, English names as the published lists write them.
        products: full ids of the 125 products, with generation time.
        corners: the 56 tiles, by name.
        class_counts: patches of each of the 43 classes (Table 2 of the paper), by name.
        band_means: mean of each band, reflectance x 10,000, as the authors published it.
        band_stds: standard deviation likewise.
        v1: other published counts of the first version, by name.
        v2: those of the second.
        product_seasons: products of each season.
    """

    countries: tuple[str, ...]
    products: tuple[str, ...]
    corners: Mapping[str, TileCorner]
    class_counts: Mapping[str, int]
    band_means: Mapping[str, float]
    band_stds: Mapping[str, float]
    v1: Mapping[str, Any]
    v2: Mapping[str, Any]
    product_seasons: Mapping[str, int]


@cache
def load_bigearthnet() -> BigEarthNet:
    """The facts, from `core/facts/` bigearthnet.toml, tiles.toml and published.toml."""
    chosen, published = _read("bigearthnet"), _read("published")
    return BigEarthNet(
        countries=tuple(chosen["countries"]),
        products=tuple(chosen["products"]),
        corners={tile: TileCorner(**corner) for tile, corner in _read("tiles").items()},
        class_counts=published["class_counts"],
        band_means=published["band_means"],
        band_stds=published["band_stds"],
        v1=published["v1"],
        v2=published["v2"],
        product_seasons=published["products"]["seasons"],
    )


def _read(name: str) -> dict[str, Any]:
    source = files("benforge.core") / "facts" / f"{name}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
