"""The air between a simulated ground and the sensor: that of 6S, as `core/facts/air.toml` tells it.

One air for every product, whatever its date: clean, at the height of the sea. What changes is how
high the sun stands.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from benforge.scenes.simulate_noise import Floats


@dataclass(frozen=True, slots=True)
class Veil:
    """What the air does to one band under one sun.

    Reflectance at the top = gas x (path + transmittance x ground / (1 - albedo x ground)).

    Args:
        gas: transmittance of gases.
        path: reflectance of the air alone, per gas.
        transmittance: of scattering, down times up.
        albedo: of the air seen from the ground.
    """

    gas: float
    path: float
    transmittance: float
    albedo: float

    def at_the_top(self, ground: Floats) -> Floats:
        """Reflectance x 10,000 above the air, same shape, of that of the ground."""
        lit = ground / (1 - np.float32(self.albedo / 10_000) * ground)
        scale, scattered = self.gas * self.transmittance, 10_000 * self.gas * self.path
        return np.float32(scale) * lit + np.float32(scattered)


def veil(band: str, zenith: float) -> Veil:
    """The air over a band; between the runs of 6S straight lines over the way of the light.

    Args:
        band: "B8A".
        zenith: of the sun, degrees; lower than the lowest that 6S ran for, it stands there.
    """
    facts = _facts()
    ways = 1 / np.cos(np.radians(facts["zeniths"]))
    way = 1 / np.cos(np.radians(min(zenith, facts["zeniths"][-1])))
    told: Mapping[str, Any] = next(one for one in facts["band"] if one["name"] == band)
    gas, path, through = (
        float(np.interp(way, ways, told[name])) for name in ("gas", "path", "transmittance")
    )
    return Veil(gas, path, through, told["albedo"])


@cache
def _facts() -> dict[str, Any]:
    source = files("benforge.core") / "facts" / "air.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
