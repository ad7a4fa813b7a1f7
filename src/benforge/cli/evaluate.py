"""The verbs that measure predictions, and that compare two models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from benforge.cli.figures import print_comparison, print_comparisons, print_evaluation
from benforge.cli.main import app
from benforge.cli.options import JsonOption
from benforge.cli.terminal import err, print_json
from benforge.errors import InputError, errors_at

if TYPE_CHECKING:
    from benforge.core.predictions import Predictions
    from benforge.evaluation.figure import Figure
    from benforge.evaluation.threshold import Threshold

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
