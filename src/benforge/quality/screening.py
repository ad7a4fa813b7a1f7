"""What a screening found: shares of each patch, and the flags that it proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.errors import InputError

FLAGS = (SEASONAL_SNOW, CLOUD_OR_SHADOW)
SHARES = ("snow", "cloud", "shadow", "nodata")
"""Shares of a patch, 0 to 1; they exclude each other."""

SCHEMA = pa.schema(
    [
        pa.field("patch_id", pa.string(), nullable=False),
        *(pa.field(name, pa.float32(), nullable=False) for name in SHARES),
        pa.field(SEASONAL_SNOW, pa.bool_(), nullable=False),
        pa.field(CLOUD_OR_SHADOW, pa.bool_(), nullable=False),
        pa.field(f"{SEASONAL_SNOW}_confidence", pa.float32(), nullable=False),
        pa.field(f"{CLOUD_OR_SHADOW}_confidence", pa.float32(), nullable=False),
        pa.field("source", pa.dictionary(pa.int8(), pa.string()), nullable=False),
    ]
)
"""One row a patch. A confidence is that the proposal is right, 0.5 (a toss) to 1; `source` is
"scene classification" or "bands"."""


@dataclass(frozen=True, eq=False)
class Screening:
    """What a screening found of the patches of an archive.

    Args:
        name: as in `screenings/<name>.parquet`.
        method: what looked, with its version.
        table: of `SCHEMA`, sorted by `patch_id`.
        parameters: the rules that it was given, JSON-able.
        simulated: whether the archive that it looked at is simulated.

    Raises:
        InputError: a patch named twice.
    """

    name: str
    method: str
    table: pa.Table
    parameters: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False

    def __post_init__(self) -> None:
        named = self.table["patch_id"]
        if pc.count_distinct(named).as_py() < len(named):
            raise InputError(f"the screening {self.name} names a patch twice")
