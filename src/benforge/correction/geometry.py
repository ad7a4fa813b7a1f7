"""Where the sun and the sensor stood, from a granule's metadata, else reckoned from the time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from benforge.core.grid import Grid
from benforge.errors import ProductError
from benforge.scenes.safe_xml import parse_number
from benforge.scenes.sun import sun_over

_LOWEST_SUN = 88.0
"""Degrees from the zenith beyond which it is night for 6S."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Angles in degrees, the mean over a tile; azimuths from north over east.

    Args:
        sun_zenith: 0 where the sun stands overhead.
        sun_azimuth: where it stands.
        view_zenith: 0 where the sensor does.
        view_azimuth: where it does.
        source: "metadata", or "time" where the metadata had none: then the sun is reckoned from
            the sensing time and the sensor is taken to stand overhead.
    """

    sun_zenith: float
    sun_azimuth: float
    view_zenith: float = 0.0
    view_azimuth: float = 0.0
    source: str = "metadata"


def read_geometry(ground: Element, where: str, grid: Grid, time: datetime) -> Geometry:
    """The geometry of a granule.

    Args:
        ground: root of the granule's metadata.
        where: that file, for errors.
        grid: the tile.
        time: when it was sensed, UTC.

    Raises:
        ProductError: an angle is no number, or the sun was down.
    """
    sun = next(_angles(ground, "Mean_Sun_Angle", where), None)
    if sun is None:
        geometry = reckon_geometry(grid, time)
    else:
        views = list(_angles(ground, "Mean_Viewing_Incidence_Angle", where)) or [(0.0, 0.0)]
        geometry = Geometry(
            sun_zenith=sun[0],
            sun_azimuth=sun[1] % 360,
            view_zenith=sum(zenith for zenith, _ in views) / len(views),
            view_azimuth=_mean_azimuth([azimuth for _, azimuth in views]),
        )
    if not 0 <= geometry.sun_zenith <= _LOWEST_SUN:
        raise ProductError(
            f"the sun stood {geometry.sun_zenith:.1f} degrees from the zenith", where=where
        )
    return geometry


def reckon_geometry(grid: Grid, time: datetime) -> Geometry:
    """Where the sun stood over the middle of a tile, the sensor overhead."""
    zenith, azimuth = sun_over(grid, time)
    return Geometry(sun_zenith=zenith, sun_azimuth=azimuth, source="time")


def _angles(ground: Element, tag: str, where: str) -> Iterator[tuple[float, float]]:
    """Zenith and azimuth of each element of that name that states both."""
    for element in ground.iterfind(f".//{{*}}{tag}"):
        texts = [element.findtext(f"{{*}}{name}_ANGLE") for name in ("ZENITH", "AZIMUTH")]
        numbers = [parse_number(text, tag, where) for text in texts if text is not None]
        if len(numbers) == 2:
            yield numbers[0], numbers[1]


def _mean_azimuth(azimuths: list[float]) -> float:
    """The mean direction, so that 359 and 1 make 0 and not 180."""
    radians = [math.radians(azimuth) for azimuth in azimuths]
    mean = math.atan2(sum(map(math.sin, radians)), sum(map(math.cos, radians)))
    return math.degrees(mean) % 360
