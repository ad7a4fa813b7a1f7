"""Decoding a scene for a map: each band once, and only those that are needed."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
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
    """A scene that tells of some of its bands only.

    Args:
        scene: the whole.
        metadata: with these bands.
        threads: that decode each of the finest bands, the only ones that take long.
    """

    scene: SceneReader
    metadata: SceneMetadata
    threads: int

    def read_band(
        self, name: str, out: npt.NDArray[np.uint16] | None = None, *, threads: int = 1
    ) -> npt.NDArray[np.uint16]:
        sensor = self.metadata.sensor
        finest = sensor.band(name).pixel_size == min(sensor.pixel_sizes)
        return self.scene.read_band(name, out, threads=self.threads if finest else threads)

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

    Bands are decoded side by side, and where there are more threads than bands of the finest
    pixels, several decode each of these. The scene classification is read beside them.

    Args:
        scene: opened.
        bands: that the model sees.
        clouds: whether the bands that tell clouds are decoded too where a product has no scene
            classification.
        threads: that decode at the same time, about.
        progress: told each band once it is decoded.

    Raises:
        ProductError: a band is damaged.
    """
    about = scene.metadata
    with ThreadPoolExecutor(1, "classification") as pool:
        codes = pool.submit(scene.read_classification)
        wanted = {*bands}
        if clouds and not wanted >= {*BANDS} and codes.result() is None:
            wanted |= {*BANDS}
        sensor = narrow_sensor(about.sensor, wanted)
        whole = plan_patches(about.grid, PatchRecipe(edge=CELL))
        each = max(1, threads // len(sensor.bands_at(min(sensor.pixel_sizes))))
        some = _SomeBands(scene, replace(about, sensor=sensor), each)
        mosaics = read_mosaics(some, whole, threads=threads, progress=progress)
        return DecodedScene(about, sensor, mosaics, codes.result())
