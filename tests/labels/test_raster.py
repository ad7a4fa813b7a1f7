"""Maps of cells: codes of either kind, gaps, and one clear line for what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from benforge.core.grid import Grid
from benforge.errors import LandCoverError
from benforge.labels import raster as raster_module
from benforge.labels.port import GAP, TileLabels
from benforge.labels.sources import open_land_cover

GRID = Grid("EPSG:32632", 500_000, 5_500_000, 10, 240, 240)


def write(path: Path, values: Any, *, crs: str | None = "EPSG:32632", **options: Any) -> Path:
    """Cells of 600 m from the corner of `GRID`; bands first where there are three axes."""
    values = np.atleast_3d(values) if np.ndim(values) == 3 else np.asarray(values)[None]
    bands, height, width = values.shape
    profile = {"driver": "GTiff", "dtype": values.dtype, "count": bands} | options
    profile |= {"height": height, "width": width, "crs": crs}
    transform = rasterio.Affine(600, 0, GRID.ulx, 0, -600, GRID.uly)
    with rasterio.open(path, "w", transform=transform, **profile) as opened:
        opened.write(values)
    return path


def read(path: Path) -> TileLabels:
    return open_land_cover(path).read_labels(GRID, 120)


CELLS = np.array([[1, 1, 12, 12], [1, 44, 12, 12], [24, 24, 48, 48], [24, 24, 48, 0]])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_grid_codes(tmp_path: Path, dtype: str) -> None:
    labels = read(write(tmp_path / "map.tif", CELLS.astype(dtype)))
    assert labels.fractions[0].shares == {111: pytest.approx(0.75), 523: pytest.approx(0.25)}
    assert labels.fractions[1].shares == {211: pytest.approx(1)}
    assert labels.fractions.gaps == pytest.approx([0, 0, 0, 1])
    assert labels.reference_map[::60, ::60].tolist() == [
        [111, 111, 211, 211],
        [111, 523, 211, 211],
        [312, 312, GAP, GAP],
        [312, 312, GAP, GAP],
    ]


@pytest.mark.parametrize("nodata", [-32768, 9999])
def test_class_codes_and_nodata(tmp_path: Path, nodata: int) -> None:
    cells = np.full((4, 4), 312, dtype=np.int16)
    cells[0, 0] = nodata
    labels = read(write(tmp_path / "map.tif", cells, nodata=nodata))
    assert labels.fractions.gaps == pytest.approx([0.25, 0, 0, 0])


def test_nan_is_gap(tmp_path: Path) -> None:
    cells = np.full((4, 4), 312, dtype=np.float32)
    cells[0, 0] = np.nan
    assert read(write(tmp_path / "map.tif", cells)).fractions.gaps[0] == pytest.approx(0.25)


def test_batches_leave_no_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = np.random.default_rng(1).integers(1, 45, (12, 12)).astype(np.uint8)
    path = write(tmp_path / "map.tif", cells)
    whole = read(path)
    monkeypatch.setattr(raster_module, "BATCH_CELLS", 12)
    parts = read(path)
    assert np.abs(whole.fractions.shares - parts.fractions.shares).max() < 1e-9
    assert np.array_equal(whole.reference_map, parts.reference_map)


def refused(path: Path, message: str) -> None:
    with pytest.raises(LandCoverError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(path.name)


def test_unknown_codes(tmp_path: Path) -> None:
    refused(write(tmp_path / "a.tif", np.array([[311, 77]], dtype=np.int16)), "1 unknown.*77")
    refused(write(tmp_path / "b.tif", np.array([[1, 47]], dtype=np.int16)), "1 unknown.*47")
    refused(write(tmp_path / "c.tif", np.array([[311.5]], dtype=np.float32)), "1 unknown.*311.5")


def test_not_one_band(tmp_path: Path) -> None:
    refused(write(tmp_path / "map.tif", np.zeros((3, 4, 4), dtype=np.uint8)), "has 3 bands")


def test_no_crs(tmp_path: Path) -> None:
    refused(write(tmp_path / "map.tif", CELLS.astype("uint8"), crs=None), "no CRS")


def test_does_not_cover(tmp_path: Path) -> None:
    path = write(tmp_path / "map.tif", CELLS.astype("uint8"), crs="EPSG:32633")
    refused(path, "does not cover the tile")
    refused(write(tmp_path / "none.tif", np.full((4, 4), 255, np.uint8)), "does not cover the tile")


def test_damaged_file(tmp_path: Path) -> None:
    path = write(tmp_path / "map.tif", np.tile(CELLS.astype("uint8"), (64, 64)))
    path.write_bytes(path.read_bytes()[:1000])
    refused(path, "the map is damaged, it cannot be read")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(LandCoverError):
        read(path)
