"""All figures of one set of predictions, over the whole set in float64."""

from __future__ import annotations

import msgspec
import numpy as np

from benforge.core.predictions import Predictions
from benforge.evaluation.average_precision import (
    average_precision,
    class_average_precisions,
    mean_average_precision,
)
from benforge.evaluation.calibration import Calibration, calibrate
from benforge.evaluation.counts import Counts, measure
from benforge.evaluation.figure import FORMULAS, Figure
from benforge.evaluation.ranking import rank
from benforge.evaluation.threshold import Threshold


class Figures(msgspec.Struct, frozen=True, kw_only=True, rename={"f05": "f0.5"}):
    """Precision, recall and F, as shares of 1; 0 where a denominator is 0."""

    precision: float
    recall: float
    f1: float
    f2: float
    f05: float


class ClassFigures(msgspec.Struct, frozen=True, kw_only=True, rename={"f05": "f0.5"}):
    """The figures of one class.

    Args:
        name: of the class.
        positives: patches that have it; where 0, recall and F are 0 by convention.
        predicted: patches that were given it.
        precision: and recall, f1, f2, f05: as in `Figures`.
        average_precision: None for a class that no patch has.
    """

    name: str
    positives: int
    predicted: int
    precision: float
    recall: float
    f1: float
    f2: float
    f05: float
    average_precision: float | None


class AveragePrecision(msgspec.Struct, frozen=True, kw_only=True):
    """Of all decisions together, and the mean over classes that occur; None where none does."""

    micro: float | None
    macro: float | None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Every figure of one set of predictions.

    Args:
        model: that predicted; "" where not known, as the next four.
        run: of the training.
        nomenclature: of the classes.
        split: that the patches are a part of.
        part: of that split.
        archive: its name.
        simulated: whether the archive is; None where not known.
        trained_on: how many of the patches the model was trained on; None where not known.
        patches: rows of the predictions.
        labels: columns: classes of the nomenclature.
        classes_that_occur: those that at least one patch has.
        patches_without_labels: rows without any.
        threshold: one for all classes, or one a class.
        threshold_from: "fixed" or "tuned on validation".
        threshold_figure: what it was tuned for; None if fixed or not known.
        sample: means over patches: the paper's figures.
        micro: of all decisions together.
        macro: means over all classes, those that never occur count as 0.
        weighted: means over classes, weighted by their patches.
        average_precision: without a threshold.
        hamming_loss: share of decisions that are wrong.
        subset_accuracy: share of patches without a wrong decision.
        one_error: and coverage, ranking_loss, lrap: see `ranking.Ranking`.
        calibration: see `calibration.Calibration`.
        per_class: in the order of the classes.
    """

    model: str
    run: str
    nomenclature: str
    split: str
    part: str
    archive: str
    simulated: bool | None
    trained_on: int | None
    patches: int
    labels: int
    classes_that_occur: int
    patches_without_labels: int
    threshold: float | tuple[float, ...]
    threshold_from: str
    threshold_figure: str | None
    sample: Figures
    micro: Figures
    macro: Figures
    weighted: Figures
    average_precision: AveragePrecision
    hamming_loss: float
    subset_accuracy: float
    one_error: float
    coverage: float
    ranking_loss: float
    lrap: float
    calibration: Calibration
    per_class: tuple[ClassFigures, ...]

    def __str__(self) -> str:
        """What is read first, in a few lines; `repr` has everything."""
        part = f"{self.part} of {self.split}" if self.split else "all patches"
        names = Figures.__struct_fields__[:4]
        rows = [("", *names)] + [
            (mean, *(f"{getattr(getattr(self, mean), name):.4f}" for name in names))
            for mean in ("sample", "micro", "macro")
        ]
        whose = f"{self.model or 'a model'}, {part}{', simulated' * bool(self.simulated)}"
        head = f"{whose}: {self.patches:,} patches, {self.labels} classes"
        return "\n".join([head, *("  ".join(f"{cell:>9}" for cell in row) for row in rows)])


def evaluate(predictions: Predictions, threshold: Threshold | None = None) -> Evaluation:
    """Measure predictions.

    Args:
        predictions: of a whole part of a split.
        threshold: default the one that the predictions bring along.
    """
    threshold = threshold or Threshold.of(predictions)
    scores, targets, facts = predictions.scores, predictions.targets, predictions.facts
    decided = threshold.decide(scores)
    patches = Counts.of_patches(decided, targets)
    classes = Counts.of_classes(decided, targets)
    wrong, ranking = decided != targets, rank(scores, targets)
    precisions = class_average_precisions(scores, targets)
    return Evaluation(
        **{name: getattr(facts, name) for name in _FROM_FACTS},
        trained_on=_count(facts.extra.get("trained_on")),
        patches=len(predictions),
        labels=len(predictions.classes),
        classes_that_occur=int((classes.true > 0).sum()),
        patches_without_labels=int((patches.true == 0).sum()),
        threshold=threshold.value,
        threshold_from=threshold.source,
        threshold_figure=threshold.figure,
        sample=_figures("sample", patches, classes),
        micro=_figures("micro", patches, classes),
        macro=_figures("macro", patches, classes),
        weighted=_figures("weighted", patches, classes),
        average_precision=AveragePrecision(
            micro=average_precision(scores, targets), macro=mean_average_precision(precisions)
        ),
        hamming_loss=float(wrong.mean(dtype=np.float64)),
        subset_accuracy=float(1 - wrong.any(1).mean(dtype=np.float64)),
        one_error=ranking.one_error,
        coverage=ranking.coverage,
        ranking_loss=ranking.ranking_loss,
        lrap=ranking.lrap,
        calibration=calibrate(scores, targets),
        per_class=_per_class(predictions.classes, classes, precisions),
    )


_FROM_FACTS = ("model", "run", "nomenclature", "split", "part", "archive", "simulated")


def _count(told: object) -> int | None:
    """A number of patches, of whatever the tool that predicted wrote there."""
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


def _figures(average: str, patches: Counts, classes: Counts) -> Figures:
    values = {name: measure(Figure(average, name), patches, classes) for name in FORMULAS}
    return Figures(f05=values.pop("f0.5"), **values)


def _per_class(
    names: tuple[str, ...], classes: Counts, precisions: tuple[float | None, ...]
) -> tuple[ClassFigures, ...]:
    each = {name: classes.of_each(Figure("macro", name)) for name in FORMULAS}
    return tuple(
        ClassFigures(
            name=name,
            positives=int(classes.true[i]),
            predicted=int(classes.predicted[i]),
            precision=float(each["precision"][i]),
            recall=float(each["recall"][i]),
            f1=float(each["f1"][i]),
            f2=float(each["f2"][i]),
            f05=float(each["f0.5"][i]),
            average_precision=precisions[i],
        )
        for i, name in enumerate(names)
    )
