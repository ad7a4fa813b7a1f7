"""Means and deviations of bands are numpy's of the pixels that hold data."""

from __future__ import annotations

import numpy as np

from benforge.archive.archive import Archive
from benforge.retrieval.band_statistics import describe_archive, describe_bands, names_of


def test_numpy_says_the_same(imported_sample: Archive) -> None:
    found = np.concatenate(list(describe_archive(imported_sample)))
    names = names_of(imported_sample.meta.sensor)
    assert found.shape == (66, 24)
    assert len(names) == 24
    patch = imported_sample[40]
    for i, name in enumerate(names):
        band, _, what = name.partition(" ")
        values = patch.band(band).astype(np.float64)
        held = values[values > 0]
        assert abs(found[40, i] - (held.mean() if what == "mean" else held.std())) < 1e-3


def test_pixels_without_data_do_not_count() -> None:
    pixels = {10: np.array([[[[0, 4], [6, 0]], [[0, 0], [0, 0]]]], np.uint16)}
    assert describe_bands(pixels).tolist() == [[5, 0, 1, 0]]
