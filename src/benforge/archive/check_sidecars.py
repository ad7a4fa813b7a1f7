"""Whether the flags and splits of an archive can be read and name its patches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.finding import Finding
from benforge.archive.layout import FLAGS, SPLITS
from benforge.archive.sidecars import (
    read_flags,
    read_split,
    sidecar_names,
    sidecar_path,
)
from benforge.errors import BenError


def check_sidecars(root: Path, rows: pa.Table) -> Iterator[Finding]:
    """What is wrong with flags and splits.

    Args:
        root: the archive's folder.
        rows: its index.
    """
    for kind, read in ((FLAGS, read_flags), (SPLITS, read_split)):
        for name in sidecar_names(root, kind):
            path = sidecar_path(root, kind, name)
            try:
                named = read(root, name).table["patch_id"]
            except BenError as error:
                yield Finding(where=error.where, what=f"{error.what}. {error.do}")
                continue
            strange = pc.sum(pc.invert(pc.is_in(named, rows["patch_id"]))).as_py() or 0
            if strange:
                yield Finding(
                    where=str(path),
                    what=f"{strange} of {len(named)} patches named are not in the archive",
                    severity="note",
                )
