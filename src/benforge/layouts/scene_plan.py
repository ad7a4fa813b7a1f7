"""Which scenes the patches of a layout make: grouped by product, on their tile's frame. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benforge.archive.layout import SceneFrame
from benforge.core.bigearthnet import EDGE, TILE_PATCHES
from benforge.core.grid import Grid
from benforge.errors import BenError, ConflictError, GridError
from benforge.layouts.source import SourcePatch

Place = tuple[int, int]
"""Column and row of a patch in its tile."""


@dataclass(frozen=True, slots=True, eq=False)
class PlannedScene:
    """The patches of one product, all on one tile's frame.

    Args:
        product: its id, which is the scene's name.
        frame: the tile's 91 x 91 patches.
        patches: by column and row, row by row.
    """

    product: str
    frame: SceneFrame
    patches: Mapping[Place, SourcePatch]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names and fingerprints of its patches."""
        digest = hashlib.sha256()
        for patch in self.patches.values():
            digest.update(patch.name.encode() + patch.fingerprint)
        return digest.hexdigest()


def plan_scenes(
    patches: Iterable[SourcePatch], refuse: Callable[[SourcePatch, BenError], None]
) -> list[PlannedScene]:
    """The patches grouped by product, each scene with its tile's frame, by name.

    Args:
        patches: described, in any order.
        refuse: called with a patch that does not fit the others of its product and with the
            error; it raises, or the patch is left out.
    """
    groups: dict[str, list[SourcePatch]] = defaultdict(list)
    for patch in patches:
        groups[patch.product].append(patch)
    return [_plan_scene(product, groups[product], refuse) for product in sorted(groups)]


def _plan_scene(
    product: str,
    group: Sequence[SourcePatch],
    refuse: Callable[[SourcePatch, BenError], None],
) -> PlannedScene:
    (corner, _), *_ = Counter(patch.corner for patch in group).most_common(1)
    placed: dict[Place, SourcePatch] = {}
    for patch in sorted(group, key=lambda p: (p.row, p.column, p.name)):
        place = patch.column, patch.row
        if patch.corner != corner:
            refuse(patch, _off_corner(patch, corner))
        elif place in placed:
            refuse(patch, _doubled(patch, placed[place]))
        else:
            placed[place] = patch
    crs, ulx, uly = corner
    pixels = EDGE // 10
    grid = Grid(crs, ulx, uly, 10, TILE_PATCHES * pixels, TILE_PATCHES * pixels)
    return PlannedScene(product, SceneFrame(grid, TILE_PATCHES, TILE_PATCHES, pixels), placed)


def _off_corner(patch: SourcePatch, corner: tuple[str, float, float]) -> GridError:
    return GridError(
        f"its tile would begin at {_words(patch.corner)}, that of other patches of "
        f"{patch.product} at {_words(corner)}",
        where=patch.where,
        do="Name or coordinates are wrong; take the patch out, or use --skip-bad",
    )


def _doubled(patch: SourcePatch, first: SourcePatch) -> ConflictError:
    return ConflictError(
        f"the same place of {patch.product} as {first.name}",
        where=patch.where,
        do="Keep one of the two, or use --skip-bad",
    )


def _words(corner: tuple[str, float, float]) -> str:
    return f"{corner[0]} {corner[1]:.0f} {corner[2]:.0f}"
