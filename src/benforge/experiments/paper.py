"""The paper's experiment on any archive: every method, on every set of labels, with every seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.files import storage_errors, write_atomic
from benforge.core.progress import Progress, silent
from benforge.errors import ConflictError, InputError
from benforge.evaluation.files import write_predictions
from benforge.experiments.baselines import predict_baseline
from benforge.experiments.check import check_experiment
from benforge.experiments.material import write_material
from benforge.experiments.plan import (
    BASELINES,
    NOTE,
    PAPER_METHODS,
    PREDICTIONS,
    VALIDATION,
    Experiment,
    Method,
    PlannedRun,
    parse_labels,
    plan_runs,
    read_experiment,
    run_folder,
)
from benforge.inference.predict import predict
from benforge.loading.devices import find_device
from benforge.loading.targets import LABELS
from benforge.models.registry import all_options
from benforge.training.recipe import TrainRecipe
from benforge.training.train import train


class ExperimentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment came to.

    Args:
        folder: of it.
        trainings: in all.
        new: trained in this go.
        labels: the sets that were learned.
        seeds: of the trainings.
        methods: that were compared, baselines included.
    """

    folder: str
    trainings: int
    new: int
    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    methods: tuple[str, ...]


def plan_paper(
    archive: Path,
    split: str,
    *,
    labels: Sequence[str] = tuple(LABELS),
    seeds: int = 3,
    recipe: TrainRecipe | None = None,
    weights: Path | None = None,
    methods: Sequence[Method] = PAPER_METHODS,
    variants: Sequence[Method] = (),
) -> Experiment:
    """What the paper's experiment is on this archive; nothing is written.

    Args:
        archive: its folder.
        split: its name.
        labels: words of `loading.targets.LABELS`.
        seeds: trainings of each method, with seeds 1, 2, ...
        recipe: of all trainings; the paper's 100 epochs if None.
        weights: ImageNet's, for Inception-v2; random ones if None.
        methods: what is compared.
        variants: choices left open, to tell how much they matter.

    Raises:
        InputError: unknown labels, or no seed.
        MissingError: no such archive or split.
    """
    opened = Archive.open(archive)
    if seeds < 1:
        raise InputError(f"{seeds} seeds", where="seeds", do="Name 1 or more")
    return Experiment(
        name="paper",
        archive=opened.root.resolve().name,
        patches=len(opened),
        simulated=bool(opened.meta.simulated),
        split=split,
        split_digest=read_split(opened.root, split).digest,
        labels=parse_labels(labels, LABELS),
        seeds=tuple(range(1, seeds + 1)),
        methods=tuple(_resolved(_with_weights(method, weights)) for method in methods),
        recipe=recipe or TrainRecipe(),
        variants=tuple(map(_resolved, variants)),
    )


def _resolved(method: Method) -> Method:
    """With every option of its model, so that other defaults do not change what was run."""
    return msgspec.structs.replace(method, options=all_options(method.model, method.options))


def _with_weights(method: Method, weights: Path | None) -> Method:
    if weights is None or method.model != "inception-v2-frozen":
        return method
    options = {**method.options, "weights": str(weights)}
    return msgspec.structs.replace(method, options=options)


def run_experiment(
    archive: Path,
    experiment: Experiment,
    out: Path,
    *,
    device: str = "",
    progress: Progress = silent,
) -> ExperimentSummary:
    """Train what is not trained, predict what is not predicted; the same call goes on.

    Args:
        archive: its folder.
        experiment: as planned.
        out: folder of the experiment.
        device: "cpu" or "cuda"; the GPU where there is one if empty.
        progress: told which run is under way.

    Raises:
        ConflictError: the folder holds another experiment.
        InputError: what is asked for cannot be had; then nothing is written.
        BenError: whatever a training raises.
    """
    check_experiment(archive, experiment, out, device)
    _claim(out, experiment)
    _baselines(archive, experiment, out, progress)
    runs, new = list(plan_runs(out, experiment)), 0
    for number, run in enumerate(runs):
        if (run.folder / PREDICTIONS).is_file():
            continue
        _run(archive, experiment, run, out, device, _within(progress, run, number, len(runs)))
        new += 1
    write_material(archive, experiment, out, progress)
    return ExperimentSummary(
        folder=str(out),
        trainings=len(runs),
        new=new,
        labels=experiment.labels,
        seeds=experiment.seeds,
        methods=(*BASELINES, *(method.name for method in experiment.methods)),
    )


def _claim(out: Path, experiment: Experiment) -> None:
    path = out / NOTE
    if path.is_file():
        if read_experiment(out) != experiment:
            raise ConflictError(
                "the folder holds another experiment", where=out, do="Name a new folder"
            )
        return
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    if others := sorted(p.name for p in out.iterdir() if not p.name.startswith(".")):
        raise ConflictError(
            f"the folder holds other things, such as {others[0]}", where=out, do="Name a new folder"
        )
    text = msgspec.json.encode(experiment, order="deterministic")
    write_atomic(path, msgspec.json.format(text, indent=2) + b"\n")


def _baselines(archive: Path, experiment: Experiment, out: Path, progress: Progress) -> None:
    for labels in experiment.labels:
        for name in BASELINES:
            path = run_folder(out, labels, name, experiment.seeds[0]) / PREDICTIONS
            if not path.is_file():
                progress(f"baseline {name}, labels {labels}")
                found = predict_baseline(archive, experiment.split, labels, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_predictions(path, found)


def _run(
    archive: Path,
    experiment: Experiment,
    run: PlannedRun,
    out: Path,
    device: str,
    progress: Progress,
) -> None:
    train(
        archive,
        run.request(experiment),
        run.folder,
        device=device,
        cache=out / "features",
        progress=progress,
    )
    for part, file in (("validation", VALIDATION), ("test", PREDICTIONS)):
        found = predict(
            run.folder,
            archive,
            split=experiment.split,
            part=part,
            device=find_device(device),
            progress=progress,
        )
        write_predictions(run.folder / file, found)


def _within(progress: Progress, run: PlannedRun, number: int, runs: int) -> Progress:
    """Progress of one run as a share of all."""

    def tell(message: str, done: float = 0, total: float = 0) -> None:
        share = done / total if total else 0.0
        title = f"{run.method.name}, labels {run.labels}, seed {run.seed}"
        progress(f"{title}: {message}", number + share, runs)

    return tell
