"""Small archives for tests: a few patches of made-up pixels, written as builds write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import strategies as st

from benforge.archive.footprints import footprints, to_wkb
from benforge.archive.index import write_index
from benforge.archive.layout import META, SceneFrame, plan_arrays
from benforge.archive.meta import ArchiveMeta, write_meta
from benforge.archive.scene_writer import SceneWriter
from benforge.archive.storage import COMPRESSIONS, StorageRecipe
from benforge.core.grid import Grid
from benforge.core.identity import PatchId
from benforge.core.nomenclature import load_nomenclature
from benforge.core.record import PatchRecord, to_table
from benforge.core.season import season_of
from benforge.core.sensor import load_sensor

PRODUCT = "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP"


@dataclass(frozen=True, slots=True, eq=False)
class SmallScene:
    """A scene in memory, to compare with what is read back.

    Args:
        product: its product id, which is its name too.
        frame: its ground.
        mosaics: array name to the whole array; patches that are not kept are zero.
        kept: `row col` of patches.
    """

    product: str
    frame: SceneFrame
    mosaics: Mapping[str, npt.NDArray[Any]]
    kept: npt.NDArray[np.bool_]

    def patch(self, array_name: str, column: int, row: int) -> npt.NDArray[Any]:
        """The pixels of one patch, a view."""
        mosaic = self.mosaics[array_name]
        edge = mosaic.shape[-1] // self.frame.columns
        rows, columns = (slice(i * edge, (i + 1) * edge) for i in (row, column))
        return mosaic[..., rows, columns]


def small_frame(columns: int = 3, rows: int = 2, patch_pixels: int = 12) -> SceneFrame:
    """The corner of tile 33UUP in patches of 120 m."""
    grid = Grid("EPSG:32633", 300000, 5400000, 10, rows * patch_pixels, columns * patch_pixels)
    return SceneFrame(grid, columns, rows, patch_pixels)


def make_scene(
    frame: SceneFrame | None = None, *, product: str = PRODUCT, kept: float = 1.0, seed: int = 0
) -> SmallScene:
    """A scene of random pixels.

    Args:
        frame: its ground; `small_frame()` if None.
        product: its product id.
        kept: share of the patches that are kept, drawn at random.
        seed: of all draws.
    """
    frame, random = frame or small_frame(), np.random.default_rng(seed)
    mask = random.random((frame.rows, frame.columns)) < kept
    mosaics = {}
    for plan in plan_arrays(load_sensor()).values():
        edge = frame.patch_edge(plan.pixel_size)
        shape = plan.shape(frame.rows * edge, frame.columns * edge)
        high = 12 if plan.dtype == "uint8" else 10_000
        pixels = random.integers(1, high, shape).astype(plan.dtype)
        mosaics[plan.name] = pixels * np.kron(mask, np.ones((edge, edge), plan.dtype))
    return SmallScene(product, frame, mosaics, mask)


def scene_records(scene: SmallScene) -> pa.Table:
    """The index rows of a scene's kept patches, shares and labels made up."""
    return to_table(_record(scene, int(c), int(r)) for r, c in np.argwhere(scene.kept))


def _record(scene: SmallScene, column: int, row: int) -> PatchRecord:
    grid = scene.frame.patch_grid(column, row)
    time = datetime.strptime(scene.product.split("_")[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    classes, shares = ([312], [1.0]) if (column + row) % 2 else ([211, 312], [0.25, 0.5])
    names = load_nomenclature("clc-43")
    ulx, uly = np.array([grid.ulx]), np.array([grid.uly])
    edge = grid.width * grid.pixel_size
    return PatchRecord(
        patch_id=str(PatchId(scene.product, column, row)),
        scene=scene.product,
        product=scene.product,
        tile=scene.product[-5:],
        column=column,
        row=row,
        crs=grid.crs,
        ulx=grid.ulx,
        uly=grid.uly,
        sensing_time=time,
        season=season_of(time),
        country="Austria",
        source=scene.product,
        v1_name=None,
        classes=classes,
        shares=shares,
        pixels=[round(s * grid.height * grid.width) for s in shares],
        labels=[names.by_code(code).name for code in classes],
        nodata=0.0,
        geometry=to_wkb(footprints(grid.crs, ulx, uly, edge))[0],
    )


def begin_archive(root: Path) -> Path:
    """Make the folder an archive without scenes, unless it is one, and return it."""
    if not (root / META).exists():
        root.mkdir(parents=True, exist_ok=True)
        write_meta(root, small_meta())
    return root


def write_scene(root: Path, scene: SmallScene, storage: StorageRecipe, *, threads: int = 1) -> None:
    """Write a scene with every array into the archive at `root`, begun where it is not there."""
    begin_archive(root)
    with SceneWriter(
        root, scene.product, scene.frame, load_sensor(), storage, threads=threads
    ) as writer:
        for name, mosaic in scene.mosaics.items():
            writer.write_mosaic(name, mosaic, kept=scene.kept)
        provenance = {"product": scene.product, "source": scene.product, "simulated": True}
        writer.finish(scene_records(scene), provenance)


def write_archive(
    root: Path, *scenes: SmallScene, storage: StorageRecipe | None = None, threads: int = 1
) -> Path:
    """Write an archive that holds these scenes, and return its folder."""
    for scene in scenes:
        write_scene(root, scene, storage or StorageRecipe(), threads=threads)
    write_index(root, small_meta())
    return root


def small_meta() -> ArchiveMeta:
    """What `archive.json` of a small archive says."""
    return ArchiveMeta(
        profile="custom",
        recipe={"storage": "made up for a test"},
        sensor=load_sensor(),
        nomenclature=load_nomenclature("clc-43"),
        simulated=True,
    )


def storage_recipes() -> st.SearchStrategy[StorageRecipe]:
    """Every compression at a low and a high level."""
    names, levels = st.sampled_from(COMPRESSIONS), st.sampled_from([1, 5])
    return st.builds(StorageRecipe, compression=names, level=levels)


def small_scenes() -> st.SearchStrategy[SmallScene]:
    """Scenes of random frames, below, at and above the edge of a shard, some patches dropped."""
    edges = st.integers(1, 15)
    frames = st.builds(small_frame, edges, edges, st.sampled_from([6, 12]))
    return st.builds(
        make_scene, frames, kept=st.sampled_from([0.0, 0.4, 1.0]), seed=st.integers(0, 2**16)
    )
