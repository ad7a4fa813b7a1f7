"""Make a split of an index by a rule, without the patches that flags leave out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.nomenclature import load_crosswalk
from benforge.core.split import Split
from benforge.errors import InputError, MissingError
from benforge.published.lists import PublishedLists
from benforge.splits.published import choose_edition, published_parts
from benforge.splits.rules import (
    Parts,
    ben_v1_parts,
    ben_v2_parts,
    by_tile_parts,
    check_whole,
    paper_random_parts,
)

RESPECTED = (SEASONAL_SNOW, CLOUD_OR_SHADOW)
"""Flags that leave a patch out of a split (fidelity rule 18)."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a rule may ask for besides the rows.

    Args:
        seed: of rules that draw.
        name: of the split to be.
        lists: the published lists at hand.
    """

    seed: int
    name: str
    lists: PublishedLists | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to divide an index.

    Args:
        about: what it does, a line.
        assign: rows that no flag leaves out to their parts.
        seeded: whether the seed matters.
        labelled: nomenclature in which a patch needs a label to be used, unless another is
            named; None uses all.
        counts_unlabelled: whether patches without a label take their place in the draw before
            they are left out, as in v1's lists.
        respects_flags: whether flagged patches are left out; published lists stand as they are.
    """

    about: str
    assign: Callable[[pa.Table, Choices], Parts]
    seeded: bool = False
    labelled: str | None = None
    counts_unlabelled: bool = False
    respects_flags: bool = True


def _paper_random(index: pa.Table, choices: Choices) -> Parts:
    return paper_random_parts(index["patch_id"], choices.seed)


def _ben_v1(index: pa.Table, choices: Choices) -> Parts:
    columns, rows = (np.asarray(index[name]) for name in ("column", "row"))
    return ben_v1_parts(index["tile"], columns, rows, choices.seed)


def _ben_v2(index: pa.Table, choices: Choices) -> Parts:
    return ben_v2_parts(np.asarray(index["column"]), np.asarray(index["row"]))


def _by_tile(index: pa.Table, choices: Choices) -> Parts:
    return by_tile_parts(index["tile"], index["labels"], choices.seed)


def _published(index: pa.Table, choices: Choices) -> Parts:
    if not choices.lists:
        raise MissingError(
            "there are no published lists", do="Name the folder that holds them: --lists"
        )
    return published_parts(index, choices.lists, choose_edition(choices.lists, choices.name))


RULES: Mapping[str, Rule] = {
    "paper-random": Rule("60, 20 and 20 % of the patches at random", _paper_random, seeded=True),
    "ben-v1": Rule(
        "blocks of 2 x 2 patches, drawn",
        _ben_v1,
        seeded=True,
        labelled="ben-19",
        counts_unlabelled=True,
    ),
    "ben-v2": Rule("middle, ring and rim of each tile", _ben_v2),
    "by-tile": Rule("whole tiles, drawn", _by_tile, seeded=True),
    "published": Rule("the published lists", _published, respects_flags=False),
}
"""Every rule by its name."""


def load_rule(name: str) -> Rule:
    """The rule of this name.

    Raises:
        InputError: there is none.
    """
    if name not in RULES:
        known = "; ".join(f"{rule} ({found.about})" for rule, found in RULES.items())
        raise InputError(f"no rule is called {name!r}", do=f"Use {known}")
    return RULES[name]


def make_split(
    index: pa.Table,
    rule: str,
    *,
    name: str = "",
    seed: int = 1,
    flags: Sequence[Flags] = (),
    labelled: str | None = None,
    lists: PublishedLists | None = None,
) -> Split:
    """Divide an index by a rule; the same arguments give the same split everywhere.

    Args:
        index: an archive's index, in any order.
        rule: one of `RULES`.
        name: of the split; the rule's name if left out. Under the rule "published" its end, "v1"
            or "v2", says which of two published splits is meant.
        seed: of rules that draw.
        flags: patches that one of these marks as `RESPECTED` are left out, except of published
            lists, which stand as they are.
        labelled: leave out patches without a label in this nomenclature, "ben-19"; "none" uses
            all; None leaves it to the rule.
        lists: the published lists, for the rule "published".

    Returns:
        The split; `parameters` tells what was left out, and how many patches that were.

    Raises:
        InputError: an unknown rule or nomenclature, or a part would be empty.
        MissingError: lists that the rule needs are not at hand.
    """
    chosen, name = load_rule(rule), name or rule
    wanted = None if labelled == "none" else labelled or chosen.labelled
    flags = flags if chosen.respects_flags else ()
    marked, bare = find_marked(index, flags), find_unlabelled(index, wanted)
    used = ~marked if chosen.counts_unlabelled else ~marked & ~bare
    parts = np.full(len(index), None, object)
    rows = index if used.all() else index.filter(pa.array(used))
    parts[used] = chosen.assign(rows, Choices(seed, name, lists))
    parts[bare] = None
    told = {
        "flags": [one.name for one in flags],
        "flagged": int(marked.sum()),
        "labelled": wanted,
        "unlabelled": int((bare & ~marked).sum()),
    }
    if unseen := count_not_looked_at(index, flags):
        told["not_looked_at"] = unseen
    split = Split.of(
        name, rule, index["patch_id"], parts, seed=seed if chosen.seeded else None, parameters=told
    )
    check_whole(split.sizes, rule, int((used & ~bare).sum()))
    return split


def find_marked(index: pa.Table, flags: Sequence[Flags]) -> Mask:
    """`patch`: whether one of the flags leaves it out."""
    found = np.zeros(len(index), np.bool_)
    for one in flags:
        found |= one.marked(index["patch_id"], RESPECTED)
    return found


def count_not_looked_at(index: pa.Table, flags: Sequence[Flags]) -> dict[str, int]:
    """Name of flags to how many patches they do not name, which counts as clear; none without."""
    ids = index["patch_id"].cast(pa.string())
    known = {one.name: pc.sum(pc.is_in(ids, one.table["patch_id"])).as_py() or 0 for one in flags}
    return {name: len(index) - count for name, count in known.items() if count < len(index)}


def find_unlabelled(index: pa.Table, nomenclature: str | None) -> Mask:
    """`patch`: whether it has no label in a nomenclature (57 of BigEarthNet in "ben-19").

    A label counts unless it is a class of CLC that the nomenclature drops; a patch whose labels
    are not known (null) counts as labelled.

    Raises:
        InputError: no nomenclature of this name ships with benforge.
    """
    found = np.zeros(len(index), np.bool_)
    if nomenclature is None:
        return found
    crosswalk = load_crosswalk(nomenclature)
    dropped = [crosswalk.source.by_code(code) for code in crosswalk.dropped]
    names = pa.array([name for c in dropped for name in (c.name, *c.aliases)], pa.string())
    start = 0
    for labels in index["labels"].chunks:
        kept = pc.invert(pc.is_in(pc.list_flatten(labels).cast(pa.string()), names))
        bare = found[start : start + len(labels)]
        bare[:] = np.asarray(pc.is_valid(labels))
        bare[np.asarray(pc.list_parent_indices(labels).filter(kept))] = False
        start += len(labels)
    return found
