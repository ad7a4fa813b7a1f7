"""The folder of an experiment, read: what was planned, and what is there of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benforge.core.contract import Contract
from benforge.core.predictions import Predictions
from benforge.errors import InputError
from benforge.evaluation.files import read_predictions
from benforge.experiments.baselines import TITLES
from benforge.experiments.material import Material, read_material
from benforge.experiments.plan import (
    BASELINES,
    PREDICTIONS,
    Experiment,
    PlannedRun,
    plan_runs,
    read_experiment,
    run_folder,
)
from benforge.models.checkpoint import WEIGHTS, read_contract
from benforge.training.journal import Line, read_log


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One training, or what is there of it.

    Args:
        planned: which it is.
        lines: its epochs so far.
        contract: of its checkpoint; None where there is none yet.
    """

    planned: PlannedRun
    lines: Sequence[Line]
    contract: Contract | None

    @property
    def name(self) -> str:
        """For readers: "scnn-all, labels 43, seed 1"."""
        return f"{self.planned.method.name}, labels {self.planned.labels}, seed {self.planned.seed}"

    @property
    def file(self) -> Path:
        """Of its predictions of the test part."""
        return self.planned.folder / PREDICTIONS

    @property
    def title(self) -> str:
        """For tables; says where weights are random. The folder's name before there are any."""
        return self.contract.title if self.contract else self.planned.method.name


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """An experiment and what is there of it.

    Args:
        path: its folder.
        experiment: as planned.
        runs: of the methods, as planned.
        variants: runs of the choices that the paper leaves open.
        material: of the archive.
    """

    path: Path
    experiment: Experiment
    runs: Sequence[Run]
    variants: Sequence[Run]
    material: Material

    def runs_of(self, labels: str, method: str = "") -> list[Run]:
        """The runs on a set of labels; of one method if it is named."""
        return [
            run
            for run in self.runs
            if run.planned.labels == labels and method in ("", run.planned.method.name)
        ]

    def missing(self) -> list[str]:
        """What is planned and not there, in words."""
        lost = [
            f"{run.name}: {_stage(run)}"
            for run in (*self.runs, *self.variants)
            if not run.file.is_file()
        ]
        for labels in self.experiment.labels:
            lost += [
                f"{TITLES[name]}, labels {labels}: no predictions"
                for name in BASELINES
                if not self.baseline(labels, name).is_file()
            ]
        kept = {"leakage": "leakage of the split", "split": "patches of each class in training"}
        lost += [what for name, what in kept.items() if getattr(self.material, name) is None]
        return lost + (["patches to show"] if self.material.examples is None else [])

    def baseline(self, labels: str, name: str) -> Path:
        """The file of a baseline's predictions."""
        return run_folder(self.path, labels, name, self.experiment.seeds[0]) / PREDICTIONS

    def read(self, file: Path) -> Predictions:
        """Predictions of this experiment.

        Raises:
            InputError: the file is damaged, or of another split.
        """
        found = read_predictions(file)
        if found.facts.split_digest != self.experiment.split_digest or found.facts.part != "test":
            raise InputError(
                "predictions of other patches than the experiment's test part",
                where=file,
                do="Remove the file and run the experiment again",
            )
        return found


def _stage(run: Run) -> str:
    return f"{len(run.lines)} epochs trained, no predictions" if run.lines else "not begun"


def read_folder(path: Path) -> Folder:
    """What an experiment wrote into a folder.

    Raises:
        MissingError: the folder holds no experiment.
        InputError: a file of it is damaged; names it.
    """
    experiment = read_experiment(path)
    runs = [_read_run(planned) for planned in plan_runs(path, experiment)]
    count = len(runs) - len(experiment.variants)
    return Folder(path, experiment, runs[:count], runs[count:], read_material(path))


def _read_run(planned: PlannedRun) -> Run:
    has_weights = (planned.folder / WEIGHTS).is_file()
    contract = read_contract(planned.folder) if has_weights else None
    return Run(planned, read_log(planned.folder), contract)


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
