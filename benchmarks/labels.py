"""Exact land-cover shares of a tile: benforge beside geopandas.overlay and exactextract.

`python -m benchmarks.labels` simulates 20,000 polygons over a full tile first (a minute).
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from rasterio.features import rasterize

from benchmarks.measure import interleaved, peak_memory, show, table
from benforge.core.grid import Grid
from benforge.labels.edges import polygon_edges
from benforge.labels.port import GAP
from benforge.labels.projection import ToGrid
from benforge.labels.shares import sum_areas, to_shares
from benforge.labels.sources import open_land_cover
from benforge.scenes.simulate_land_cover import simulate_land_cover, write_land_cover

PATCH = 120
SIZES = {"toy": (600, 20, 1), "full": (10_920, 20_000, 3)}
VERTICES = 125
"""Of a polygon on average, as in CORINE Land Cover; simulated edges are split to have as many."""

Shares = npt.NDArray[np.float64]


def run(size: str) -> dict[str, Any]:
    """Time every way on the same polygons.

    Returns:
        `polygons`, `vertices`, `seconds` of each way, `ratio` of each way to ours with which it
        compares, and `difference`: the largest between our shares and each peer's.
    """
    pixels, count, rounds = SIZES[size]
    grid = Grid("EPSG:32633", 600_000, 5_400_000, 10, pixels, pixels)
    with tempfile.TemporaryDirectory() as folder:
        path = write_land_cover(_land_cover(grid, count), Path(folder) / "map.gpkg")
        source = open_land_cover(path)
        polygons = gpd.read_file(path).to_crs(grid.crs)
        classes = np.unique(polygons.Code_18, return_inverse=True)[1]
        shapes = polygons.geometry.to_numpy()
        ways = {
            "benforge: shares": lambda: our_shares(shapes, classes, grid),
            "geopandas.overlay": lambda: overlay_shares(polygons, classes, grid),
            "exactextract": lambda: exactextract_shares(polygons, classes, grid),
            "benforge: file to shares and map": lambda: source.read_labels(grid, PATCH),
            "geopandas.read_file, to_crs": lambda: gpd.read_file(path).to_crs(grid.crs),
            "rasterio.features.rasterize": lambda: rasterized(polygons, grid),
        }
        times = interleaved(ways, rounds)
        ours = our_shares(shapes, classes, grid)
        peers = {"geopandas.overlay": overlay_shares, "exactextract": exactextract_shares}
        difference = {
            name: float(np.abs(ours - peer(polygons, classes, grid)).max())
            for name, peer in peers.items()
        }
        same = np.array_equal(
            source.read_labels(grid, PATCH).reference_map, rasterized(polygons, grid)
        )
    return {
        "polygons": len(polygons),
        "vertices": int(shapely.get_num_coordinates(shapes).sum()),
        "seconds": times,
        "ratio": {name: times[name] / times["benforge: shares"] for name in peers},
        "difference": difference,
        "reference maps are equal": same,
        "peak memory, GiB": peak_memory(),
    }


def _land_cover(grid: Grid, count: int) -> gpd.GeoDataFrame:
    """Simulated polygons with as many vertices as real ones have."""
    polygons = simulate_land_cover(grid, 1, count)
    wanted = VERTICES * len(polygons)
    if polygons.count_coordinates().sum() < wanted:
        polygons = polygons.set_geometry(polygons.segmentize(polygons.length.sum() / wanted))
    return polygons


def our_shares(
    shapes: npt.NDArray[np.object_], classes: npt.NDArray[np.int64], grid: Grid
) -> Shares:
    """`patch class`, from projected polygons."""
    patches = grid.height // PATCH
    edges = polygon_edges(shapes, ToGrid(pyproj.CRS(grid.crs), grid, "map"))
    shape = (int(classes.max()) + 1, patches, patches)
    return to_shares(sum_areas(edges, classes, shape, PATCH), "map")


def overlay_shares(
    polygons: gpd.GeoDataFrame, classes: npt.NDArray[np.int64], grid: Grid
) -> Shares:
    """The same by geopandas: intersect with all patches, sum the areas."""
    boxes = shapely.box(*np.array([tuple(cell.bounds) for cell in grid.split(PATCH, PATCH)]).T)
    cells = gpd.GeoDataFrame({"patch": np.arange(len(boxes))}, geometry=boxes, crs=grid.crs)
    ground = gpd.GeoDataFrame({"class": classes}, geometry=polygons.geometry)
    pieces = gpd.overlay(cells, ground, how="intersection", keep_geom_type=True)
    area = pieces.geometry.area / (PATCH * grid.pixel_size) ** 2
    return _table(pieces["patch"].to_numpy(), pieces["class"].to_numpy(), area, classes, len(boxes))


def exactextract_shares(
    polygons: gpd.GeoDataFrame, classes: npt.NDArray[np.int64], grid: Grid
) -> Shares:
    """The same by exactextract: patches as the cells of a raster, covered by polygons."""
    patches = grid.height // PATCH
    left, bottom, right, top = grid.bounds
    raster = NumPyRasterSource(
        np.zeros((patches, patches)),
        left,
        bottom,
        right,
        top,
        srs_wkt=pyproj.CRS(grid.crs).to_wkt(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = exact_extract(raster, polygons, ["cell_id", "coverage"], output="pandas")
    counts = found["cell_id"].map(len)
    patch = np.concatenate(found["cell_id"].to_numpy()).astype(np.int64)
    coverage = np.concatenate(found["coverage"].to_numpy())
    return _table(patch, np.repeat(classes, counts), coverage, classes, patches**2)


def _table(
    patch: npt.NDArray[np.int64],
    number: npt.NDArray[np.int64],
    share: npt.ArrayLike,
    classes: npt.NDArray[np.int64],
    patches: int,
) -> Shares:
    kinds = int(classes.max()) + 1
    summed = np.bincount(patch * kinds + number, share, minlength=patches * kinds)
    return summed.reshape(patches, kinds)


def rasterized(polygons: gpd.GeoDataFrame, grid: Grid) -> npt.NDArray[np.uint16]:
    """The reference map by GDAL."""
    burnt: npt.NDArray[np.uint16] = rasterize(
        zip(polygons.geometry, polygons.Code_18.astype(int), strict=True),
        out_shape=grid.shape,
        fill=GAP,
        transform=rasterio.Affine(*grid.transform),
        dtype="uint16",
    )
    return burnt


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found = run(size)
    ratio = {"benforge: shares": 1.0, **found["ratio"]}
    rows = [
        {
            "way": way,
            "seconds": f"{spent:.2f}",
            "of ours": f"{ratio[way]:.1f}" if way in ratio else "",
        }
        for way, spent in found["seconds"].items()
    ]
    title = f"Shares of a full tile, {found['polygons']:,} polygons, {found['vertices']:,} vertices"
    different = ", ".join(f"{d:.0e} ({name})" for name, d in found["difference"].items())
    return (
        table(title, rows)
        + f"\nLargest difference of a share: {different}. Reference map equal to GDAL's: "
        f"{found['reference maps are equal']}. Peak memory: {found['peak memory, GiB']:.2f} GiB.\n"
    )


if __name__ == "__main__":
    show(report, SIZES)
