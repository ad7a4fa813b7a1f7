"""Hypothesis strategies for the nouns of benforge."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from benforge.core.fractions import FractionTable
from benforge.core.grid import Grid
from benforge.core.identity import PatchId
from benforge.core.nomenclature import Crosswalk, LandCoverClass, Nomenclature, load_nomenclature

_ZONES = st.sampled_from(["EPSG:32629", "EPSG:32633", "EPSG:32635"])


@st.composite
def grids(draw: st.DrawFn, *, block: int = 1, most: int = 8) -> Grid:
    """Grids of 10 m pixels in UTM, up to `most` blocks of `block` pixels high and wide."""
    height, width = (block * draw(st.integers(1, most)) for _ in range(2))
    ulx = draw(st.integers(20_000, 70_000)) * 10.0
    uly = draw(st.integers(400_000, 700_000)) * 10.0
    return Grid(draw(_ZONES), ulx, uly, 10.0, height, width)


@st.composite
def nomenclatures(draw: st.DrawFn, *, most: int = 12) -> Nomenclature:
    """Nomenclatures of 1 to `most` classes; codes in any order."""
    codes = draw(st.lists(st.integers(1, 998), min_size=1, max_size=most, unique=True))
    classes = tuple(LandCoverClass(code, f"class {code}", (code % 256, 0, 0)) for code in codes)
    return Nomenclature("drawn", classes)


@st.composite
def crosswalks(draw: st.DrawFn, source: Nomenclature | None = None) -> Crosswalk:
    """Ways from a nomenclature (`clc-44`) to a drawn one, with dropped classes."""
    source = source or load_nomenclature("clc-44")
    target = draw(nomenclatures())
    goals = st.sampled_from([*target.codes, None])
    return Crosswalk(source, target, {code: draw(goals) for code in source.codes})


@st.composite
def fraction_tables(
    draw: st.DrawFn, codes: tuple[int, ...] | None = None, *, most: int = 6
) -> FractionTable:
    """Tables of 1 to `most` patches with gaps, in the codes given (`clc-44`)."""
    codes = codes or tuple(sorted(load_nomenclature("clc-44").codes))
    patches = draw(st.integers(1, most))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = random.exponential(size=(patches, len(codes) + 1))
    weights[:, :-1] *= random.random((patches, len(codes))) < draw(st.sampled_from([0.0, 0.1, 1.0]))
    shares = weights[:, :-1] / weights.sum(axis=1, keepdims=True)
    pixels = np.floor(shares * 14_400).astype(np.int32)
    return FractionTable(codes, shares, pixels, 14_400)


@st.composite
def patch_ids(draw: st.DrawFn) -> PatchId:
    """Ids of patches of real-looking products."""
    craft, level = draw(st.sampled_from("AB")), draw(st.sampled_from(["L1C", "L2A"]))
    day, second = draw(st.integers(1, 28)), draw(st.integers(0, 59))
    baseline, orbit = draw(st.sampled_from(["0205", "0510", "9999"])), draw(st.integers(1, 143))
    tile = draw(st.sampled_from(["33UUP", "29SNB", "35VPK"]))
    product = f"S2{craft}_MSI{level}_201706{day:02d}T1010{second:02d}_N{baseline}_R{orbit:03d}"
    column, row = draw(st.integers(0, 120)), draw(st.integers(0, 120))
    return PatchId(f"{product}_T{tile}", column, row)
