"""What the published lists must show of grid, names, products, seasons and countries."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.conformance.borders import BORDER, hold_borders
from benforge.conformance.fact import EVERY, Check, Found, Mask, at_least, every
from benforge.conformance.metadata import LISTED_SEASONS, Metadata, positions, texts
from benforge.conformance.names import hold_counting_up, hold_name_alone
from benforge.core.bigearthnet import EDGE, TILE_PATCHES, load_bigearthnet
from benforge.core.identity import ProductId
from benforge.core.season import season_of

FACTS = load_bigearthnet()
V1 = FACTS.v1

GRID, NAMES, PRODUCTS = "Grid and names", "Grid and names", "Products and tiles"
SEASONS, COUNTRIES = "Seasons", "Countries"


def _products(m: Metadata) -> list[ProductId]:
    return [ProductId.parse(text) for text in pc.unique(m.index["product"]).to_pylist()]


def _corners(m: Metadata) -> Found:
    """The corner of every name, against the published geometry."""
    places = positions(m.geometry["v1_name"], m.names)
    ours = m.index.take(pa.array(np.maximum(places, 0)))
    crs = pc.binary_join_element_wise("EPSG:", m.geometry["epsg"].cast(pa.string()), "")
    same: Mask = places >= 0
    for name, theirs in (("tile", m.geometry["tile"]), ("crs", crs)):
        same &= np.asarray(pc.equal(ours[name].cast(pa.string()), theirs))
    for name in ("ulx", "uly"):
        same &= np.asarray(ours[name]) == np.asarray(m.geometry[name])
    lacking = len(m.names) - len(np.unique(places[places >= 0]))
    return every(np.r_[same, np.zeros(lacking, np.bool_)])


def _places(m: Metadata) -> int:
    """Products times the columns and rows in use."""
    columns, rows = (len(pc.unique(m.index[name])) for name in ("column", "row"))
    return len(_products(m)) * columns * rows


def _range(m: Metadata) -> str:
    ends = [pc.min_max(m.index[name]).as_py() for name in ("column", "row")]
    return f"{min(e['min'] for e in ends)} to {max(e['max'] for e in ends)}"


def _counting_up(m: Metadata) -> Found:
    return hold_counting_up(m.times, m.footprint % TILE_PATCHES**2)


def _seconds(m: Metadata) -> Found:
    count = int(m.times.beyond_59.sum())
    return Found(f"{count:,} names", count > 0)


def _acquisitions(m: Metadata) -> int:
    """The most products that share tile and season."""
    pairs = [(p.tile, season_of(p.sensing_time)) for p in _products(m)]
    return max(pairs.count(pair) for pair in set(pairs))


def _product_seasons(season: str, m: Metadata) -> int:
    return sum(season_of(p.sensing_time) == season for p in _products(m))


def _known(m: Metadata) -> Found:
    found = pc.unique(m.index["source"].cast(pa.string())).to_pylist()
    return every(np.array([source in FACTS.products for source in found]))


def _baselines(m: Metadata) -> str:
    return ", ".join(sorted({f"N{p.baseline}" for p in _products(m)}))


def _months(m: Metadata) -> str:
    ends = pc.min_max(m.index["sensing_time"]).as_py().values()
    return " to ".join(f"{end:%B %Y}" for end in ends)


def _count(column: str, value: str, m: Metadata) -> int:
    return int(pc.sum(pc.equal(m.index[column].cast(pa.string()), value)).as_py())


def _wrong_seasons(m: Metadata) -> int:
    ours = [LISTED_SEASONS[season] for season in m.texts("season")]
    return int((np.array(ours, object) != _listed(m, "season")).sum())


def _listed(m: Metadata, column: str) -> np.ndarray:
    """A column of the published list, in the order of the index."""
    found = m.listed[column].combine_chunks().take(pa.array(np.maximum(m.listed_rows, 0)))
    told = texts(pa.chunked_array([found]))
    told[m.listed_rows < 0] = None
    return told


def _listed_countries(country: str, m: Metadata) -> int:
    return int(pc.sum(pc.equal(m.listed["country"], country)).as_py())


def _v1_countries(m: Metadata) -> Found:
    corners = np.stack([np.asarray(m.index[name]) for name in ("ulx", "uly")])
    told, nearest = _listed(m, "country"), m.texts("country")
    return every(hold_borders(told, nearest, m.texts("crs"), corners, EDGE))


def _others(m: Metadata) -> int:
    return int((m.texts("country") != _listed(m, "country")).sum())


def _v2_countries(m: Metadata) -> Found:
    """All that agree are known, so that a single one that is changed shows."""
    same = m.texts("country")[m.v2_rows] == texts(m.v2["country"])
    found = at_least(same & (m.v2_rows >= 0), 0)
    return Found(found.value, int(same.sum()) == FACTS.v2["countries_agree"])


P = ("products",)
LISTED = ("products", "countries_and_seasons")

CHECKS: list[Check[Metadata]] = [
    Check(
        1,
        GRID,
        "places: products x columns x rows in use",
        1_035_125,
        _places,
        P,
    ),
    Check(1, GRID, "columns and rows in use", "0 to 90", _range, P),
    Check(
        2,
        GRID,
        "corner: the tile's + 1,200 m a step",
        EVERY,
        _corners,
        ("products", "geometry"),
    ),
    Check(
        4,
        NAMES,
        "v1 patches, each named once",
        V1["patches"],
        lambda m: pc.count_distinct(m.names).as_py(),
        P,
    ),
    Check(
        4,
        NAMES,
        "patches by product, column and row, each once",
        V1["patches"],
        lambda m: pc.count_distinct(m.index["patch_id"]).as_py(),
        P,
    ),
    Check(
        4,
        NAMES,
        "name tells spacecraft and date of its product",
        EVERY,
        lambda m: every(m.times.agree),
        P,
    ),
    Check(
        4,
        NAMES,
        "names whose time is counted up",
        V1["counted_up"],
        lambda m: int((m.times.counted > 0).sum()),
        P,
    ),
    Check(
        4,
        NAMES,
        "names set back by 5, 6 or 8 seconds",
        V1["shifted"],
        lambda m: int(np.isin(m.times.counted, (-5, -6, -8)).sum()),
        P,
    ),
    Check(4, NAMES, "other names count up 0, 1, 2, ... at a place", EVERY, _counting_up, P),
    Check(4, NAMES, "names with seconds of 60 and more", "occur", _seconds, P),
    Check(
        4,
        NAMES,
        "names that fit one product alone are of it",
        EVERY,
        lambda m: hold_name_alone(m.times, m.index["product"]),
        P,
    ),
    Check(6, PRODUCTS, "products", len(FACTS.products), lambda m: len(_products(m)), P),
    Check(6, PRODUCTS, "products are those of the paper, id in full", EVERY, _known, P),
    Check(
        6, PRODUCTS, "tiles", len(FACTS.corners), lambda m: len({p.tile for p in _products(m)}), P
    ),
    *(
        Check(6, PRODUCTS, f"products in {season}", count, partial(_product_seasons, season), P)
        for season, count in FACTS.product_seasons.items()
    ),
    Check(6, PRODUCTS, "most products of one tile and season", 1, _acquisitions, P),
    Check(
        6,
        PRODUCTS,
        "distinct footprints",
        V1["footprints"],
        lambda m: len(np.unique(m.footprint)),
        P,
    ),
    Check(20, PRODUCTS, "processing baselines", "N0205, N0206", _baselines, P),
    Check(20, PRODUCTS, "sensed from and to", "June 2017 to May 2018", _months, P),
    *(
        Check(16, SEASONS, f"patches in {season}", count, partial(_count, "season", season), P)
        for season, count in V1["seasons"].items()
    ),
    Check(
        16, SEASONS, "published seasons that are wrong", V1["wrong_seasons"], _wrong_seasons, LISTED
    ),
    *(
        Check(
            17,
            COUNTRIES,
            f"patches listed in {country}",
            count,
            partial(_listed_countries, country),
            LISTED[1:],
        )
        for country, count in V1["countries"].items()
    ),
    Check(
        17,
        COUNTRIES,
        "v2's country is the nearest of ten polygons",
        f"{FACTS.v2['countries_agree']:,} (99.98 %)",
        _v2_countries,
        ("products", "v2"),
    ),
    Check(
        17,
        COUNTRIES,
        f"v1's country likewise, or within {BORDER:g} degrees",
        EVERY,
        _v1_countries,
        LISTED,
    ),
    Check(17, COUNTRIES, "v1's country is not the nearest", V1["other_countries"], _others, LISTED),
]
"""In the order of printing."""
