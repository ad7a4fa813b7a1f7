"""Quality marks of patches: yes or no for each flag, from a list or a screening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.record import are_distinct
from benforge.errors import InputError

SEASONAL_SNOW = "seasonal_snow"
CLOUD_OR_SHADOW = "cloud_or_shadow"
"""The two flags that BigEarthNet publishes (fidelity rule 18)."""


@dataclass(frozen=True, eq=False)
class Flags:
    """One set of quality marks over patches; a patch that it does not name was not looked at.

    Args:
        name: as in `flags/<name>.parquet`; "published" for the lists of BigEarthNet.
        source: who or what set them, a sentence.
        table: `patch_id` and one truth value a flag, columns named after the flags; sorted by
            `patch_id`.
        parameters: what the source was told, JSON-able.

    Raises:
        InputError: a patch named twice.
    """

    name: str
    source: str
    table: pa.Table
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = self.table["patch_id"]
        if not are_distinct(named):
            raise InputError(f"the flags {self.name} name a patch twice")

    @classmethod
    def of(
        cls,
        name: str,
        source: str,
        patch_ids: pa.Array | pa.ChunkedArray,
        flags: Mapping[str, npt.NDArray[np.bool_]],
        parameters: Mapping[str, Any] | None = None,
    ) -> Flags:
        """Flags from patch ids and one truth value a patch for each flag, in any order."""
        columns = {flag: pa.array(values, pa.bool_()) for flag, values in flags.items()}
        table = pa.table({"patch_id": pc.cast(patch_ids, pa.string()), **columns})
        return cls(name, source, table.sort_by("patch_id").combine_chunks(), dict(parameters or {}))

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """The names of the flags."""
        return tuple(name for name in self.table.column_names if name != "patch_id")

    def marked(
        self, patch_ids: pa.Array | pa.ChunkedArray, flags: Sequence[str] = ()
    ) -> npt.NDArray[np.bool_]:
        """`patch`: whether each of these has one of `flags` (default: any); unknown ones do not."""
        hit = np.zeros(len(self.table), np.bool_)
        for flag in flags or self.flags:
            if flag in self.flags:
                hit |= np.asarray(self.table[flag].fill_null(False))
        chosen = self.table.filter(pa.array(hit))["patch_id"]
        return np.asarray(pc.is_in(pc.cast(patch_ids, pa.string()), chosen.combine_chunks()))
