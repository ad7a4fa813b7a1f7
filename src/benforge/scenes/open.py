"""Open a product of any known sensor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benforge.errors import InputError
from benforge.scenes.port import SceneReader
from benforge.scenes.safe_reader import open_safe

READERS: dict[str, Callable[[Path, str | None, bool], SceneReader]] = {"sentinel-2": open_safe}
"""Sensor to what opens its products (path, tile, verify); a further sensor adds itself here."""


def open_scene(
    path: Path, tile: str | None = None, *, sensor: str = "sentinel-2", verify: bool = True
) -> SceneReader:
    """Open a product and check all that can be checked without decoding a band.

    Sentinel-2 products from before December 2016 hold several tiles. One is named after the
    path, as in `PRODUCT.SAFE#32TNM`, unless a file is called so.

    Args:
        path: the product's folder, its main metadata file, or its zip; a tile may follow.
        tile: which tile, where a product holds several and the path names none; if both are
            given, this one.
        sensor: a key of `READERS`.
        verify: hold each band to the checksum that the product lists, where it does.

    Raises:
        InputError: nothing reads that sensor.
        MissingError: there is nothing at `path`.
        ProductError: a product of another kind, or one that is damaged or incomplete.
    """
    if sensor not in READERS:
        raise InputError(f"nothing reads products of {sensor!r}", do=f"Use {', '.join(READERS)}")
    return READERS[sensor](path, tile, verify)
