from __future__ import annotations

from dataclasses import replace

import pyarrow.compute as pc
import pytest

from benforge.archive.archive import Archive
from benforge.core.bigearthnet import load_bigearthnet
from benforge.published.lists import PublishedLists, find_lists
from benforge.statistics.described import (
    Countries,
    Described,
    describe_archive_rows,
    describe_published,
)


def counted(described: Described) -> dict[str, int]:
    pairs = pc.value_counts(described.rows["country"]).to_pylist()
    return {pair["values"]: pair["counts"] for pair in pairs}


def test_countries_are_the_published_ones_where_their_list_is_at_hand(published: Described):
    """Fidelity rule 17."""
    assert published.countries is Countries.LISTED
    assert counted(published) == dict(load_bigearthnet().v1["countries"])


def test_without_that_list_countries_are_by_our_rule(published_metadata):
    lists = PublishedLists({"products": find_lists(published_metadata).files["products"]})
    described = describe_published(lists)
    assert described.countries is Countries.BY_RULE
    assert counted(described)["Serbia"] == 77_851


@pytest.mark.parametrize(
    ("layout", "countries"), [("v1", Countries.BY_RULE), ("v2", Countries.OF_V2)]
)
def test_only_v2_brings_its_countries_along(imported_sample: Archive, layout, countries):
    assert imported_sample.meta.recipe["imported"] == "v1"
    from msgspec.structs import replace as with_fields

    meta = with_fields(imported_sample.meta, recipe={"imported": layout})
    assert describe_archive_rows(replace(imported_sample, meta=meta)).countries is countries


def test_a_title_says_of_how_many_patches_and_of_which_edition(
    published: Described, sample: Described, simulated: Archive, partly_labelled: Described
):
    assert published.title("X") == "X · BigEarthNet, published lists · 590,326 patches of v1"
    assert published.labelled_patches == "549,488 patches labelled in v2"
    assert sample.title("X", how="so") == "X · archive · 66 patches, so"
    assert sample.labelled_patches == "66 patches"
    made_up = describe_archive_rows(simulated)
    assert made_up.title("X") == f"X · small · {len(simulated)} patches, simulated"
    some, every = partly_labelled.labelled, len(simulated)
    assert partly_labelled.labelled_patches == f"{some} labelled of {every} patches"


def test_a_note_says_how_many_patches_have_no_labels(
    sample: Described, partly_labelled: Described, published: Described
):
    without = len(partly_labelled.rows) - partly_labelled.labelled
    assert without == -(-len(partly_labelled.rows) // 4)
    assert f"Without labels: {without} patches" in partly_labelled.note("So.")
    assert "40,838 patches" in published.note("")
    assert sample.note("So.") == "So."
