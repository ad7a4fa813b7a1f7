"""What the loader doctor says: figures that fit together, and the right thing that binds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.archive.copy import copy_archive
from benforge.archive.storage import StorageRecipe
from benforge.core.object_path import parse_place
from benforge.errors import InputError, MissingError
from benforge.loading import doctor, stages
from benforge.loading.dataset import RGB
from benforge.loading.doctor import ADVICE, diagnose
from benforge.testing.archives import make_scene, small_frame, write_archive


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "SECONDS", 0.01)


@pytest.mark.parametrize("pixels", ["disk", "ram", "device"])
@pytest.mark.parametrize("bands", ["rgb", "all"])
def test_every_place(imported_sample: Archive, pixels: str, bands: str) -> None:
    found = diagnose(imported_sample, bands=bands, pixels=pixels, batch_size=16, seconds=0.05)
    assert found.patches == 66
    assert found.measured >= 16
    assert found.patches_per_second > 0
    assert found.share_of_memory_copy == pytest.approx(
        found.stages["copy"] / found.stages["read"], rel=0.05
    )
    assert 0 <= found.waiting_share <= 1
    assert found.advice == ADVICE[found.bound_by]
    assert found.stages["decode"] == 0
    assert (found.stages["upsample"] > 10) == (bands == "all")
    assert any("66 patches fit a processor's cache" in note for note in found.notes)
    if pixels == "device":
        assert (found.waiting_share, found.memory_per_worker_mib) == (0, 0)
    else:
        # three batches waiting and one in use, of 10 m bands or of all
        held = 4 * 16 * {"rgb": 115_200, "all": 160_000}[bands] / 2**20
        if pixels == "ram" and bands == "rgb":
            held *= 3 / 4
        assert found.memory_per_worker_mib == pytest.approx(held, abs=0.1)


def test_a_small_archive_says_that_no_disk_was_measured(imported_sample: Archive) -> None:
    for path in imported_sample.root.rglob("c/0/*/*"):
        path.read_bytes()
    found = diagnose(imported_sample, bands="rgb", batch_size=66, seconds=0.05)
    assert found.share_from_disk in (0, None)
    assert any("what the disk does was not measured" in note for note in found.notes)


def test_decoding_is_told(tmp_path: Path) -> None:
    root = write_archive(
        tmp_path / "a",
        make_scene(small_frame(6, 6, 120)),
        storage=StorageRecipe(compression="zstd"),
    )
    found = diagnose(Archive.open(root), bands="rgb", batch_size=12, seconds=0.05)
    assert found.stages["decode"] > 0
    assert found.share_of_memory_copy < 1
    assert any("simulated" in note for note in found.notes)


@pytest.mark.parametrize(
    ("waiting", "from_disk", "decode", "upsample", "device", "bound"),
    [
        (0.9, 1e9, 0, 1, "cpu", "disk"),
        (0.9, 0.0, 50, 1, "cpu", "decode"),
        (0.9, 0.0, 0, 1, "cpu", "page cache"),
        (0.9, None, 0, 1, "cuda", "page cache"),
        (0.1, 1e9, 50, 9, "cpu", "upsampling"),
        (0.1, 0.0, 0, 1, "cpu", "normalisation"),
        (0.1, 0.0, 0, 9, "cuda", "device"),
    ],
)
def test_what_binds(
    imported_sample: Archive,
    waiting: float,
    from_disk: float | None,
    decode: float,
    upsample: float,
    device: str,
    bound: str,
) -> None:
    inputs = doctor._inputs(imported_sample, RGB, "disk", 1, torch.device("cpu"))
    took = {"decode": decode, "copy": 10.0, "upsample": upsample, "normalise": 5.0}
    assert doctor._bound(inputs, waiting, from_disk, took, torch.device(device)) == bound


def test_no_patches(imported_sample: Archive) -> None:
    none = imported_sample.filter(np.zeros(66, bool))
    with pytest.raises(InputError, match="has no patch to read"):
        diagnose(none)


@pytest.mark.parametrize("seconds", [np.inf, np.nan, 0, -1])
def test_time_without_an_end(imported_sample: Archive, seconds: float) -> None:
    with pytest.raises(InputError, match="cannot fetch for"):
        diagnose(imported_sample, seconds=seconds)


def test_no_archive(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        diagnose(Archive.open(tmp_path / "none"))


def test_object_storage_is_no_page_cache(imported_sample: Archive, address: str) -> None:
    place = parse_place(address)
    copy_archive(imported_sample.root, place)
    found = diagnose(Archive.open(place), bands="rgb", batch_size=66, seconds=0.05)
    assert found.share_from_disk is None
    assert found.stages["decode"] == 0
    assert any("over the network" in note for note in found.notes)
    assert not any("page cache" in note for note in found.notes)
    held = diagnose(Archive.open(place), bands="rgb", pixels="ram", batch_size=66, seconds=0.05)
    assert not any("network" in note for note in held.notes)


def test_the_network_binds(imported_sample: Archive) -> None:
    inputs = doctor._inputs(imported_sample, RGB, "disk", 1, torch.device("cpu"))
    took = {"decode": 50.0, "copy": 10.0, "upsample": 1.0, "normalise": 5.0}
    cpu = torch.device("cpu")
    assert doctor._bound(inputs, 0.9, None, took, cpu, remote=True) == "network"
    assert doctor._bound(inputs, 0.1, None, took, cpu, remote=True) == "normalisation"


def test_what_a_system_does_not_tell(
    imported_sample: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_disk_bytes", lambda: None)
    found = diagnose(imported_sample, bands="rgb", batch_size=8, seconds=0.05)
    assert found.share_from_disk is None
    assert any("does not tell" in note for note in found.notes)
    assert not any("lay in the page cache" in note for note in found.notes)


def test_no_batch_is_larger_than_the_archive(imported_sample: Archive) -> None:
    whole = diagnose(imported_sample, bands="rgb", batch_size=66, seconds=0.05)
    more = diagnose(imported_sample, bands="rgb", batch_size=10**6, seconds=0.05)
    assert more.memory_per_worker_mib == whole.memory_per_worker_mib
