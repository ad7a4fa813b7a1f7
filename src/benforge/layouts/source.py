"""The port of an import: patches of a layout, described first, their pixels read later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benforge.core.bigearthnet import EDGE
from benforge.core.sensor import Sensor
from benforge.layouts.port import Skipped


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourcePatch:
    """One patch of a published layout, its pixels not read yet.

    Args:
        name: its name in the layout.
        where: its folder or file, for messages and for reading.
        product: text of the `ProductId` it was cut from; patches of one product make a scene.
        column: patches to the right of the tile's corner.
        row: patches downward.
        crs: "EPSG:32633".
        ulx: easting of the upper-left corner, m.
        uly: northing of the same, m.
        source: full id of the product, as known, without `.SAFE`.
        sensing_time: UTC.
        v1_name: its name in BigEarthNet v1, or None.
        labels: class names of the archive's nomenclature, in the published order.
        classes: CLC codes that occur, ascending; empty where the layout does not tell, or tells
            by its reference map, which is counted when the pixels are read.
        country: as published, or None: then the rule gives it.
        kept: published values that a record does not rebuild, JSON-able, by key.
        fingerprint: SHA-256 over what makes the patch, to know it again.
    """

    name: str
    where: Path
    product: str
    column: int
    row: int
    crs: str
    ulx: float
    uly: float
    source: str
    sensing_time: datetime
    v1_name: str | None
    labels: tuple[str, ...]
    classes: tuple[int, ...] = ()
    country: str | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: bytes = b""

    @property
    def corner(self) -> tuple[str, float, float]:
        """CRS, easting and northing of the upper-left corner of the tile (fidelity 2)."""
        return self.crs, self.ulx - EDGE * self.column, self.uly + EDGE * self.row


@dataclass(frozen=True, slots=True, eq=False)
class PatchPixels:
    """The pixels of one patch.

    Args:
        bands: pixel size (m) to `band row col`, uint16, bands in the sensor's order.
        land_cover: reference map at 10 m, `row col`, uint16 CLC codes, 999 in gaps; None without.
    """

    bands: Mapping[int, npt.NDArray[np.uint16]]
    land_cover: npt.NDArray[np.uint16] | None = None


class PatchSource(Protocol):
    """A folder in a published layout, as the import sees it. It is pickled to worker processes.

    `importing.import_patches` lists once, describes every patch, plans the scenes, and only then
    reads pixels, scene by scene.
    """

    @property
    def layout(self) -> str:
        """The layout's name, "v1": goes into provenance and recipe."""
        ...

    @property
    def profile(self) -> str:
        """The archive's profile: "ben-v1" or "ben-v2"."""
        ...

    @property
    def paths(self) -> Sequence[Path]:
        """The files and folders that a process must see to describe and read patches."""
        ...

    @property
    def nomenclature(self) -> str:
        """The nomenclature of the labels: "clc-43" or "ben-19"."""
        ...

    def list(self) -> list[str]:
        """The names of its patches, sorted.

        Raises:
            InputError: there is none, or a stranger among them.
        """
        ...

    def describe(self, name: str) -> SourcePatch:
        """All but the pixels of one patch, checked.

        Raises:
            BenError: what is wrong with the patch, and where.
        """
        ...

    def read(self, patch: SourcePatch, sensor: Sensor) -> PatchPixels:
        """The pixels of one patch, checked against what was described.

        Raises:
            BenError: what is wrong with the patch, and where.
        """
        ...


def skipped(name: str, error: Exception) -> Skipped:
    """A patch left out, with what its error says."""
    return Skipped(patch=name, reason=str(error))
