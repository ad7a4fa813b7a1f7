"""Patches for loops of others: the same pixels as the archive's, in workers of both kinds."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_split
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.split import Split
from benforge.errors import InputError, MissingError
from benforge.labels.hot import labels_hot
from benforge.loading.dataset import PatchDataset, iterate

RGB = ("B04", "B03", "B02")


@pytest.fixture(scope="module")
def split(imported_sample: Archive) -> str:
    parts = np.array([["train", "validation", "test"][i % 3] for i in range(66)], object)
    ids = imported_sample.index["patch_id"]
    write_split(imported_sample.root, Split.of("thirds", "by-hand", ids, parts), replace=True)
    return "thirds"


def test_a_patch_is_what_the_archive_has(imported_sample: Archive, split: str) -> None:
    dataset = PatchDataset(imported_sample, split, "test", bands="rgb", normalisation="none")
    assert len(dataset) == 22
    image, label = dataset[1]
    stored = imported_sample[5].arrays[10]
    assert np.allclose(image.numpy(), stored[[2, 1, 0]] / 10_000, atol=1e-6)
    hot = labels_hot(imported_sample.index, imported_sample.meta.nomenclature)
    assert label.tolist() == hot[5].astype(float).tolist()
    assert torch.equal(dataset[-1][0], dataset[21][0])
    with pytest.raises(IndexError):
        dataset[22]


def test_all_bands_are_normalised_as_published(imported_sample: Archive) -> None:
    dataset = PatchDataset(imported_sample, labels="19")
    image, label = dataset[0]
    assert (image.shape, label.shape) == ((12, 120, 120), (19,))
    facts, b02 = load_bigearthnet(), dataset.bands.index("B02")
    stored = imported_sample[0].arrays[10][0]
    expected = (stored - facts.band_means["B02"]) / facts.band_stds["B02"]
    assert np.allclose(image[b02].numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_see_the_same(imported_sample: Archive, start: str) -> None:
    few = imported_sample.filter(np.arange(66) < 12)
    dataset = PatchDataset(few, bands="rgb")
    loader = DataLoader(
        dataset, batch_size=5, num_workers=2, multiprocessing_context=start, shuffle=False
    )
    images = torch.cat([images for images, _ in loader])
    assert torch.equal(images, torch.stack([dataset[i][0] for i in range(12)]))


def test_what_is_pickled_is_small(imported_sample: Archive) -> None:
    dataset = PatchDataset(imported_sample)
    dataset[0]
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[3][0], dataset[3][0])
    assert len(pickle.dumps(dataset)) < 20_000 < imported_sample.index.nbytes


@pytest.mark.parametrize("shuffled", ["", "full", "blocks"])
def test_numpy_batches_go_on_where_they_stopped(imported_sample: Archive, shuffled: str) -> None:
    told = {"shuffled": shuffled, "seed": 3, "epoch": 2, "bands": RGB}
    whole = list(iterate(imported_sample, batch_size=10, **told))  # type: ignore[arg-type]
    late = list(iterate(imported_sample, batch_size=10, start=4, workers=2, **told))  # type: ignore[arg-type]
    assert [len(batch.positions) for batch in whole] == [10] * 6 + [6]
    assert len(late) == 3
    for one, other in zip(whole[4:], late, strict=True):
        assert np.array_equal(one.positions, other.positions)
        assert np.array_equal(one.pixels[10], other.pixels[10])
    seen = np.concatenate([batch.positions for batch in whole])
    assert sorted(seen) == list(range(66))
    assert set(whole[0].pixels) == {10}
    first = int(whole[1].positions[3])
    assert np.array_equal(whole[1].pixels[10][3], imported_sample[first].arrays[10])


def test_some_positions(imported_sample: Archive) -> None:
    (only,) = iterate(imported_sample, np.array([9, 2]), workers=0)
    assert only.positions.tolist() == [9, 2]
    assert set(only.pixels) == {10, 20, 60}


def test_bad_input(imported_sample: Archive, split: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no band 'B99'"):
        PatchDataset(imported_sample, bands=["B99"])
    with pytest.raises(InputError, match="no part 'dev'"):
        PatchDataset(imported_sample, split, "dev")
    with pytest.raises(InputError, match="Use full or blocks"):
        iterate(imported_sample, shuffled="half")
    with pytest.raises(InputError, match="no kernel is called 'linear'"):
        PatchDataset(imported_sample, kernel="linear")
    with pytest.raises(MissingError):
        PatchDataset(imported_sample, "none")
