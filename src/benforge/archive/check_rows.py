"""Whether the rows of a scene agree with themselves and with the scene's ground."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from benforge.archive.finding import Finding
from benforge.archive.footprints import footprints
from benforge.archive.layout import SceneFrame
from benforge.core.fractions import ROUNDING
from benforge.core.nomenclature import Nomenclature
from benforge.core.season import SEASONS

DEGREES = 1e-9
"""How far a footprint's corner may lie off, a tenth of a millimetre: libraries round."""

Mask = npt.NDArray[np.bool_]


def check_rows(
    rows: pa.Table,
    scene: str,
    frame: SceneFrame,
    nomenclature: Nomenclature,
    where: Path,
    *,
    imported: bool = False,
) -> list[Finding]:
    """Every rule that rows break, with how many break it and the first that does.

    Args:
        rows: of one scene, a table of `benforge.core.record.SCHEMA`.
        scene: its name.
        frame: its ground.
        nomenclature: of the labels.
        where: the file, for the findings.
        imported: whether the scene came from a published layout, whose reference maps give
            pixels of classes but no exact shares.
    """
    if not len(rows):
        return []
    rows = rows.combine_chunks()
    inside = _inside(rows, frame)
    broken = {
        "stands in another scene": ~_equal(rows["scene"], scene),
        "lies outside the scene": ~inside,
        "stands twice": _twice(rows, frame),
        "has an id that is not its product, column and row": _wrong_id(rows),
        "has a season that its date is not in": _wrong_season(rows),
        "has a corner that is not its column and row": ~_equal(rows["crs"], frame.grid.crs)
        | _wrong_corner(rows, frame),
        "has a footprint that is not its corner's": _wrong_footprint(rows, frame),
        "has shares or pixels that do not fit its classes": _wrong_lengths(rows, imported),
        "has shares outside 0 to 1 or above 1 in all": _wrong_shares(rows),
        "has more reference pixels than a patch": _sums(rows["pixels"]) > frame.patch_pixels**2,
        "has a label that the nomenclature lacks, or twice": _wrong_labels(rows, nomenclature),
    }
    return list(_findings(rows, broken, where))


def _findings(rows: pa.Table, broken: dict[str, Mask], where: Path) -> Iterator[Finding]:
    for what, mask in broken.items():
        if count := int(mask.sum()):
            first = rows["patch_id"][int(mask.argmax())].as_py()
            others = f" and {count - 1} more" if count > 1 else ""
            yield Finding(where=str(where), what=f"{first}{others} {what}")


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(column, np.float64)


def _equal(column: pa.ChunkedArray, value: str) -> Mask:
    return np.asarray(pc.equal(column.cast(pa.string()), value), np.bool_)


def _inside(rows: pa.Table, frame: SceneFrame) -> Mask:
    column, row = _numbers(rows["column"]), _numbers(rows["row"])
    inside: Mask = (column >= 0) & (column < frame.columns) & (row >= 0) & (row < frame.rows)
    return inside


def _twice(rows: pa.Table, frame: SceneFrame) -> Mask:
    """All but the first of each place."""
    places = _numbers(rows["row"]) * frame.columns + _numbers(rows["column"])
    twice = np.ones(len(rows), np.bool_)
    twice[np.unique(places, return_index=True)[1]] = False
    return twice


def _wrong_id(rows: pa.Table) -> Mask:
    names = ("patch_id", "product", "tile", "column", "row")
    places = zip(*(rows[name].to_pylist() for name in names), strict=True)
    return np.array(
        [
            patch != f"{product}_{column:02d}_{row:02d}" or not product.endswith(f"_T{tile}")
            for patch, product, tile, column, row in places
        ],
        np.bool_,
    )


def _wrong_season(rows: pa.Table) -> Mask:
    months = np.asarray(pc.month(rows["sensing_time"]))
    wrong: Mask = np.array(SEASONS)[months % 12 // 3] != np.array(rows["season"].to_pylist())
    return wrong


def _wrong_corner(rows: pa.Table, frame: SceneFrame) -> Mask:
    edge = frame.patch_pixels * frame.grid.pixel_size
    ulx = frame.grid.ulx + _numbers(rows["column"]) * edge
    uly = frame.grid.uly - _numbers(rows["row"]) * edge
    wrong: Mask = (ulx != _numbers(rows["ulx"])) | (uly != _numbers(rows["uly"]))
    return wrong


def _wrong_footprint(rows: pa.Table, frame: SceneFrame) -> Mask:
    edge = frame.patch_pixels * frame.grid.pixel_size
    expected = footprints(frame.grid.crs, _numbers(rows["ulx"]), _numbers(rows["uly"]), edge)
    wkb = rows["geometry"].to_numpy(zero_copy_only=False)
    found = shapely.from_wkb(wkb, on_invalid="ignore")
    with np.errstate(invalid="ignore"):  # a corner that no CRS reaches has no degrees
        same = shapely.equals_exact(shapely.normalize(found), shapely.normalize(expected), DEGREES)
    return ~np.asarray(same, np.bool_)


def _lengths(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Entries of each list; -1 for no list."""
    return np.asarray(pc.fill_null(pc.list_value_length(column), -1), np.int64)


def _wrong_lengths(rows: pa.Table, imported: bool) -> Mask:
    classes, shares, pixels = (_lengths(rows[name]) for name in ("classes", "shares", "pixels"))
    wrong: Mask = (shares != pixels) | ((shares != classes) & (shares != -1))
    if imported:
        wrong = (shares != -1) | ((pixels != classes) & (pixels != -1))
    return wrong


def _sums(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """The sum of each list; 0 for an empty or no list."""
    owners = np.asarray(pc.list_parent_indices(column), np.int64)
    values = _numbers(pc.list_flatten(column))
    return np.bincount(owners, weights=values, minlength=len(column)).astype(np.float64)


def _wrong_shares(rows: pa.Table) -> Mask:
    column = rows["shares"]
    owners = np.asarray(pc.list_parent_indices(column), np.int64)
    values = _numbers(pc.list_flatten(column))
    wrong: Mask = _sums(column) > 1 + ROUNDING
    wrong[owners[(values < 0) | (values > 1 + ROUNDING) | np.isnan(values)]] = True
    return wrong


def _wrong_labels(rows: pa.Table, nomenclature: Nomenclature) -> Mask:
    known = set(nomenclature.names)
    lists = rows["labels"].to_pylist()
    return np.array([not set(x) <= known or len(set(x)) < len(x) for x in lists], np.bool_)
