"""Labels that predictions speak against: confident learning, each label a yes or no of its own.

After C. G. Northcutt, L. Jiang and I. L. Chuang, Confident Learning: Estimating Uncertainty in
Dataset Labels (JAIR 2021), whose confident joint is taken of every class by itself, as patches
have several labels. A class's threshold for yes is the mean score of the patches that have it; for
no, the mean score of those that have it not. A label that is given is doubted where the score is at
or below the threshold for no, one that is not given is missing where it is at or above that for
yes; and in both cases the likelier of yes and no must be the other than the archive says, without
which a class that the model tells badly would be doubted everywhere. cleanlab's filter
"confident_learning" finds the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.predictions import PredictionFacts, Predictions
from benforge.errors import InputError

Direction = Literal["doubted", "missing"]
"""A label that is given and speaks for nothing, or one that is not given and should be."""
DIRECTIONS: tuple[Direction, ...] = ("doubted", "missing")

_EQUAL = 1e-6
"""Scores that lie no further apart are one: a mean of equal scores is rounded."""

SCHEMA = pa.schema(
    [
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("patch_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("direction", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("threshold", pa.float32(), nullable=False),
        pa.field("self_confidence", pa.float32(), nullable=False),
        pa.field("margin", pa.float32(), nullable=False),
    ]
)
"""One row a patch and label, the strongest doubt first. `score` is the class's; `threshold` is the
one it has passed, a score too; `self_confidence` is the probability of what the archive says;
`margin` is how far that lies below what patches of the same answer have on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """The doubts of an archive's labels.

    Args:
        table: of `SCHEMA`.
        classes: names of all classes that were looked at.
        yes: `label`, mean score of the patches that have the class; NaN where none has.
        no: `label`, mean score of those that have it not; NaN where all have.
        decisions: patches times classes that were looked at.
    """

    table: pa.Table
    classes: tuple[str, ...]
    yes: npt.NDArray[np.float64]
    no: npt.NDArray[np.float64]
    decisions: int

    def count(self, direction: Direction) -> int:
        """How many doubts are of this direction."""
        return int(pc.sum(pc.equal(self.table["direction"], direction)).as_py() or 0)


def find_doubts(predictions: Predictions) -> Doubts:
    """The labels that predictions speak against, the strongest doubt first.

    Args:
        predictions: of patches that the model was not trained on; of others they agree with
            whatever the label is.
    """
    scores, has = predictions.scores.astype(np.float64), predictions.targets
    yes, no = _means(scores, has), _means(scores, ~has)
    likelier = scores > 0.5
    low, high = scores <= no + _EQUAL, scores >= yes - _EQUAL  # False where a mean is NaN
    against = np.where(has, low & ~likelier, high & likelier)
    rows, columns = np.nonzero(against)
    given, score = has[rows, columns], scores[rows, columns]
    confidence = np.where(given, score, 1 - score)
    usual = np.where(given, yes[columns], 1 - no[columns])
    margin = usual - confidence
    order = np.lexsort((columns, rows, confidence, -margin))
    table = pa.table(
        {
            "rank": np.arange(1, len(order) + 1),
            "patch_id": predictions.patch_ids.take(pa.array(rows[order])),
            "label": pa.array(predictions.classes).take(pa.array(columns[order])),
            "direction": pa.array(np.where(given, *DIRECTIONS)[order]),
            "score": score[order],
            "threshold": np.where(given, no[columns], yes[columns])[order],
            "self_confidence": confidence[order],
            "margin": margin[order],
        }
    ).cast(SCHEMA)
    return Doubts(table, predictions.classes, yes, no, scores.size)


def _means(scores: npt.NDArray[np.float64], of: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """`label`: the mean score of these patches; NaN without any."""
    counts = of.sum(axis=0)
    sums = np.where(of, scores, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def join_predictions(several: Sequence[Predictions]) -> Predictions:
    """Predictions of several files as one, as of the parts of a cross-validation.

    Scores of a patch that is in several files, as of several seeds, are averaged.

    Raises:
        InputError: other classes or nomenclatures, or other targets of the same patch.
    """
    first, *others = several
    if not others:
        return first
    for one in others:
        if one.classes != first.classes:
            raise InputError("predictions of other classes", do="Name files of the same classes")
    ids = pa.concat_arrays([one.patch_ids for one in several])
    named = ids.dictionary_encode()
    rows, known = np.asarray(named.indices), named.dictionary
    scores = np.concatenate([one.scores for one in several]).astype(np.float64)
    targets = np.concatenate([one.targets for one in several])
    total = np.zeros((len(known), scores.shape[1]))
    np.add.at(total, rows, scores)
    _, places = np.unique(rows, return_index=True)
    joined = targets[places]
    if (wrong := (joined[rows] != targets).any(axis=1)).any():
        raise InputError(
            "the files name other labels of the same patch",
            where=ids[int(np.argmax(wrong))].as_py(),
            do="Predict anew from one archive",
        )
    mean = total / np.bincount(rows)[:, None]
    return Predictions(
        known.cast(pa.string()), mean.astype(np.float32), joined, first.classes, _joined(several)
    )


def _joined(several: Sequence[Predictions]) -> PredictionFacts:
    """What the facts have in common; a fact that differs is left empty, but for parts."""
    facts = [one.facts for one in several]

    def same(name: str) -> str:
        values = {getattr(one, name) for one in facts}
        return str(values.pop()) if len(values) == 1 else ""

    known = [count_trained(one) for one in several]
    trained = None if None in known else sum(count or 0 for count in known)
    simulated = [one.simulated for one in facts]
    return PredictionFacts(
        nomenclature=same("nomenclature"),
        model=same("model"),
        run=same("run"),
        split=same("split"),
        part=", ".join(dict.fromkeys(one.part for one in facts if one.part)),
        archive=same("archive"),
        simulated=True if True in simulated else None if None in simulated else False,
        extra={"trained_on": trained},
    )


def count_trained(predictions: Predictions) -> int | None:
    """How many of the patches the model was trained on; None where it is not known."""
    facts = predictions.facts
    told = facts.extra.get("trained_on")
    if isinstance(told, int) and not isinstance(told, bool):
        return told
    return len(predictions) if facts.part == "train" else None
