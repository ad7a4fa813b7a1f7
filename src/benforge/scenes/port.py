"""What every scene tells: the port between a product's format and the rest of benforge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.sensor import Sensor

SATURATED = 65535
"""Digital number of a saturated pixel; 0 is no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneMetadata:
    """What is known of a product before a pixel is decoded.

    Args:
        product: id without generation time.
        source: full id, with generation time where it has one, without `.SAFE`.
        level: "L1C" or "L2A".
        baseline: processing baseline as in the metadata, "02.05".
        origin_baseline: of an L2A product that its user made: the baseline of its L1C product; ""
            for products of ESA and where the metadata do not say.
        sensing_time: start of the datatake, UTC.
        orbit: relative orbit.
        tile: MGRS tile, "33UUP".
        grid: the tile's ground in pixels of 10 m.
        sensor: names and order of the bands.
        quantification: digital numbers per unit of reflectance in the files.
        offsets: band name to radiometric offset as in the metadata (-1000 from baseline 04.00
            on, 0 before); already applied to what `read_band` returns.
        cloud_cover: percent, None where the metadata do not say.
        quality_checks: check ("GEOMETRIC_QUALITY") to verdict ("PASSED", "FAILED").
        fingerprint: SHA-256 over the metadata files and over names, sizes and listed
            checksums of the band files.
        simulated: whether the product says that it was simulated.
    """

    product: ProductId
    source: str
    level: str
    baseline: str
    sensing_time: datetime
    orbit: int
    tile: str
    grid: Grid
    sensor: Sensor
    quantification: int
    offsets: Mapping[str, int]
    cloud_cover: float | None
    quality_checks: Mapping[str, str]
    fingerprint: str
    simulated: bool
    origin_baseline: str = ""


class SceneReader(Protocol):
    """One product of one tile, opened.

    Everything is checked when the scene is opened, as far as it can be without decoding: all
    bands there, of the announced size. What decoding finds is raised by the read.
    """

    @property
    def metadata(self) -> SceneMetadata:
        """What is known without decoding."""
        ...

    def read_band(
        self, name: str, out: npt.NDArray[np.uint16] | None = None, *, threads: int = 1
    ) -> npt.NDArray[np.uint16]:
        """One band of the whole tile, decoded once.

        Args:
            name: a band that archives keep, "B8A".
            out: `row col` at native size to decode into.
            threads: threads that the decoder may use.

        Returns:
            `row col`, uint16, reflectance x 10,000, comparable over baselines: the offset is
            applied, a valid pixel is at least 1, no data stays 0, saturated stays 65535.

        Raises:
            ProductError: the file is corrupt, or not the one that its product lists.
        """
        ...

    def read_classification(self) -> npt.NDArray[np.uint8] | None:
        """The scene classification (SCL) of the whole tile at 20 m, or None where there is none.

        Raises:
            ProductError: the file is corrupt, or not the one that its product lists.
        """
        ...


OpenScene = Callable[[Path, str | None, bool], SceneReader]
"""Path of a product, tile where it holds several, whether to hold bands to checksums: the scene."""


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """The products of a sensor, as a user's module has it: `module:NAME`.

    Args:
        name: of the sensor, for messages.
        open: opens a product, with all checked that can be without decoding a band.
    """

    name: str
    open: OpenScene
