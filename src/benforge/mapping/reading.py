"""Decoding a scene for a map: each band once, and only those that are needed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor
from benforge.mapping.plan import CELL
from benforge.patches.cut import Mosaics, read_mosaics
from benforge.patches.plan import PatchRecipe, plan_patches
from benforge.quality.pixels import BANDS
from benforge.scenes.port import SceneMetadata, SceneReader


@dataclass(frozen=True, slots=True, eq=False)
class DecodedScene:
    """A whole scene in memory.

    Args:
        metadata: of the product.
        sensor: the bands that were decoded.
        mosaics: pixel size to `band row col`, the bands of `sensor` at that size.
        codes: the scene classification at 20 m, or None.
    """

    metadata: SceneMetadata
    sensor: Sensor
    mosaics: Mosaics
    codes: npt.NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True)
class _SomeBands:
    """A scene that tells of some of its bands only."""

    scene: SceneReader
    metadata: SceneMetadata

    def read_band(
        self, name: str, out: npt.NDArray[np.uint16] | None = None, *, threads: int = 1
    ) -> npt.NDArray[np.uint16]:
        return self.scene.read_band(name, out, threads=threads)

    def read_classification(self) -> npt.NDArray[np.uint8] | None:
        return self.scene.read_classification()


def narrow_sensor(sensor: Sensor, names: Collection[str]) -> Sensor:
    """The sensor with these bands only, in its own order."""
    return replace(sensor, bands=tuple(band for band in sensor.bands if band.name in names))


def decode_scene(
    scene: SceneReader,
    bands: Collection[str],
    *,
    clouds: bool,
    threads: int = 1,
    progress: Progress = silent,
) -> DecodedScene:
    """A scene in memory; 1.4 GB of a full tile with all bands.

    Args:
        scene: opened.
        bands: that the model sees.
        clouds: whether the bands that tell clouds are decoded too where a product has no scene
            classification.
        threads: bands decoded at the same time.
        progress: told each band once it is decoded.

    Raises:
        ProductError: a band is damaged.
    """
    about = scene.metadata
    codes = scene.read_classification()
    wanted = {*bands, *(BANDS if clouds and codes is None else ())}
    sensor = narrow_sensor(about.sensor, wanted)
    whole = plan_patches(about.grid, PatchRecipe(edge=CELL))
    some = _SomeBands(scene, replace(about, sensor=sensor))
    mosaics = read_mosaics(some, whole, threads=threads, progress=progress)
    return DecodedScene(about, sensor, mosaics, codes)
