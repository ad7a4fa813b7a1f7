from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benforge.archive.archive import Archive
from benforge.core.bigearthnet import load_bigearthnet
from benforge.statistics.bands import PERCENTILES, band_sheet, values_of
from benforge.statistics.described import describe_archive_rows
from benforge.statistics.histograms import VALUES, add_counts, count_pixels

pixels = hnp.arrays(
    np.uint16,
    st.integers(1, 400),
    elements=st.one_of(st.integers(0, 20), st.integers(0, VALUES - 1)),
)


@given(pixels)
def test_figures_of_a_band_are_numpys(values):
    found = values_of(np.bincount(values, minlength=VALUES))
    valid = values[values > 0].astype(np.float64)
    assert found.pixels == len(valid)
    assert found.share_no_data == np.mean(values == 0)
    if not len(valid):
        assert found.mean is found.low is found.percentiles[0] is None
        return
    assert (found.low, found.high) == (valid.min(), valid.max())
    assert found.mean == pytest.approx(valid.mean(), rel=1e-14)
    assert found.deviation == pytest.approx(valid.std(), rel=1e-9, abs=1e-9)
    assert list(found.percentiles) == np.percentile(valid, PERCENTILES).tolist()


def test_sums_do_not_overflow():
    counts = np.zeros(VALUES, np.int64)
    counts[VALUES - 1], counts[1] = 8_500_694_400, 8_500_694_400  # 590,326 patches at 10 m, each
    found = values_of(counts)
    assert found.mean == (VALUES - 1 + 1) / 2
    assert found.deviation == (VALUES - 2) / 2


@given(pixels, pixels)
def test_counts_add_up(one, other):
    both = np.bincount(np.concatenate([one, other]))
    assert (add_counts(np.bincount(one), np.bincount(other)) == both).all()


def oracle(archive: Archive, band: str) -> np.ndarray:
    return np.concatenate([patch.band(band).ravel() for patch in archive]).astype(np.float64)


def test_real_bands_are_those_of_all_pixels_together(imported_sample: Archive):
    described = describe_archive_rows(imported_sample)
    described = replace(described, histograms=count_pixels(imported_sample))
    sheet = band_sheet(described)
    assert sheet is not None
    known = load_bigearthnet()
    for row in sheet.table.to_pylist():
        values = oracle(imported_sample, row["band"])
        valid = values[values > 0]
        assert row["pixels"] == len(valid)
        assert row["share_no_data"] == (values == 0).mean()
        assert row["mean"] == pytest.approx(valid.mean(), rel=1e-12)
        assert row["deviation"] == pytest.approx(valid.std(), rel=1e-9)
        found = [row[f"p{q}"] for q in PERCENTILES]
        assert found == np.percentile(valid, PERCENTILES).tolist()
        assert row["mean_of_BigEarthNet"] == known.band_means[row["band"]]
    assert len(sheet.table) == 12


def test_processes_count_what_one_does(simulated: Archive):
    alone, together = count_pixels(simulated, workers=1), count_pixels(simulated, workers=2)
    assert alone.patches == together.patches == len(simulated)
    for band, counts in alone.counts.items():
        assert (counts == together.counts[band]).all()


def test_only_the_patches_left_by_a_filter_are_counted(simulated: Archive):
    some = simulated.filter(np.arange(len(simulated)) < 7)
    found = count_pixels(some)
    assert found.patches == 7
    assert found.counts["B02"].sum() == 7 * some[0].band("B02").size
