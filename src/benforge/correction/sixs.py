"""The embedded processor: 6S tables, the atmosphere from the scene, one correction a band."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt

from benforge.core.identity import ProductId
from benforge.core.progress import Progress
from benforge.correction.atmosphere import Atmosphere, estimate_atmosphere
from benforge.correction.classify import CLOUDS, LOOKED_AT, Classes, Scl, classify
from benforge.correction.l1c import L1CScene, open_l1c
from benforge.correction.neighbours import block_mean
from benforge.correction.port import CorrectOptions
from benforge.correction.report import write_report
from benforge.correction.sixs_run import OZONE, Air, Light, Passage, find_sixs, run_sixs
from benforge.correction.surface import WATER_LEVELS, correct_band, water_levels
from benforge.correction.tables import BandTable, make_tables
from benforge.errors import InputError, StoppedError
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_write import QUALITY_CHECKS, SafeProduct, write_safe

BASELINE = "00.06"
"""The mark of these L2A products: below every baseline of ESA, whose first is 01.00 or later."""

_ELEVATIONS = (-500.0, 8000.0)


@dataclass(frozen=True, slots=True)
class SixS:
    """Atmospheric correction by 6S; see `Processor`.

    Args:
        options: how to correct.
        run: what runs 6S.

    Raises:
        InputError: an impossible elevation.
    """

    options: CorrectOptions
    run: Callable[[str, Light, Air], Passage] = run_sixs

    def __post_init__(self) -> None:
        low, high = _ELEVATIONS
        if not low <= self.options.elevation <= high:
            raise InputError(
                f"the ground is not at {self.options.elevation:g} m",
                where="--elevation",
                do=f"Give metres from {low:g} to {high:g}",
            )

    @property
    def name(self) -> str:
        """Of the processor."""
        return "sixs"

    @property
    def version(self) -> str:
        """Of 6S and of the package that writes its input.

        Raises:
            InputError: they are not installed.
        """
        find_sixs()
        return f"6S 1.1 (Py6S {version('Py6S')})"

    @property
    def memory(self) -> float:
        """GiB a product, by the benchmark."""
        return 3.0

    @property
    def settings(self) -> Mapping[str, object]:
        """The program's version and the elevation."""
        return {"processor": self.version, "elevation_m": self.options.elevation}

    def room(self, product: Path, metadata: SceneMetadata) -> int:
        """The bands as they are in memory, which lossless JPEG 2000 never needs."""
        return raw_bytes(metadata)

    def check(self, product: Path, metadata: SceneMetadata) -> None:
        """An L1C product with all bands, B10 too."""
        open_l1c(product)

    def made(self, found: ProductId) -> bool:
        """By the mark in its name."""
        return found.baseline == BASELINE.replace(".", "")

    def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
        """Make the L2A product; see `Processor.correct`."""
        scene = open_l1c(product)
        progress("6S tables", 0, 100)

        def run(band: str, light: Light, air: Air) -> Passage:
            _check_stop(stop)
            return self.run(band, light, air)

        tables = _make_tables(scene, self.options, run)
        _check_stop(stop)
        progress("looking at the scene", 15, 100)
        looked = _look(scene, stop)
        classes = classify(looked, scene.geometry)
        atmosphere = _estimate(scene, looked, classes, tables)
        _check_stop(stop)
        progress("correcting bands", 35, 100)
        bands = _CorrectedBands(scene, tables, atmosphere, _plain(classes), stop, progress)
        made = write_safe(
            folder, _l2a(scene, classes), bands, classes, threads=self.options.threads
        )
        _write_report(made, self, scene, atmosphere)
        return made


@dataclass(frozen=True, slots=True, eq=False)
class _CorrectedBands(Mapping[str, npt.NDArray[np.uint16]]):
    """Bands corrected when they are asked for, each anew."""

    scene: L1CScene
    tables: Mapping[str, BandTable]
    atmosphere: Atmosphere
    plain: npt.NDArray[np.bool_]
    stop: Event
    progress: Progress

    def __len__(self) -> int:
        return len(self.tables)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __contains__(self, name: object) -> bool:
        """Without correcting the band, as a mapping would by itself."""
        return name in self.tables

    def __getitem__(self, name: str) -> npt.NDArray[np.uint16]:
        table = self.tables[name]
        _check_stop(self.stop)
        band = self.scene.metadata.sensor.band(name)
        top = self.scene.read_band(name)
        finest_first = sorted(self.scene.metadata.sensor.patch_bands, key=lambda b: b.pixel_size)
        self.progress(f"correcting {name}", 40 + 4 * finest_first.index(band), 100)
        levels = water_levels(self.atmosphere.water)
        passages = [table.passage(self.atmosphere.aot, water) for water in WATER_LEVELS]
        return correct_band(top, levels, passages, 60 // band.pixel_size, self.plain)


def _plain(classes: Classes) -> npt.NDArray[np.bool_]:
    """`row col` at 60 m: no snow and no cloud."""
    return np.isin(classes[1::3, 1::3], (Scl.SNOW, Scl.UNCLASSIFIED, *CLOUDS), invert=True)


def raw_bytes(metadata: SceneMetadata) -> int:
    """Bytes of the bands that archives keep, in memory."""
    sizes = [band.pixel_size for band in metadata.sensor.patch_bands]
    return sum(2 * int(np.prod(metadata.grid.resized(size).shape)) for size in sizes)


def _make_tables(
    scene: L1CScene, options: CorrectOptions, run: Callable[[str, Light, Air], Passage]
) -> dict[str, BandTable]:
    about = scene.metadata
    time = about.sensing_time
    light = Light(
        geometry=scene.geometry,
        month=time.month,
        day=time.day,
        spacecraft=about.product.spacecraft,
    )
    names = [band.name for band in about.sensor.patch_bands]
    return make_tables(names, light, options.elevation, threads=options.threads, run=run)


def _look(scene: L1CScene, stop: Event) -> dict[str, npt.NDArray[np.uint16]]:
    """The bands that the rules look at: at 20 m, B09 and B10 at 60 m."""
    looked = {}
    for name in (*LOOKED_AT, "B09", "B10"):
        _check_stop(stop)
        pixels = scene.read_band(name)
        if scene.metadata.sensor.band(name).pixel_size == 10:
            pixels = block_mean(pixels, 2).astype(np.uint16)
        looked[name] = pixels
    return looked


def _estimate(
    scene: L1CScene,
    looked: Mapping[str, npt.NDArray[np.uint16]],
    classes: Classes,
    tables: Mapping[str, BandTable],
) -> Atmosphere:
    """The atmosphere, from clear land at 60 m."""
    top = {
        name: block_mean(looked[name], 1 if name == "B09" else 3) / np.float32(10_000)
        for name in ("B02", "B04", "B8A", "B09", "B12")
    }
    land = np.isin(classes[1::3, 1::3], (Scl.VEGETATION, Scl.BARE, Scl.DARK))
    for values in top.values():
        land &= values > 0
    return estimate_atmosphere(top, land, tables)


def _l2a(scene: L1CScene, classes: Classes) -> SafeProduct:
    about = scene.metadata
    seen = int((classes != Scl.NO_DATA).sum())
    cloudy = int(np.isin(classes, CLOUDS).sum())
    return SafeProduct(
        spacecraft=about.product.spacecraft,
        level="L2A",
        sensing_time=about.sensing_time,
        generated=scene.generated,
        baseline=BASELINE,
        orbit=about.orbit,
        tile=about.tile,
        grid=about.grid,
        cloud_cover=100 * cloudy / max(1, seen),
        simulated_by=scene.simulated_by,
        origin_baseline=about.baseline,
        quality_checks=about.quality_checks or dict.fromkeys(QUALITY_CHECKS, "PASSED"),
    )


def _write_report(made: Path, processor: SixS, scene: L1CScene, atmosphere: Atmosphere) -> None:
    """What was assumed and found, in words that a program reads; no clock, no path."""
    geometry = scene.geometry
    report = {
        "processor": processor.version,
        "source": scene.metadata.source,
        "source_baseline": scene.metadata.baseline,
        "aerosol_optical_thickness": round(atmosphere.aot, 3),
        "aerosol_from": atmosphere.aot_source,
        "aerosol_model": "continental",
        "water_vapour_g_cm2": round(float(np.median(atmosphere.water)), 3),
        "water_vapour_from": atmosphere.water_source,
        "ozone_cm_atm": OZONE,
        "elevation_m": processor.options.elevation,
        "sun_zenith": round(geometry.sun_zenith, 3),
        "sun_azimuth": round(geometry.sun_azimuth, 3),
        "view_zenith": round(geometry.view_zenith, 3),
        "view_azimuth": round(geometry.view_azimuth, 3),
        "angles_from": geometry.source,
    }
    write_report(made, report)


def _check_stop(stop: Event) -> None:
    if stop.is_set():
        raise StoppedError("stopped")
