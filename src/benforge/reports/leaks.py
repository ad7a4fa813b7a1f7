"""What of the training ground is in the test part, in words and numbers."""

from __future__ import annotations

from benforge.reports.folder import Folder
from benforge.reports.part import Block, Section
from benforge.reports.words import Words, counted
from benforge.splits.leakage import Leakage
from benforge.statistics.sheet import Sheet, table_of

_RELATIONS = {
    "equal": "stand on the footprint of a training patch",
    "overlap": "share a part of its ground",
    "touch": "have an edge or corner in common with one",
    "any": "any of these",
}


def leakage_section(folder: Folder) -> Section:
    """The split's leakage; says so where it is not written yet."""
    leakage = folder.material.leakage
    if leakage is None:
        words = ("Not told yet: ben experiment writes it when it has ended.",)
        return Section("leakage", "What the split leaks", words, ())
    sheet = leakage_sheet(Words(folder.experiment), leakage)
    block = Block(sheets={"leakage": sheet})
    return Section("leakage", "What the split leaks", (say_leakage(leakage),), (block,))


def say_leakage(leakage: Leakage) -> str:
    """One or two sentences on the test part."""
    test = leakage.test
    whole, ground, near = (part.footprints for part in (test.total, test.all.ground, test.all.any))
    of = counted(whole, "test footprint")
    if not near:
        return (
            f"None of {of} shares ground with a training patch or touches one. A footprint is one "
            "piece of ground, however often it was taken."
        )
    return (
        f"Of {of}, {ground:,} ({_share(ground, whole)}) lie on ground that training has seen and "
        f"{near:,} ({_share(near, whole)}) share ground with a training patch or touch one. "
        "Neighbours are alike, so figures of such a split are higher than those of new places. A "
        "footprint is one piece of ground, however often it was taken."
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def leakage_sheet(words: Words, leakage: Leakage) -> Sheet:
    """One row a kind of contact with training, footprints of validation and of test."""
    columns: dict[str, list[object]] = {"footprints_that": list(_RELATIONS.values())}
    for name in ("validation", "test"):
        part = getattr(leakage, name)
        counts = [getattr(part.all, relation).footprints for relation in _RELATIONS]
        whole = part.total.footprints
        columns[name] = list(counts)
        columns[f"share_of_{name}"] = [count / whole if whole else 0.0 for count in counts]
    note = (
        f"Of {leakage.validation.total.footprints:,} footprints of validation and "
        f"{leakage.test.total.footprints:,} of test; training has {leakage.train.footprints:,}. "
        "One that meets several counts in each kind."
    )
    return Sheet(words.title("What the split leaks"), table_of(columns), note)
