"""What an experiment is made of: methods, label sets and seeds, each with a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benforge.core.files import read_json
from benforge.errors import InputError, MissingError
from benforge.training.recipe import TrainRecipe, TrainRequest, change_recipe

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
        """What is asked of the training.

        Raises:
            RecipeError: the method's values are none of a recipe.
        """
        return TrainRequest(
            model=self.method.model,
            split=experiment.split,
            labels=self.labels,
            seed=self.seed,
            options=self.method.options,
            recipe=change_recipe(experiment.recipe, self.method.train),
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


def plan_variants(recipe: TrainRecipe) -> tuple[Method, ...]:
    """What the paper leaves open (fidelity 29), one choice changed at a time in S-CNN-All.

    Args:
        recipe: of the experiment, which the changes are relative to.
    """
    options: Mapping[str, dict[str, Any]] = {
        "third-pooling": {"third_pooling": True},
        "no-batch-norm": {"batch_norm": False},
        "conv-dropout": {"conv_dropout": 0.25},
        "no-dropout": {"dropout": 0.0},
        "fc-512": {"fc_width": 512},
    }
    train: Mapping[str, dict[str, Any]] = {
        "other-kernel": {"kernel": "cubic-0.75" if recipe.kernel == "cubic-0.5" else "cubic-0.5"},
        "rate-tenth": {"learning_rate": recipe.learning_rate / 10},
        "no-momentum": {"momentum": 0.0},
        "turns-changed": {"augment": not recipe.augment},
        "other-epoch": {"keep": "last" if recipe.keep == "best" else "best"},
    }
    return (
        *(Method(name=name, model="scnn-all", options=one) for name, one in options.items()),
        *(Method(name=name, model="scnn-all", train=one) for name, one in train.items()),
    )


def read_experiment(out: Path) -> Experiment:
    """What the experiment in a folder is.

    Raises:
        MissingError: the folder holds none.
        InputError: its note is damaged.
    """
    path = out / NOTE
    if not path.is_file():
        raise MissingError(
            "holds no experiment", where=out, do="Name the folder that ben experiment wrote"
        )
    advice = "Restore it from a copy; without one, run the experiment again in a new folder"
    return read_json(path, Experiment, do=advice)


def parse_labels(words: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """Label sets, each once, in the order given; blanks around and between them mean nothing.

    Raises:
        InputError: one that is not known, or none.
    """
    found = tuple(dict.fromkeys(filter(None, map(str.strip, words))))
    if strangers := [word for word in found if word not in known]:
        raise InputError(f"no labels are called {strangers[0]!r}", do=f"Use {', '.join(known)}")
    if not found:
        raise InputError("there is nothing to learn", where="labels", do=f"Use {', '.join(known)}")
    return found
