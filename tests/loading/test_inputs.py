"""Batches of real patches: the same whoever reads them, and as the archive has them."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.archive.pixels import PixelReader
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.sensor import load_sensor
from benforge.errors import InputError
from benforge.loading.inputs import FeatureInputs, PatchInputs
from benforge.loading.normalisation import find_normalisation
from benforge.loading.order import draw_turns, shuffle
from benforge.loading.prepare import Preparer
from benforge.loading.reading import PatchReader, read_ahead
from benforge.loading.targets import load_targets

SENSOR = load_sensor()
RGB = ("B04", "B03", "B02")
ALL = tuple(band.name for band in SENSOR.patch_bands)


def _inputs(archive: Archive, workers: int) -> PatchInputs:
    reader = PatchReader(archive, RGB)
    norm = find_normalisation("published", reader, np.arange(len(archive)), RGB, SENSOR)
    device = torch.device("cpu")
    prepare = Preparer(SENSOR, RGB, norm, "cubic-0.5", native=False, device=device)
    return PatchInputs(reader, prepare, workers)


def test_the_same_for_any_number_of_workers(imported_sample: Archive) -> None:
    order, turns = shuffle(np.arange(66), 3, 0), draw_turns(66, 3, 0)
    runs = [
        list(_inputs(imported_sample, workers).batches(order, 7, turns=turns))
        for workers in (0, 1, 3)
    ]
    assert [len(b.positions) for b in runs[0]] == [7] * 9 + [3]
    for one, other in zip(runs[0], runs[1], strict=True):
        assert torch.equal(one.inputs, other.inputs)  # type: ignore[arg-type]
    for one, other in zip(runs[0], runs[2], strict=True):
        assert torch.equal(one.inputs, other.inputs)  # type: ignore[arg-type]
    late = list(_inputs(imported_sample, 1).batches(order, 7, turns=turns, start=4))
    assert torch.equal(late[0].inputs, runs[0][4].inputs)  # type: ignore[arg-type]


def test_only_the_sizes_that_are_needed(imported_sample: Archive) -> None:
    rgb = PatchReader(imported_sample, RGB).read(np.array([2, 65]))
    assert set(rgb) == {10}
    everything = PatchReader(imported_sample, ALL).read(np.array([65, 0]))
    for size, array in imported_sample[0].arrays.items():
        assert np.array_equal(everything[size][1], array)


def test_shapes_are_learned_from_the_sizes_that_are_needed(
    imported_sample: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, read = list[int](), PixelReader.read_array

    def note(reader: PixelReader, scene: str, size: int, *place: int) -> object:
        asked.append(size)
        return read(reader, scene, size, *place)

    monkeypatch.setattr(PixelReader, "read_array", note)
    assert PatchReader(imported_sample, RGB).shapes == {10: (4, 120, 120)}
    assert PatchReader(imported_sample, ["B11", "B01"]).shapes == {20: (6, 60, 60), 60: (2, 20, 20)}
    assert asked == [10, 20, 60]


def test_read_ahead_keeps_order_and_tells_errors() -> None:
    assert list(read_ahead(lambda x: x * x, range(20), 3)) == [x * x for x in range(20)]

    def fail(x: int) -> int:
        if x == 3:
            raise ValueError("three")
        return x

    found = read_ahead(fail, range(9), 2)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(found)
    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]


def test_measured_normalisation(imported_sample: Archive) -> None:
    reader = PatchReader(imported_sample, ALL)
    some = np.array([0, 5, 6, 40])
    found = find_normalisation("train", reader, some, ALL, SENSOR)
    for i, band in enumerate(SENSOR.patch_bands):
        at = SENSOR.bands_at(band.pixel_size).index(band)
        pixels = np.stack([imported_sample[int(p)].arrays[band.pixel_size][at] for p in some])
        assert found.mean[i] == pytest.approx(pixels.mean(dtype=np.float64), rel=1e-12)
        assert found.std[i] == pytest.approx(pixels.std(dtype=np.float64), rel=1e-9)


def test_other_normalisations(imported_sample: Archive) -> None:
    reader, some = PatchReader(imported_sample, ALL), np.arange(3)
    published = find_normalisation("published", reader, some, ALL, SENSOR)
    assert published.mean == tuple(load_bigearthnet().band_means.values())
    assert find_normalisation("none", reader, some, RGB, SENSOR).std == (10_000.0,) * 3
    with pytest.raises(InputError, match="no normalisation is called 'z'"):
        find_normalisation("z", reader, some, RGB, SENSOR)


@pytest.mark.parametrize(
    ("labels", "classes"), [("43", 43), ("19", 19), ("level2", 15), ("level1", 5)]
)
def test_targets(imported_sample: Archive, labels: str, classes: int) -> None:
    found = load_targets(imported_sample, labels)
    assert found.hot.shape == (66, classes)
    first = imported_sample.record(0)
    names = [found.nomenclature.names[i] for i in np.flatnonzero(found.hot[0])]
    if labels == "43":
        assert sorted(names) == sorted(first.labels)
    else:
        assert 1 <= len(names) <= len(first.labels)
    assert found.counts(np.array([0])).sum() == len(names)


def test_unknown_labels(imported_sample: Archive) -> None:
    with pytest.raises(InputError, match="no labels are called '44'"):
        load_targets(imported_sample, "44")


def test_features_from_memory() -> None:
    features = np.arange(12, dtype=np.float32).reshape(4, 3)
    rows = np.array([-1, 0, 1, 2, 3])
    inputs = FeatureInputs(features, rows, torch.device("cpu"))
    (one, two) = inputs.batches(np.array([4, 1, 2]), 2)
    assert one.inputs.tolist() == [[9, 10, 11], [0, 1, 2]]  # type: ignore[union-attr]
    assert two.positions.tolist() == [2]
