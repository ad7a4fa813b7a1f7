"""Open a product of any known sensor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benforge.core.outside import is_outside, load_outside
from benforge.errors import InputError
from benforge.scenes.port import OpenScene, SceneReader, SensorSpec
from benforge.scenes.safe_reader import open_safe

SENTINEL_2 = "sentinel-2"
READERS: Mapping[str, OpenScene] = {SENTINEL_2: open_safe}
"""Sensor to what opens its products; one of a user's is named `module:NAME`."""


def open_scene(
    path: Path, tile: str | None = None, *, sensor: str = SENTINEL_2, verify: bool = True
) -> SceneReader:
    """Open a product and check all that can be checked without decoding a band.

    Sentinel-2 products from before December 2016 hold several tiles. One is named after the
    path, as in `PRODUCT.SAFE#32TNM`, unless a file is called so.

    Args:
        path: the product's folder, its main metadata file, or its zip; a tile may follow.
        tile: which tile, where a product holds several and the path names none; if both are
            given, this one.
        sensor: a key of `READERS`, or `module:NAME`, a `SensorSpec` of a user's.
        verify: hold each band to the checksum that the product lists, where it does.

    Raises:
        InputError: nothing reads that sensor, or the user's module fails.
        MissingError: there is nothing at `path`, or no such module.
        ProductError: a product of another kind, or one that is damaged or incomplete.
    """
    if is_outside(sensor):
        return load_outside(sensor, SensorSpec).open(path, tile, verify)
    if sensor not in READERS:
        raise InputError(
            f"nothing reads products of {sensor!r}",
            do=f"Use {', '.join(READERS)}, or module:NAME of yours",
        )
    return READERS[sensor](path, tile, verify)
