"""One row of the index: what is known of a patch without its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.identity import PatchId


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchRecord:
    """One patch in the index; the fields are the columns of `patches.parquet`, in this order.

    Args:
        patch_id: `str(PatchId)`.
        scene: the group that holds the pixels: `scenes/<scene>.zarr`.
        product: product id without generation time.
        tile: MGRS tile.
        column: patches to the right of the tile's corner.
        row: patches downward.
        crs: "EPSG:32633".
        ulx: easting of the upper-left corner, m.
        uly: northing of the upper-left corner, m.
        sensing_time: UTC.
        season: winter, spring, summer or autumn.
        country: name, or None where no country was asked for.
        source: full id of the product the pixels come from, generation time included.
        v1_name: name in BigEarthNet v1, None where the patch never had one.
        classes: codes of the land-cover classes that occur, ascending.
        shares: the exact share of each of `classes`; None for archives that publish labels only.
        pixels: reference-map pixels of each of `classes`, by pixel centre; None without a map.
        labels: class names under the archive's policy and nomenclature, in published order.
        nodata: share of the patch's pixels that are 0 in at least one band, at the coarsest size.
        geometry: footprint, WKB polygon in longitude and latitude (OGC:CRS84).
    """

    patch_id: str
    scene: str
    product: str
    tile: str
    column: int
    row: int
    crs: str
    ulx: float
    uly: float
    sensing_time: datetime
    season: str
    country: str | None
    source: str
    v1_name: str | None
    classes: Sequence[int]
    shares: Sequence[float] | None
    pixels: Sequence[int] | None
    labels: Sequence[str]
    nodata: float
    geometry: bytes

    @property
    def id(self) -> PatchId:
        """Which patch."""
        return PatchId.parse(self.patch_id)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> PatchRecord:
        """The record of one row of the index."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


_text = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        pa.field("patch_id", pa.string(), nullable=False),
        pa.field("scene", _text, nullable=False),
        pa.field("product", _text, nullable=False),
        pa.field("tile", _text, nullable=False),
        pa.field("column", pa.int16(), nullable=False),
        pa.field("row", pa.int16(), nullable=False),
        pa.field("crs", _text, nullable=False),
        pa.field("ulx", pa.float64(), nullable=False),
        pa.field("uly", pa.float64(), nullable=False),
        pa.field("sensing_time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("season", _text, nullable=False),
        pa.field("country", _text),
        pa.field("source", _text, nullable=False),
        pa.field("v1_name", pa.string()),
        pa.field("classes", pa.list_(pa.int16()), nullable=False),
        pa.field("shares", pa.list_(pa.float64())),
        pa.field("pixels", pa.list_(pa.int32())),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
        pa.field("nodata", pa.float32(), nullable=False),
        pa.field("geometry", pa.binary(), nullable=False),
    ]
)
"""The Arrow schema of the index; `tests/core/test_record.py` holds it to `PatchRecord`."""


def to_table(records: Iterable[PatchRecord]) -> pa.Table:
    """The records as an Arrow table of `SCHEMA`, one row each, in the order given."""
    rows = list(records)
    columns = [[getattr(row, field.name) for row in rows] for field in SCHEMA]
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def code_texts(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Distinct texts of a column without nulls, some maybe of no row, and each row's among them.

    A column of the index is a few texts many times over: no text is made anew for each row.
    """
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    return coded.dictionary.to_pylist(), np.asarray(coded.indices)


def number_texts(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The same, but only texts that have a row, as they first occur: however they are stored."""
    texts, codes = code_texts(column)
    first = pa.array(codes).dictionary_encode()
    names = [texts[code] for code in first.dictionary.to_pylist()]
    return names, np.asarray(first.indices).astype(np.int64)


def are_distinct(texts: pa.ChunkedArray) -> bool:
    """Whether no text occurs twice; texts that are sorted are compared in place."""
    if pc.all(pc.less(texts.slice(0, max(0, len(texts) - 1)), texts.slice(1))).as_py() is not False:
        return True
    return bool(pc.count_distinct(texts).as_py() == len(texts))
