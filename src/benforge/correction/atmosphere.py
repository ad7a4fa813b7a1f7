"""The air over a scene, estimated from the scene: aerosol from dark vegetation, water from B09.

Aerosol: over dense dark vegetation red reflectance of the ground is half that at 2.1 um, through
which aerosols are seldom seen (Kaufman and others, 1997, IEEE Transactions on Geoscience and Remote
Sensing 35, 1286-1298); the aerosol is chosen that makes it so. Their relation for blue is not used:
sen2cor's own results, which ours are held against, do not follow it over meadows.

Water vapour: it darkens B09 (945 nm) beside B8A (865 nm), between which the ground hardly changes
colour (Kaufman and Gao, 1992, IEEE Transactions on Geoscience and Remote Sensing 30, 871-884).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.correction.neighbours import Floats, box_mean
from benforge.correction.tables import BandTable, Some, to_ground

DEFAULT_AOT, DEFAULT_WATER = 0.1, 1.5
"""Taken where the scene tells nothing: clean air of the countryside, and of a mild day, g/cm2."""

_DARK = (0.05, 0.1, 0.15)
"""Ground reflectance in B12 up to which vegetation is dark, the next where too little is."""

_DENSE = 0.5
_ENOUGH, _ENOUGH_SHARE = 10, 1e-4
_SAMPLE = 20_000
_BLACK = 0.003
_BRIGHT = 0.05
_SMOOTH = 5
"""Pixels of 60 m to each side over which water vapour is averaged: 660 m across."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Atmosphere:
    """The air over a scene.

    Args:
        aot: aerosol optical thickness at 550 nm.
        aot_source: "dark vegetation", "darkest pixels" or "default".
        water: `row col`, column of water vapour, g/cm2.
        water_source: "B09" or "default".
    """

    aot: float
    aot_source: str
    water: Floats
    water_source: str


def estimate_atmosphere(
    top: Mapping[str, Floats],
    land: Mask,
    tables: Mapping[str, BandTable],
    *,
    reference: str = "B8A",
) -> Atmosphere:
    """The air over a scene.

    Args:
        top: band name to reflectance at the top of the atmosphere, `row col`, all of one size:
            B02, B04, B09, B12 and the reference; 0 is no data.
        land: `row col`, clear ground that is neither water, snow nor shadow.
        tables: of those bands.
        reference: the band beside B09 that water vapour hardly touches.
    """
    water, source = _estimate_water(top, land, tables, DEFAULT_AOT, reference)
    aot, aot_source = _estimate_aot(top, land, tables, float(np.median(water)), reference)
    water, source = _estimate_water(top, land, tables, aot, reference)
    return Atmosphere(aot, aot_source, water, source)


def _estimate_water(
    top: Mapping[str, Floats],
    land: Mask,
    tables: Mapping[str, BandTable],
    aot: float,
    reference: str,
) -> tuple[Floats, str]:
    """Water vapour, smoothed; the scene's median where no land is near."""
    wet, middle = tables["B09"], DEFAULT_WATER
    depths, roots = np.log(wet.gases), np.sqrt(wet.waters)
    for _ in range(3):  # water vapour takes a little of the reference and of the path as well
        passage = wet.passage(aot, middle)
        ground = to_ground(top[reference], tables[reference].passage(aot, middle))
        bright = land & (ground > _BRIGHT) & (top["B09"] > 0)
        if bright.sum() < _ENOUGH:
            return np.full(land.shape, DEFAULT_WATER, np.float32), "default"
        ground = np.where(bright, ground, np.float32(1))
        lit = passage.path + passage.transmittance * ground / (1 - passage.albedo * ground)
        gas = np.where(bright, top["B09"], lit) / lit
        root = np.interp(np.log(gas), depths[::-1], roots[::-1]).astype(np.float32)
        middle = float(np.median(root[bright]) ** 2)
    smooth = box_mean(root, bright, _SMOOTH)
    smooth[np.isnan(smooth)] = np.sqrt(middle)
    return smooth**2, "B09"


def _estimate_aot(
    top: Mapping[str, Floats],
    land: Mask,
    tables: Mapping[str, BandTable],
    water: float,
    infrared: str,
) -> tuple[float, str]:
    """Aerosol optical thickness and where it is from."""
    aots = np.linspace(tables["B04"].aerosols[0], tables["B04"].aerosols[-1], 100)
    dark = _dark_vegetation(top, land, tables, water, infrared)
    most = _most_aerosol(top, land, tables, aots)
    if dark is None:
        aot, source = DEFAULT_AOT, "default"
    else:
        red, swir = top["B04"][dark], top["B12"][dark]
        excess = [
            float(np.median(_ground(red, tables, "B04", aot, water) - swir_ground / 2))
            for aot in aots
            for swir_ground in [_ground(swir, tables, "B12", aot, water)]
        ]
        falling = np.minimum.accumulate(excess)
        aot, source = float(np.interp(0, -falling, aots)), "dark vegetation"
    if aot <= aots[0]:  # darker in red than without any aerosol: not the vegetation it is for
        aot, source = DEFAULT_AOT, "default"
    return (aot, source) if aot <= most else (most, "darkest pixels")


def _dark_vegetation(
    top: Mapping[str, Floats],
    land: Mask,
    tables: Mapping[str, BandTable],
    water: float,
    infrared: str,
) -> tuple[npt.NDArray[np.intp], ...] | None:
    """Places of dark dense vegetation, as many as serve; None where there is too little."""
    swir, red, near = (
        _ground(top[name], tables, name, DEFAULT_AOT, water) for name in ("B12", "B04", infrared)
    )
    dense = land & (swir > 0.01) & (near - red > _DENSE * (near + red))
    enough = max(_ENOUGH, int(_ENOUGH_SHARE * land.sum()))
    for limit in _DARK:
        places = np.nonzero(dense & (swir <= limit))
        if len(places[0]) >= enough:
            step = -(-len(places[0]) // _SAMPLE)
            return tuple(axis[::step] for axis in places)
    return None


def _most_aerosol(
    top: Mapping[str, Floats],
    land: Mask,
    tables: Mapping[str, BandTable],
    aots: npt.NDArray[np.float64],
) -> float:
    """The aerosol beyond which the darkest land would be darker than black, in blue or red."""
    if land.sum() < _ENOUGH:
        return float(aots[-1])
    darkest = {name: float(np.percentile(top[name][land], 1)) for name in ("B02", "B04")}
    possible = [
        aot
        for aot in aots
        if all(_ground(d, tables, n, aot, DEFAULT_WATER) > _BLACK for n, d in darkest.items())
    ]
    return float(possible[-1]) if possible else float(aots[0])


def _ground(
    top: Some, tables: Mapping[str, BandTable], name: str, aot: float, water: float
) -> Some:
    return to_ground(top, tables[name].passage(aot, water))
