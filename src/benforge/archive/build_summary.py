"""What a build did, for people and for programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from benforge.archive.build_plan import BuildPlan
from benforge.archive.index import read_provenance
from benforge.archive.layout import scene_path
from benforge.archive.meta import ArchiveMeta, SceneEntry


class BuildSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did.

    Args:
        archive: its folder.
        profile: whose rules it followed.
        built: scene to patches, of this build.
        held: scenes that were there already.
        left_out: product to the reason why it was left out.
        dropped: why patches of this build were dropped to how many: "labels", "nodata".
        repaired: invalid polygons of the map that were repaired, the most in one tile.
        patches: patches in the whole archive.
        scenes: scenes in the whole archive.
        seconds: how long it took.
    """

    archive: str
    profile: str
    built: Mapping[str, int]
    held: Sequence[str]
    left_out: Mapping[str, str]
    dropped: Mapping[str, int]
    repaired: int
    patches: int
    scenes: int
    seconds: float

    def facts(self) -> dict[str, object]:
        """The summary as lines to print; what did not happen is not told."""
        new = sum(self.built.values())
        facts: dict[str, object] = {
            "built": f"{_count(len(self.built), 'scene')}, "
            f"{_count(new, 'patch', 'patches')} in {self.seconds:.1f} s"
        }
        if self.held:
            facts["there already"] = _count(len(self.held), "scene")
        if any(self.dropped.values()):
            facts["patches dropped"] = ", ".join(
                f"{n:,} by {why}" for why, n in self.dropped.items() if n
            )
        if self.repaired:
            facts["repaired"] = _count(self.repaired, "invalid polygon")
        facts["archive"] = (
            f"{_count(self.scenes, 'scene')}, {_count(self.patches, 'patch', 'patches')}, "
            f"profile {self.profile}"
        )
        return facts | {f"left out {name}": why for name, why in self.left_out.items()}


def _count(n: int, one: str, more: str = "") -> str:
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def summarise(
    out: Path, meta: ArchiveMeta, plan: BuildPlan, built: Sequence[SceneEntry], seconds: float
) -> BuildSummary:
    """The summary of a build that ended well."""
    told = [read_provenance(scene_path(out, entry.name)) for entry in built]
    return BuildSummary(
        archive=os.fspath(out),
        profile=meta.profile,
        built={entry.name: entry.patches for entry in sorted(built, key=lambda e: e.name)},
        held=plan.held,
        left_out=plan.left_out,
        dropped={
            why: sum(one["patches"][f"dropped_by_{why}"] for one in told)
            for why in ("labels", "nodata")
        },
        repaired=max((one["repaired_polygons"] for one in told), default=0),
        patches=sum(scene.patches for scene in meta.scenes),
        scenes=len(meta.scenes),
        seconds=round(seconds, 3),
    )
