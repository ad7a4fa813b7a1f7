"""A stand-in for 6S in tests: air of plain formulas, quick, and alike enough to be inverted."""

from __future__ import annotations

import math

from benforge.core.sensor import load_sensor
from benforge.correction.geometry import Geometry
from benforge.correction.sixs_run import Air, Light, Passage

WET = {"B05": 0.02, "B06": 0.03, "B08": 0.04, "B09": 0.75, "B11": 0.02, "B12": 0.05}
"""Absorption of water vapour per root of its column."""

LIGHT = Light(geometry=Geometry(sun_zenith=30.0, sun_azimuth=145.0), month=6, day=13)


def plain_air(band: str, light: Light, air: Air) -> Passage:
    """What plain air does to a band: thinner with elevation, longer ways under a low sun."""
    wavelength = load_sensor().band(band).wavelength
    slant = 1 / math.cos(math.radians(light.geometry.sun_zenith))
    rayleigh = 0.0086 * (wavelength / 1000) ** -4 * math.exp(-air.elevation / 8000)
    aerosol = air.aot * (550 / wavelength) ** 1.2
    direct = math.exp(-rayleigh - aerosol)
    wet = math.exp(-WET.get(band, 0.0) * math.sqrt(air.water) * (1 + slant) / 2)
    return Passage(
        gas=0.99 * wet,
        wet=wet,
        molecules=0.4 * rayleigh * slant,
        aerosol=0.06 * aerosol * slant,
        transmittance=math.exp(-(0.5 * rayleigh + 0.15 * aerosol) * (1 + slant)),
        albedo=0.8 * rayleigh + 0.2 * aerosol,
        spread=math.exp(-0.5 * rayleigh - 0.15 * aerosol) / direct - 1,
    )
