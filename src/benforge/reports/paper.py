"""What the 2019 paper printed of its experiment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


class PaperTable(msgspec.Struct, frozen=True):
    """Table 4.

    Args:
        labels: the set that it is of.
        epochs: of each training.
        patches: of the archive.
        methods: name to "precision", "recall", "f1" and "f2", shares of 1.
    """

    labels: str
    epochs: int
    patches: int
    methods: Mapping[str, Mapping[str, float]]


@cache
def load_paper() -> PaperTable:
    """Table 4 as printed."""
    source = files("benforge.reports") / "table_4.toml"
    return msgspec.toml.decode(source.read_bytes(), type=PaperTable)
