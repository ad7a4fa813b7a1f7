"""A simulated land-cover map in the manner of CORINE: polygons that fit, of 25 ha and more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import numpy.typing as npt
import pyogrio
import shapely
from rasterio.features import shapes, sieve
from rasterio.warp import transform_bounds

import benforge
from benforge.core.grid import Bounds, Grid
from benforge.errors import InputError, StorageError
from benforge.scenes.geopackage import dated
from benforge.scenes.simulate_facts import load_spectra
from benforge.scenes.simulate_noise import Noise, Octaves, Places
from benforge.scenes.simulate_regions import RegionGraph, borders, nearest_seed

CRS = "EPSG:3035"
SMALLEST = 25.0
"""Hectares: the smallest polygon of CORINE Land Cover."""

TYPICAL = 150.0
"""Hectares a polygon, as real maps have them: 8,000 polygons on a tile."""

_CELL = 40.0
_MARGIN = 1000.0
_CRINKLE = 30.0  # Metres: how far the finest bends of a border reach.
_SIMPLIFY = 30.0
_SPARE = 29.0  # Hectares: what a polygon must have before its outline is simplified.
_SEED = 35.0  # Hectares a seed at least, so that few fall below 25 ha.
_SEEDS_A_POLYGON = 2.6
_COHERENCE = (2.2, 1.5, 1.0, 0.6, 0.3)
"""From wide areas of one class to a motley; the first that leaves polygons enough is taken, and
if none does some neighbours of one class stay apart, which in real maps they do not."""

_MARINE = (421, 422, 423, 521, 522, 523)
_DATE = "2018-01-01T00:00:00Z"


def simulate_land_cover(
    grid: Grid, seed: int, polygons: int | None = None, *, gap: float = 0.0
) -> geopandas.GeoDataFrame:
    """A land-cover map over a tile and a kilometre around it.

    Args:
        grid: the tile's ground.
        seed: the same seed gives the same map.
        polygons: how many, about; None for as many as real maps have (one in 150 ha).
        gap: share of the map left uncovered, as if land ended in the east.

    Returns:
        Columns `Code_18` (text, "312"), `ID`, `Area_Ha`, geometry (polygons, EPSG:3035).
        Neighbours share their edges: there is no gap and no overlap. Every polygon has at
        least 25 ha. Of the 43 classes of BigEarthNet those occur that the size has room for,
        about as often as in Table 2 of the 2019 paper.

    Raises:
        InputError: so many polygons would be smaller than 25 ha, or a gap outside 0 … 1.
    """
    check_wanted(grid, polygons, gap)
    rng = np.random.default_rng([seed, 1])
    frame = _frame(grid)
    wanted = _wanted(frame, polygons)
    lattice = _lattice(frame, wanted)
    seeds = _seeds(frame, lattice, rng)
    likings = _likings(frame, lattice, rng)
    regions, classes = _regions(seeds, likings, wanted, rng)
    return _polygons(frame, regions, classes, gap)


def check_wanted(grid: Grid, polygons: int | None, gap: float) -> None:
    """Hold what is wanted of a map to what a tile has room for.

    Raises:
        InputError: so many polygons would be smaller than 25 ha, or a gap outside 0 … 1.
    """
    if not 0 <= gap < 1:
        raise InputError(f"the gap is a share from 0 to below 1, not {gap}", where="gap")
    _wanted(_frame(grid), polygons)


def write_land_cover(land_cover: geopandas.GeoDataFrame, path: Path) -> Path:
    """Write the map as a GeoPackage that calls itself simulated.

    The same map gives the same bytes. The file is renamed into place when whole.

    Returns:
        `path`.

    Raises:
        StorageError: the disk is full or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.part.gpkg")
    partial.unlink(missing_ok=True)
    try:
        with dated(_DATE):
            pyogrio.write_dataframe(
                land_cover,
                partial,
                driver="GPKG",
                layer="land_cover",
                geometry_type="Polygon",
                layer_metadata={"SIMULATED_BY": f"benforge {benforge.__version__}"},
            )
        return partial.rename(path)
    except (OSError, RuntimeError) as error:
        raise StorageError(
            f"cannot be written ({error})", where=path, do="Make room and run again"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Lattice:
    """Cells of `step` metres, one seed in each."""

    rows: int
    cols: int
    step: float

    def centres(self, frame: Grid) -> tuple[Places, Places]:
        ys = frame.uly - (np.arange(self.rows) + 0.5) * self.step
        return ys, frame.ulx + (np.arange(self.cols) + 0.5) * self.step


def _frame(grid: Grid) -> Grid:
    """The map's ground: the tile in EPSG:3035 with a margin, in cells of 40 m."""
    box = Bounds(*transform_bounds(grid.crs, CRS, *grid.bounds, densify_pts=101))
    left, top = (box.left - _MARGIN) // _CELL * _CELL, (box.top + _MARGIN) // _CELL * _CELL
    height, width = (top - box.bottom + _MARGIN) // _CELL, (box.right - left + _MARGIN) // _CELL
    return Grid(CRS, left, top, _CELL, int(height), int(width))


def _hectares(frame: Grid) -> float:
    return frame.height * frame.width * frame.pixel_size**2 / 10_000


def _wanted(frame: Grid, polygons: int | None) -> int:
    if polygons is None:
        return max(4, round(_hectares(frame) / TYPICAL))
    most = int(_hectares(frame) / (2.5 * SMALLEST))
    if not 1 <= polygons <= most:
        raise InputError(
            f"{polygons} polygons do not fit",
            where="polygons",
            do=f"Ask for 1 to {most}: each has at least {SMALLEST:g} ha",
        )
    return polygons


def _lattice(frame: Grid, wanted: int) -> _Lattice:
    """Enough seeds to merge, but not so many that a seed's own cell falls below 25 ha."""
    seed_hectares = max(_hectares(frame) / (wanted * _SEEDS_A_POLYGON), _SEED)
    step = (seed_hectares * 10_000) ** 0.5
    rows, cols = (max(2, int(np.ceil(n * frame.pixel_size / step))) for n in frame.shape)
    return _Lattice(rows, cols, step)


def _seeds(frame: Grid, lattice: _Lattice, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """`row col`: the seed that each cell of the frame belongs to, with crooked borders."""
    ys = frame.uly - (np.arange(frame.height) + 0.5) * frame.pixel_size
    xs = frame.ulx + (np.arange(frame.width) + 0.5) * frame.pixel_size
    jitter = rng.uniform(0.25, 0.75, (2, lattice.rows, lattice.cols)).astype(np.float32)
    pitches = [lattice.step * k for k in (0.7, 0.35, 0.18)]
    bend_y, bend_x = (Octaves.draw(rng, pitches, 0.6).at(ys, xs) * 0.22 for _ in range(2))
    crinkle = _CRINKLE / lattice.step
    bend_y, bend_x = (b + Noise.draw(rng, 60).at(ys, xs) * crinkle for b in (bend_y, bend_x))
    down = ((frame.uly - ys) / lattice.step).astype(np.float32)
    right = ((xs - frame.ulx) / lattice.step).astype(np.float32)
    places = down[:, None] + bend_y, right[None, :] + bend_x
    return nearest_seed(*places, jitter, (lattice.rows, lattice.cols))


@dataclass(frozen=True, slots=True, eq=False)
class _Likings:
    """How well each class suits each seed, `class seed`, in two parts.

    Args:
        codes: the classes.
        share: how often each is to occur.
        place: what neighbouring seeds share; -inf where a class cannot be.
        chance: what they do not.
    """

    codes: npt.NDArray[np.int32]
    share: npt.NDArray[np.float64]
    place: npt.NDArray[np.float32]
    chance: npt.NDArray[np.float32]

    def classes(self, coherence: float) -> npt.NDArray[np.int32]:
        """`seed`: its class; the more coherence, the larger the areas of one class."""
        score = self.chance + np.float32(coherence) * self.place
        return self.codes[_balanced(score, self.share)]


def _likings(frame: Grid, lattice: _Lattice, rng: np.random.Generator) -> _Likings:
    """Classes come in neighbourhoods, kinds of classes (CLC level 1) in wider ones."""
    images = load_spectra().images
    codes = np.array(list(images), np.int32)
    share = np.array([images[code] for code in codes.tolist()], np.float64)
    share /= share.sum()
    ys, xs = lattice.centres(frame)
    reach = float(np.clip(max(frame.shape) * frame.pixel_size / 8, 1500, 9000))
    fields = [Octaves.draw(rng, [reach, reach / 3], 0.7).at(ys, xs).ravel() for _ in codes]
    kinds = [Noise.draw(rng, reach * 1.5).at(ys, xs).ravel() for _ in range(6)]
    place = np.stack(fields) + 0.7 * np.stack([kinds[code // 100] for code in codes])
    marine = np.isin(codes, _MARINE)
    sea = _sea(kinds[0], float(share[marine].sum()))
    place[marine[:, None] != sea[None, :]] = -np.inf
    chance = 0.6 * rng.gumbel(size=place.shape)
    return _Likings(codes, share, place.astype(np.float32), chance.astype(np.float32))


def _sea(height: npt.NDArray[np.float32], share: float) -> npt.NDArray[np.bool_]:
    """The lowest ground, so that the sea is one piece or few."""
    return np.asarray(height < np.quantile(height, share))


def _balanced(
    score: npt.NDArray[np.float32], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Whoever scores best at each place, with handicaps that bring the shares about right."""
    handicap = np.log(share).astype(np.float32)
    for _ in range(30):
        winner = (score + handicap[:, None]).argmax(axis=0)
        found = np.bincount(winner, minlength=len(share)) + 0.5
        short = np.log(share * len(winner) / found + 1e-9).clip(-1, 1)
        handicap += 0.5 * short.astype(np.float32)
    return np.asarray((score + handicap[:, None]).argmax(axis=0))


def _regions(
    seeds: npt.NDArray[np.int32], likings: _Likings, wanted: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """`row col` region numbers from 1, and the class of each number."""
    # Crooked borders cut off crumbs, and some seeds stay small: they go to their neighbours.
    least = min(int(np.ceil(_SPARE * 10_000 / _CELL**2)), seeds.size)
    seeds = sieve(seeds + 1, size=least, connectivity=4) - 1
    areas = np.bincount(seeds.ravel(), minlength=likings.place.shape[1]).astype(np.int32)
    edges = borders(seeds)
    for coherence in _COHERENCE:
        graph = RegionGraph(likings.classes(coherence), areas, edges)
        graph.join_akin(wanted, rng)
        if graph.count > wanted:
            break
    graph.shrink(wanted, rng)
    roots, classes = graph.merged()
    return roots[seeds] + 1, np.concatenate([[0], classes]).astype(np.int32)


def _polygons(
    frame: Grid, regions: npt.NDArray[np.int32], classes: npt.NDArray[np.int32], gap: float
) -> geopandas.GeoDataFrame:
    """Outlines of the regions, simplified together so that they still fit."""
    found = list(shapes(regions, connectivity=4))
    outlines = np.array([_polygon(shape["coordinates"]) for shape, _ in found])
    outlines = _on_ground(frame, shapely.segmentize(outlines, 1.0))
    outlines = shapely.coverage_simplify(outlines, _SIMPLIFY)
    codes = classes[np.array([int(number) for _, number in found])]
    left, _, right, _ = frame.bounds
    kept = shapely.get_x(shapely.centroid(outlines)) <= right - gap * (right - left)
    outlines, codes = outlines[kept], codes[kept]
    columns = {
        "Code_18": [str(code) for code in codes],
        "ID": [f"SIM_{number + 1}" for number in range(len(codes))],
        "Area_Ha": shapely.area(outlines) / 10_000,
    }
    return geopandas.GeoDataFrame(columns, geometry=outlines, crs=CRS)


def _on_ground(frame: Grid, outlines: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Outlines with a vertex at every cell corner, in metres instead of cells.

    Without these vertices the corner where three regions meet would lie on the edge of one of
    them without being its vertex, and simplifying would tear it open.
    """

    def place(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        corner = np.array([frame.ulx, frame.uly])
        return corner + np.round(cells) * [frame.pixel_size, -frame.pixel_size]

    ground: npt.NDArray[np.object_] = shapely.transform(outlines, place)
    return ground


def _polygon(rings: list[list[tuple[float, float]]]) -> shapely.Polygon:
    return shapely.Polygon(rings[0], rings[1:])
