"""Where decisions are taken: the log of a review, and what it comes to row by row."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.errors import InputError
from benforge.quality.agreement import Agreement, agreements
from benforge.quality.events import Decision, Group, LabelDecision
from benforge.quality.review import Review
from benforge.viewer.board import Board
from benforge.viewer.catalogue import Bools, Catalogue
from benforge.viewer.doubted import Doubted, LabelDoubt

_SOON = 0.02
"""Seconds; agreement that takes no longer is found anew each time."""
_REST = 20
"""How many times as long as finding the agreement took, it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was taken back at once: its id, which is the action's, and the rows of its patches."""

    event: str
    rows: list[int]


class Desk:
    """The review of the patches of a catalogue, for several threads at once.

    Args:
        catalogue: whose rows.
        review: its log; other processes may add to it.
        doubted: doubts about its labels; None without any.
    """

    def __init__(
        self, catalogue: Catalogue, review: Review, doubted: Doubted | None = None
    ) -> None:
        self.catalogue, self.review, self.doubted = catalogue, review, doubted
        self.board = Board(len(catalogue))
        self._row_of: dict[str, int | None] = {}
        self._agreements: list[Agreement] = []
        self._due = 0.0
        self.refresh()

    def refresh(self) -> Board:
        """The board after whatever was decided since, by whomever.

        Raises:
            ArchiveError: the log cannot be read.
        """
        with self.review.lock:
            touched = list(self.review.refresh())
            rows = self.rows_of(touched)
            known = [(row, patch) for row, patch in zip(rows, touched, strict=True) if row >= 0]
            verdicts = [self.review.ledger.verdict(patch) for _, patch in known]
            self.board.put([row for row, _ in known], verdicts)
        return self.board

    def decide(
        self, reviewer: str, groups: Sequence[tuple[Sequence[str], Sequence[int]]], named: str
    ) -> tuple[Decision, ...]:
        """Give groups of rows flags, or none, at once; it is on the disk when this returns.

        Args:
            reviewer: who decides.
            groups: flags, and the rows of the patches that are given them.
            named: the id of the action.

        Raises:
            InputError: a name that is none, an unknown flag, no patches, or no such row.
            StorageError: the disk is full; nothing is added.
        """
        meant = [self._group(flags, rows) for flags, rows in groups]
        with self.review.lock:
            for (_, rows), (_, patches) in zip(groups, meant, strict=True):
                self._row_of.update(zip(patches, rows, strict=True))
            decisions = self.review.act(reviewer, meant, named=named)
            self.refresh()
        return decisions

    def judge(
        self, reviewer: str, label: str, row: int, *, present: bool, named: str
    ) -> LabelDecision:
        """Say whether a patch has a class; it is on the disk when this returns.

        Args:
            reviewer: who decides.
            label: name of a class that is doubted there.
            row: of the patch.
            present: whether the class is there.
            named: the id of the event.

        Raises:
            InputError: a name that is none, no such row, or a label that is not doubted there.
            StorageError: the disk is full; nothing is added.
        """
        if not 0 <= row < len(self.catalogue):
            raise InputError(f"there is no patch {row}")
        if label not in [one.label for one in self.doubts("", row)]:
            raise InputError(f"no label {label[:60]!r} is doubted in patch {row}")
        patch = self.catalogue.patch_ids[row].as_py()
        with self.review.lock:
            return self.review.judge(reviewer, label, [patch], present=present, named=named)

    def doubts(self, reviewer: str, row: int) -> list[LabelDoubt]:
        """The doubts about the labels of a row, as this reviewer sees them."""
        if self.doubted is None:
            return []
        with self.review.lock:
            return self.doubted.of(row, self.review.ledger, reviewer)

    def _group(self, flags: Sequence[str], rows: Sequence[int]) -> Group:
        if strange := [row for row in rows if not 0 <= row < len(self.catalogue)]:
            raise InputError(f"there is no patch {strange[0]}")
        return flags, self.catalogue.patch_ids.take(pa.array(rows, pa.int64())).to_pylist()

    def undo(self, reviewer: str, named: str) -> Undone | None:
        """Take back a reviewer's last action that stands; None without one.

        Raises:
            InputError: a name that is none.
            StorageError: the disk is full; nothing is added.
        """
        with self.review.lock:
            decisions = self.review.undo(reviewer, named=named)
            self.refresh()
            if not decisions:
                return None
            patches = dict.fromkeys(patch for one in decisions for patch in one.patches)
            rows = [row for row in self.rows_of(patches) if row >= 0]
            return Undone(event=decisions[0].action or decisions[0].id, rows=rows)

    def answers(self, reviewer: str, rows: Sequence[int]) -> list[tuple[str, ...] | None]:
        """What a reviewer decided of each of these rows; None where they did not."""
        patches = self.catalogue.patch_ids.take(pa.array(rows, pa.int64())).to_pylist()
        with self.review.lock:
            return [self.review.ledger.answer_of(reviewer, patch) for patch in patches]

    def decided_by(self, reviewer: str) -> Bools:
        """`patch`: which a reviewer decided."""
        found = np.zeros(len(self.catalogue), np.bool_)
        with self.review.lock:
            rows = self.rows_of(self.review.ledger.standing_of(reviewer))
        found[[row for row in rows if row >= 0]] = True
        return found

    def agreements(self) -> list[Agreement]:
        """How far reviewers agree; of a large review, what was found a moment ago."""
        with self.review.lock:
            start = time.monotonic()
            if start >= self._due:
                self._agreements = agreements(self.review.ledger)
                took = time.monotonic() - start
                self._due = time.monotonic() + (_REST * took if took > _SOON else 0)
            return self._agreements

    def rows_of(self, patches: Collection[str]) -> list[int]:
        """The row of each patch; -1 for one that the archive does not hold."""
        unseen = [patch for patch in patches if patch not in self._row_of]
        if unseen:
            places = pc.index_in(pa.array(unseen, pa.string()), self.catalogue.patch_ids)
            self._row_of.update(zip(unseen, places.to_pylist(), strict=True))
        rows = (self._row_of[patch] for patch in patches)
        return [-1 if row is None else row for row in rows]
