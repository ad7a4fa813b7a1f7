"""A split: named, disjoint sets of patches, with the rule that made them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.record import are_distinct
from benforge.errors import InputError

PARTS = ("train", "validation", "test")
"""The parts of a split, in this order everywhere."""

AT_ONCE = 65_536
"""Lines that are made at a time."""

SCHEMA = pa.schema(
    [
        pa.field("patch_id", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, eq=False)
class Split:
    """Which patches train, validate and test; a patch that it does not name is left out.

    Args:
        name: as in `splits/<name>.parquet`.
        rule: "paper-random", "ben-v1", "ben-v2", "by-tile" or "published".
        table: `patch_id`, `part`, one row a patch, sorted by `patch_id`; `Split.of` sorts.
        seed: of a random rule, else None.
        parameters: the rule's other values, JSON-able.

    Raises:
        InputError: a patch named twice, or another part than those of `PARTS`.

    Example:
        >>> split = ben.split("archive", "paper-random", seed=1)
        >>> len(split), split.part("test")[0].as_py()
        (66, 'S2A_MSIL1C_20170818T103021_N0205_R108_T32TMT_43_48')
    """

    name: str
    rule: str
    table: pa.Table
    seed: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = self.table["patch_id"]
        if not are_distinct(named):
            counts = pc.value_counts(named).to_pylist()
            twice = next(c["values"] for c in counts if c["counts"] > 1)
            raise InputError(f"the split {self.name} names a patch twice", where=twice)
        check_parts(pc.unique(self.table["part"]).to_pylist())

    @classmethod
    def of(
        cls,
        name: str,
        rule: str,
        patch_ids: pa.Array | pa.ChunkedArray,
        parts: pa.Array | npt.NDArray[np.object_],
        *,
        seed: int | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Split:
        """A split from patch ids and the part of each, in any order; None leaves a patch out."""
        table = pa.table(
            {"patch_id": pc.cast(patch_ids, pa.string()), "part": pa.array(parts, pa.string())}
        )
        named = table.filter(pc.field("part").is_valid()).combine_chunks()
        ordered = named.sort_by("patch_id").cast(SCHEMA)  # in one piece, a third of the time
        return cls(name, rule, ordered, seed, dict(parameters or {}))

    def __len__(self) -> int:
        return len(self.table)

    def part(self, name: str) -> pa.ChunkedArray:
        """The patch ids of one part, sorted.

        Raises:
            InputError: a split has no such part.
        """
        check_parts([name])
        return self.table.filter(pc.field("part") == name)["patch_id"]

    def assign(self, patch_ids: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
        """The part of each of these patches, null where the split leaves it out."""
        places = pc.index_in(pc.cast(patch_ids, pa.string()), self.table["patch_id"])
        return pc.take(self.table["part"], places)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Part to number of patches."""
        counts = {c["values"]: c["counts"] for c in pc.value_counts(self.table["part"]).to_pylist()}
        return {part: counts.get(part, 0) for part in PARTS}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the lines `<patch id> <part>`, sorted: equal for equal splits anywhere."""
        digest = hashlib.sha256()
        for some in self.table.to_batches(max_chunksize=AT_ONCE):
            lines = pc.binary_join_element_wise(some["patch_id"], some["part"], " ")
            text = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")
            digest.update(text[0].as_py().encode() + b"\n")
        return digest.hexdigest()


def check_parts(names: Iterable[str]) -> None:
    """Raise unless all of these are of `PARTS`.

    Raises:
        InputError: names the first that is not.
    """
    if unknown := set(names) - set(PARTS):
        raise InputError(
            f"a split has no part {sorted(unknown)[0]!r}", do=f"Use {', '.join(PARTS)}"
        )
