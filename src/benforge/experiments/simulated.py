"""A simulated archive of many tiles, large enough that methods can be told apart on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benforge.archive.archive import Archive
from benforge.archive.build import build_archive
from benforge.archive.build_recipe import BuildRecipe
from benforge.archive.executors import available_cores, run_tasks
from benforge.archive.layout import META, SPLITS
from benforge.archive.meta import read_meta
from benforge.archive.sidecars import sidecar_names, write_split
from benforge.core.bigearthnet import EDGE, load_bigearthnet
from benforge.core.progress import Progress, silent
from benforge.errors import InputError
from benforge.scenes.simulate import SimulateRecipe, simulate
from benforge.splits.make import make_split

SPLIT = "by-tile"
"""Of a simulated archive: tiles are either trained on or tested on."""


@dataclass(frozen=True, slots=True)
class _World:
    out: Path
    recipe: SimulateRecipe


def build_simulated(
    out: Path,
    recipe: BuildRecipe,
    *,
    tiles: int = 56,
    patches: int = 11,
    seed: int = 1,
    progress: Progress = silent,
) -> Path:
    """Simulate the corner of several of BigEarthNet's 56 tiles, build them, split by tile.

    The same call goes on where it was cut off, and is done at once where all is there.

    Args:
        out: folder for `worlds` and `archive`.
        recipe: of the build.
        tiles: how many of the 56, in the order of their names.
        patches: along the edge of each tile's corner: 11 gives 121 patches a tile.
        seed: of the ground; each tile has one of its own.
        progress: told what is done.

    Returns:
        The archive's folder.

    Raises:
        InputError: more tiles than there are.
        BenError: whatever a simulation or a build raises.
    """
    worlds = list(_worlds(out / "worlds", tiles, patches, seed))
    archive = out / "archive"
    held = {s.name for s in read_meta(archive).scenes} if (archive / META).is_file() else set()
    if len(held) < len(worlds):
        _build(worlds, archive, recipe, progress)
    if SPLIT not in sidecar_names(archive, SPLITS):
        opened = Archive.open(archive)
        write_split(archive, make_split(opened.index, SPLIT, seed=seed))
    return archive


def _build(worlds: list[_World], archive: Path, recipe: BuildRecipe, progress: Progress) -> None:
    cores = available_cores()
    for done, (land_cover, products) in enumerate(run_tasks(_simulate, worlds, cores)):
        progress("simulating and building tiles", done, len(worlds))
        build_archive(products, land_cover, archive, recipe, workers=1)


def _worlds(folder: Path, tiles: int, patches: int, seed: int) -> Iterator[_World]:
    corners = sorted(load_bigearthnet().corners.items())
    if not 1 <= tiles <= len(corners):
        raise InputError(f"there are {len(corners)} tiles, not {tiles}", where="tiles")
    for number, (tile, corner) in enumerate(corners[:tiles]):
        yield _World(
            folder / tile,
            SimulateRecipe(
                size=patches * EDGE // 10,
                seed=seed * 1000 + number,
                tile=tile,
                crs=f"EPSG:{corner.epsg}",
                ulx=float(corner.ulx),
                uly=float(corner.uly),
            ),
        )


def _simulate(world: _World) -> tuple[Path, tuple[Path, ...]]:
    made = simulate(world.out, world.recipe, threads=1)
    return made.land_cover, made.products
