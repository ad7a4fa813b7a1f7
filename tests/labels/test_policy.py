"""Policies, and laws that hold for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.fractions import FractionTable
from benforge.core.nomenclature import Crosswalk
from benforge.labels.nomenclature import read_crosswalk
from benforge.labels.policy import keep_patches, label_patches, unlabelled
from benforge.labels.recipe import LabelRecipe
from benforge.testing.strategies import crosswalks, fraction_tables

TO_19 = read_crosswalk("ben-19")
CODES = TO_19.source.codes
V1 = LabelRecipe(nomenclature="clc-43", policy="presence", max_unlabelled=1)


def table(*patches: dict[int, tuple[float, int]]) -> FractionTable:
    """Patches as code -> (share, pixels)."""
    shares, pixels = np.zeros((len(patches), 44)), np.zeros((len(patches), 44), np.int32)
    for row, patch in enumerate(patches):
        for code, (share, count) in patch.items():
            shares[row, CODES.index(code)], pixels[row, CODES.index(code)] = share, count
    return FractionTable(CODES, shares, pixels, 14_400)


def labels_of(fractions: FractionTable, recipe: LabelRecipe) -> list[list[str]]:
    crosswalk = read_crosswalk(recipe.nomenclature)
    names = np.array(crosswalk.target.names)
    return [names[row].tolist() for row in label_patches(fractions, recipe, crosswalk)]


SLIVER = table({312: (0.9999, 14_400), 511: (0.0001, 0)})


def test_presence_sees_a_sliver() -> None:
    assert labels_of(SLIVER, LabelRecipe(policy="presence")) == [
        ["Coniferous forest", "Inland waters"]
    ]


def test_pixel_centre_does_not() -> None:
    assert labels_of(SLIVER, LabelRecipe()) == [["Coniferous forest"]]


def test_minimum_share_is_of_merged_classes() -> None:
    half = table({111: (0.06, 900), 112: (0.06, 900), 312: (0.88, 12_600)})
    recipe = LabelRecipe(policy="minimum-share", minimum_share=0.1)
    assert labels_of(half, recipe) == [["Urban fabric", "Coniferous forest"]]


def test_v2_drops_a_quarter_unlabelled() -> None:
    """Gaps and dropped classes (122, roads) together, by pixels."""
    fractions = table(
        {312: (0.75, 10_800), 122: (0.25, 3600)},
        {312: (0.75, 10_801), 122: (0.2, 2000)},
        {122: (1.0, 14_400)},
    )
    assert unlabelled(fractions, LabelRecipe(), TO_19) == pytest.approx([0.25, 3599 / 14400, 1])
    assert keep_patches(fractions, LabelRecipe(), TO_19).tolist() == [False, True, False]


def test_v1_drops_only_what_has_no_class() -> None:
    fractions = table({312: (1e-6, 0)}, {}, {335: (1.0, 14_400)})
    kept = keep_patches(fractions, V1, read_crosswalk("clc-43"))
    assert kept.tolist() == [True, False, False]


@given(fractions=fraction_tables(), crosswalk=crosswalks(), minimum=st.floats(0.001, 1))
def test_policies_are_nested(
    fractions: FractionTable, crosswalk: Crosswalk, minimum: float
) -> None:
    presence = label_patches(fractions, LabelRecipe(policy="presence"), crosswalk)
    recipe = LabelRecipe(policy="minimum-share", minimum_share=minimum)
    larger = label_patches(fractions, recipe, crosswalk)
    assert presence.shape == (len(fractions), len(crosswalk.target))
    assert (presence | ~larger).all()


@given(fractions=fraction_tables(), crosswalk=crosswalks())
def test_what_is_unlabelled_and_what_is_not_is_all(
    fractions: FractionTable, crosswalk: Crosswalk
) -> None:
    labelled = fractions.through(crosswalk).shares.sum(axis=1)
    empty = unlabelled(fractions, V1, crosswalk)
    assert labelled + empty == pytest.approx(np.ones(len(fractions)))
    kept = keep_patches(fractions, V1, crosswalk)
    assert np.array_equal(kept, label_patches(fractions, V1, crosswalk).any(axis=1))
