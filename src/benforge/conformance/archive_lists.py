"""What the patches of an archive share with what the published lists say of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.conformance.borders import hold_borders
from benforge.conformance.fact import EVERY, Check, Found, Mask, at_least, every
from benforge.conformance.holding import Holding
from benforge.conformance.metadata import Metadata, positions, texts
from benforge.core.bigearthnet import EDGE
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.core.split import PARTS
from benforge.errors import InputError

LISTS = "Against the published lists"
OTHER_MAP = "v2's map is of another rule and edition"


def _metadata(h: Holding) -> Metadata:
    if h.metadata is None:
        raise InputError("there are no lists to hold the archive against", do="Name --metadata")
    return h.metadata


def _known(h: Holding) -> Mask:
    """Patch: whether the published index has it."""
    return np.asarray(h.published_rows >= 0, np.bool_)


def _hold_known(h: Holding) -> Found:
    """A patch that the lists do not have is no defect of an archive of other ground."""
    found = every(_known(h))
    return found if found.equal or h.of_published else Found(f"{found.value}; other ground", None)


def _same_place(h: Holding) -> Found:
    """Spacecraft, sensing time and tile of the product, column, row, corner and season."""
    ours, theirs = h.archive.index, h.published_index
    stem = (2, 3), (11, 26), (-5, None)
    same = _known(h)
    for start, stop in stem:
        parts = [
            pc.utf8_slice_codeunits(t["product"].cast(pa.string()), start, stop)
            for t in (ours, theirs)
        ]
        same &= np.asarray(pc.equal(*parts))
    for name in ("column", "row", "ulx", "uly"):
        same &= np.asarray(ours[name]) == np.asarray(theirs[name])
    same &= texts(ours["season"]) == texts(theirs["season"])
    return every(same[_known(h)])


def _countries(h: Holding) -> Found:
    """As its own edition published them; in a built archive the nearest may differ at borders."""
    m = _metadata(h)
    if h.edition == "v2":
        wanted, names, listed = h.published_index["v2_id"], m.v2["patch_id"], m.v2["country"]
    else:
        wanted, names = h.published_index["v1_name"], m.listed["v1_name"]
        listed = m.listed["country"]
    places = positions(wanted, names)
    theirs = texts(
        pa.chunked_array([listed.combine_chunks().take(pa.array(np.maximum(places, 0)))])
    )
    asked, ours = _known(h) & (places >= 0), h.texts("country")
    held = np.asarray(ours == theirs, np.bool_)
    if not h.imported:
        held = hold_borders(theirs, ours, h.texts("crs"), h.corners, EDGE)
    return every(held[asked])


def _flags(h: Holding) -> Found:
    m, ids = _metadata(h), h.archive.index["patch_id"]
    assert h.flags is not None, "asked without the flags"
    same = _known(h)
    for flag in (SEASONAL_SNOW, CLOUD_OR_SHADOW):
        listed = m.flags[flag][np.maximum(h.published_rows, 0)]
        same &= h.flags.marked(ids, [flag]) == listed
    return every(same[_known(h)])


def _split(h: Holding) -> Found:
    """The archive's split against the lists of its edition, patches in no part included."""
    known = _known(h)
    return every((h.parts == _listed_parts(h))[known])


def _listed_parts(h: Holding) -> npt.NDArray[np.object_]:
    m = _metadata(h)
    rows = np.maximum(h.published_rows, 0)
    if h.edition == "v2":
        places = pa.array(positions(h.published_index["v2_id"], m.v2["patch_id"]))
        found = pc.if_else(pc.greater_equal(places, 0), places, pa.scalar(None, pa.int64()))
        return texts(pa.chunked_array([m.v2["split"].combine_chunks().take(found)]))
    parts = np.full(len(rows), None, object)
    for part in PARTS:
        parts[m.split[part][rows]] = part
    return parts


def _v2_labels(h: Holding) -> Found:
    theirs = h.published_index["labels"].to_pylist()
    asked = _known(h) & np.array([labels is not None for labels in theirs], np.bool_)
    pairs = zip(h.labels_as_19, theirs, strict=True)
    same = np.array([ours == frozenset(labels or ()) for ours, labels in pairs], np.bool_)[asked]
    if h.edition == "v2" or not len(same):
        return every(same)
    return Found(f"{at_least(same, 0).value}; {OTHER_MAP}", None)


def _without(h: Holding) -> Found:
    """Whether the crosswalk leaves no label where the list says so, and only there."""
    listed = _metadata(h).flags["no_19_class"][np.maximum(h.published_rows, 0)]
    empty = np.array([not labels for labels in h.labels_as_19], np.bool_)
    return every((empty == listed)[_known(h)])


P = ("patches", "products")

LIST_CHECKS: list[Check[Holding]] = [
    Check(4, LISTS, "patches that the lists know", EVERY, _hold_known, P),
    Check(4, LISTS, "product, column, row, corner, season agree", EVERY, _same_place, P),
    Check(
        18,
        LISTS,
        "snow, and cloud or shadow, as listed",
        EVERY,
        _flags,
        (*P, "flags", "seasonal_snow", "cloud_or_shadow"),
    ),
]
"""Of every edition."""

LIST_CHECKS_V1: list[Check[Holding]] = [
    Check(17, LISTS, "country as v1 lists it", EVERY, _countries, (*P, "countries_and_seasons")),
    Check(22, LISTS, "part as v1 lists it", EVERY, _split, (*P, "split", "train", "val", "test")),
    Check(12, LISTS, "no label of the 19 classes, as listed", EVERY, _without, (*P, "no_19_class")),
    Check(
        12, LISTS, "43 classes brought to 19 are v2's labels", "not told", _v2_labels, (*P, "v2")
    ),
]

LIST_CHECKS_V2: list[Check[Holding]] = [
    Check(17, LISTS, "country as v2 lists it", EVERY, _countries, (*P, "v2")),
    Check(23, LISTS, "part as v2 lists it", EVERY, _split, (*P, "split", "v2")),
    Check(14, LISTS, "labels as v2 lists them", EVERY, _v2_labels, (*P, "v2")),
]
