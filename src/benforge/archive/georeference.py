"""The Zarr metadata of a scene: what makes any reader see one georeferenced mosaic.

Arrays have the dimensions `band_10m y_10m x_10m`; `x_10m` and `y_10m` are coordinates of pixel
centres, `band_10m` holds wavelengths (Zarr v3 specifies no type for text, so the names of the
bands are the attribute `bands` of the array); `spatial_ref` is the CF grid mapping.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import zarr

from benforge.archive.layout import ArrayPlan, SceneFrame
from benforge.archive.storage import StorageRecipe, zarr_codecs

GRID_MAPPING = "spatial_ref"


def create_array(
    group: zarr.Group, plan: ArrayPlan, frame: SceneFrame, storage: StorageRecipe
) -> None:
    """Make the metadata of one array: a patch is a chunk, 13 x 13 patches are a shard."""
    edge = frame.patch_edge(plan.pixel_size)
    high, wide = frame.shard_shape
    spatial = [f"y_{plan.pixel_size}m", f"x_{plan.pixel_size}m"]
    bands = [f"band_{plan.pixel_size}m"] if plan.bands else []
    group.create_array(
        plan.name,
        shape=plan.shape(frame.rows * edge, frame.columns * edge),
        chunks=plan.shape(edge, edge),
        shards=plan.shape(high * edge, wide * edge),
        dtype=plan.dtype,
        fill_value=0,
        filters=(),
        compressors=zarr_codecs(storage, np.dtype(plan.dtype).itemsize),
        dimension_names=[*bands, *spatial],
        attributes=_attributes(plan),
    )


def _attributes(plan: ArrayPlan) -> dict[str, Any]:
    attributes: dict[str, Any] = {"grid_mapping": GRID_MAPPING}
    if plan.bands:
        attributes |= {
            "bands": [band.name for band in plan.bands],
            "long_name": "reflectance x 10,000; 0 is no data",
        }
    return attributes


def write_georeference(group: zarr.Group, plans: list[ArrayPlan], frame: SceneFrame) -> None:
    """Write coordinates along every dimension of these arrays, and the grid mapping."""
    for size in sorted({plan.pixel_size for plan in plans}):
        _write_axes(group, frame, size)
    for plan in plans:
        if plan.bands:
            waves = np.array([band.wavelength for band in plan.bands], "<f8")
            about = {"standard_name": "radiation_wavelength", "units": "nm"}
            _write_coordinate(group, f"band_{plan.pixel_size}m", waves, about)
    crs = pyproj.CRS.from_user_input(frame.grid.crs)
    attributes = {**crs.to_cf(), "spatial_ref": crs.to_wkt()}
    group.create_array(GRID_MAPPING, shape=(), dtype="int64", compressors=(), attributes=attributes)


def _write_axes(group: zarr.Group, frame: SceneFrame, size: int) -> None:
    edge = frame.patch_edge(size)
    x = frame.grid.ulx + size * (np.arange(frame.columns * edge, dtype="<f8") + 0.5)
    y = frame.grid.uly - size * (np.arange(frame.rows * edge, dtype="<f8") + 0.5)
    for name, values in ("x", x), ("y", y):
        about = {"standard_name": f"projection_{name}_coordinate", "units": "m"}
        _write_coordinate(group, f"{name}_{size}m", values, {**about, "axis": name.upper()})


def _write_coordinate(
    group: zarr.Group, name: str, values: npt.NDArray[np.float64], about: dict[str, str]
) -> None:
    group.create_array(
        name,
        data=values,
        chunks=values.shape,
        filters=(),
        compressors=(),
        fill_value=float("nan"),
        dimension_names=[name],
        attributes=about,
    )


def consolidate(folder: Path, attributes: dict[str, Any]) -> None:
    """Write the group's `zarr.json`: its attributes and a copy of every array's metadata.

    Readers then list no folder, so the scene's own rows and checksums may lie beside the arrays.
    Written here, as zarr-python warns that other libraries may not know this.
    """
    arrays = {
        path.parent.name: json.loads(path.read_bytes())
        for path in sorted(folder.glob("*/zarr.json"))
    }
    copy = {"kind": "inline", "must_understand": False, "metadata": arrays}
    group = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": attributes,
        "consolidated_metadata": copy,
    }
    (folder / "zarr.json").write_text(json.dumps(group, indent=1) + "\n", encoding="utf-8")
