"""Which scenes a folder of v1 patches makes: patches grouped by product, on their tile's frame."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benforge.archive.layout import SceneFrame
from benforge.archive.v1_read import EDGE, TILE_PATCHES, V1Patch
from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.errors import ConflictError, GridError

Place = tuple[int, int]
"""Column and row of a patch in its tile."""


@dataclass(frozen=True, slots=True, eq=False)
class V1Scene:
    """The patches of one product, all on one tile's frame.

    Args:
        product: the product.
        frame: the tile's 91 x 91 patches.
        patches: by column and row, row by row.
    """

    product: ProductId
    frame: SceneFrame
    patches: Mapping[Place, V1Patch]

    @property
    def name(self) -> str:
        """Its name in an archive."""
        return str(self.product)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names and fingerprints of its patches."""
        digest = hashlib.sha256()
        for patch in self.patches.values():
            digest.update(str(patch.name).encode() + patch.fingerprint)
        return digest.hexdigest()


def plan_scenes(patches: Iterable[V1Patch]) -> list[V1Scene]:
    """The patches grouped by product, each scene with its tile's frame, by name.

    Raises:
        GridError: a patch whose corner does not fit the others of its product.
        ConflictError: two patches of one product at one place.
    """
    groups: dict[ProductId, list[V1Patch]] = defaultdict(list)
    for patch in patches:
        groups[patch.product].append(patch)
    scenes = [_plan_scene(product, group) for product, group in groups.items()]
    return sorted(scenes, key=lambda scene: scene.name)


def _plan_scene(product: ProductId, group: Sequence[V1Patch]) -> V1Scene:
    (corner, _), *_ = Counter(patch.corner for patch in group).most_common(1)
    placed: dict[Place, V1Patch] = {}
    for patch in sorted(group, key=lambda p: (p.name.row, p.name.column, str(p.name))):
        if patch.corner != corner:
            raise GridError(
                f"its tile would begin at {_words(patch.corner)}, that of other patches of "
                f"{product} at {_words(corner)}",
                where=patch.folder,
                do="Name or coordinates are wrong; take the patch out",
            )
        place = patch.name.column, patch.name.row
        if place in placed:
            raise ConflictError(
                f"the same place of {product} as {placed[place].name}",
                where=patch.folder,
                do="Keep one of the two",
            )
        placed[place] = patch
    crs, ulx, uly = corner
    pixels = EDGE // 10
    grid = Grid(crs, ulx, uly, 10, TILE_PATCHES * pixels, TILE_PATCHES * pixels)
    return V1Scene(product, SceneFrame(grid, TILE_PATCHES, TILE_PATCHES, pixels), placed)


def _words(corner: tuple[str, float, float]) -> str:
    return f"{corner[0]} {corner[1]:.0f} {corner[2]:.0f}"
