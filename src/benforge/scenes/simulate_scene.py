"""A simulated scene: the ground as a Sentinel-2 product of one date shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import geopandas
import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.core.sensor import Band, load_sensor
from benforge.errors import InputError
from benforge.scenes.safe_write import to_raw
from benforge.scenes.simulate_air import Veil, veil
from benforge.scenes.simulate_facts import load_spectra
from benforge.scenes.simulate_ground import WATER, Ground, draw_ground
from benforge.scenes.simulate_noise import Floats, Places
from benforge.scenes.simulate_weather import Weather, centres, draw_weather
from benforge.scenes.sun import sun_over

NO_DATA, SHADOW, VEGETATION, BARE, WET, CLOUD_MEDIUM, CLOUD_HIGH, SNOW = 0, 3, 4, 5, 6, 8, 9, 11
"""The numbers of the scene classification that the simulator uses."""

_STRIP = 60
_OPAQUE = 65
_BRIGHTEST = 20_000
_BARE = (111, 112, 121, 122, 123, 124, 131, 132, 133, 331, 332, 333, 334, 422, 423)
_EVERGREEN = {312: 0.15, 313: 0.3, 323: 0.15, 223: 0.1, 231: 0.25, 412: 0.25}
_LEAF_LOSS = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When and how a simulated tile is seen.

    Args:
        time: sensing time; the season follows from it.
        level: "L1C" adds the clean air above the ground, "L2A" does not.
        cloud: share below clouds.
        snow: share below snow.
        haze: 0 for clear air, 1 for dense haze.
        nodata: share beyond the orbit's edge.

    Raises:
        InputError: a share outside 0 … 1, or an unknown level.
    """

    time: datetime
    level: str = "L2A"
    cloud: float = 0.0
    snow: float = 0.0
    haze: float = 0.0
    nodata: float = 0.0

    def __post_init__(self) -> None:
        if self.level not in ("L1C", "L2A"):
            raise InputError(f"a product is of level L1C or L2A, not {self.level!r}")
        for name in ("cloud", "snow", "haze", "nodata"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedScene(Mapping[str, npt.NDArray[np.uint16]]):
    """A scene whose bands are painted when they are asked for, each anew.

    As a mapping: band name to `row col` at native size, digital numbers for the files. A pixel
    without data is 0 in every band and in the classification.

    Args:
        grid: the tile in pixels of 10 m.
        conditions: when and how it is seen.
        ground: its land cover.
        weather: what hides it.
        seed: of the grain of single pixels.
        offset: radiometric offset of the product's baseline, 0 or -1000.
    """

    grid: Grid
    conditions: Conditions
    ground: Ground
    weather: Weather
    seed: int
    offset: int = 0

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def __iter__(self) -> Iterator[str]:
        """Names in the sensor's order; B10 in L1C only."""
        bands = load_sensor().bands
        return (b.name for b in bands if b.in_patches or self.conditions.level == "L1C")

    def __contains__(self, name: object) -> bool:
        """Told without painting the band, which `Mapping` would do."""
        return name in tuple(iter(self))

    def __getitem__(self, name: str) -> npt.NDArray[np.uint16]:
        if name not in self:
            raise KeyError(name)
        band = load_sensor().band(name)
        grid = self.grid.resized(band.pixel_size)
        ys, xs = centres(grid)
        painter = _Painter(self, band)
        pixels = np.empty(grid.shape, np.uint16)
        for rows in _strips(grid):
            pixels[rows] = to_raw(painter.strip(rows, ys[rows], xs), self.offset)
        return pixels

    @property
    def classification(self) -> npt.NDArray[np.uint8]:
        """The scene classification (SCL) at 20 m, `row col`."""
        weather, every = self.weather, slice(0, self.grid.resized(20).height)
        scl = np.take(_surface_classes(self.ground.codes), self.ground.kinds_at(20))
        scl[weather.snow] = SNOW
        scl[weather.shadow] = SHADOW
        scl[weather.cloud > 0] = CLOUD_MEDIUM
        scl[weather.cloud > _OPAQUE] = CLOUD_HIGH
        scl[~weather.seen_at(20, every)] = NO_DATA
        return scl

    @property
    def cloud_cover(self) -> float:
        """Percent of the pixels with data that lie below clouds."""
        seen = self.weather.seen_at(20, slice(0, self.weather.cloud.shape[0]))
        return 100 * float((self.weather.cloud[seen] > 0).mean()) if seen.any() else 0.0


def simulate_scene(
    land_cover: geopandas.GeoDataFrame,
    grid: Grid,
    conditions: Conditions,
    seed: int,
    *,
    offset: int = 0,
) -> SimulatedScene:
    """A scene over a land-cover map.

    Spectra, their variation and texture are those of real patches (`core/facts/spectra.toml`);
    season, haze, clouds, shadows and snow are plausible, not measured.

    Args:
        land_cover: polygons with `Code_18`, any CRS.
        grid: the tile in pixels of 10 m; a whole number of 60 m pixels.
        conditions: when and how it is seen.
        seed: the same seed and conditions give the same scene; the ground stays the same for
            all conditions.
        offset: radiometric offset of the product's baseline, 0 or -1000.

    Raises:
        GridError: the grid is not whole pixels of 60 m.
        InputError: the map holds a class that has no spectrum.
    """
    grid.resized(60)
    ground = draw_ground(land_cover, grid, np.random.default_rng([seed, 2]))
    rng = np.random.default_rng([seed, 3, int(conditions.time.timestamp())])
    weather = draw_weather(
        rng,
        grid,
        np.take(_snow_liking(ground.codes), ground.kinds_at(20)),
        cloud=conditions.cloud,
        snow=conditions.snow,
        nodata=conditions.nodata,
    )
    return SimulatedScene(grid, conditions, ground, weather, seed, offset)


class _Painter:
    """One band of a scene, strip by strip: ground, then snow, shadow, haze, cloud, air."""

    def __init__(self, scene: SimulatedScene, band: Band) -> None:
        self._scene, self._band = scene, band
        spectra = load_spectra()
        # B10 sees no ground: it borrows the darkest band and keeps a hundredth of it.
        self._number = spectra.bands.index(band.name if band.in_patches else "B12")
        self._snow = spectra.snow.mean[self._number]
        self._snow_mode = np.float32(0.5) * spectra.snow.modes[0, self._number]
        self._cloud = spectra.cloud.mean[self._number]
        self._factors = _season(scene.ground.codes, band, scene.conditions.time)
        self._grain = scene.ground.grain(self._number)
        self._covered = _snow_cover(scene.ground.codes)
        self._veil = _veil(scene, band)

    def strip(self, rows: slice, ys: Places, xs: Places) -> npt.NDArray[np.uint16]:
        """Reflectance x 10,000 of some rows, 0 where there are no data."""
        scene, size = self._scene, self._band.pixel_size
        kinds = scene.ground.kinds_at(size, rows)
        value = scene.ground.paint(self._number, self._factors, size, rows, ys, xs)
        value = self._snowed(value, kinds, rows, ys, xs)
        value += np.take(self._grain, kinds) * self._white(rows.start, value.shape)
        value = self._through_air(value, rows, ys, xs)
        value = np.clip(value, 1, _BRIGHTEST)
        value[~scene.weather.seen_at(size, rows)] = 0
        return value.astype(np.uint16)

    def _white(self, row: int, shape: tuple[int, ...]) -> Floats:
        key = [self._scene.seed, 4, int(self._scene.conditions.time.timestamp()), self._number, row]
        return np.random.default_rng(key).standard_normal(shape, dtype=np.float32)

    def _snowed(
        self, value: Floats, kinds: npt.NDArray[np.uint8], rows: slice, ys: Places, xs: Places
    ) -> Floats:
        scene = self._scene
        if scene.conditions.snow <= 0:
            return value
        snow = scene.weather.snow_at(self._band.pixel_size, rows)
        amount = np.take(self._covered, kinds) * snow
        bright = self._snow + self._snow_mode * scene.ground.broad[0].at(ys, xs)
        value += (bright - value) * amount
        return value

    def _through_air(self, value: Floats, rows: slice, ys: Places, xs: Places) -> Floats:
        weather, conditions, size = (
            self._scene.weather,
            self._scene.conditions,
            self._band.pixel_size,
        )
        if conditions.cloud > 0:
            value *= 1 - np.float32(0.55) * weather.shadow_at(size, rows)
        if conditions.haze > 0:
            reach = np.float32(conditions.haze * (490 / self._band.wavelength) ** 1.5)
            haze = weather.haze_at(ys, xs) * reach
            value = value * (1 - np.float32(0.35) * haze) + np.float32(1400) * haze
        if conditions.cloud > 0:
            cloud = weather.cloud_at(size, rows)
            shape = np.float32(0.06) * self._scene.ground.fine.at(ys, xs)
            value += (
                self._cloud * (np.float32(0.9) + np.float32(0.5) * cloud + shape) - value
            ) * cloud
        return self._veil.at_the_top(value) if self._veil else value


def _veil(scene: SimulatedScene, band: Band) -> Veil | None:
    """The air that L1C is seen through."""
    if scene.conditions.level == "L2A":
        return None
    zenith, _ = sun_over(scene.grid, scene.conditions.time)
    return veil(band.name, zenith)


def _strips(grid: Grid) -> Iterator[slice]:
    """Rows in portions small enough for a processor's cache."""
    return (slice(row, min(row + _STRIP, grid.height)) for row in range(0, grid.height, _STRIP))


def _season(codes: npt.NDArray[np.int32], band: Band, time: datetime) -> Floats:
    """`class`: what the season makes of reflectance; 1 in the middle of summer.

    Leaves are bright beyond 700 nm and dark in the red; without them it is the other way.
    """
    winter = 0.5 - 0.5 * np.cos(2 * np.pi * (time.timetuple().tm_yday - 190) / 365.25)
    plants = np.isin(codes, [*_BARE, *WATER], invert=True)
    loss = np.array([_EVERGREEN.get(int(code), _LEAF_LOSS) for code in codes]) * plants * winter
    if band.wavelength < 700:
        factor = 1 + 0.6 * loss
    elif band.wavelength < 1000:
        factor = 1 - loss
    else:
        factor = 1 + 0.2 * loss
    # The sun is low in winter, and slopes and trees throw shadows.
    return np.asarray(factor * (1 - 0.12 * winter), np.float32)


def _surface_classes(codes: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """`class`: its number in the scene classification."""
    surface = np.full(len(codes), VEGETATION, np.uint8)
    surface[np.isin(codes, _BARE)] = BARE
    surface[np.isin(codes, WATER)] = WET
    return surface


def _snow_cover(codes: npt.NDArray[np.int32]) -> Floats:
    """`class`: how much of the ground snow hides: crowns of trees and roofs stick out."""
    kind = codes // 10
    cover = np.select([kind == 31, codes < 200], [0.45, 0.7], 0.95)
    return cover.astype(np.float32)


def _snow_liking(codes: npt.NDArray[np.int32]) -> Floats:
    """`class`: what it adds to the snow field; open water bears no snow."""
    kind = codes // 100
    liking = np.select([kind == 1, kind == 3], [-0.3, 0.2], 0.0).astype(np.float32)
    liking[np.isin(codes, WATER)] = -np.inf
    return liking
