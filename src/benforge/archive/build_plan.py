"""What a build will do: which products, grouped by tile, and why some are left out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from benforge.archive.build_recipe import ProductRecipe
from benforge.errors import ConflictError, ProductError
from benforge.scenes.port import SceneMetadata


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that was named, and what its metadata say."""

    path: Path
    metadata: SceneMetadata

    @property
    def scene(self) -> str:
        """The name of its scene in an archive."""
        return str(self.metadata.product)


@dataclass(frozen=True, slots=True)
class Held:
    """A scene that the archive holds already.

    Args:
        level: "L1C" or "L2A".
        baseline: "02.05".
        inputs: what it was built from: fingerprints of product and land cover.
        origin_baseline: of the L1C product, where a user corrected it; "" if not told.
    """

    level: str
    baseline: str
    inputs: Mapping[str, Any]
    origin_baseline: str = ""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What is to be done.

    Args:
        tiles: products to build, those of one tile together: they share their labels.
        held: scenes that are there already, with the same inputs.
        left_out: product to the reason why the recipe leaves it out.
    """

    tiles: tuple[tuple[Candidate, ...], ...]
    held: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def scenes(self) -> tuple[str, ...]:
        """The scenes that are there or will be, of the products named."""
        return (*self.held, *(one.scene for tile in self.tiles for one in tile))


def plan_build(
    candidates: Iterable[Candidate],
    held: Mapping[str, Held],
    land_cover: str,
    recipe: ProductRecipe,
) -> BuildPlan:
    """What a build will do with these products on top of the scenes `held`.

    Args:
        candidates: the products, opened; the order is of no consequence.
        held: name to scene of the archive as it is.
        land_cover: SHA-256 of the land-cover map.
        recipe: which products are taken.

    Raises:
        ProductError: a product of the wrong level.
        ConflictError: two products make the same scene or have other bands, a held scene was built
            from other input, or baselines would be mixed.
    """
    found = sorted(candidates, key=lambda c: (c.metadata.tile, c.scene))
    _check_unique(found)
    _check_levels(found, held, recipe)
    _check_sensors(found)
    left_out = {c.scene: reason for c in found if (reason := _failed(c, recipe))}
    taken = [c for c in found if c.scene not in left_out]
    _check_baselines(taken, held, recipe)
    for candidate in taken:
        _check_inputs(candidate, held, land_cover)
    new = [c for c in taken if c.scene not in held]
    tiles = tuple(tuple(group) for _, group in groupby(new, key=lambda c: c.metadata.tile))
    return BuildPlan(tiles, tuple(c.scene for c in taken if c.scene in held), left_out)


def inputs_of(candidate: Candidate, land_cover: str) -> dict[str, str]:
    """What a scene is built from, as kept in the archive to compare with later."""
    return {
        "source": candidate.metadata.source,
        "product": candidate.metadata.fingerprint,
        "land_cover": land_cover,
    }


def _check_unique(found: Sequence[Candidate]) -> None:
    for first, second in pairwise(found):
        if first.scene == second.scene:
            raise ConflictError(
                f"two products make the same scene {first.scene}: {first.path} and {second.path}",
                do="Name one of them",
            )


def _check_levels(
    found: Sequence[Candidate], held: Mapping[str, Held], recipe: ProductRecipe
) -> None:
    for candidate in found:
        if candidate.metadata.level != recipe.level:
            raise ProductError(
                f"a {candidate.metadata.level} product, and the recipe takes {recipe.level}",
                where=candidate.path,
                do=f"Correct it first, or build with --set "
                f"products.level={candidate.metadata.level}",
            )
    if other := sorted(name for name, scene in held.items() if scene.level != recipe.level):
        raise ConflictError(
            f"the archive holds a scene of another level than {recipe.level}", where=other[0]
        )


def _check_sensors(found: Sequence[Candidate]) -> None:
    for first, second in pairwise(found):
        if first.metadata.sensor != second.metadata.sensor:
            raise ConflictError(
                f"bands differ from those of {first.path}",
                where=second.path,
                do="Build products of each sensor into an archive of its own",
            )


def _failed(candidate: Candidate, recipe: ProductRecipe) -> str:
    checks = candidate.metadata.quality_checks
    failed = sorted(check for check, verdict in checks.items() if verdict == "FAILED")
    return f"failed {', '.join(failed)}" if failed and recipe.drop_failed else ""


def _check_baselines(
    taken: Sequence[Candidate], held: Mapping[str, Held], recipe: ProductRecipe
) -> None:
    group_of = {b: group[0] for group in recipe.same_baselines for b in group}
    origins = {name: (scene.baseline, scene.origin_baseline) for name, scene in held.items()}
    origins |= {c.scene: (c.metadata.baseline, c.metadata.origin_baseline) for c in taken}
    groups = {tuple(group_of.get(b, b) for b in pair) for pair in origins.values()}
    if len(groups) > 1 and not recipe.mix_baselines:
        by_baseline = {" of ".join(filter(None, pair)): name for name, pair in origins.items()}
        examples = "; ".join(f"{b} in {name}" for b, name in sorted(by_baseline.items()))
        raise ConflictError(
            f"processing baselines would be mixed: {examples}",
            do="Radiometry changes between baselines; allow it with "
            "--set products.mix_baselines=true",
        )


def _check_inputs(candidate: Candidate, held: Mapping[str, Held], land_cover: str) -> None:
    if candidate.scene not in held:
        return
    old, new = held[candidate.scene].inputs, inputs_of(candidate, land_cover)
    if differing := sorted(key for key in new if old.get(key) != new[key]):
        raise ConflictError(
            f"the archive holds {candidate.scene} already, built from another "
            f"{' and another '.join(differing)}",
            where=candidate.path,
            do="Build it into another archive, or remove that scene's folder first",
        )
