"""Real pixels through the whole build: two Major-TOM scenes, written as SAFE, cut and read back."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import shapely

from benforge.archive.archive import Archive
from benforge.archive.build import build_archive
from benforge.archive.check import check_archive
from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.sensor import load_sensor
from benforge.recipe.load import load_recipe
from benforge.scenes.safe_write import SafeProduct, write_safe

SENSOR = load_sensor()


def read_bands(folder: Path) -> tuple[dict[str, npt.NDArray[np.uint16]], Grid]:
    bands = {}
    for band in SENSOR.patch_bands:
        with rasterio.open(folder / f"{band.name}.tif") as source:
            bands[band.name] = source.read(1)
            if band.name == "B02":
                # SAFE metadata give corners in whole metres.
                corner = round(source.transform.c), round(source.transform.f)
                grid = Grid(source.crs.to_string(), *corner, 10, *source.shape)
    return bands, grid


def write_product(
    folder: Path, out: Path, offset: int
) -> tuple[Path, dict[str, npt.NDArray[np.uint16]]]:
    bands, grid = read_bands(folder)
    real = ProductId.parse(folder.name)
    product = SafeProduct(
        spacecraft=real.spacecraft,
        level=real.level,
        sensing_time=real.sensing_time,
        generated=datetime(2024, 1, 1, tzinfo=UTC),
        baseline=f"{real.baseline[:2]}.{real.baseline[2:]}",
        orbit=real.orbit,
        tile=real.tile,
        grid=grid,
        offsets=dict.fromkeys(bands, offset),
    )
    return write_safe(out, product, bands), bands


def write_two_classes(grid: Grid, path: Path) -> None:
    """Forest in the western 5 patches and 7 pixels, water in the rest."""
    left, bottom, right, top = grid.bounds
    middle = left + 5 * 1200 + 70
    boxes = [shapely.box(left, bottom, middle, top), shapely.box(middle, bottom, right, top)]
    frame = gpd.GeoDataFrame({"Code_18": ["312", "512"]}, geometry=boxes, crs=grid.crs)
    frame.to_file(path)


@pytest.mark.parametrize(
    ("scene", "offset"), [("0U/0U_199R", -1000), ("199U/199U_1099R", 0)], ids=["N0400", "N9999"]
)
def test_patches_equal_slices_of_the_arrays(
    shared_data: Path, tmp_path: Path, scene: str, offset: int
) -> None:
    (folder,) = (shared_data / "sentinel2/majortom_S2L2A" / scene).iterdir()
    product, bands = write_product(folder, tmp_path, offset)
    _, grid = read_bands(folder)
    write_two_classes(grid, tmp_path / "map.gpkg")
    out = tmp_path / "archive"
    summary = build_archive([product], tmp_path / "map.gpkg", out, load_recipe("custom"))
    archive = Archive.open(out)
    assert len(archive) == summary.patches == 64
    for patch in archive:
        for band in SENSOR.patch_bands:
            edge = 1200 // band.pixel_size
            rows, columns = patch.id.row * edge, patch.id.column * edge
            raw = bands[band.name][rows : rows + edge, columns : columns + edge].astype(int)
            expected = np.where(raw == 0, 0, np.maximum(raw + offset, 1))
            np.testing.assert_array_equal(patch.band(band.name), expected)
    for record in archive.records():
        share = np.clip((6070 - 1200 * record.column) / 1200, 0, 1)
        expected_shares = {312: share, 512: 1 - share}
        found = dict(zip(record.classes, record.shares or (), strict=True))
        assert found == pytest.approx({c: s for c, s in expected_shares.items() if s}, abs=1e-9)
    assert [f for f in check_archive(out) if f.severity == "error"] == []
