"""What evaluation says of an experiment: of each seed by itself, then averaged over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benforge.core.predictions import Predictions
from benforge.evaluation.comparison import Comparison, Interval, Intervals
from benforge.evaluation.evaluate import Evaluation
from benforge.evaluation.threshold import Threshold
from benforge.reports.mistaken import Mistaken

RANDOMISATION = "approximate randomisation"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One method on one set of labels; the sequences have one entry a seed.

    Args:
        name: of its folder.
        title: for tables.
        paper: its line in the paper's Table 4; empty where it has none.
        baseline: whether it is no method of the experiment, but what needs no network.
        seeds: those with predictions; never empty.
        evaluations: all figures.
        intervals: figure's name to its 95 % interval.
    """

    name: str
    title: str
    paper: str
    baseline: bool
    seeds: Sequence[int]
    evaluations: Sequence[Evaluation]
    intervals: Sequence[Mapping[str, Intervals]]

    def values(self, get: Callable[[Evaluation], float]) -> list[float]:
        """One number a seed."""
        return [get(evaluation) for evaluation in self.evaluations]

    def sample(self, figure: str) -> list[float]:
        """A figure of samples, "f1", one a seed."""
        return self.values(lambda evaluation: getattr(evaluation.sample, figure))

    def mean(self, figure: str) -> float:
        """A figure of samples, averaged over seeds."""
        return fmean(self.sample(figure))

    def interval(self, figure: str) -> Interval:
        """The ends of a figure's 95 % interval, each averaged over seeds."""
        return mean_interval([found[figure].a for found in self.intervals])

    @property
    def units(self) -> str:
        """What the bootstrap drew: "tiles" or "patches"."""
        return next(iter(self.intervals[0].values())).units


@dataclass(frozen=True, slots=True, eq=False)
class Versus:
    """One method against another, over the seeds that both have; F1 of samples.

    Args:
        name: of the first method: its title, or a variant's name.
        other: title of the second.
        comparisons: one a seed; never empty.
    """

    name: str
    other: str
    comparisons: Sequence[Comparison]

    @property
    def difference(self) -> float:
        """The first's figure less the second's, averaged over seeds."""
        return fmean(found.difference for found in self.comparisons)

    @property
    def value(self) -> float:
        """The first's figure, averaged over seeds."""
        return fmean(found.a.value for found in self.comparisons)

    @property
    def units(self) -> str:
        """What the interval's bootstrap drew: "tiles" or "patches"."""
        return self.comparisons[0].intervals[-1].units

    @property
    def interval(self) -> Interval:
        """The ends of the difference's 95 % interval, each averaged over seeds."""
        return mean_interval([found.intervals[-1].difference for found in self.comparisons])

    @property
    def cohens_d(self) -> float | None:
        """Averaged over seeds; None where a seed has none."""
        found = [comparison.effect.cohens_d for comparison in self.comparisons]
        return None if None in found else fmean(d for d in found if d is not None)

    @property
    def mcnemar(self) -> float:
        """The largest p of McNemar's test over seeds, after Holm where that was done."""
        return max(_corrected(found.mcnemar) for found in self.comparisons)

    def randomisation(self, units: str) -> float | None:
        """The largest p of randomisation over seeds, likewise; None where units were not swapped.

        Args:
            units: "patches" or "tiles".
        """
        found = [
            _corrected(test)
            for comparison in self.comparisons
            for test in comparison.tests
            if (test.test, test.units) == (RANDOMISATION, units)
        ]
        return max(found, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A patch, what is true of it and what each method says.

    Args:
        patch_id: its id.
        true: classes.
        said: title of the method to classes.
    """

    patch_id: str
    true: Sequence[str]
    said: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class LabelResults:
    """All that is told of one set of labels.

    Args:
        labels: "43", "19", "level2", "level1".
        patches: of the test part; 0 where no method has predictions.
        tiles: they lie in; 0 where their ids name none.
        methods: as the experiment names them; those without predictions are left out.
        baselines: likewise.
        versus: every two methods, neighbours first, the later one first in each.
        mistaken: of the best method; None without predictions.
        answers: of the patches to show; none but for the first set of labels.
    """

    labels: str
    patches: int
    tiles: int
    methods: Sequence[Measured]
    baselines: Sequence[Measured]
    versus: Sequence[Versus]
    mistaken: Mistaken | None
    answers: Sequence[Answer]

    @property
    def all(self) -> list[Measured]:
        """Methods, then baselines."""
        return [*self.methods, *self.baselines]


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """All that is told of an experiment.

    Args:
        labels: one entry a set of labels, as the experiment names them.
        variants: each against S-CNN-All as it is by default, name to comparison; those without
            predictions are left out.
        digests: file of predictions, below the experiment's folder, to its SHA-256.
    """

    labels: Sequence[LabelResults]
    variants: Mapping[str, Versus]
    digests: Mapping[str, str]


def mean_interval(intervals: Sequence[Interval]) -> Interval:
    """The mean of the lower ends, and of the upper ends."""
    return fmean(low for low, _ in intervals), fmean(high for _, high in intervals)


def answers_of(told: Mapping[str, Predictions], patch_ids: Sequence[str]) -> list[Answer]:
    """What methods say of these patches; without those that are not among the predictions.

    Args:
        told: title to predictions of the same patches.
        patch_ids: wanted.
    """
    found: dict[str, dict[str, list[str]]] = {}
    true: dict[str, list[str]] = {}
    for title, one in told.items():
        rows = {patch_id: row for row, patch_id in enumerate(one.patch_ids.to_pylist())}
        decided = Threshold.of(one).decide(one.scores)
        for patch_id in (wanted for wanted in patch_ids if wanted in rows):
            row = rows[patch_id]
            found.setdefault(patch_id, {})[title] = _names(one, decided[row])
            true[patch_id] = _names(one, one.targets[row])
    return [Answer(patch_id, true[patch_id], said) for patch_id, said in found.items()]


def _names(told: Predictions, hot: Sequence[bool]) -> list[str]:
    return [name for name, has in zip(told.classes, hot, strict=True) if has]


def _corrected(test: object) -> float:
    p, holm = (getattr(test, name) for name in ("p", "p_holm"))
    return float(p if holm is None else holm)
