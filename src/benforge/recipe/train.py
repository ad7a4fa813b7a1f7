"""From the words of a command line to what is to be trained, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benforge.errors import RecipeError
from benforge.recipe.load import Table, read_tables
from benforge.training.recipe import TrainRecipe, TrainRequest, change_recipe


def request_from_words(
    model: str,
    split: str,
    labels: str,
    seed: int,
    epochs: int | None = None,
    words: Sequence[str] = (),
) -> TrainRequest:
    """What is to be trained, from a model's name and `train.key=value`, `model.key=value` words.

    Raises:
        RecipeError: a word of another table, an unknown key, a value of the wrong kind, or two
            numbers of epochs.
    """
    tables = read_tables(words, ("train", "model"))
    return TrainRequest(
        model=model,
        split=split,
        labels=labels,
        seed=seed,
        options=dict(tables.get("model", {})),
        recipe=_changed(TrainRecipe(), epochs, tables),
    )


def recipe_from_words(
    epochs: int | None, words: Sequence[str], base: TrainRecipe | None = None
) -> TrainRecipe:
    """How trainings are done, from `train.key=value` words on top of `base`.

    Raises:
        RecipeError: a word of another table, an unknown key, a value of the wrong kind, or two
            numbers of epochs.
    """
    return _changed(base or TrainRecipe(), epochs, read_tables(words, ("train",)))


def simulated_recipe() -> TrainRecipe:
    """How the experiment on a simulated archive is trained, to end within an hour on two cores."""
    return TrainRecipe(epochs=6, batch_size=64, precision="bf16")


def _changed(recipe: TrainRecipe, epochs: int | None, tables: Table) -> TrainRecipe:
    changes: dict[str, Any] = dict(tables.get("train", {}))
    if epochs is not None and changes.setdefault("epochs", epochs) != epochs:
        raise RecipeError(
            f"--epochs {epochs} and train.epochs={changes['epochs']}",
            where="--set",
            do="Name epochs once",
        )
    return change_recipe(recipe, changes)
