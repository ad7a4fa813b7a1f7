"""One thing that a check found."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one file, scene or row.

    Args:
        where: the file or folder.
        what: what is wrong with it.
        severity: "error" for damage, "note" for what does no harm.
    """

    where: str
    what: str
    severity: Literal["error", "note"] = "error"
