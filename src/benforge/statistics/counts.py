"""Patches counted by label, season, country, tile and day: rows in, a table out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.season import SEASONS

UNKNOWN = "unknown"
"""The country of a patch that has none in the index."""


def has_some(lists: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """`patch`: whether its list holds anything; False where it is empty or not known (null)."""
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0)) > 0


def labels_per_patch(rows: pa.Table) -> npt.NDArray[np.int64]:
    """`patch`: how many labels each labelled patch has; those without labels are left out."""
    lengths = np.asarray(pc.fill_null(pc.list_value_length(rows["labels"]), 0), np.int64)
    return lengths[lengths > 0]


def count_labels(rows: pa.Table) -> pa.Table:
    """Labels a patch: `labels`, `patches`, their share, and the share with at most so many.

    One row for every number from the fewest to the most labels; shares are of labelled patches.
    """
    found = labels_per_patch(rows)
    if not len(found):
        return pa.table({name: [] for name in ("labels", "patches", "share", "share_at_most")})
    numbers = np.arange(found.min(), found.max() + 1)
    patches = np.bincount(found)[numbers]
    ends = np.cumsum(patches) / len(found)
    return pa.table(
        {
            "labels": numbers,
            "patches": patches,
            "share": patches / len(found),
            "share_at_most": ends,
        }
    )


def count_seasons(rows: pa.Table) -> pa.Table:
    """Patches of each season, all four, in the order of the year: `season`, `patches`, `share`."""
    found = dict(_counts(rows["season"]))
    patches = [found.get(season, 0) for season in SEASONS]
    shares = [count / max(1, len(rows)) for count in patches]
    return pa.table({"season": SEASONS, "patches": patches, "share": shares})


def count_countries(rows: pa.Table) -> pa.Table:
    """Patches of each country, most first, and how many of them in each season."""
    countries = _text(rows["country"]).fill_null(UNKNOWN)
    pairs = pa.table({"country": countries, "season": _text(rows["season"])})
    found = pairs.group_by(["country", "season"]).aggregate([([], "count_all")]).to_pylist()
    counts = {(pair["country"], pair["season"]): pair["count_all"] for pair in found}
    order = _counts(countries)
    by_season = {s: [counts.get((name, s), 0) for name, _ in order] for s in SEASONS}
    patches = [count for _, count in order]
    return pa.table(
        {
            "country": pa.array([name for name, _ in order], pa.string()),
            "patches": pa.array(patches, pa.int64()),
            "share": pa.array([count / len(rows) for count in patches], pa.float64()),
            **{season: pa.array(of, pa.int64()) for season, of in by_season.items()},
        }
    )


def count_dates(rows: pa.Table) -> pa.Table:
    """Patches of each day of acquisition, in order: `date`, `season`, `products`, `patches`."""
    days = pa.table(
        {
            "date": rows["sensing_time"].cast(pa.timestamp("us")).cast(pa.date32()),
            "season": _text(rows["season"]),
            "product": _text(rows["product"]),
        }
    )
    found = days.group_by(["date", "season"]).aggregate(
        [("product", "count_distinct"), ([], "count_all")]
    )
    named = found.select(["date", "season", "product_count_distinct", "count_all"])
    return named.rename_columns(["date", "season", "products", "patches"]).sort_by("date")


def count_tiles(rows: pa.Table) -> pa.Table:
    """Each tile by name: products, seasons, patches, and their distinct footprints."""
    keys = rows.select(["tile", "product", "season"])
    keys = pa.table({name: _text(keys[name]) for name in keys.column_names})
    found = keys.group_by("tile").aggregate(
        [("product", "count_distinct"), ("season", "count_distinct"), ([], "count_all")]
    )
    names = ["tile", "product_count_distinct", "season_count_distinct", "count_all"]
    tiles = found.select(names).rename_columns(["tile", "products", "seasons", "patches"])
    ground = count_footprints(rows).group_by("tile").aggregate([([], "count_all")])
    ground = ground.select(["tile", "count_all"]).rename_columns(["tile", "footprints"])
    return tiles.join(ground, "tile").sort_by("tile")


def count_footprints(rows: pa.Table) -> pa.Table:
    """Each distinct piece of ground: `tile`, `crs`, `column`, `row`, corner, `patches`, `seasons`.

    A patch of one tile and place is one footprint, on however many days it was taken.
    """
    keys = pa.table(
        {
            **{name: _text(rows[name]) for name in ("tile", "crs", "season")},
            **{name: rows[name] for name in ("column", "row", "ulx", "uly")},
        }
    )
    where = ["tile", "crs", "column", "row", "ulx", "uly"]
    found = keys.group_by(where).aggregate([("season", "count_distinct"), ([], "count_all")])
    table = found.select([*where, "count_all", "season_count_distinct"])
    table = table.rename_columns([*where, "patches", "seasons"])
    return table.sort_by([(name, "ascending") for name in ("tile", "row", "column")])


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text without its dictionary, which grouping could not merge."""
    return column.cast(pa.string())


def _counts(column: pa.ChunkedArray) -> list[tuple[str, int]]:
    """Value to how often it occurs, most often first, then by name."""
    pairs = (
        (pair["values"], pair["counts"]) for pair in pc.value_counts(_text(column)).to_pylist()
    )
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
