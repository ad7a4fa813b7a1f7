"""Patches of the v2 layout, made up small and broken where a test wants them so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from rasterio.transform import Affine

from tests.layouts.v1_patches import PIXELS

PRODUCT = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP"
OTHER = "S2B_MSIL2A_20180525T094029_N9999_R036_T35VNL"
CORNERS = {"33UUP": (32633, 300_000, 5_400_000), "35VNL": (32635, 499_980, 7_100_040)}
SCHEMA = pa.schema(
    {
        "patch_id": pa.string(),
        "labels": pa.list_(pa.string()),
        "split": pa.string(),
        "country": pa.string(),
        "s1_name": pa.string(),
        "s2v1_name": pa.string(),
        "contains_seasonal_snow": pa.bool_(),
        "contains_cloud_or_shadow": pa.bool_(),
    }
)


def make_patch(root: Path, name: str, *, seed: int = 0, codes: Sequence[int] = (211, 312)) -> Path:
    """Write a patch of random pixels, and its reference map in halves or stripes of `codes`."""
    product, column, row = name[:-6], int(name[-5:-3]), int(name[-2:])
    epsg, ulx, uly = CORNERS.get(product[-5:], CORNERS["33UUP"])
    corner = epsg, ulx + 1200 * column, uly - 1200 * row
    folder = root / "BigEarthNet-S2" / product / name
    rng = np.random.default_rng(seed)
    for band, edge in PIXELS.items():
        pixels = rng.integers(1, 10_000, (edge, edge), np.uint16)
        write_tiff(folder / f"{name}_{band}.tif", pixels, corner)
    if codes:
        cover = np.resize(np.array(codes, np.uint16), 120)[:, None].repeat(120, axis=1)
        write_map(root, name, cover, corner)
    return folder


def write_map(root: Path, name: str, cover: np.ndarray, corner: tuple[int, float, float]) -> Path:
    """Write a reference map."""
    path = root / "Reference_Maps" / name[:-6] / name / f"{name}_reference_map.tif"
    write_tiff(path, cover, corner, compress="deflate", predictor=2)
    return path


def write_tiff(
    path: Path, pixels: np.ndarray, corner: tuple[int, float, float], **form: Any
) -> None:
    """Write one GeoTIFF as v2 has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    epsg, ulx, uly = corner
    size = 1200 // pixels.shape[0]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        dtype=pixels.dtype,
        height=pixels.shape[0],
        width=pixels.shape[1],
        crs=f"EPSG:{epsg}",
        transform=Affine(size, 0, ulx, 0, -size, uly),
        nodata=0,
        **form,
    ) as target:
        target.write(pixels, 1)


def metadata_row(name: str, **changes: Any) -> dict[str, Any]:
    """One row of `metadata.parquet`."""
    return {
        "patch_id": name,
        "labels": ["Arable land", "Coniferous forest"],
        "split": "test",
        "country": "Austria",
        "s1_name": f"S1A_IW_GRDH_1SDV_20170613T165043_{name[-11:]}",
        "s2v1_name": None,
        "contains_seasonal_snow": False,
        "contains_cloud_or_shadow": False,
    } | changes


def write_metadata(root: Path, *rows: dict[str, Any]) -> None:
    """Write both metadata files."""
    flagged = [r for r in rows if r["contains_seasonal_snow"] or r["contains_cloud_or_shadow"]]
    plain = [row for row in rows if row not in flagged]
    snow = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
    for file, some in (("metadata.parquet", plain), (snow, flagged)):
        pq.write_table(pa.Table.from_pylist(some, SCHEMA), root / file)


def make_layout(root: Path) -> Path:
    """Four patches of two products, one of them with snow, all parts of a split."""
    names = [f"{PRODUCT}_26_57", f"{PRODUCT}_00_90", f"{OTHER}_75_43", f"{OTHER}_76_43"]
    for seed, name in enumerate(names):
        make_patch(root, name, seed=seed)
    write_metadata(
        root,
        metadata_row(names[0], s2v1_name="S2A_MSIL2A_20170613T101031_26_57"),
        metadata_row(names[1], split="train", labels=["Pastures"], s1_name=None),
        metadata_row(names[2], split="validation", country="Finland"),
        metadata_row(names[3], split=None, country="Finland", contains_seasonal_snow=True),
    )
    return root
