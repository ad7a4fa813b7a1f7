"""6S held against sen2cor on real pairs; the figures at full tables are in docs/correct.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.pairs import BANDS, DATES, ELEVATION, VISIBLE, correct_pair, errors, read_pair

from benforge.correction.tables import make_tables

Errors = dict[str, dict[str, tuple[float, float, float, float]]]


@pytest.fixture(scope="module")
def found(shared_data: Path) -> Errors:
    """Date to band to error and bias of ours, error and bias of doing nothing."""
    all_errors: Errors = {}
    for date in DATES:
        pair = read_pair(shared_data / "sentinel2/sen2r_barbellino_pairs", date)
        # Fewer runs than a product gets, for time.
        few = {"aerosols": (0.0, 0.1, 0.4), "waters": (0.6, 2.2, 5.5)}
        tables = make_tables(BANDS, pair.light, ELEVATION, threads=2, **few)
        ground, air = correct_pair(pair, tables)
        assert (air.aot_source, air.water_source) == ("dark vegetation", "B09")
        assert air.aot < 0.4
        assert 1 < np.median(air.water) < 5.5
        all_errors[date] = {
            band: (*errors(ground[band], after), *errors(pair.before[band], after))
            for band, after in pair.after.items()
        }
    return all_errors


@pytest.mark.parametrize("band", VISIBLE)
@pytest.mark.parametrize("date", DATES)
def test_every_visible_band_is_nearer_to_sen2cors_on_each_date(
    found: Errors, band: str, date: str
) -> None:
    ours, _, nothing, _ = found[date][band]
    assert ours < nothing


@pytest.mark.parametrize("band", BANDS)
def test_over_both_dates_no_band_is_further_away(found: Errors, band: str) -> None:
    ours, nothing = (np.hypot(*(found[date][band][n] for date in DATES)) for n in (0, 2))
    assert ours < nothing


def test_b05_of_one_date_is_the_worst_there_is(found: Errors) -> None:
    worse = {
        (date, band): found[date][band][0] / found[date][band][2]
        for date in DATES
        for band in BANDS
        if found[date][band][0] > found[date][band][2]
    }
    assert set(worse) <= {("20170703", "B05")}
    assert all(ratio < 1.06 for ratio in worse.values())
