"""A small experiment, made up: predictions with known scores, logs and contracts; no training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from torch import nn

from benforge.core.contract import Contract, Normalisation
from benforge.core.nomenclature import load_nomenclature
from benforge.core.predictions import PredictionFacts, Predictions
from benforge.evaluation.files import write_predictions
from benforge.experiments.baselines import TITLES
from benforge.experiments.material import ClassCounts, Example, SplitFacts
from benforge.experiments.plan import (
    BASELINES,
    NOTE,
    PAPER_METHODS,
    PREDICTIONS,
    Experiment,
    PlannedRun,
    plan_runs,
    plan_variants,
    run_folder,
)
from benforge.loading.targets import LABELS
from benforge.models.checkpoint import hash_weights, write_checkpoint
from benforge.models.registry import all_options
from benforge.splits.leakage import Contacts, Count, Leakage, PartLeakage
from benforge.splits.summary import SplitSummary
from benforge.training.journal import LOG, Line
from benforge.training.recipe import TrainRecipe
from benforge.training.run import RunNote, claim_run

TILES = ("33UUP", "29SNB", "34TFQ", "35VPK", "32TMT", "31UDQ")
PATCHES = 48
DIGEST = "0" * 64
TITLES_OF = {
    "inception-v2": "Inception-v2 (random weights)",
    "scnn-rgb": "S-CNN-RGB",
    "scnn-all": "S-CNN-All",
    **TITLES,
}
SKILL = {"inception-v2": 1.0, "scnn-rgb": 2.0, "scnn-all": 4.0, "prior": 0.0, "band-means": 1.5}


def made_experiment(
    *, simulated: bool = True, labels: Sequence[str] = ("43", "level1"), seeds: int = 2
) -> Experiment:
    """The paper's methods and two variants."""
    return Experiment(
        name="paper",
        archive="made-up",
        patches=200,
        simulated=simulated,
        split="by-tile",
        split_digest=DIGEST,
        labels=tuple(labels),
        seeds=tuple(range(1, seeds + 1)),
        methods=PAPER_METHODS,
        recipe=TrainRecipe(epochs=3, batch_size=32),
        variants=plan_variants(TrainRecipe())[1:3],
    )


def patch_ids(tiles: Sequence[str] = TILES) -> list[str]:
    product = "S2A_MSIL2A_20170613T101031_N0205_R022_T"
    return [f"{product}{tiles[i % len(tiles)]}_{i:02d}_07" for i in range(PATCHES)]


def made_predictions(
    experiment: Experiment,
    labels: str,
    name: str,
    seed: int,
    tiles: Sequence[str] = TILES,
    weights: str = "",
) -> Predictions:
    """By chance, the better the more skill; the first class is in no patch."""
    nomenclature = load_nomenclature(LABELS[labels])
    classes = len(nomenclature)
    targets = np.random.default_rng(classes).random((PATCHES, classes)) < 3 / classes
    targets[np.arange(PATCHES), np.arange(PATCHES) % classes] = True
    targets[:, 0] = False
    noise = np.random.default_rng([seed, len(name), classes]).normal(size=targets.shape)
    skill = SKILL.get(name, 3.0)
    return Predictions.of(
        patch_ids(tiles),
        1 / (1 + np.exp(skill / 2 - skill * targets - noise)),
        targets,
        nomenclature.names,
        PredictionFacts(
            nomenclature=nomenclature.name,
            model=TITLES_OF.get(name, "S-CNN-All"),
            run=f"seed-{seed}",
            split=experiment.split,
            part="test",
            split_digest=DIGEST,
            archive=experiment.archive,
            simulated=experiment.simulated,
            extra={"weights": weights},
        ),
    )


def write_experiment(
    out: Path, experiment: Experiment, *, tiles: Sequence[str] = TILES, material: bool = True
) -> Path:
    """All that `run_experiment` writes and a report reads."""
    out.mkdir(parents=True)
    (out / NOTE).write_bytes(msgspec.json.encode(experiment))
    for run in plan_runs(out, experiment):
        _write_run(experiment, run, tiles)
    for labels in experiment.labels:
        for name in BASELINES:
            folder = run_folder(out, labels, name, experiment.seeds[0])
            told = made_predictions(experiment, labels, name, 1, tiles)
            write_predictions(folder / PREDICTIONS, told)
    if material:
        _write_material(out, experiment, tiles)
    return out


def _write_run(experiment: Experiment, run: PlannedRun, tiles: Sequence[str]) -> None:
    nomenclature = load_nomenclature(LABELS[run.labels])
    run.folder.mkdir(parents=True)
    lines = [_line(epoch, run.seed) for epoch in (1, 2, 3)]
    (run.folder / LOG).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    contract = Contract(
        model=run.method.model,
        title=TITLES_OF.get(run.method.name, "S-CNN-All"),
        bands=("B04", "B03", "B02"),
        quantification=10_000,
        kernel="cubic-0.5",
        normalisation=Normalisation(source="none", mean=(0, 0, 0), std=(1, 1, 1)),
        nomenclature=nomenclature.name,
        classes=nomenclature.names,
        split=experiment.split,
        split_digest=DIGEST,
        archive=experiment.archive,
        simulated=experiment.simulated,
        epoch=3,
        options=dict(run.method.options),
        recipe={"seed": run.seed},
        versions={"benforge": "0.1.0", "torch": "9.9"},
    )
    write_checkpoint(run.folder, nn.Linear(1, 1), contract)
    weights = hash_weights(run.folder)
    told = made_predictions(experiment, run.labels, run.method.name, run.seed, tiles, weights)
    write_predictions(run.folder / PREDICTIONS, told)
    request = run.request(experiment)
    claim_run(
        run.folder,
        RunNote(
            archive=experiment.archive,
            patches=experiment.patches,
            split_digest=DIGEST,
            request=msgspec.structs.replace(
                request, options=all_options(request.model, request.options)
            ),
        ),
    )


def _line(epoch: int, seed: int) -> Line:
    validation = {"loss": 0.6 / epoch, "precision": 0.5, "recall": 0.5, "f1": 0.2 * epoch}
    return Line(
        epoch=epoch,
        train_loss=0.8 / epoch + 0.01 * seed,
        train_f1=0.1 * epoch,
        rate=0.05,
        patches_per_second=100.0,
        waiting=0.25,
        seconds=10.0,
        validation=validation,
        kept=True,
    )


def _write_material(out: Path, experiment: Experiment, tiles: Sequence[str]) -> None:
    zero = Count(patches=0, footprints=0)
    none = Contacts(equal=zero, overlap=zero, touch=zero, ground=zero, any=zero)
    ten, whole = Count(patches=10, footprints=12), Count(patches=48, footprints=48)
    some = Contacts(equal=zero, overlap=ten, touch=ten, ground=ten, any=ten)
    test = PartLeakage(total=whole, all=some, same_tile=some, other_tile=none, other_zone=none)
    simulated = experiment.simulated
    leakage = Leakage(split="by-tile", train=whole, validation=test, test=test, simulated=simulated)
    counts = {
        labels: {
            name: ClassCounts(0 if place == 1 else 9, 3, 3)
            for place, name in enumerate(load_nomenclature(LABELS[labels]).names)
        }
        for labels in experiment.labels
    }
    summary = SplitSummary(
        name="by-tile",
        rule="by-tile",
        seed=1,
        sizes={"train": 100, "validation": 52, "test": PATCHES},
        digest=DIGEST,
        parameters={},
    )
    examples = [
        Example(patch_id=one, taken="13 June 2017, Austria", picture=b"\x89PNG")
        for one in patch_ids(tiles)[:3]
    ]
    kept: dict[str, Any] = {
        "leakage": leakage,
        "classes": SplitFacts(split=summary, classes=counts),
        "examples": examples,
    }
    for name, value in kept.items():
        (out / f"{name}.json").write_bytes(msgspec.json.encode(value))
