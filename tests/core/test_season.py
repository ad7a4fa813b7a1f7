import bz2
import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benforge.core.season import SEASONS, season_of


@pytest.mark.parametrize("month", range(1, 13))
def test_three_months_each(month: int) -> None:
    expected = {12: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 2, 7: 2, 8: 2}.get(month, 3)
    assert season_of(datetime(2017, month, 1, tzinfo=UTC)) == SEASONS[expected]


def test_the_papers_counts(shared_data: Path) -> None:
    file = shared_data / "bigearthnet/metadata/s1_s2_name_country_season.csv.bz2"
    with bz2.open(file, "rt") as lines:
        dates = Counter(row["s2_name"].split("_")[2][:8] for row in csv.DictReader(lines))
    counts: Counter[str] = Counter()
    for date, patches in dates.items():
        counts[season_of(datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC))] += patches
    assert counts == {"autumn": 154943, "winter": 117156, "spring": 189276, "summer": 128951}
