"""Ask evaluation about every file of predictions that an experiment wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from benforge.core.identity import PatchId
from benforge.core.predictions import Predictions
from benforge.core.progress import Progress, silent
from benforge.errors import InputError, errors_at
from benforge.evaluation.compare import RESAMPLES, compare, compare_all
from benforge.evaluation.comparison import Comparison
from benforge.evaluation.evaluate import evaluate
from benforge.evaluation.figure import Figure
from benforge.experiments.baselines import TITLES
from benforge.experiments.plan import BASELINES
from benforge.reports.folder import Folder, Run, digest
from benforge.reports.measured import (
    Answer,
    LabelResults,
    Measured,
    Results,
    Versus,
    answers_of,
)
from benforge.reports.mistaken import Mistaken, count_mistaken

FIGURES = ("precision", "recall", "f1", "f2")
"""Of samples: the paper's."""
FEWEST_TILES = 5
"""Below which tiles are too few to draw from, and patches are drawn."""
DEFAULT = "scnn-all"
"""The method that variants change one choice of."""


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """One method's predictions, a seed each."""

    name: str
    title: str
    paper: str
    baseline: bool
    of: dict[int, Predictions]


@dataclass(slots=True)
class _Measuring:
    folder: Folder
    resamples: int
    progress: Progress
    digests: dict[str, str] = field(default_factory=dict)

    def read(self, run: Run) -> Predictions:
        self._note(run.file)
        return self.folder.read(run)

    def read_baseline(self, labels: str, name: str) -> Predictions:
        self._note(self.folder.baseline(labels, name))
        return self.folder.read_baseline(labels, name)

    def _note(self, file: Path) -> None:
        name = str(file.relative_to(self.folder.path))
        self.progress(f"reading {name}")
        self.digests[name] = digest(file)


def measure(folder: Folder, resamples: int = RESAMPLES, progress: Progress = silent) -> Results:
    """Every figure, interval and test of an experiment; one set of labels in memory at a time.

    Args:
        folder: of the experiment.
        resamples: of each interval and test.
        progress: told what is measured.

    Raises:
        InputError: a file of predictions is damaged or of other patches; names it.
    """
    work = _Measuring(folder, resamples, progress)
    labels = [_measure_labels(work, labels) for labels in folder.experiment.labels]
    variants = {versus.name: versus for versus in _measure_variants(work)}
    return Results(labels, variants, work.digests)


def _measure_labels(work: _Measuring, labels: str) -> LabelResults:
    methods = list(_read_methods(work, labels))
    baselines = list(_read_baselines(work, labels))
    everyone = [*methods, *baselines]
    first = next((next(iter(one.of.values())) for one in everyone), None)
    tiles = count_tiles(first) if first else 0
    clustered = tiles >= FEWEST_TILES
    with errors_at(f"{work.folder.path}, labels {labels}"):
        measured = [_measure_method(work, one, clustered) for one in everyone]
        versus = _compare_methods(work, labels, methods, clustered)
    return LabelResults(
        labels=labels,
        patches=len(first) if first else 0,
        tiles=tiles,
        methods=measured[: len(methods)],
        baselines=measured[len(methods) :],
        versus=versus,
        mistaken=_find_mistaken(methods, measured),
        answers=_find_answers(work.folder, labels, methods),
    )


def _read_methods(work: _Measuring, labels: str) -> Iterator[_Told]:
    for method in work.folder.experiment.methods:
        runs = work.folder.runs_of(labels, method.name)
        told = {run.planned.seed: work.read(run) for run in runs if run.file.is_file()}
        if told:
            title = next(iter(told.values())).facts.model
            yield _Told(method.name, title, method.paper, baseline=False, of=told)


def _read_baselines(work: _Measuring, labels: str) -> Iterator[_Told]:
    for name in BASELINES:
        if work.folder.baseline(labels, name).is_file():
            told = {work.folder.experiment.seeds[0]: work.read_baseline(labels, name)}
            yield _Told(name, TITLES[name], "", baseline=True, of=told)


def count_tiles(told: Predictions) -> int:
    """How many tiles the patches lie in; 0 where ids name none."""
    try:
        return len({PatchId.parse(text).tile for text in told.patch_ids.to_pylist()})
    except InputError:
        return 0


def _measure_method(work: _Measuring, one: _Told, clustered: bool) -> Measured:
    evaluations, intervals = [], []
    for seed, told in one.of.items():
        work.progress(f"measuring {one.title}, {told.facts.nomenclature}, seed {seed}")
        evaluations.append(evaluate(told))
        itself = {
            name: compare(
                told, told, Figure("sample", name), resamples=work.resamples, clustered=clustered
            )
            for name in FIGURES
        }
        intervals.append({name: found.intervals[-1] for name, found in itself.items()})
    return Measured(
        one.name, one.title, one.paper, one.baseline, tuple(one.of), evaluations, intervals
    )


def _compare_methods(
    work: _Measuring, labels: str, methods: Sequence[_Told], clustered: bool
) -> list[Versus]:
    """Every two methods, with Holm's correction over all pairs of a seed; neighbours first."""
    turned = list(reversed(methods))
    pairs = list(combinations(range(len(turned)), 2))
    found: dict[tuple[int, int], list[Comparison]] = {pair: [] for pair in pairs}
    for seed in work.folder.experiment.seeds:
        if pairs and all(seed in one.of for one in turned):
            work.progress(f"comparing methods, labels {labels}, seed {seed}")
            compared = compare_all(
                [one.of[seed] for one in turned], resamples=work.resamples, clustered=clustered
            )
            for pair, comparison in zip(pairs, compared, strict=True):
                found[pair].append(comparison)
    ordered = sorted(pairs, key=lambda pair: (pair[1] - pair[0], -pair[0]))
    return [
        Versus(turned[i].title, turned[j].title, found[i, j]) for i, j in ordered if found[i, j]
    ]


def _find_mistaken(methods: Sequence[_Told], measured: Sequence[Measured]) -> Mistaken | None:
    """Of the method with the highest F1, by its first seed."""
    if not methods:
        return None
    best = max(range(len(methods)), key=lambda i: measured[i].mean("f1"))
    seed, told = next(iter(methods[best].of.items()))
    return count_mistaken(told, methods[best].title, seed)


def _find_answers(folder: Folder, labels: str, methods: Sequence[_Told]) -> list[Answer]:
    if labels != folder.experiment.labels[0]:
        return []
    told = {one.title: next(iter(one.of.values())) for one in methods}
    return answers_of(told, [example.patch_id for example in folder.material.examples or ()])


def _measure_variants(work: _Measuring) -> Iterator[Versus]:
    labels, seed = work.folder.experiment.labels[0], work.folder.experiment.seeds[0]
    default = _default_run(work.folder)
    if default is None:
        return
    base = work.read(default)
    clustered = count_tiles(base) >= FEWEST_TILES
    for run in work.folder.variants:
        if run.file.is_file():
            name = run.planned.method.name
            work.progress(f"comparing {name}, labels {labels}, seed {seed}")
            told = work.read(run)
            with errors_at(run.file):
                found = compare(told, base, resamples=work.resamples, clustered=clustered)
            yield Versus(name, base.facts.model, [found])


def _default_run(folder: Folder) -> Run | None:
    """S-CNN-All with the first labels and the first seed; None where it has no predictions."""
    runs = folder.runs_of(folder.experiment.labels[0], DEFAULT)
    first = folder.experiment.seeds[0]
    return next((r for r in runs if r.planned.seed == first and r.file.is_file()), None)
