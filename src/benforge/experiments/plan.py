"""What an experiment is made of: methods, label sets and seeds, each with a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benforge.errors import InputError
from benforge.training.recipe import TrainRecipe
from benforge.training.setup import TrainRequest

NOTE = "experiment.json"
RUNS = "runs"
PREDICTIONS, VALIDATION = "test.parquet", "validation.parquet"


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One line of Table 4.

    Args:
        name: of its folder.
        model: in the registry.
        options: the model's.
        train: values of the training's recipe that are this method's own.
        paper: name of its line in the paper's Table 4; empty for one that the paper has not.
    """

    name: str
    model: str
    options: dict[str, Any] = {}
    train: dict[str, Any] = {}
    paper: str = ""


PAPER_METHODS = (
    Method(name="inception-v2", model="inception-v2-frozen", paper="Inception-v2"),
    Method(name="scnn-rgb", model="scnn-rgb", paper="S-CNN-RGB"),
    Method(name="scnn-all", model="scnn-all", paper="S-CNN-All"),
)
"""The three of the paper, worst first, as its Table 4 has them."""

VARIANTS = (
    Method(name="third-pooling", model="scnn-all", options={"third_pooling": True}),
    Method(name="no-batch-norm", model="scnn-all", options={"batch_norm": False}),
    Method(name="conv-dropout", model="scnn-all", options={"conv_dropout": 0.25}),
    Method(name="no-dropout", model="scnn-all", options={"dropout": 0.0}),
    Method(name="fc-512", model="scnn-all", options={"fc_width": 512}),
    Method(name="cubic-0.75", model="scnn-all", train={"kernel": "cubic-0.75"}),
    Method(name="rate-tenth", model="scnn-all", train={"learning_rate": 0.01}),
    Method(name="no-momentum", model="scnn-all", train={"momentum": 0.0}),
    Method(name="no-turns", model="scnn-all", train={"augment": False}),
    Method(name="last-epoch", model="scnn-all", train={"keep": "last"}),
)
"""What the paper leaves open (fidelity 29), one choice changed at a time in S-CNN-All."""

BASELINES = ("prior", "band-means")
"""Without any network: how often each class occurs, and logistic regression on band means."""


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run on an archive and a split.

    Args:
        name: "paper".
        archive: name of its folder.
        patches: how many it has.
        simulated: whether it is.
        split: its name.
        split_digest: its SHA-256.
        labels: "43", "level2", "level1", "19".
        seeds: one training each.
        methods: what is compared.
        variants: choices that the paper leaves open, one changed at a time; trained with the first
            labels and the first seed alone.
        recipe: of all trainings, but for what methods change.
    """

    name: str
    archive: str
    patches: int
    simulated: bool
    split: str
    split_digest: str
    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    methods: tuple[Method, ...]
    recipe: TrainRecipe
    variants: tuple[Method, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One training of an experiment.

    Args:
        method: what is trained.
        labels: on which classes.
        seed: with which seed.
        folder: of the run, below the experiment's.
    """

    method: Method
    labels: str
    seed: int
    folder: Path

    def request(self, experiment: Experiment) -> TrainRequest:
        """What is asked of the training."""
        recipe = msgspec.convert(
            {**msgspec.to_builtins(experiment.recipe), **self.method.train}, TrainRecipe
        )
        return TrainRequest(
            model=self.method.model,
            split=experiment.split,
            labels=self.labels,
            seed=self.seed,
            options=self.method.options,
            recipe=recipe,
        )


def plan_runs(out: Path, experiment: Experiment) -> Iterator[PlannedRun]:
    """Every training, label set by label set, so that a whole table is there early."""
    for labels in experiment.labels:
        for seed in experiment.seeds:
            for method in experiment.methods:
                yield PlannedRun(method, labels, seed, run_folder(out, labels, method.name, seed))
    labels, seed = experiment.labels[0], experiment.seeds[0]
    for method in experiment.variants:
        yield PlannedRun(method, labels, seed, run_folder(out, labels, method.name, seed))


def run_folder(out: Path, labels: str, method: str, seed: int) -> Path:
    """Where one training lies."""
    return out / RUNS / labels / method / f"seed-{seed}"


def parse_labels(words: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """Label sets, each once, in the order given.

    Raises:
        InputError: one that is not known, or none.
    """
    found = tuple(dict.fromkeys(words))
    if strangers := [word for word in found if word not in known]:
        raise InputError(f"no labels are called {strangers[0]!r}", do=f"Use {', '.join(known)}")
    if not found:
        raise InputError("there is nothing to learn", where="labels", do=f"Use {', '.join(known)}")
    return found
