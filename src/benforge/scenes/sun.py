"""Where the sun stands, reckoned from time and place."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from rasterio.warp import transform

from benforge.core.grid import Grid

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def sun_over(grid: Grid, time: datetime) -> tuple[float, float]:
    """Zenith and azimuth of the sun over the middle of a tile, degrees.

    Args:
        grid: the tile.
        time: with its zone.
    """
    left, bottom, right, top = grid.bounds
    lon, lat = transform(grid.crs, "EPSG:4326", [(left + right) / 2], [(bottom + top) / 2])[:2]
    return sun_position(time, lat[0], lon[0])


def sun_position(time: datetime, latitude: float, longitude: float) -> tuple[float, float]:
    """Zenith and azimuth of the sun in degrees, to about 0.05 degrees between 1950 and 2050.

    The low-precision formulas of the Astronomical Almanac; without refraction.

    Args:
        time: with its zone.
        latitude: degrees, north positive.
        longitude: degrees, east positive.
    """
    days = (time - _J2000).total_seconds() / 86_400
    mean, anomaly = 280.460 + 0.9856474 * days, math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439 - 4e-7 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal = math.radians(280.46062 + 360.98564737 * days + longitude)
    hour, lat = sidereal - ascension, math.radians(latitude)
    height = math.asin(
        math.sin(lat) * math.sin(declination)
        + math.cos(lat) * math.cos(declination) * math.cos(hour)
    )
    azimuth = math.atan2(
        -math.sin(hour), math.tan(declination) * math.cos(lat) - math.sin(lat) * math.cos(hour)
    )
    return 90 - math.degrees(height), math.degrees(azimuth) % 360
