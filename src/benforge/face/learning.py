"""From an archive to a classifier and its figures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from benforge.archive.sidecars import write_split
from benforge.core.predictions import Predictions
from benforge.core.progress import Progress, silent
from benforge.core.split import Split
from benforge.errors import InputError
from benforge.evaluation import evaluate as evaluation
from benforge.evaluation import files
from benforge.evaluation.compare import RESAMPLES
from benforge.evaluation.compare import compare as hold
from benforge.evaluation.comparison import Comparison
from benforge.evaluation.figure import Figure
from benforge.evaluation.threshold import Threshold, check_tunes, tune
from benforge.face.archive import open  # noqa: A004
from benforge.face.places import AnyArchive, AnyPath, AnyRun, folder_of, run_of
from benforge.face.words import checked
from benforge.inference.predict import predict as ask
from benforge.loading.devices import find_device
from benforge.splits.request import SplitRequest, divide
from benforge.training.recipe import TrainRecipe, TrainRequest, change_recipe
from benforge.training.train import TrainSummary
from benforge.training.train import train as train_model

AnyPredictions = Predictions | AnyPath


@checked
def split(
    archive: AnyArchive,
    rule: str = "paper-random",
    *,
    name: str = "",
    seed: int | None = None,
    flags: Sequence[str] = (),
    labelled: str | None = None,
    lists: AnyPath | None = None,
) -> Split:
    """Divide an archive into train, validation and test, and keep that with it.

    Args:
        archive: open, or its folder.
        rule: "paper-random", "ben-v1", "ben-v2", "by-tile" or "published".
        name: of the split; that of the rule if empty.
        seed: of rules that draw; 1 if None.
        flags: whose snow and clouds to leave out; all of the archive if empty, `["none"]` for none.
        labelled: leave out patches without a label in this nomenclature.
        lists: folder of the published lists, for the rule "published".

    Raises:
        BenError: an unknown rule, an empty part, or another split of that name.

    Example:
        >>> ben.split("archive", "paper-random", seed=1).sizes
        {'train': 40, 'validation': 13, 'test': 13}
    """
    request = SplitRequest(
        rule=rule,
        name=name,
        seed=seed,
        flags=flags,
        labelled=labelled,
        lists=None if lists is None else Path(lists),
    )
    root = folder_of(archive)
    found = divide(open(root), request)
    write_split(root, found)
    return found


@checked
def train(
    archive: AnyArchive,
    out: AnyPath,
    *,
    split: str,
    model: str = "scnn-all",
    labels: AnyPath = "43",
    epochs: int = 100,
    seed: int = 1,
    options: Mapping[str, object] | None = None,
    recipe: Mapping[str, object] | None = None,
    device: str = "",
    progress: Progress = silent,
) -> TrainSummary:
    """Train a model on a split of an archive; called again it goes on where it was cut off.

    Args:
        archive: open, or its folder.
        out: folder of the run.
        split: of the archive.
        model: of docs/models.md, `timm:NAME`, or `module:NAME`, a `ModelSpec` of yours.
        labels: "43", "19", "level2", "level1", or a TOML file of classes of yours.
        epochs: times that every training patch is seen.
        seed: of weights, order, turns and dropout.
        options: of the model, `{"dropout": 0.2}`.
        recipe: of the training, `{"batch_size": 64}`; docs/training.md has all.
        device: "cpu" or "cuda"; the GPU where there is one if empty.
        progress: told loss, figures and speed.

    Returns:
        The run: its folder, best figure, speed; what `predict`, `embed` and `map` take.

    Raises:
        BenError: an unknown model, label or choice, an empty part, a loss that is no number.

    Example:
        >>> run = ben.train("archive", "run", split="paper-random", model="scnn-rgb", epochs=1)
        >>> run.run, run.epochs
        ('run', 1)
    """
    request = TrainRequest(
        model=model,
        split=split,
        labels=os.fspath(labels),
        seed=seed,
        options=dict(options or {}),
        recipe=change_recipe(TrainRecipe(epochs=epochs), recipe or {}),
    )
    return train_model(folder_of(archive), request, Path(out), device=device, progress=progress)


@checked
def predict(
    run: AnyRun,
    archive: AnyArchive,
    *,
    split: str | None = None,
    part: str = "test",
    device: str = "",
    batch_size: int = 128,
    progress: Progress = silent,
) -> Predictions:
    """Ask a trained model about patches.

    Args:
        run: what `train` returned, its folder, or a `model.safetensors`.
        archive: open, or its folder; need not be the one that was trained on.
        split: of the archive; None asks about all patches.
        part: of the split.
        device: "cpu" or "cuda"; the GPU where there is one if empty.
        batch_size: patches at once.
        progress: told how many are done.

    Returns:
        Scores and targets, `patch label`, with ids, classes and where they come from.

    Raises:
        BenError: no such run or split, or patches that are not what the model was trained on.

    Example:
        >>> predictions = ben.predict("run", "archive", split="paper-random", part="test")
        >>> predictions.scores.shape, len(predictions.classes)
        ((13, 43), 43)
    """
    return ask(
        run_of(run),
        folder_of(archive),
        split=split,
        part=part,
        device=find_device(device),
        batch_size=batch_size,
        progress=progress,
    )


@checked
def evaluate(
    predictions: AnyPredictions,
    *,
    threshold: float | None = None,
    tune_on: AnyPredictions | None = None,
) -> evaluation.Evaluation:
    """Measure predictions: precision, recall, F, rankings, calibration.

    Args:
        predictions: of a part of a split, or their file.
        threshold: score from which on a class is a label; 0.5 if None.
        tune_on: predictions of validation, to choose the threshold by.

    Returns:
        Every figure by name, as `.sample.f1`; printed, the few that are read first.

    Raises:
        BenError: no such file, a threshold and `tune_on`, or predictions of other classes, or of
            the same patches, to tune on.

    Example:
        >>> figures = ben.evaluate(predictions, threshold=0.5)
        >>> figures.patches, 0 <= figures.sample.f1 <= 1
        (13, True)
    """
    if threshold is not None and tune_on is not None:
        raise InputError("a threshold is either named or tuned", do="Give threshold or tune_on")
    told = _read(predictions)
    chosen = None if threshold is None else Threshold(value=threshold)
    if tune_on is not None:
        validation = _read(tune_on)
        check_tunes(validation, told)
        chosen = tune(validation)
    return evaluation.evaluate(told, chosen)


@checked
def compare(
    a: AnyPredictions,
    b: AnyPredictions,
    figure: str = "f1",
    *,
    resamples: int = RESAMPLES,
    seed: int = 1,
    clustered: bool = True,
) -> Comparison:
    """Compare two models on the same patches: the difference, its interval, whether it is chance.

    Args:
        a: predictions of one, or their file.
        b: of the other.
        figure: "precision", "recall", "f1", "f2" of samples; "micro-f1", "macro-f1".
        resamples: of each test.
        seed: of chance.
        clustered: resample whole tiles too, of which there must be two or more.

    Raises:
        BenError: other patches or classes, or an unknown figure.

    Example:
        >>> ben.compare(predictions, predictions).difference
        0.0
    """
    named = Figure.parse(figure)
    return hold(_read(a), _read(b), named, resamples=resamples, seed=seed, clustered=clustered)


@checked
def write_predictions(path: AnyPath, predictions: Predictions) -> Path:
    """Write predictions to a Parquet file that any tool reads.

    Raises:
        ConflictError: another file than one of predictions is there.
        StorageError: the disk is full.

    Example:
        >>> ben.write_predictions("test.parquet", predictions).name
        'test.parquet'
    """
    return files.write_predictions(Path(path), predictions)


@checked
def read_predictions(path: AnyPath) -> Predictions:
    """Read predictions, of benforge or of any tool that writes ids, scores, targets and classes.

    Raises:
        MissingError: there is no such file.
        InputError: it holds no predictions.

    Example:
        >>> len(ben.read_predictions("test.parquet"))
        13
    """
    return files.read_predictions(Path(path))


def _read(predictions: AnyPredictions) -> Predictions:
    return predictions if isinstance(predictions, Predictions) else read_predictions(predictions)
