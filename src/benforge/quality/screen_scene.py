"""One scene, looked at: from its classification where it has one, else from its bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.archive.layout import CLASSIFICATION
from benforge.archive.pixels import PixelReader, Place
from benforge.core.sensor import Sensor
from benforge.quality.classification import classify_codes
from benforge.quality.pixels import BANDS, cells_of_light, classify_pixels, kind_shares
from benforge.quality.proposals import propose
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.shadows import settle_shadows

CLASSIFIED, BY_BANDS = "scene classification", "bands"
"""Where shares are from."""

AT_ONCE = 4
"""Patches looked at together: what they take stays in a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneTask:
    """Patches of one scene, all that the archive has of it.

    Args:
        pixels: the archive's reader.
        sensor: whose bands they are.
        patch_ids: of the patches.
        places: where each is.
        latitude: of the scene, degrees north.
        recipe: the thresholds.
    """

    pixels: PixelReader
    sensor: Sensor
    patch_ids: pa.Array
    places: Sequence[Place]
    latitude: float
    recipe: ScreenRecipe


def screen_scene(task: SceneTask) -> pa.Table:
    """The rows of one scene's patches, of `benforge.quality.screening.SCHEMA`.

    Raises:
        ArchiveError: the scene is missing or damaged.
    """
    classified = task.recipe.use_classification and _has_classification(task)
    shares = _from_classification(task) if classified else _from_bands(task)
    source = CLASSIFIED if classified else BY_BANDS
    return propose(task.patch_ids, shares, source, task.recipe)


def _has_classification(task: SceneTask) -> bool:
    scene, column, row = task.places[0]
    return task.pixels.read_map(scene, CLASSIFICATION, column, row) is not None


def _from_classification(task: SceneTask) -> npt.NDArray[np.float32]:
    """`patch share` from the scene classification."""
    found = []
    for scene, column, row in task.places:
        codes = task.pixels.read_map(scene, CLASSIFICATION, column, row)
        assert codes is not None
        found.append(kind_shares(classify_codes(codes[None], task.recipe)))
    return np.concatenate(found)


def _from_bands(task: SceneTask) -> npt.NDArray[np.float32]:
    """`patch share` from the bands."""
    kinds, light, room = [], [], _room(task)
    for start in range(0, len(task.places), AT_ONCE):
        places = task.places[start : start + AT_ONCE]
        part = {size: values[: len(places)] for size, values in room.items()}
        pixels = task.pixels.read_many(places, part)
        kinds.append(classify_pixels(pixels, task.sensor, task.recipe))
        light.append(cells_of_light(pixels, task.sensor))
    settled = np.concatenate(kinds)
    grid = np.array([(row, column) for _, column, row in task.places], np.int64)
    settle_shadows(settled, np.concatenate(light), grid, task.latitude, task.recipe)
    return kind_shares(settled)


def _room(task: SceneTask) -> dict[int, npt.NDArray[np.uint16]]:
    """Room for some patches, of the pixel sizes that are looked at only."""
    scene, column, row = task.places[0]
    sizes = sorted({task.sensor.band(name).pixel_size for name in BANDS})
    first = {size: task.pixels.read_array(scene, size, column, row) for size in sizes}
    return {size: np.empty((AT_ONCE, *one.shape), np.uint16) for size, one in first.items()}
