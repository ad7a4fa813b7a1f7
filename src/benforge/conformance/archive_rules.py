"""What holds of every patch of an archive that keeps the published rules, however many it has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.footprints import centres, footprints
from benforge.conformance.blocks import Blocks
from benforge.conformance.borders import hold_borders
from benforge.conformance.fact import EVERY, Check, Found, every
from benforge.conformance.holding import Holding
from benforge.conformance.metadata import codes, lengths
from benforge.conformance.names import MOST_COUNTED_UP, NameTimes
from benforge.core.bigearthnet import EDGE, TILE_PATCHES, load_bigearthnet
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.core.season import SEASONS as NAMES_OF_SEASONS
from benforge.core.sensor import load_sensor
from benforge.core.split import PARTS
from benforge.labels.countries import countries_of
from benforge.published.index import parse_places
from benforge.splits.rules import ben_v2_parts

FACTS = load_bigearthnet()
NOMENCLATURES = {"v1": "clc-43", "v2": "ben-19"}
SET_BACK = (-5, -6, -8)
"""Seconds of the 2,000 names that no rule explains."""
LABELLED = 0.75
"""Share of a v2 patch with a label of the 19 classes, above which it is kept (fidelity 14)."""

BANDS = "12, B01 to B12"
GRID, PRODUCTS, LABELS = "Grid and names", "Products and tiles", "Labels"


def _inside(h: Holding) -> Found:
    ends = np.stack([h.numbers("column"), h.numbers("row")])
    return h.ruled((ends.min(axis=0) >= 0) & (ends.max(axis=0) < TILE_PATCHES))


def _corners(h: Holding) -> Found:
    """Against the ground of its scene, and the corner of its tile where that is of the 56."""
    index = h.archive.index
    found = np.stack(
        [
            np.array([int(crs.partition(":")[2]) for crs in h.texts("crs")], np.float64),
            np.asarray(index["ulx"]) - h.edge * h.numbers("column"),
            np.asarray(index["uly"]) + h.edge * h.numbers("row"),
        ],
        axis=-1,
    )
    _, first, of = np.unique(h.tile, return_index=True, return_inverse=True)
    tiles = h.texts("tile")[first]
    published = np.array(
        [FACTS.corners.get(t, h.ground[at]) for t, at in zip(tiles, first, strict=True)]
    )
    same = (found == h.ground) & (found == published.reshape(-1, 3)[of])
    return every(same.all(axis=1))


def _ids(h: Holding) -> Found:
    index = h.archive.index
    ends = [pc.utf8_lpad(index[n].cast(pa.string()), 2, "0") for n in ("column", "row")]
    ours = pc.binary_join_element_wise(index["product"].cast(pa.string()), *ends, "_")
    return every(np.asarray(pc.equal(ours, index["patch_id"])))


def _v1_names(h: Holding) -> Found:
    """Whether a name tells its product's spacecraft and date, its column and row, and its time."""
    named = h.archive.index.filter(pc.is_valid(h.names))
    times = NameTimes.of(named["v1_name"], named["product"])
    column, row = parse_places(named["v1_name"].combine_chunks())
    steps = (*range(MOST_COUNTED_UP + 1), *SET_BACK)
    same = (column == np.asarray(named["column"])) & (row == np.asarray(named["row"]))
    return every(same & times.agree & np.isin(times.counted, steps))


def _bands(h: Holding) -> Found:
    """In every array of every scene."""
    sensor = load_sensor()
    expected = {s: {tuple(b.name for b in sensor.bands_at(s))} for s in sensor.pixel_sizes}
    found = {size: {array.bands for array in arrays} for size, arrays in h.band_arrays.items()}
    if found == expected:
        return Found(BANDS, True)
    kinds = ("; ".join(sorted(" ".join(bands) for bands in kinds)) for kinds in found.values())
    return Found(" | ".join(kinds), None if h.edition == "custom" else False)


def _sizes(h: Holding) -> Found:
    """Pixels of a patch in every array of every scene."""
    shapes = ({array.patch_shape[1:] for array in arrays} for arrays in h.band_arrays.values())
    found = [sorted(kinds) for kinds in shapes]
    same = found == [[(edge, edge)] for edge in (120, 60, 20)]
    text = ", ".join(" or ".join(_edges(*shape) for shape in kinds) for kinds in found)
    return Found(text, same if same or h.edition != "custom" else None)


def _edges(height: int, width: int) -> str:
    return f"{height}" if height == width else f"{height} x {width}"


def _acquisitions(h: Holding) -> Found:
    table = h.archive.index.select(["tile", "season", "product"])
    plain = pa.table({name: table[name].cast(pa.string()) for name in table.column_names})
    counts = plain.group_by(["tile", "season"]).aggregate([("product", "count_distinct")])
    return h.ruled(np.asarray(counts["product_count_distinct"]) <= 1)


def _seasons(h: Holding) -> Found:
    months = np.asarray(pc.month(h.archive.index["sensing_time"]))
    return every(np.array(NAMES_OF_SEASONS, object)[months % 12 // 3] == h.texts("season"))


def _countries(h: Holding) -> Found:
    """The nearest of the ten polygons; as published, another near it at a border."""
    told = h.texts("country")
    asked = told != None  # noqa: E711  element by element
    nearest = _nearest(h)
    held = np.asarray(nearest == told, np.bool_)
    if h.imported:
        held = hold_borders(told, nearest, h.texts("crs"), h.corners, EDGE)
    return h.ruled(held[asked])


def _nearest(h: Holding) -> npt.NDArray[np.object_]:
    """The country of each patch by the rule, asked once a footprint."""
    index, zones = h.archive.index, codes(h.archive.index["crs"])
    corners = np.stack([*h.corners, h.edge])
    nearest = np.full(len(index), None, object)
    for zone in np.unique(zones):
        here = np.flatnonzero(zones == zone)
        places, which = np.unique(corners[:, here], axis=1, return_inverse=True)
        crs = index["crs"][int(here[0])].as_py()
        shapes = footprints(crs, places[0], places[1], float(places[2, 0]))
        country = np.array(countries_of(*centres(shapes), FACTS.countries), object)
        nearest[here] = country[which]
    return nearest


def _months(h: Holding) -> Found:
    ends = pc.min_max(h.archive.index["sensing_time"]).as_py().values()
    low, high = (f"{end:%Y-%m}" for end in ends)
    return _of_published(h, f"{low} to {high}", low >= "2017-06" and high <= "2018-05")


def _baselines(h: Holding) -> Found:
    found = {f"N{product.baseline}" for product in h.products}
    text = ", ".join(sorted(found))
    if "N9999" in found:
        return Found(f"{text}: v2's names leave it out", None)
    return _of_published(h, text, found <= {"N0205", "N0206"})


def _of_published(h: Holding, text: str, equal: bool) -> Found:
    """What can agree only where the products are those of the paper."""
    return Found(text, equal) if h.of_published else Found(f"{text}; other products", None)


def _nomenclature(h: Holding) -> Found:
    ours = h.archive.meta.nomenclature
    expected = load_nomenclature(NOMENCLATURES.get(h.edition, ours.name))
    same = (ours.names, ours.codes) == (expected.names, expected.codes)
    text = f"{len(ours)} classes, {ours.name}"
    return Found(text, same) if h.edition != "custom" else Found(f"{text}; your choice", None)


def _labels_known(h: Holding) -> Found:
    known = pa.array(h.archive.meta.nomenclature.names)
    labels = pc.list_flatten(h.archive.index["labels"])
    return every(np.asarray(pc.is_in(labels, known)))


def _label_counts(h: Holding) -> Found:
    return h.ruled((h.label_counts >= 1) & (h.label_counts <= FACTS.v1["labels_most"]))


def _flags(h: Holding) -> Found:
    assert h.flags is not None
    ids = h.archive.index["patch_id"]
    both = h.flags.marked(ids, [SEASONAL_SNOW]) & h.flags.marked(ids, [CLOUD_OR_SHADOW])
    return every(~both)


def _blocks(h: Holding) -> Blocks:
    """Of the patches that are not flagged; those without a label of the 19 classes are excused."""
    assert h.flags is not None, "asked without the flags"
    number = {part: i for i, part in enumerate(PARTS)}
    part = np.array([number.get(p, -1) for p in h.parts], np.int64)
    excused = np.array([not labels for labels in h.labels_as_19], np.bool_)
    used = ~h.flags.marked(h.archive.index["patch_id"])
    column, row = h.numbers("column")[used], h.numbers("row")[used]
    return Blocks.of(h.tile[used], column, row, part[used], excused[used])


def _v2_split(h: Holding) -> Found:
    named = h.parts != None  # noqa: E711  element by element
    ours = ben_v2_parts(h.numbers("column")[named], h.numbers("row")[named])
    return every(np.asarray(ours == h.parts[named], np.bool_))


def _no_gaps(h: Holding) -> Found:
    return every(np.asarray(h.archive.index["nodata"]) == 0)


def _labelled(h: Holding) -> Found:
    """Reference pixels of classes that v2 keeps, of all pixels of a patch."""
    rows = h.archive.index.filter(pc.is_valid(h.archive.index["pixels"]))
    target, known = load_crosswalk("ben-19").mapping, lengths(rows["pixels"])
    kept = [c for c, t in target.items() if t] + list(load_nomenclature("ben-19").codes)
    counts = np.asarray(pc.list_flatten(rows["pixels"]), np.int64)
    counted = np.where(np.isin(np.asarray(pc.list_flatten(rows["classes"])), kept), counts, 0)
    sums = np.bincount(np.repeat(np.arange(len(rows)), known), counted, len(rows))
    return every(sums > LABELLED * 120 * 120)


N = ("patches",)
ALWAYS: list[Check[Holding]] = [
    Check(1, GRID, "columns and rows from 0 to 90", EVERY, _inside, N),
    Check(2, GRID, "corner is the tile's and an edge a column or row", EVERY, _corners, N),
    Check(5, GRID, "id is product, column and row", EVERY, _ids, N),
    Check(
        4, GRID, "v1 name is that of product, column, row, time", EVERY, _v1_names, (*N, "v1 names")
    ),
    Check(7, GRID, "bands, in order", BANDS, _bands, N),
    Check(7, GRID, "patch sizes at 10, 20 and 60 m", "120, 60, 20", _sizes, N),
    Check(6, PRODUCTS, "one product of a tile and season", EVERY, _acquisitions, N),
    Check(20, PRODUCTS, "processing baselines", "N0205, N0206", _baselines, N),
    Check(20, PRODUCTS, "sensed from and to", "2017-06 to 2018-05", _months, N),
    Check(16, "Seasons", "season is that of the month", EVERY, _seasons, N),
    Check(17, "Countries", "country is the nearest of ten polygons", EVERY, _countries, N),
    Check(12, LABELS, "labels are of the archive's classes", EVERY, _labels_known, N),
    Check(15, LABELS, "labels of a patch from 1 to 12", EVERY, _label_counts, N),
    Check(
        18, "Quality", "snow, and cloud or shadow, exclude each other", EVERY, _flags, (*N, "flags")
    ),
]
"""Of any archive; the first ones of any profile."""

V1: list[Check[Holding]] = [
    Check(11, LABELS, "nomenclature", "43 classes, clc-43", _nomenclature),
    Check(
        22,
        "Splits",
        "dates of a place share their part",
        EVERY,
        lambda h: every(_blocks(h).shared),
        (*N, "flags", "split"),
    ),
    Check(
        22,
        "Splits",
        "full 2 x 2 block: 2 train, 1 validation, 1 test",
        EVERY,
        lambda h: _blocks(h).hold_full(),
        (*N, "flags", "split"),
    ),
]
"""Of an archive by the rules of v1."""

V2: list[Check[Holding]] = [
    Check(12, LABELS, "nomenclature", "19 classes, ben-19", _nomenclature),
    Check(23, "Splits", "part is the rule of column and row", EVERY, _v2_split, (*N, "split")),
    Check(19, "Quality", "no pixel is 0 in a band", EVERY, _no_gaps, N),
    Check(14, LABELS, "more than 75 % of a patch has a label", EVERY, _labelled, N),
]
"""Of an archive by the rules of v2."""
