"""Meteorological seasons, which give the 2019 paper's counts exactly."""

from __future__ import annotations

from datetime import datetime

SEASONS = ("winter", "spring", "summer", "autumn")


def season_of(time: datetime) -> str:
    """The season of a date on the northern hemisphere: December to February is winter."""
    return SEASONS[time.month % 12 // 3]
