"""Derive `core/facts/air.toml`, the air that simulated L1C products are seen through, with 6S.

    python tools/air.py

One air for all: a clean day of the countryside at the height of the sea, the sensor overhead. 6S
runs it for every band over zeniths of the sun.
"""

from __future__ import annotations

from pathlib import Path

from benforge.core.sensor import load_sensor
from benforge.correction.geometry import Geometry
from benforge.correction.sixs_run import Air, Light, Passage, run_sixs

TARGET = Path(__file__).parents[1] / "src" / "benforge" / "core" / "facts" / "air.toml"
AIR = Air(aot=0.14, water=1.7)
ZENITHS = (0, 20, 30, 40, 50, 55, 60, 65, 70, 75, 80)

_HEAD = """\
# The air that simulated L1C products are seen through, by 6S 1.1 (tools/air.py): continental
# aerosol of optical thickness {aot} at 550 nm, {water} g/cm2 of water vapour and {ozone} cm-atm of
# ozone, at the height of the sea, the sensor overhead, by the zenith of the sun in degrees.
# gas: transmittance of gases. path: reflectance of the air alone, per gas. transmittance: of
# scattering, down times up. albedo: of the air seen from the ground.
zeniths = {zeniths}
"""

_BAND = """
[[band]]
name = "{name}"
gas = {gas}
path = {path}
transmittance = {transmittance}
albedo = {albedo}
"""


def passages(band: str) -> list[Passage]:
    """One a zenith."""
    suns = [Geometry(sun_zenith=zenith, sun_azimuth=150) for zenith in ZENITHS]
    return [run_sixs(band, Light(geometry=sun, month=6, day=13), AIR) for sun in suns]


def told(band: str) -> str:
    """The lines of a band."""
    found = passages(band)
    return _BAND.format(
        name=band,
        gas=[round(p.gas, 5) for p in found],
        path=[round(p.path, 5) for p in found],
        transmittance=[round(p.transmittance, 5) for p in found],
        albedo=round(found[0].albedo, 5),
    )


if __name__ == "__main__":
    head = _HEAD.format(aot=AIR.aot, water=AIR.water, ozone=AIR.ozone, zeniths=list(ZENITHS))
    TARGET.write_text(head + "".join(told(band.name) for band in load_sensor().bands))
