"""Whole scenes of an archive as pictures, with the grid of patches and a legend."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import zarr

from benforge.archive.archive import Archive
from benforge.archive.layout import CLASSIFICATION, LAND_COVER, scene_path
from benforge.core.nomenclature import Nomenclature
from benforge.demo.pictures import average, data_uri
from benforge.statistics.pictures import SCL_CLASSES, TRUE_COLOR, css_color, paint, stretch

PIXELS = 900
"""Longest edge of a picture."""
ENTRIES = 14
"""Classes named in a legend; the rest are rarer."""


@dataclass(frozen=True, slots=True)
class Swatch:
    """A line of a legend."""

    name: str
    color: str


@dataclass(frozen=True, slots=True)
class MapFigure:
    """A picture of a whole scene; `ink` is the colour in which a grid over it can be seen."""

    title: str
    caption: str
    picture: str
    ink: str
    legend: Sequence[Swatch] = ()


def scene_figures(archive: Archive) -> list[MapFigure]:
    """Every scene in true colour, by time, the land cover, and the last scene's classification."""
    columns = (archive.index[name].to_pylist() for name in ("sensing_time", "scene"))
    scenes = sorted(set(zip(*columns, strict=True)))
    groups = [zarr.open_group(scene_path(archive.root, name), mode="r") for _, name in scenes]
    days = [f"{time.day} {time:%B %Y}" for time, _ in scenes]
    return [
        *(_true_color(archive, group, day) for group, day in zip(groups, days, strict=True)),
        _land_cover(np.asarray(groups[0][LAND_COVER]), archive.meta.nomenclature),
        _classification(np.asarray(groups[-1][CLASSIFICATION]), days[-1]),
    ]


def _true_color(archive: Archive, group: zarr.Group, day: str) -> MapFigure:
    names = [band.name for band in archive.meta.sensor.bands_at(10)]
    bands = np.asarray(group["r10m"])[[names.index(name) for name in TRUE_COLOR]]
    picture = stretch(average(bands, _factor(bands.shape[-2:])), (1, 98))
    return MapFigure(day, "True colour, B04 B03 B02 at 10 m.", data_uri(picture), "#fff")


def _land_cover(codes: npt.NDArray[np.uint16], nomenclature: Nomenclature) -> MapFigure:
    colors = {c.code: c.color for c in nomenclature.classes}
    factor = _factor(codes.shape)
    picture = paint(codes[factor // 2 :: factor, factor // 2 :: factor], colors)
    common = [code for code, _ in _by_area(codes) if code in nomenclature]
    legend = [
        Swatch(nomenclature.by_code(code).name, css_color(colors[code]))
        for code in common[:ENTRIES]
    ]
    rest = f" The {ENTRIES} largest are named." if len(common) > ENTRIES else ""
    caption = f"The reference map at 10 m: {len(common)} CORINE classes.{rest}"
    return MapFigure("Land cover", caption, data_uri(picture, "png"), "#000", legend)


def _classification(codes: npt.NDArray[np.uint8], day: str) -> MapFigure:
    colors = {code: color for code, (_, color) in SCL_CLASSES.items()}
    factor = _factor(codes.shape)
    picture = paint(codes[factor // 2 :: factor, factor // 2 :: factor], colors)
    legend = [
        Swatch(f"{SCL_CLASSES[code][0]} {100 * share:.1f} %", css_color(colors[code]))
        for code, share in _by_area(codes)
        if code in SCL_CLASSES
    ]
    caption = "The scene classification (SCL) at 20 m, which came with the product."
    title = f"Cloud, shadow and snow on {day}"
    return MapFigure(title, caption, data_uri(picture, "png"), "#000", legend)


def _by_area(codes: npt.NDArray[np.generic]) -> list[tuple[int, float]]:
    """Codes and their shares of the area, largest first."""
    found, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [(int(found[i]), float(counts[i] / codes.size)) for i in order]


def _factor(shape: Sequence[int]) -> int:
    """By how much to shrink: a divisor of both edges, so that the grid of patches still fits."""
    edge = math.gcd(*shape)
    wanted = max(shape) / PIXELS
    return next(n for n in range(1, edge + 1) if edge % n == 0 and (n >= wanted or n == edge))


def grid_lines(columns: int, rows: int) -> str:
    """The lines between patches as an SVG path, one unit a patch."""
    upright = "".join(f"M{x} 0V{rows}" for x in range(1, columns))
    return upright + "".join(f"M0 {y}H{columns}" for y in range(1, rows))


def outlines(places: Iterable[tuple[int, int]]) -> str:
    """Squares around patches at column and row, as an SVG path."""
    return "".join(f"M{column} {row}h1v1h-1z" for column, row in places)
