"""Facts of the published archive: its countries and its products."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class BigEarthNet:
    """What the 2019 paper chose.

    Args:
        countries: the ten, English names as the published lists write them.
        products: full ids of the 125 products, with generation time.
    """

    countries: tuple[str, ...]
    products: tuple[str, ...]


@cache
def load_bigearthnet() -> BigEarthNet:
    """The facts, from `core/facts/bigearthnet.toml`."""
    source = files("benforge.core") / "facts" / "bigearthnet.toml"
    facts = tomllib.loads(source.read_text(encoding="utf-8"))
    return BigEarthNet(tuple(facts["countries"]), tuple(facts["products"]))
