"""What the viewer shows of patches: each in several views, many of them in one picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from benforge.archive.archive import Archive
from benforge.archive.layout import CLASSIFICATION, LAND_COVER
from benforge.archive.pixels import Place
from benforge.core.nomenclature import load_nomenclature
from benforge.errors import ArchiveError, InputError
from benforge.statistics.pictures import (
    FALSE_COLOR,
    INFRARED,
    SCL_CLASSES,
    TRUE_COLOR,
    Color,
    Picture,
    paint,
    stretch,
)

EDGE = 120
"""Pixels along the edge of a patch on the page. A multiple of 8, so that a JPEG's blocks never
span two patches of a sheet."""

Stretch = Literal["percentile", "fixed"]
STRETCHES: tuple[Stretch, ...] = ("percentile", "fixed")

GAMMA = 0.8
_PLAIN, _HATCH = (58, 62, 60), (28, 31, 30)


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a patch.

    Args:
        key: of the keyboard.
        name: in addresses.
        title: in words.
        bands: shown as red, green and blue; none where a map is shown.
        white: reflectance x 10,000 that is white under the fixed stretch.
    """

    key: str
    name: str
    title: str
    bands: tuple[str, ...] = ()
    white: int = 0


VIEWS = {
    view.name: view
    for view in (
        View("1", "true", "true colour", TRUE_COLOR, 3000),
        View("2", "false", "near infrared", FALSE_COLOR, 4500),
        View("3", "swir", "short-wave infrared", INFRARED, 4500),
        View("4", "scl", "scene classification"),
        View("5", "cover", "land cover"),
    )
}
"""Name to view. Snow is white in true colour and cyan in short-wave infrared; cloud is white
in both."""


def draw(archive: Archive, position: int, view: str, stretch_by: str) -> Picture:
    """One patch, 120 x 120 `row col rgb`.

    Args:
        archive: what holds it.
        position: its row in the index.
        view: a name of `VIEWS`.
        stretch_by: "percentile" takes black and white from the patch itself; "fixed" is the same
            for all, so that bright ground, snow and cloud are bright.

    Raises:
        InputError: another view or stretch.
        IndexError: there is no such row.
        ArchiveError: its pixels are damaged.
    """
    if view not in VIEWS:
        raise InputError(f"there is no view {view!r}", do=f"Use one of {', '.join(VIEWS)}")
    if stretch_by not in STRETCHES:
        raise InputError(
            f"there is no stretch {stretch_by!r}", do=f"Use one of {', '.join(STRETCHES)}"
        )
    place = place_of(archive, position)
    if VIEWS[view].bands:
        return fit(_bands(archive, place, VIEWS[view], stretch_by))
    drawn: dict[str, Callable[[Archive, Place], Picture]] = {
        "scl": _classification,
        "cover": _land_cover,
    }
    return fit(drawn[view](archive, place))


def sheet(
    archive: Archive, positions: Sequence[int], view: str, stretch_by: str, columns: int
) -> bytes:
    """Many patches as one JPEG, row by row, each 120 x 120; cells that are left over are black.

    A patch whose pixels are damaged is hatched, so that the others are seen.

    Raises:
        InputError: no patch, fewer than one column, another view or stretch.
        IndexError: there is no such row.
    """
    if not positions or columns < 1:
        raise InputError("a sheet needs a patch and a column")
    wide = min(columns, len(positions))
    canvas = np.zeros((-(-len(positions) // wide), EDGE, wide, EDGE, 3), np.uint8)
    for cell, position in enumerate(positions):
        row, column = divmod(cell, wide)
        with suppress(ArchiveError):
            canvas[row, :, column] = draw(archive, position, view, stretch_by)
            continue
        canvas[row, :, column] = hatched()
    picture = canvas.reshape(canvas.shape[0] * EDGE, wide * EDGE, 3)
    return _encoded(picture, format="JPEG", quality=90, subsampling=0)


def png(archive: Archive, position: int, view: str, stretch_by: str) -> bytes:
    """One patch as `draw` gives it, lossless.

    Raises:
        InputError: another view or stretch.
        IndexError: there is no such row.
        ArchiveError: its pixels are damaged.
    """
    return _encoded(draw(archive, position, view, stretch_by), format="PNG", compress_level=1)


def place_of(archive: Archive, position: int) -> Place:
    """Scene, column and row of a patch.

    Raises:
        IndexError: there is no such row.
    """
    if not 0 <= position < len(archive):
        raise IndexError(f"{position} in an archive of {len(archive)} patches")
    scene, column, row = (archive.index[name][position] for name in ("scene", "column", "row"))
    return scene.as_py(), column.as_py(), row.as_py()


def fit(picture: Picture) -> Picture:
    """The picture at 120 x 120, by the nearest pixel."""
    rows, columns = (np.arange(EDGE) * size // EDGE for size in picture.shape[:2])
    return picture if picture.shape[:2] == (EDGE, EDGE) else picture[rows[:, None], columns]


def _bands(archive: Archive, place: Place, view: View, stretch_by: str) -> Picture:
    """Three bands of one pixel size, red, green, blue."""
    sensor = archive.meta.sensor
    size = sensor.band(view.bands[0]).pixel_size
    names = [band.name for band in sensor.bands_at(size)]
    missing = [name for name in view.bands if name not in names]
    if missing:
        raise InputError(f"the archive holds no band {missing[0]} at {size} m")
    array = archive.pixels.read_array(place[0], size, *place[1:])
    bands = array[[names.index(name) for name in view.bands]]
    return stretch(bands) if stretch_by == "percentile" else brighten(bands, view.white)


def brighten(bands: npt.NDArray[np.uint16], white: int) -> Picture:
    """Three bands, `band row col`, as red, green, blue: 0 is black, `white` and more is white."""
    return np.moveaxis(_curve(white)[np.minimum(bands, white)], 0, -1)


@cache
def _curve(white: int) -> npt.NDArray[np.uint8]:
    """Brightness of every reflectance up to `white`."""
    values: npt.NDArray[np.float64] = 255 * (np.arange(white + 1) / white) ** GAMMA
    return values.round().astype(np.uint8)


def _classification(archive: Archive, place: Place) -> Picture:
    """The scene classification in its colours; hatched where there is none."""
    codes = archive.pixels.read_map(place[0], CLASSIFICATION, *place[1:])
    if codes is None:
        return hatched()
    return paint(codes, {code: color for code, (_, color) in SCL_CLASSES.items()})


def hatched() -> Picture:
    """What stands where there is nothing to show: grey with black stripes."""
    across = np.add.outer(np.arange(EDGE), np.arange(EDGE))
    return np.array([_PLAIN, _HATCH], np.uint8)[(across % 20 < 6).astype(np.intp)]


def _land_cover(archive: Archive, place: Place) -> Picture:
    """Land-cover colours over the patch in grey; grey alone where there is no map."""
    grey = _bands(archive, place, VIEWS["true"], "percentile").mean(axis=2, keepdims=True)
    codes = archive.pixels.read_map(place[0], LAND_COVER, *place[1:])
    if codes is None:
        return _rounded(grey.repeat(3, axis=2))
    colors = _colors(archive)
    known = np.isin(codes, list(colors))[..., None]
    return _rounded(np.where(known, 0.62 * paint(codes, colors) + 0.38 * grey, grey))


def _rounded(values: npt.NDArray[np.float64]) -> Picture:
    picture: Picture = values.round().astype(np.uint8)
    return picture


def _colors(archive: Archive) -> dict[int, Color]:
    """Code to colour: of CORINE, which reference maps are written in, and of the archive."""
    classes = (*load_nomenclature("clc-44").classes, *archive.meta.nomenclature.classes)
    return {c.code: c.color for c in classes}


def _encoded(picture: Picture, **options: object) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(picture).save(sink, **options)  # type: ignore[arg-type]
    return sink.getvalue()
