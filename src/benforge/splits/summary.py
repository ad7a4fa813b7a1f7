"""A split in figures, with what a reader should know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from benforge.core.split import Split
from benforge.splits.make import RULES


class SplitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A split in figures; JSON-able.

    Args:
        name: as in `splits/<name>.parquet`.
        rule: what made it.
        seed: of a rule that draws.
        sizes: part to number of patches.
        digest: equal for equal splits anywhere.
        parameters: what the rule was told, and what it left out.
        notes: what a reader should know, a sentence each.
    """

    name: str
    rule: str
    seed: int | None
    sizes: Mapping[str, int]
    digest: str
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        return {
            "rule": self.rule + (f", seed {self.seed}" if self.seed is not None else ""),
            "patches": ", ".join(f"{part} {n:,}" for part, n in self.sizes.items()),
            "digest": self.digest,
            **({"note": "; ".join(self.notes)} if self.notes else {}),
        }


def summarise(split: Split) -> SplitSummary:
    """A split in figures."""
    return SplitSummary(
        name=split.name,
        rule=split.rule,
        seed=split.seed,
        sizes=split.sizes,
        digest=split.digest,
        parameters=split.parameters,
        notes=tuple(_notes(split)),
    )


def _notes(split: Split) -> list[str]:
    told = split.parameters
    if split.rule not in RULES or "flags" not in told or not RULES[split.rule].respects_flags:
        return []
    notes = []
    if not told["flags"]:
        notes.append("no flags were at hand or respected: snow and clouds are not left out")
    elif told["flagged"]:
        notes.append(f"left out for snow or clouds: {told['flagged']:,}")
    for name, count in told.get("not_looked_at", {}).items():
        notes.append(
            f"{count:,} patches were not looked at by the flags {name}, which counts as clear"
        )
    if told["unlabelled"]:
        notes.append(f"left out without a label: {told['unlabelled']:,}")
    return notes
