"""What the published splits leak from train to test (fidelity 24)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benforge.conformance.fact import EVERY, Check, Found, Mask, Value, every
from benforge.conformance.metadata import Metadata, texts
from benforge.core.split import PARTS
from benforge.splits.leakage import LeakageMap, find_leakage

MOST_OVERLAP = 0.2
SPLITS = "Splits"
TEST = PARTS.index("test")


def _v2(m: Metadata) -> LeakageMap:
    parts = np.full(len(m.names), None, object)
    there = m.v2_rows >= 0
    parts[m.v2_rows[there]] = texts(m.v2["split"])[there]
    return find_leakage(m.index, pa.chunked_array([pa.array(parts, pa.string())]), "v2")


def _test(found: LeakageMap, which: Mask) -> Mask:
    """Footprint of a test patch: whether it is one of `which`."""
    return np.asarray(which[found.patches[TEST] > 0], np.bool_)


def _overlapping(m: Metadata) -> Found:
    found = m.v1_leaks
    share = _test(found, found.ground)
    text = every(share).value
    return Found(text, bool(share.mean() <= MOST_OVERLAP) if len(share) else None)


def _v2_contacts(m: Metadata) -> Value:
    found = _v2(m)
    return int(_test(found, found.touched).sum())


V1_LISTS = ("products", "train", "val", "test")

CHECKS: list[Check[Metadata]] = [
    Check(
        24,
        SPLITS,
        "v1's test footprints that meet one of train",
        EVERY,
        lambda m: every(_test(m.v1_leaks, m.v1_leaks.touched)),
        V1_LISTS,
    ),
    Check(
        24,
        SPLITS,
        "v1's test footprints that overlap one of train",
        "up to a fifth",
        _overlapping,
        V1_LISTS,
    ),
    Check(
        24,
        SPLITS,
        "v2's test footprints that meet one of train",
        0,
        _v2_contacts,
        ("products", "v2"),
    ),
]
"""In the order of printing."""
