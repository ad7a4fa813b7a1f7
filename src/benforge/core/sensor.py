"""Bands and the sensor that has them; their order is part of their identity."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import msgspec

from benforge.errors import InputError, MissingError, errors_at


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


class _Band(msgspec.Struct, forbid_unknown_fields=True):
    """What a file says of a band; see `Band`."""

    name: str
    pixel_size: Annotated[int, msgspec.Meta(ge=1)]
    wavelength: float
    bandwidth: float = 0.0
    about: str = ""
    physical: str = ""
    in_patches: bool = True


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What a file says of a sensor."""

    name: str
    quantification: Annotated[int, msgspec.Meta(ge=1)]
    band: Annotated[list[_Band], msgspec.Meta(min_length=1)]


def parse_sensor(facts: Mapping[str, Any]) -> Sensor:
    """The sensor that a TOML document describes (see `core/facts/sentinel-2.toml`).

    Raises:
        InputError: a word is missing, of the wrong kind, or unknown.
    """
    try:
        told = msgspec.convert(facts, _File)
    except msgspec.ValidationError as error:
        raise InputError(
            f"not a sensor, {error}", do="See the tutorial on adding a sensor"
        ) from error
    if len({band.name for band in told.band}) < len(told.band):
        raise InputError("two bands of one name", where=told.name)
    bands = tuple(Band(**msgspec.structs.asdict(band)) for band in told.band)
    return Sensor(told.name, bands, told.quantification)


def read_sensor(path: Path) -> Sensor:
    """The sensor of a user's TOML file.

    Raises:
        MissingError: there is no such file.
        InputError: it is no TOML, or describes no sensor.
    """
    with errors_at(path):
        try:
            return parse_sensor(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise MissingError("there is no such sensor") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"not a TOML file, {error}") from error


@cache
def load_sensor(name: str = "sentinel-2") -> Sensor:
    """The sensor described by `core/facts/<name>.toml`.

    Raises:
        InputError: there is no such file.
    """
    source = files("benforge.core") / "facts" / f"{name}.toml"
    if not source.is_file():
        raise InputError(f"no sensor is called {name!r}", do="Use sentinel-2")
    return parse_sensor(tomllib.loads(source.read_text(encoding="utf-8")))
