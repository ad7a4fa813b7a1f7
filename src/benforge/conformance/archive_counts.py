"""What is counted in an archive, beside the counts of the whole published one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow.compute as pc

from benforge.conformance.fact import Check, Found, Value
from benforge.conformance.holding import Holding
from benforge.core.bigearthnet import TILE_PATCHES, load_bigearthnet
from benforge.core.split import PARTS

FACTS = load_bigearthnet()
PRODUCTS, LABELS = "Products and tiles", "Labels"
MANY, OFTEN = 9, 5
"""Labels: more than the first are rare, at most the second are the rule (fidelity 15)."""


def _counted(
    published: Value, count: Callable[[Holding], Value], digits: int | None = None
) -> Callable[[Holding], Found]:
    """Asks for a count; with `digits`, it agrees where it does so when rounded."""

    def find(h: Holding) -> Found:
        value = count(h)
        if digits is None or isinstance(value, str):
            return h.counted(value, value == published)
        return h.counted(round(value, digits + 2), round(value, digits) == published)

    return find


def _check(
    rule: int,
    group: str,
    fact: str,
    published: Value,
    count: Callable[[Holding], Value],
    needs: tuple[str, ...] = (),
    digits: int | None = None,
) -> Check[Holding]:
    return Check(rule, group, fact, published, _counted(published, count, digits), needs)


def _footprints(h: Holding) -> int:
    place = (h.tile * TILE_PATCHES + h.numbers("column")) * TILE_PATCHES + h.numbers("row")
    return len(np.unique(place))


def _with(column: str, value: str, h: Holding) -> int:
    return int((h.texts(column) == value).sum())


def _flagged(flag: str, h: Holding) -> int:
    assert h.flags is not None, "asked without the flags"
    return int(h.flags.marked(h.archive.index["patch_id"], [flag]).sum())


def _part(part: str, h: Holding) -> int:
    return int((h.parts == part).sum())


def _classes(h: Holding) -> str:
    """How many classes have the count of Table 2."""
    labels = pc.list_flatten(h.archive.index["labels"])
    counts = {c["values"]: c["counts"] for c in pc.value_counts(labels).to_pylist()}
    same = [counts.get(name, 0) == count for name, count in FACTS.class_counts.items()]
    return f"{sum(same)} of {len(same)} classes"


def _often(h: Holding) -> float:
    return float((h.label_counts <= OFTEN).mean())


N = ("patches",)


def count_checks(edition: str) -> list[Check[Holding]]:
    """The counts of v2 for "v2", else those of v1."""
    return _v2() if edition == "v2" else _v1()


def _both(facts: Mapping[str, Any], products: int, most: int) -> list[Check[Holding]]:
    mean = facts["labels_mean"]
    return [
        _check(6, PRODUCTS, "patches", facts["patches"], lambda h: len(h.archive)),
        _check(6, PRODUCTS, "products", products, lambda h: len(h.products)),
        _check(
            15,
            LABELS,
            "mean labels of a patch",
            mean,
            lambda h: float(h.label_counts.mean()),
            N,
            digits=len(str(mean).partition(".")[2]),
        ),
        _check(15, LABELS, "most labels of a patch", most, lambda h: int(h.label_counts.max()), N),
    ]


def _v2() -> list[Check[Holding]]:
    v2 = FACTS.v2
    return _both(v2, len(FACTS.products) - len(v2["products_left_out"]), v2["labels_most"])


def _v1() -> list[Check[Holding]]:
    v1 = FACTS.v1
    flags, split, seasons, countries = (
        v1[name].items() for name in ("flags", "split", "seasons", "countries")
    )
    return [
        *_both(v1, len(FACTS.products), v1["labels_most"]),
        _check(
            6, PRODUCTS, "tiles", len(FACTS.corners), lambda h: len({p.tile for p in h.products})
        ),
        _check(6, PRODUCTS, "distinct footprints", v1["footprints"], _footprints),
        *(
            _check(16, "Seasons", f"patches in {season}", n, partial(_with, "season", season))
            for season, n in seasons
        ),
        *(
            _check(17, "Countries", f"patches in {name}", n, partial(_with, "country", name))
            for name, n in countries
        ),
        *(
            _check(18, "Quality", f"patches with {_words(f)}", n, partial(_flagged, f), ("flags",))
            for f, n in flags
        ),
        *(
            _check(22, "Splits", f"{part}", n, partial(_part, part), ("split",))
            for part, n in split
            if part in PARTS
        ),
        _check(15, LABELS, "classes counted as in Table 2", "43 of 43 classes", _classes, N),
        _check(
            15, LABELS, "share with at most 5 labels", v1["labels_up_to_5"], _often, N, digits=2
        ),
        _check(
            15,
            LABELS,
            "patches with more than 9 labels",
            v1["labels_over_9"],
            lambda h: int((h.label_counts > MANY).sum()),
            N,
        ),
    ]


def _words(flag: str) -> str:
    return flag.replace("_", " ")
