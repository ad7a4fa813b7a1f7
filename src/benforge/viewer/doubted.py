"""Doubts about labels beside the index: which patches have some, and which come first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.errors import InputError
from benforge.evaluation.doubt import DIRECTIONS
from benforge.evaluation.doubt_files import DoubtFacts, read_doubts
from benforge.quality.ledger import Ledger
from benforge.viewer.catalogue import Bools, Catalogue, Rows


class LabelDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """One label of a patch that predictions speak against, and what reviewers say.

    Args:
        label: name of the class.
        place: of it in the archive's nomenclature; None where that has no such class.
        direction: "doubted" where the label is given, "missing" where it is not.
        score: of the class.
        threshold: that the score has passed: the mean score of patches without the class where it
            is given, of patches with it where it is missing.
        self_confidence: of what the archive says.
        rank: among all doubts, 1 is the strongest.
        present: whether the class is there, by the decision that counts; None without one.
        by: whose decision that is.
        disputed: whether reviewers disagree.
        mine: what whoever asks decided; None where they did not.
    """

    label: str
    place: int | None
    direction: str
    score: float
    threshold: float
    self_confidence: float
    rank: int
    present: bool | None = None
    by: str | None = None
    disputed: bool = False
    mine: bool | None = None


class DoubtedFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is told of doubts: by what, of what, how many, and whether it was trained on.

    Args:
        model: that predicted.
        part: of which split, in words.
        patches: of the archive that have a doubt.
        doubted: labels given.
        missing: labels not given.
        trained_on: of the predicted patches; None where it is not known.
        labels: names that are doubted anywhere, the most often doubted first.
    """

    model: str
    part: str
    patches: int
    doubted: int
    missing: int
    trained_on: int | None
    labels: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Doubted:
    """The doubts of an archive's labels, by row.

    Args:
        facts: where they come from.
        table: of `evaluation.doubt.SCHEMA`, of patches that the archive holds, by rank.
        rows: `doubt`, row of each in the index.
        of_row: row to its doubts, the strongest first.
        order: every row of the index, those with the strongest doubt first.
        places: name of a class to its place in the archive's nomenclature.
    """

    facts: DoubtFacts
    table: pa.Table
    rows: Rows
    of_row: dict[int, list[int]]
    order: Rows
    places: dict[str, int]

    @classmethod
    def open(cls, path: Path, catalogue: Catalogue) -> Doubted:
        """The doubts of a file, put beside an archive.

        Raises:
            MissingError: there is no such file.
            InputError: it holds no doubts, or the archive none of its patches.
        """
        facts, table = read_doubts(path)
        places = pc.index_in(table["patch_id"].combine_chunks(), catalogue.patch_ids)
        held = table.filter(places.is_valid()).sort_by("rank")
        if len(table) and not len(held):
            raise InputError(
                f"these are doubts of another archive, {facts.archive}: this one holds none of "
                "their patches",
                where=path,
                do="Name those of this archive: ben doubt",
            )
        rows = np.asarray(pc.index_in(held["patch_id"].combine_chunks(), catalogue.patch_ids))
        of_row: dict[int, list[int]] = {}
        for doubt, row in enumerate(rows.tolist()):
            of_row.setdefault(row, []).append(doubt)
        others = np.ones(len(catalogue), np.bool_)
        others[list(of_row)] = False
        order = np.concatenate([np.array(list(of_row), np.int64), np.flatnonzero(others)])
        names = catalogue.archive.meta.nomenclature.names
        known = {name: place for place, name in enumerate(names)}
        return cls(facts, held, rows.astype(np.int64), of_row, order, known)

    def told(self) -> DoubtedFact:
        """What the page is told."""
        counts = self.table["label"].combine_chunks().value_counts().to_pylist()
        ordered = sorted(counts, key=lambda one: (-one["counts"], one["values"]))
        facts = self.facts
        return DoubtedFact(
            model=facts.model or "several models",
            part=f"{facts.part} of {facts.split}" if facts.split else facts.part or "all patches",
            patches=len(self.of_row),
            **{kind: int(self._of(kind).sum()) for kind in DIRECTIONS},
            trained_on=facts.trained_on,
            labels=[one["values"] for one in ordered],
        )

    def mask(self, kind: str, label: str, ledger: Ledger) -> Bools:
        """`patch`: which have such a doubt.

        Args:
            kind: "doubted", "missing", "open" for one that nobody decided, else any.
            label: name of the class; "" for any.
            ledger: of the review, whose lock is held.

        Raises:
            InputError: no label of this name is doubted.
        """
        which = self._of(kind) if kind in DIRECTIONS else np.ones(len(self.rows), np.bool_)
        if label:
            named = np.asarray(pc.equal(self.table["label"], label))
            if not named.any():
                raise InputError(f"no label {label[:60]!r} is doubted", do="Choose one that is")
            which &= named
        if kind == "open":
            judged = ledger.judged()
            pairs = zip(*(self.table[n].to_pylist() for n in ("patch_id", "label")), strict=True)
            which &= np.array([pair not in judged for pair in pairs], np.bool_)
        found = np.zeros(len(self.order), np.bool_)
        found[self.rows[which]] = True
        return found

    def _of(self, kind: str) -> Bools:
        return np.asarray(pc.equal(self.table["direction"], kind))

    def of(self, row: int, ledger: Ledger, reviewer: str) -> list[LabelDoubt]:
        """The doubts of a row, the strongest first, as this reviewer sees them.

        Args:
            row: in the index.
            ledger: of the review, whose lock is held.
            reviewer: who asks; "" for nobody.
        """
        return [self._told(doubt, ledger, reviewer) for doubt in self.of_row.get(row, ())]

    def _told(self, doubt: int, ledger: Ledger, reviewer: str) -> LabelDoubt:
        one = self.table.slice(doubt, 1).to_pylist()[0]
        patch, label = one["patch_id"], one["label"]
        verdict = ledger.label_verdict(patch, label)
        return LabelDoubt(
            label=label,
            place=self.places.get(label),
            direction=one["direction"],
            score=round(one["score"], 4),
            threshold=round(one["threshold"], 4),
            self_confidence=round(one["self_confidence"], 4),
            rank=one["rank"],
            present=verdict.present if verdict else None,
            by=verdict.by if verdict else None,
            disputed=bool(verdict and verdict.disputed),
            mine=ledger.label_answer_of(reviewer, patch, label) if reviewer else None,
        )
