"""Predictions: what a model says of patches beside what is true, the file before evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.errors import InputError

FORMAT = 1
"""Of a file of predictions; a higher one was written by a newer benforge."""

ThresholdSource = Literal["fixed", "tuned on validation"]
FIXED: ThresholdSource = "fixed"
TUNED: ThresholdSource = "tuned on validation"


class PredictionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where predictions come from; "" where it is not known.

    Args:
        format: of the file.
        nomenclature: of the classes: "clc-43", "ben-19", "clc-level-2", "clc-level-1", yours.
        model: name of what predicted, for tables.
        run: the training run.
        split: name of the split.
        part: of the split: "train", "validation", "test".
        split_digest: SHA-256 of that split.
        archive: name of the archive's folder.
        simulated: whether the archive is simulated; None where it is not known.
        threshold: from which score on a class is predicted, 0 to 1.
        threshold_from: "fixed", or "tuned on validation".
        extra: anything more that JSON can hold.

    Raises:
        InputError: a threshold outside 0 to 1.
    """

    format: int = FORMAT
    nomenclature: str = ""
    model: str = ""
    run: str = ""
    split: str = ""
    part: str = ""
    split_digest: str = ""
    archive: str = ""
    simulated: bool | None = None
    threshold: float = 0.5
    threshold_from: ThresholdSource = FIXED
    extra: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise InputError(
                f"a threshold of {self.threshold}", do="Scores are probabilities: name 0 to 1"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The score of every class for every patch, and the labels it has.

    Args:
        patch_ids: one a patch, unique; strings.
        scores: float32 `patch label`, probabilities after the sigmoid, before the threshold.
        targets: bool `patch label`, True where the patch has the label.
        classes: names in the order of the axis `label`, unique.
        facts: where they come from.

    Raises:
        InputError: no patch, a patch or class named twice, sizes or types that do not fit, or a
            score outside 0 to 1; names the first patch.

    Example:
        >>> scores, targets = [[0.9, 0.2], [0.1, 0.6]], [[1, 0], [0, 0]]
        >>> mine = ben.Predictions.of(["a", "b"], scores, targets, ["water", "forest"])
        >>> ben.evaluate(mine).micro.precision
        0.5
    """

    patch_ids: pa.StringArray
    scores: npt.NDArray[np.float32]
    targets: npt.NDArray[np.bool_]
    classes: tuple[str, ...]
    facts: PredictionFacts = field(default_factory=PredictionFacts)

    def __post_init__(self) -> None:
        _check_names(self.patch_ids, self.classes)
        _check_array("scores", self.scores, np.float32, (len(self), len(self.classes)))
        _check_array("targets", self.targets, np.bool_, (len(self), len(self.classes)))
        _check_scores(self)

    @classmethod
    def of(
        cls,
        patch_ids: Iterable[str] | pa.Array | pa.ChunkedArray,
        scores: npt.ArrayLike,
        targets: npt.ArrayLike,
        classes: Sequence[str],
        facts: PredictionFacts | None = None,
    ) -> Predictions:
        """Predictions from whatever holds them: lists, arrays of other number types.

        Raises:
            InputError: as the type itself, or a target other than 0 and 1.
        """
        given = np.asarray(targets)
        if given.dtype != np.bool_ and not np.isin(given, (0, 1)).all():
            raise InputError("a target is neither 0 nor 1", do="Give 1 where a patch has the label")
        return cls(
            _strings(patch_ids),
            np.asarray(scores).astype(np.float32),
            given.astype(np.bool_),
            tuple(classes),
            facts or PredictionFacts(),
        )

    def __len__(self) -> int:
        return len(self.patch_ids)


def _strings(patch_ids: Iterable[str] | pa.Array | pa.ChunkedArray) -> pa.StringArray:
    if isinstance(patch_ids, pa.ChunkedArray):
        patch_ids = patch_ids.combine_chunks()
    return pc.cast(patch_ids if isinstance(patch_ids, pa.Array) else pa.array(patch_ids), "string")


def _check_names(patch_ids: pa.StringArray, classes: tuple[str, ...]) -> None:
    if not isinstance(patch_ids, pa.StringArray) or patch_ids.null_count:
        raise InputError("patch ids are strings, one a patch", do="Use Predictions.of")
    if not len(patch_ids) or not classes:
        raise InputError("predictions of no patch or of no class")
    if pc.count_distinct(patch_ids).as_py() < len(patch_ids):
        raise InputError("predicted twice", where=_twice(patch_ids.to_pylist()))
    if len(set(classes)) < len(classes):
        raise InputError(f"two classes are called {_twice(classes)!r}")


def _twice(names: Sequence[str]) -> str:
    return Counter(names).most_common(1)[0][0]


def _check_array(
    name: str, array: npt.NDArray[Any], dtype: type[np.generic], shape: tuple[int, int]
) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise InputError(
            f"{name} are {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}",
            do="The axes are patch, label; Predictions.of takes other number types",
        )


def _check_scores(predictions: Predictions) -> None:
    scores = predictions.scores
    wrong = ~((scores >= 0) & (scores <= 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"the score of {predictions.classes[column]} is {scores[row, column]}",
            where=predictions.patch_ids[row].as_py(),
            do="Scores are probabilities, 0 to 1: take them after the sigmoid",
        )
