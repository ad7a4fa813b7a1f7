"""Bands and the sensor that has them; their order is part of their identity."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from benforge.errors import InputError


@dataclass(frozen=True, slots=True)
class Band:
    """One spectral band.

    Args:
        name: as the products write it, "B8A".
        pixel_size: native pixel size, m.
        wavelength: central wavelength, nm.
        bandwidth: full width at half maximum, nm.
        about: what it is for, "red", "near infrared".
        physical: the name in the products' XML, "B8A" or "B1".
        in_patches: whether archives keep it (B10 sees no ground and is left out).
    """

    name: str
    pixel_size: int
    wavelength: float
    bandwidth: float
    about: str
    physical: str
    in_patches: bool


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor: its bands in the order of the products' band index (`bandId`)."""

    name: str
    bands: tuple[Band, ...]
    quantification: int

    def band(self, name: str) -> Band:
        """The band called `name`.

        Raises:
            InputError: there is none.
        """
        for band in self.bands:
            if band.name == name:
                return band
        names = ", ".join(band.name for band in self.bands)
        raise InputError(f"{self.name} has no band {name!r}", do=f"Its bands are {names}")

    @property
    def patch_bands(self) -> tuple[Band, ...]:
        """The bands that archives keep, by wavelength: B01 B02 … B8A B09 B11 B12."""
        return tuple(band for band in self.bands if band.in_patches)

    @property
    def pixel_sizes(self) -> tuple[int, ...]:
        """The native pixel sizes of the kept bands, finest first: 10, 20, 60 m."""
        return tuple(sorted({band.pixel_size for band in self.patch_bands}))

    def bands_at(self, pixel_size: int) -> tuple[Band, ...]:
        """The kept bands of one native pixel size: the band axis of a stored array."""
        return tuple(band for band in self.patch_bands if band.pixel_size == pixel_size)


@cache
def load_sensor(name: str = "sentinel-2") -> Sensor:
    """The sensor described by `core/facts/<name>.toml`.

    Raises:
        InputError: there is no such file.
    """
    source = files("benforge.core") / "facts" / f"{name}.toml"
    if not source.is_file():
        raise InputError(f"no sensor is called {name!r}", do="Use sentinel-2")
    facts = tomllib.loads(source.read_text(encoding="utf-8"))
    bands = tuple(Band(**band) for band in facts["band"])
    return Sensor(facts["name"], bands, facts["quantification"])
