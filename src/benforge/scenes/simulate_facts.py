"""The spectra that the simulator paints with, as `core/facts/spectra.toml` tells them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """How a surface reflects, in reflectance x 10,000.

    Args:
        mean: `band`.
        modes: `mode band`, the strongest common variations, each one standard deviation long.
        texture: `band`, standard deviation within 60 m.
    """

    mean: Floats
    modes: Floats
    texture: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """All spectra.

    Args:
        bands: names, the band axis.
        classes: CLC code to spectrum, in the order of the nomenclature.
        images: CLC code to the number of real patches that have the class.
        snow: of snow.
        cloud: of an opaque cloud's top.
    """

    bands: tuple[str, ...]
    classes: Mapping[int, Spectrum]
    images: Mapping[int, int]
    snow: Spectrum
    cloud: Spectrum


@cache
def load_spectra() -> Spectra:
    """The spectra that ship with benforge."""
    source = files("benforge.core") / "facts" / "spectra.toml"
    facts = tomllib.loads(source.read_text(encoding="utf-8"))
    entries = {entry["code"]: entry for entry in facts["class"]}
    classes = {code: _spectrum(entries[entry.get("like", code)]) for code, entry in entries.items()}
    images = {code: int(entry["images"]) for code, entry in entries.items()}
    snow, cloud = _spectrum(facts["snow"]), _spectrum(facts["cloud"])
    return Spectra(tuple(facts["bands"]), classes, images, snow, cloud)


def _spectrum(entry: Mapping[str, Any]) -> Spectrum:
    mean = np.array(entry["mean"], np.float32)
    texture = np.array(entry.get("texture", [0] * len(mean)), np.float32)
    return Spectrum(mean, np.array(entry["modes"], np.float32), texture)
