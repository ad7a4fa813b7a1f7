"""The verbs that measure predictions, and that compare two models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import JsonOption
from benforge.cli.terminal import err, out, print_facts, print_json
from benforge.errors import InputError, errors_at

if TYPE_CHECKING:
    from benforge.core.predictions import Predictions
    from benforge.evaluation.comparison import Comparison, Interval
    from benforge.evaluation.evaluate import ClassFigures, Evaluation, Figures
    from benforge.evaluation.figure import Figure
    from benforge.evaluation.threshold import Threshold

FEW = 20
"""Tiles below which intervals and tests of the bootstrap promise too much."""

RANDOMISATION = "approximate randomisation"

PredictionsArgument = Annotated[
    Path, typer.Argument(help="Parquet file of predictions.", metavar="FILE.parquet")
]


@app.command()
def evaluate(
    file: PredictionsArgument,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Predict from this score on; the file's if left out."),
    ] = None,
    tune: Annotated[
        Path | None,
        typer.Option(help="Predictions of the validation part, to tune the threshold on."),
    ] = None,
    per_class_thresholds: Annotated[
        bool, typer.Option("--per-class-thresholds", help="With --tune: one threshold a class.")
    ] = False,
    per_class: Annotated[bool, typer.Option("--per-class", help="Show every class too.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure predictions: precision, recall, F, rankings, calibration.

    `ben evaluate test.parquet` · `ben evaluate test.parquet --tune validation.parquet`
    """
    from benforge.evaluation.evaluate import evaluate as measure
    from benforge.evaluation.files import read_predictions

    _check_options(threshold, tune, per_class_thresholds)
    predictions = read_predictions(file)
    found = measure(predictions, _threshold(predictions, threshold, tune, per_class_thresholds))
    print_json(msgspec.to_builtins(found)) if json else print_evaluation(found, per_class)
    if found.trained_on:
        err.print(
            f"{found.trained_on:,} of the {found.patches:,} patches were trained on: figures are "
            "higher than on patches that were not",
            markup=False,
        )


@app.command()
def compare(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Two files of predictions or more, each of a model.", metavar="FILE.parquet..."
        ),
    ],
    figure: Annotated[
        str, typer.Option(help="precision, recall, f1, f2, f0.5 of samples; micro-f1, macro-f1.")
    ] = "f1",
    resamples: Annotated[int, typer.Option(min=1, help="Of each test.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of chance.")] = 1,
    plain: Annotated[
        bool, typer.Option("--plain", help="Resample patches alone, not whole tiles too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare models on the same patches: the difference, its interval, whether it is chance.

    Of three models or more, every two are compared, with Holm's correction.

    `ben compare a.parquet b.parquet` · `ben compare *.parquet --figure macro-f1`
    """
    from benforge.evaluation.compare import compare as hold
    from benforge.evaluation.compare import compare_all
    from benforge.evaluation.files import read_predictions

    named = _figure(figure)
    if len(files) < 2:
        raise typer.BadParameter("name two files of predictions or more")
    told = [read_predictions(file) for file in files]
    if len(told) == 2:
        a, b = told
        found = hold(a, b, named, resamples=resamples, seed=seed, clustered=not plain)
        print_json(msgspec.to_builtins(found)) if json else print_comparison(found, *files)
        return
    every = compare_all(told, named, resamples=resamples, seed=seed, clustered=not plain)
    print_json(msgspec.to_builtins(every)) if json else print_comparisons(every, files)


def print_evaluation(found: Evaluation, per_class: bool) -> None:
    """The figures on standard output: the paper's first, precision and recall in %."""
    sizes = f"{found.patches:,} patches, {found.labels} classes"
    print_facts(f"{found.model or 'Predictions'}: {sizes}", _of_what(found))
    rows = [(name, getattr(found, name)) for name in ("sample", "micro", "macro", "weighted")]
    _print_table(("average", *_HEADINGS), [(name, *_cells(row)) for name, row in rows])
    print_facts("Other figures", _others(found))
    _print_calibration(found)
    if per_class:
        names = ("class", "patches", "predicted", *_HEADINGS, "AP")
        _print_table(names, [_class_cells(row) for row in found.per_class])


def print_comparison(found: Comparison, first: Path, second: Path) -> None:
    """Both values, their difference and the tests on standard output; a warning of few tiles."""
    names = [side.model or path.stem for side, path in ((found.a, first), (found.b, second))]
    print_facts(
        f"{found.figure} of {found.patches:,} patches"
        + (" (simulated)" if found.simulated else ""),
        {
            "first": f"{found.a.value:.4f}  {names[0]}, threshold {_show(found.a.threshold)}",
            "second": f"{found.b.value:.4f}  {names[1]}, threshold {_show(found.b.threshold)}",
            "difference": f"{found.difference:+.4f}{_effect(found)}",
            **{f"95 % by {i.units}": _interval(i.difference) for i in found.intervals},
        },
    )
    rows = [
        (t.test, f"{t.number:,} {t.units}", f"{t.p:.2g}", f"{t.smallest_p:.2g}")
        for t in found.tests
    ]
    decisions = f"{found.mcnemar.a_alone + found.mcnemar.b_alone:,} decisions"
    rows.append(("McNemar", decisions, f"{found.mcnemar.p:.2g}", ""))
    _print_table(("test", "units", "p", "smallest possible"), rows)
    _warn_of_few(found)


def print_comparisons(every: Sequence[Comparison], files: Sequence[Path]) -> None:
    """The value of each model, then every two of them; p by Holm's method over all pairs."""
    first = every[0]
    sides = [first.a, *(pair.b for pair in every[: len(files) - 1])]
    names = _names([side.model for side in sides], files)
    values = [f"{side.value:.4f}, threshold {_show(side.threshold)}" for side in sides]
    print_facts(
        f"{first.figure} of {first.patches:,} patches"
        + (" (simulated)" if first.simulated else ""),
        dict(zip(names, values, strict=True)),
    )
    units = first.intervals[-1].units
    tests = [f"p by {test.units}" for test in first.tests if test.test == RANDOMISATION]
    rows = [
        (
            f"{a} − {b}",
            f"{pair.difference:+.4f}",
            _interval(pair.intervals[-1].difference),
            *(_p(test.p_holm) for test in pair.tests if test.test == RANDOMISATION),
            _p(pair.mcnemar.p_holm),
        )
        for (a, b), pair in zip(combinations(names, 2), every, strict=True)
    ]
    _print_table(("models", "difference", f"95 % by {units}", *tests, "McNemar"), rows, (0, 2))
    out.print(
        "p of randomisation, and McNemar's, corrected by Holm's method over all pairs; --json has "
        "the bootstrap's too",
        markup=False,
    )
    _warn_of_few(first)


def _names(models: Sequence[str], files: Sequence[Path]) -> Sequence[str]:
    """What tells the models apart: their names, else those of their files, else the paths."""
    stems = [file.stem for file in files]
    several = (names for names in (models, stems) if len({*names, ""}) > len(files))
    return next(several, [str(file) for file in files])


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"


def _warn_of_few(found: Comparison) -> None:
    if found.tiles is not None and found.tiles < FEW:
        err.print(f"{found.tiles} tiles are few: what is said by tiles is rough", markup=False)


def _check_options(threshold: float | None, tune: Path | None, per_class: bool) -> None:
    if tune and threshold is not None:
        raise typer.BadParameter("name a --threshold or --tune one, not both")
    if per_class and not tune:
        raise typer.BadParameter("--per-class-thresholds are tuned: name predictions to --tune on")


def _threshold(
    predictions: Predictions, value: float | None, tune: Path | None, per_class: bool
) -> Threshold | None:
    """The threshold that was asked for; None for the one the predictions bring along."""
    from benforge.evaluation import threshold
    from benforge.evaluation.files import read_predictions

    if tune is None:
        return None if value is None else threshold.Threshold(value=value)
    validation = read_predictions(tune)
    with errors_at(tune):
        threshold.check_tunes(validation, predictions)
        return threshold.tune_classes(validation) if per_class else threshold.tune(validation)


def _figure(text: str) -> Figure:
    from benforge.evaluation.figure import Figure

    try:
        figure = Figure.parse(text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    return figure


_HEADINGS = ("P (%)", "R (%)", "F1", "F2", "F0.5")


def _cells(row: Figures | ClassFigures) -> tuple[str, ...]:
    shares = (f"{100 * row.precision:.2f}", f"{100 * row.recall:.2f}")
    return (*shares, *(f"{value:.4f}" for value in (row.f1, row.f2, row.f05)))


def _class_cells(row: ClassFigures) -> tuple[str, ...]:
    counts = f"{row.positives:,}", f"{row.predicted:,}"
    return row.name, *counts, *_cells(row), _show(row.average_precision)


def _of_what(found: Evaluation) -> dict[str, object]:
    part = f"{found.part} of {found.split}" if found.split else found.part
    archive = f"{found.archive}{', simulated' if found.simulated else ''}"
    facts = {"nomenclature": found.nomenclature, "part": part, "archive": archive.lstrip(", ")}
    told = f" for {found.threshold_figure}" if found.threshold_figure else ""
    threshold = f"{_show(found.threshold)}, {found.threshold_from}{told}"
    return {name: text for name, text in {**facts, "threshold": threshold}.items() if text}


def _others(found: Evaluation) -> dict[str, object]:
    precision = found.average_precision
    occur = f"{found.classes_that_occur} of {found.labels} classes occur"
    return {
        "average precision": f"micro {_show(precision.micro)}, macro {_show(precision.macro)}; "
        + occur,
        "hamming loss": _show(found.hamming_loss),
        "subset accuracy": _show(found.subset_accuracy),
        "one-error": _show(found.one_error),
        "coverage": f"{found.coverage:.2f} classes",
        "ranking loss": _show(found.ranking_loss),
        "LRAP": _show(found.lrap),
        "calibration error": _show(found.calibration.expected_error),
        "Brier score": _show(found.calibration.brier),
    }


def _print_calibration(found: Evaluation) -> None:
    rows = [
        (f"{b.low:.1f} to {b.high:.1f}", f"{b.decisions:,}", _show(b.mean_score), _show(b.true))
        for b in found.calibration.bins
    ]
    _print_table(("score", "decisions", "mean score", "true"), rows)


def _effect(found: Comparison) -> str:
    effect = found.effect
    if effect.a_better is None or effect.b_better is None:
        return ""
    d = "" if effect.cohens_d is None else f"Cohen's d {effect.cohens_d:.3f}, "
    return f"; {d}first better on {effect.a_better:.1%} of patches, second on {effect.b_better:.1%}"


def _interval(interval: Interval) -> str:
    return f"{interval[0]:+.4f} to {interval[1]:+.4f}"


def _show(value: float | tuple[float, ...] | None) -> str:
    if isinstance(value, tuple):
        return f"one a class, {min(value):.3f} to {max(value):.3f}"
    return "–" if value is None else f"{value:.4f}"


def _print_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[int] = ()
) -> None:
    """A table on standard output; columns that are `whole` are never broken."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="right" if i else "left", no_wrap=i in whole)
    for row in rows:
        table.add_row(*map(Text, row))
    out.print(table, soft_wrap=False)
