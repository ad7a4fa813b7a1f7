"""Simulate a land-cover map and products over it: what tests and the demo build from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import geopandas
import msgspec
import pyogrio

import benforge
from benforge.core.grid import Grid
from benforge.core.progress import silent
from benforge.core.sensor import load_sensor
from benforge.errors import BenError, ConflictError, InputError, RecipeError, StorageError
from benforge.scenes.safe_write import SafeProduct, write_safe
from benforge.scenes.simulate_land_cover import (
    check_wanted,
    simulate_land_cover,
    write_land_cover,
)
from benforge.scenes.simulate_scene import Conditions, simulate_scene

LARGEST = 10_980
"""Pixels of 10 m along a real tile."""

_SENSED = time(10, 10, 31, tzinfo=UTC)
_MADE_AFTER = timedelta(minutes=5, seconds=37)
_OFFSET_SINCE = "04.00"
_FIRST_DAY, _LAST_DAY = date(2015, 6, 23), date(2100, 12, 31)
_BASELINE = re.compile(r"\d\d\.\d\d", re.ASCII)


class SimulateDate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product to simulate.

    Args:
        date: day of the year sensed; the season follows from it.
        cloud: share below clouds, 0 to 1.
        snow: share below snow, 0 to 1.
        haze: 0 for clear air, 1 for dense haze.
        nodata: share beyond the orbit's edge, 0 to 1.
    """

    date: date
    cloud: float = 0.0
    snow: float = 0.0
    haze: float = 0.0
    nodata: float = 0.0


class SimulateRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to simulate.

    Args:
        size: pixels of 10 m along the tile: a multiple of 6, from 360 to 10,980.
        seed: the same recipe gives the same files; another seed gives another ground.
        dates: one product each.
        tile: MGRS tile that the products name.
        crs: the tile's CRS.
        ulx: easting of its upper-left corner, m.
        uly: northing of the same corner, m.
        level: "L1C" or "L2A".
        baseline: processing baseline; from 04.00 on numbers carry an offset of -1000.
        polygons: how many the map has, about; None for one in 150 ha, as real maps have.
        gap: share of the map left uncovered, in the east.

    Raises:
        RecipeError: an impossible size, seed or baseline, no date, a date twice, or one before
            Sentinel-2 flew (2015-06-23) or after 2100.
    """

    size: int = 1200
    seed: int = 1
    dates: tuple[SimulateDate, ...] = (SimulateDate(date=date(2017, 6, 13)),)
    tile: str = "33UUP"
    crs: str = "EPSG:32633"
    ulx: float = 300_000.0
    uly: float = 5_400_000.0
    level: str = "L2A"
    baseline: str = "02.05"
    polygons: int | None = None
    gap: float = 0.0

    def __post_init__(self) -> None:
        if self.size % 6 or not 360 <= self.size <= LARGEST:
            raise RecipeError(
                f"a tile of {self.size} pixels cannot be simulated",
                where="size",
                do=f"Give a multiple of 6 from 360 to {LARGEST}",
            )
        days = [one.date for one in self.dates]
        if not days or len(set(days)) < len(days):
            raise RecipeError("give one or more dates, each once", where="dates")
        for day in days:
            if not _FIRST_DAY <= day <= _LAST_DAY:
                raise RecipeError(
                    f"Sentinel-2 flies since {_FIRST_DAY}",
                    where=str(day),
                    do=f"Give dates from then to {_LAST_DAY}",
                )
        if not _BASELINE.fullmatch(self.baseline):
            raise RecipeError(
                f"{self.baseline!r} is no processing baseline",
                where="baseline",
                do="Give it as NN.NN, such as 05.09",
            )
        if self.seed < 0:
            raise RecipeError("a seed is 0 or more", where="seed")

    @property
    def grid(self) -> Grid:
        """The tile in pixels of 10 m."""
        return Grid(self.crs, self.ulx, self.uly, 10, self.size, self.size)


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a simulation left.

    Args:
        land_cover: the map, a GeoPackage.
        products: the folders of the products, in the order of the recipe's dates.
    """

    land_cover: Path
    products: tuple[Path, ...]


def simulate(
    out: Path,
    recipe: SimulateRecipe,
    progress: Callable[[str], None] = silent,
    *,
    threads: int = 2,
) -> Simulated:
    """Write `out/land_cover.gpkg` and one SAFE product per date of the recipe.

    What is already there whole is not written again, so a simulation that was interrupted goes
    on where it was, and dates can be added to a recipe later. `out/simulation.json` keeps it.

    Args:
        out: folder to write into; made if missing.
        recipe: what to simulate.
        progress: told what is being done.
        threads: bands worked on at once.

    Raises:
        RecipeError: a value that no product can have.
        ConflictError: `out` holds a simulation by another recipe.
        StorageError: the disk is full or a file cannot be written.
    """
    planned = tuple(plan_product(recipe, one) for one in recipe.dates)
    _check_land_cover(recipe)
    _keep_recipe(out / "simulation.json", recipe)
    land_cover = _land_cover(out / "land_cover.gpkg", recipe, progress)
    folders = []
    for (product, conditions), number in zip(planned, range(1, len(planned) + 1), strict=True):
        folder = out / product.name
        if not folder.exists():
            progress(f"product {number} of {len(planned)}: {product.name}")
            _write_product(out, recipe, product, conditions, land_cover, threads)
        folders.append(folder)
    return Simulated(out / "land_cover.gpkg", tuple(folders))


def plan_product(recipe: SimulateRecipe, one: SimulateDate) -> tuple[SafeProduct, Conditions]:
    """What the product of a date is called and says, but for its cloud cover, and how it is seen.

    Raises:
        RecipeError: a value that no product can have.
    """
    sensed = datetime.combine(one.date, _SENSED)
    offset = _offset(recipe)
    try:
        product = SafeProduct(
            spacecraft="S2A",
            level=recipe.level,
            sensing_time=sensed,
            generated=sensed + _MADE_AFTER,
            baseline=recipe.baseline,
            orbit=22,
            tile=recipe.tile,
            grid=recipe.grid,
            offsets={band.name: offset for band in load_sensor().bands},
            simulated_by=f"benforge {benforge.__version__}",
        )
        conditions = Conditions(
            time=sensed,
            level=recipe.level,
            cloud=one.cloud,
            snow=one.snow,
            haze=one.haze,
            nodata=one.nodata,
        )
    except BenError as error:
        raise RecipeError(error.what, where=error.where or str(one.date), do=error.do) from error
    return product, conditions


def _check_land_cover(recipe: SimulateRecipe) -> None:
    try:
        check_wanted(recipe.grid, recipe.polygons, recipe.gap)
    except InputError as error:
        raise RecipeError(error.what, where=error.where, do=error.do) from error


def _offset(recipe: SimulateRecipe) -> int:
    return -1000 if recipe.baseline >= _OFFSET_SINCE else 0


def _write_product(
    out: Path,
    recipe: SimulateRecipe,
    product: SafeProduct,
    conditions: Conditions,
    land_cover: geopandas.GeoDataFrame,
    threads: int,
) -> None:
    scene = simulate_scene(land_cover, recipe.grid, conditions, recipe.seed, offset=_offset(recipe))
    classification = scene.classification if product.level == "L2A" else None
    told = dataclasses.replace(product, cloud_cover=round(scene.cloud_cover, 4))
    write_safe(out, told, scene, classification, threads=threads)


def _land_cover(
    path: Path, recipe: SimulateRecipe, progress: Callable[[str], None]
) -> geopandas.GeoDataFrame:
    """The map, made where it is not there yet."""
    if not path.exists():
        progress("land-cover map")
        made = simulate_land_cover(recipe.grid, recipe.seed, recipe.polygons, gap=recipe.gap)
        write_land_cover(made, path)
    return pyogrio.read_dataframe(path)


def _keep_recipe(file: Path, recipe: SimulateRecipe) -> None:
    """Write the recipe, together with dates of an earlier one that it agrees with."""
    kept = recipe
    if file.exists():
        earlier = _earlier(file)
        days = {one.date: one for one in earlier.dates}
        agrees = all(days.get(one.date, one) == one for one in recipe.dates)
        if not agrees or msgspec.structs.replace(earlier, dates=recipe.dates) != recipe:
            raise ConflictError(
                "the folder holds a simulation by another recipe",
                where=file,
                do="Give another folder or remove this one",
            )
        days.update((one.date, one) for one in recipe.dates)
        kept = msgspec.structs.replace(recipe, dates=tuple(days[day] for day in sorted(days)))
    partial = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
        partial.rename(file)
    except OSError as error:
        raise StorageError(f"cannot be written ({error})", where=file) from error


def _earlier(file: Path) -> SimulateRecipe:
    try:
        return msgspec.json.decode(file.read_bytes(), type=SimulateRecipe)
    except (msgspec.MsgspecError, RecipeError) as error:
        raise ConflictError(
            f"not a recipe ({error})", where=file, do="Give another folder or remove this one"
        ) from error
