"""Every published v1 patch in one table, made by our rules from its name and its product."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.footprints import centres, footprints
from benforge.core.bigearthnet import EDGE, TILE_PATCHES, load_bigearthnet
from benforge.core.identity import ProductId
from benforge.core.record import SCHEMA
from benforge.core.season import season_of
from benforge.errors import InputError
from benforge.labels.countries import countries_of
from benforge.published.lists import PublishedLists

_SHARED = (
    *("patch_id", "product", "tile", "column", "row", "crs", "ulx", "uly"),
    *("sensing_time", "season", "country", "source"),
)
"""Columns that mean what they mean in the index of an archive."""

INDEX_SCHEMA = pa.schema(
    [
        pa.field("v1_name", pa.string(), nullable=False),
        *(SCHEMA.field(name) for name in _SHARED),
        pa.field("v2_id", pa.string()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("snow", pa.bool_()),
        pa.field("cloud", pa.bool_()),
    ]
)
"""The columns of `read_index`; those that an archive's index has too mean the same there."""


def read_index(lists: PublishedLists, v2: pa.Table | None = None) -> pa.Table:
    """One row a published v1 patch, in the order of the list of products.

    Identity, corner, time, season and country are made from the patch's product, column and row
    by our rules (fidelity 2, 16, 17); nothing but the product is read back.

    Args:
        lists: needs "products"; adds what v2's metadata and the quality lists tell.
        v2: `lists.v2()`, where it is read already.

    Returns:
        A table of `INDEX_SCHEMA`. `labels` and `v2_id` are those of v2, null where v2 lacks the
        patch; `snow` and `cloud` are null where the list is not at hand.

    Raises:
        InputError: a list is damaged, or a product lies in none of the 56 tiles.
        MissingError: the list of products is not at hand.
    """
    with ThreadPoolExecutor() as pool:
        metadata = pool.submit(lists.v2) if v2 is None and lists.has("v2") else None
        flags = {
            column: pool.submit(lists.names, kind) if lists.has(kind) else None
            for column, kind in (("snow", "seasonal_snow"), ("cloud", "cloud_or_shadow"))
        }
        products = lists.products()
        columns = _places(products["v1_name"].combine_chunks(), products["source"].combine_chunks())
        names = columns["v1_name"]
        columns |= _from_v2(names, metadata.result() if metadata else v2)
        for column, listed in flags.items():
            columns[column] = (
                pc.is_in(names, listed.result()) if listed else pa.nulls(len(names), pa.bool_())
            )
    return pa.table([columns[name] for name in INDEX_SCHEMA.names], schema=INDEX_SCHEMA)


def _places(names: pa.Array, source: pa.DictionaryArray) -> dict[str, Any]:
    """All that follows from a patch's product, column and row."""
    sources = source.dictionary.to_pylist()
    products = [ProductId.parse(text) for text in sources]
    tiles, corners = _corners(products)
    of = source.indices.to_numpy()
    column, row = parse_places(names)
    ulx = corners[of, 1] + EDGE * column.astype(np.int64)
    uly = corners[of, 2] - EDGE * row.astype(np.int64)
    crs = [f"EPSG:{code}" for code in corners[:, 0]]
    tile_of = np.unique(tiles, return_inverse=True)[1]
    footprint = (tile_of[of] * TILE_PATCHES + row) * TILE_PATCHES + column
    times = pa.array([p.sensing_time for p in products], pa.timestamp("us", tz="UTC"))
    texts = [str(product) for product in products]
    return {
        "v1_name": names,
        "patch_id": _patch_ids(_coded(of, texts), column, row),
        "product": _coded(of, texts),
        "tile": _coded(of, tiles),
        "column": pa.array(column),
        "row": pa.array(row),
        "crs": _coded(of, crs),
        "ulx": pa.array(ulx.astype(np.float64)),
        "uly": pa.array(uly.astype(np.float64)),
        "sensing_time": times.take(source.indices),
        "season": _coded(of, [season_of(p.sensing_time) for p in products]),
        "country": _countries(footprint, np.asarray(crs)[of], ulx, uly),
        "source": source.cast(SCHEMA.field("source").type),
    }


def parse_places(names: pa.Array) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Column and row of each v1 or v2 patch name: its last two numbers.

    Raises:
        InputError: a name does not end in them, or they lie outside a tile.
    """
    parts = pc.extract_regex(names, r"_(?P<column>\d{1,2})_(?P<row>\d{1,2})$")
    told = parts.is_valid()
    column, row = (
        pc.if_else(told, parts.field(i), "99").cast(pa.int16()).to_numpy() for i in (0, 1)
    )
    outside = (column >= TILE_PATCHES) | (row >= TILE_PATCHES)
    if outside.any():
        where = names[int(outside.argmax())].as_py()
        raise InputError(f"column and row go from 0 to {TILE_PATCHES - 1}", where=where)
    return column, row


def _corners(products: list[ProductId]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Tile, and EPSG code and corner, of each product."""
    known = load_bigearthnet().corners
    if strangers := [p for p in products if p.tile not in known]:
        raise InputError(
            f"{strangers[0].tile} is none of the {len(known)} tiles", where=str(strangers[0])
        )
    found = [known[p.tile] for p in products]
    return [p.tile for p in products], np.array(found, np.int64).reshape(-1, 3)


def _coded(of: npt.NDArray[np.int32], values: list[str]) -> pa.DictionaryArray:
    """One text a patch, from one a product; each text stands once in the dictionary."""
    coded = pa.array(values, pa.string()).dictionary_encode()
    codes = coded.indices.to_numpy()[of].astype(np.int32)
    return pa.DictionaryArray.from_arrays(codes, coded.dictionary)


def _patch_ids(
    product: pa.Array, column: npt.NDArray[np.int16], row: npt.NDArray[np.int16]
) -> pa.Array:
    """Patch ids as `PatchId` prints them."""
    padded = [pc.utf8_lpad(pa.array(n).cast(pa.string()), 2, "0") for n in (column, row)]
    return pc.binary_join_element_wise(product.cast(pa.string()), *padded, "_")


def _countries(
    footprint: npt.NDArray[np.int64],
    crs: npt.NDArray[np.str_],
    ulx: npt.NDArray[np.int64],
    uly: npt.NDArray[np.int64],
) -> pa.DictionaryArray:
    """The nearest of the ten countries to each patch's centre, asked once a footprint."""
    _, first, which = np.unique(footprint, return_index=True, return_inverse=True)
    country = np.empty(len(first), np.int32)
    names = load_bigearthnet().countries
    for zone in np.unique(crs[first]):
        here = np.flatnonzero(crs[first] == zone)
        at = first[here]
        shapes = footprints(str(zone), ulx[at].astype(float), uly[at].astype(float), EDGE)
        nearest = countries_of(*centres(shapes), names)
        country[here] = pc.index_in(pa.array(nearest), pa.array(names)).to_numpy()
    return pa.DictionaryArray.from_arrays(country[which], pa.array(names, pa.string()))


def _from_v2(names: pa.Array, v2: pa.Table | None) -> dict[str, Any]:
    """What v2 calls and labels the patches of v1."""
    if v2 is None:
        nulls = INDEX_SCHEMA.field("labels").type
        return {"v2_id": pa.nulls(len(names), pa.string()), "labels": pa.nulls(len(names), nulls)}
    places = pc.index_in(names, v2["s2v1_name"].combine_chunks())
    found = v2.select(["patch_id", "labels"]).take(places).combine_chunks()
    return {"v2_id": found["patch_id"], "labels": found["labels"]}
