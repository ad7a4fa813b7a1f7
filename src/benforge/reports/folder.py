"""The folder of an experiment, read: what was planned, and what is there of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benforge.core.contract import Contract
from benforge.core.files import read_json
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
from benforge.loading.targets import LABELS
from benforge.models.checkpoint import CONTRACT, WEIGHTS, read_contract
from benforge.models.registry import all_options, find_model
from benforge.training.journal import LOG, Line, read_log
from benforge.training.run import RUN, read_run

_ADVICE = "Remove the folder of the run and run the experiment again"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One training, or what is there of it.

    Args:
        planned: which it is.
        lines: its epochs so far.
        contract: of its checkpoint; None where there is none yet.
        lost: names of the files of it that are not there, or empty.
    """

    planned: PlannedRun
    lines: Sequence[Line]
    contract: Contract | None
    lost: Sequence[str] = ()

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
            f"{run.name}: {stage}" for run in (*self.runs, *self.variants) if (stage := _stage(run))
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

    def read(self, run: Run) -> Predictions:
        """The predictions of a run, held against its weights.

        Raises:
            InputError: the file is damaged, of another split, or of another run.
        """
        found = self._read(run.file, run.planned.labels)
        facts, title = found.facts, find_model(run.planned.method.model).title
        if not facts.model.startswith(title) or facts.run != run.planned.folder.name:
            raise _foreign(f"not predicted by {run.name}, but by {_by(found)}", run.file)
        if run.contract and facts.extra.get("weights") != digest(run.planned.folder / WEIGHTS):
            raise _foreign(f"not predicted by the weights beside it: by {_by(found)}", run.file)
        return found

    def read_baseline(self, labels: str, name: str) -> Predictions:
        """The predictions of a baseline.

        Raises:
            InputError: the file is damaged, of another split, or of another method.
        """
        file = self.baseline(labels, name)
        found = self._read(file, labels)
        if found.facts.model != TITLES[name]:
            raise _foreign(f"not predicted by {TITLES[name]}, but by {_by(found)}", file)
        return found

    def _read(self, file: Path, labels: str) -> Predictions:
        facts = (found := read_predictions(file)).facts
        if facts.split_digest != self.experiment.split_digest or facts.part != "test":
            raise _foreign("predictions of other patches than the experiment's test part", file)
        if facts.nomenclature != LABELS[labels]:
            raise _foreign(f"predictions of {facts.nomenclature}, not {LABELS[labels]}", file)
        return found


def _by(found: Predictions) -> str:
    names = [name for name in (found.facts.model, found.facts.run) if name]
    return ", ".join(names) or "an unknown model"


def _foreign(what: str, file: Path) -> InputError:
    return InputError(what, where=file, do="Remove the file and run the experiment again")


def _stage(run: Run) -> str:
    """What a run lacks; "" for nothing."""
    if not run.file.is_file():
        return f"{len(run.lines)} epochs trained, no predictions" if run.lines else "not begun"
    if run.lost:
        *names, last = run.lost
        before = ", ".join(names) + " and " if names else ""
        return f"predicted, but without {before}{last}"
    return ""


def read_folder(path: Path) -> Folder:
    """What an experiment wrote into a folder.

    Raises:
        MissingError: the folder holds no experiment.
        InputError: a file of it is damaged, or of another run; names it.
    """
    experiment = read_experiment(path)
    runs = [_read_run(experiment, planned) for planned in plan_runs(path, experiment)]
    count = len(runs) - len(experiment.variants)
    return Folder(path, experiment, runs[:count], runs[count:], read_material(path))


def _read_run(experiment: Experiment, planned: PlannedRun) -> Run:
    """What is there of a run, each file held against what was planned."""
    folder = planned.folder
    lines = read_log(folder)
    lost = [name for name in (RUN, WEIGHTS, CONTRACT) if _is_empty(folder / name)]
    if RUN not in lost:
        _check_asked(experiment, planned)
    if CONTRACT not in lost:
        read_json(folder / CONTRACT, Contract, do=f"Remove it: {WEIGHTS} holds the same")
    contract = _read_contract(planned) if WEIGHTS not in lost else None
    return Run(planned, lines, contract, [*([] if lines else [LOG]), *lost])


def _is_empty(path: Path) -> bool:
    return not path.is_file() or not path.stat().st_size


def _check_asked(experiment: Experiment, planned: PlannedRun) -> None:
    """Raise where a run's folder holds another training than the one that was planned."""
    asked, wanted = read_run(planned.folder).request, planned.request(experiment)
    options = all_options(wanted.model, wanted.options)
    if asked != msgspec.structs.replace(wanted, options=options):
        told = f"{asked.model}, labels {asked.labels}, seed {asked.seed}"
        raise InputError(f"of another training, {told}", where=planned.folder / RUN, do=_ADVICE)


def _read_contract(planned: PlannedRun) -> Contract:
    """The contract of a run's weights, held against what was planned."""
    contract = read_contract(planned.folder)
    told = contract.model, contract.nomenclature, contract.recipe.get("seed")
    if told != (planned.method.model, LABELS[planned.labels], planned.seed):
        what = f"weights of another run: {told[0]}, {told[1]}, seed {told[2]}"
        raise InputError(what, where=planned.folder / WEIGHTS, do=_ADVICE)
    return contract


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
