"""The archives that the 2019 paper compares itself with."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load_archives() -> tuple[Mapping[str, Any], ...]:
    """Table 1 of the 2019 paper: `name`, `image_type`, `annotation` and `images` of each."""
    source = files("benforge.statistics") / "archives.toml"
    return tuple(tomllib.loads(source.read_text(encoding="utf-8"))["archive"])
