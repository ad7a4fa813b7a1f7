"""Flags from what an archive holds of them: a review, a screening, or flags that were kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pyarrow as pa

from benforge.archive.layout import FLAGS as FLAGS_FOLDER
from benforge.archive.layout import REVIEWS, SCREENINGS
from benforge.archive.sidecars import read_flags, sidecar_names
from benforge.core.flags import Flags
from benforge.errors import InputError, MissingError
from benforge.quality.ledger import Ledger, Verdict
from benforge.quality.review import Review
from benforge.quality.screening import FLAGS
from benforge.quality.screening_files import read_screening

Agree = Literal["last", "all"]
"""What holds where reviewers disagree: the last decision, or none."""

KINDS: Mapping[str, str] = {"review": REVIEWS, "screening": SCREENINGS, "flags": FLAGS_FOLDER}
"""What may stand before the name of a source, and the folder where that is kept."""


class SourceFlags(msgspec.Struct, frozen=True, kw_only=True):
    """Flags and where they are from.

    Args:
        kind: of the source, one of `KINDS`.
        origin: name of the source.
        flags: under the name that was asked for.
        disputed: patches that reviewers disagree on.
        damaged_lines: lines of the review's log that cannot be read.
    """

    kind: str
    origin: str
    flags: Flags
    disputed: int = 0
    damaged_lines: int = 0


def read_source(root: Path, source: str, agree: Agree, name: str) -> SourceFlags:
    """The flags of a review, a screening or flags of the archive.

    Args:
        root: the archive's folder.
        source: its name, or its kind and name, "screening:screen".
        agree: what holds where reviewers disagree.
        name: of the flags; that of the source if empty.

    Raises:
        MissingError: there is nothing of this name; names what there is.
        InputError: several are called so.
        ArchiveError: the source is damaged.
    """
    kind, origin = find_source(root, source)
    name = name or origin
    if kind == "review":
        return flags_of_review(Review(root, origin), agree, name)
    if kind == "screening":
        return SourceFlags(kind=kind, origin=origin, flags=_of_screening(root, origin, name))
    kept = read_flags(root, origin)
    flags = Flags(name, kept.source, kept.table, kept.parameters)
    return SourceFlags(kind=kind, origin=origin, flags=flags)


def find_source(root: Path, source: str) -> tuple[str, str]:
    """The kind and the name of what is meant.

    Raises:
        MissingError: there is nothing of this name; names what there is.
        InputError: several are called so.
    """
    there = [(kind, name) for kind, where in KINDS.items() for name in sidecar_names(root, where)]
    found = [one for one in there if source in (one[1], ":".join(one))]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"several are called {source!r}",
            where=root,
            do=f"Say which: --from {' or --from '.join(':'.join(one) for one in found)}",
        )
    known = ", ".join(":".join(one) for one in there) or "none"
    raise MissingError(
        f"no review, screening or flags are called {source!r}",
        where=root,
        do=f"It has: {known}. Make some with ben screen or ben inspect",
    )


def flags_of_review(review: Review, agree: Agree, name: str) -> SourceFlags:
    """What reviewers decided, as flags.

    Under "last" the last decision holds where they disagree; under "all" such a patch is left
    out, as one that nobody looked at.
    """
    ledger = review.ledger
    patches, verdicts = _verdicts(ledger)
    disputed = np.array([v.disputed for v in verdicts], np.bool_)
    kept = ~disputed if agree == "all" else np.ones(len(patches), np.bool_)
    marks = {flag: np.array([flag in v.flags for v in verdicts], np.bool_)[kept] for flag in FLAGS}
    by = {name: count for name in ledger.reviewers if (count := ledger.count_of(name))}
    source = f"the review {review.name} by {', '.join(by) or 'nobody'}"
    parameters = {"agree": agree, "patches_of": by, "disputed": int(disputed.sum())}
    ids = pa.array(patches, pa.string()).filter(pa.array(kept))
    return SourceFlags(
        kind="review",
        origin=review.name,
        flags=Flags.of(name, source, ids, marks, parameters),
        disputed=int(disputed.sum()),
        damaged_lines=review.log.damaged,
    )


def _verdicts(ledger: Ledger) -> tuple[list[str], list[Verdict]]:
    patches = sorted(ledger.decided())
    found = ((patch, ledger.verdict(patch)) for patch in patches)
    pairs = [(patch, verdict) for patch, verdict in found if verdict is not None]
    return [patch for patch, _ in pairs], [verdict for _, verdict in pairs]


def _of_screening(root: Path, screening: str, name: str) -> Flags:
    found = read_screening(root, screening)
    marks = {flag: np.asarray(found.table[flag]) for flag in FLAGS}
    source = f"the screening {screening}: {found.method}"
    return Flags.of(name, source, found.table["patch_id"], marks, found.parameters)
