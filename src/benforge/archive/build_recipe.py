"""Every rule of a build, declared."""

from __future__ import annotations

from typing import Literal

import msgspec

from benforge.archive.storage import StorageRecipe
from benforge.labels.recipe import LabelRecipe
from benforge.patches.plan import PatchRecipe


class ProductRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which products an archive takes.

    Args:
        sensor: what opens the products: "sentinel-2", or `module:NAME` of a user's.
        level: the level that every product has; L1C and L2A are never mixed.
        mix_baselines: take products of different processing baselines into one archive.
        same_baselines: groups of baselines that count as one (fidelity 20: BigEarthNet's
            products are of 02.05 and 02.06).
        drop_failed: leave out products that failed a quality check (fidelity 19).
    """

    sensor: str = "sentinel-2"
    level: Literal["L1C", "L2A"] = "L2A"
    mix_baselines: bool = False
    same_baselines: tuple[tuple[str, ...], ...] = (("02.05", "02.06"),)
    drop_failed: bool = False


class BuildRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rules of an archive; stands in its `archive.json`.

    Args:
        profile: "ben-v1", "ben-v2" or "custom"; a profile with changed rules is custom.
        products: which products are taken.
        patches: how they are cut.
        labels: how patches are labelled.
        storage: how pixels lie on disk; changes no number.
    """

    profile: str = "custom"
    products: ProductRecipe = ProductRecipe()
    patches: PatchRecipe = PatchRecipe()
    labels: LabelRecipe = LabelRecipe()
    storage: StorageRecipe = StorageRecipe()
