"""Every choice of a training as a declared value (fidelity 29)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from benforge.errors import RecipeError

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=1e30)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TrainRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is trained. The paper says SGD, sigmoid cross entropy and 100 epochs.

    Args:
        epochs: times that every training patch is seen.
        batch_size: patches a step, over all processes.
        learning_rate: of SGD, at its highest.
        momentum: of SGD; the paper names none.
        nesterov: whether momentum looks ahead.
        weight_decay: L2, of all weights but biases and norms.
        schedule: how the rate falls: "constant", "cosine" to 0, or "step" to a tenth after one
            half and after three quarters of the epochs.
        warmup: epochs over which the rate rises.
        clip: largest norm of the gradient; 0 for no bound.
        shuffle: "full" mixes all patches; "blocks" shards of the archive and the patches within 16
            of them, so that a disk reads whole shards.
        augment: whether patches are rotated and flipped at random.
        normalisation: of bands: "train", "published" or "none".
        kernel: that brings 20 and 60 m bands to 10 m.
        precision: "fp32", or "bf16" for convolutions and products in half the bits.
        channels_last: how tensors lie in memory; faster on most machines.
        compile: whether torch.compile is used.
        accumulate: parts that a batch is cut into, for models that need more memory than there is.
        keep: which epoch's weights the checkpoint holds: "best" by `figure`, or "last".
        figure: what "best" and `patience` look at, on validation: sample "f1", "f2" or "loss".
        patience: epochs without a better one after which training stops; 0 for never.
        validate_every: epochs between two looks at the validation part.
        workers: threads that read ahead.
        save_minutes: minutes between two saves within an epoch, with one process; each epoch's
            end is saved in any case.
    """

    epochs: Positive = 100
    batch_size: Positive = 128
    learning_rate: Rate = 0.1
    momentum: Share = 0.9
    nesterov: bool = False
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 2e-5
    schedule: Literal["constant", "cosine", "step"] = "cosine"
    warmup: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    clip: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    shuffle: Literal["full", "blocks"] = "full"
    augment: bool = True
    normalisation: Literal["train", "published", "none"] = "train"
    kernel: Literal["cubic-0.5", "cubic-0.75"] = "cubic-0.5"
    precision: Literal["fp32", "bf16"] = "fp32"
    channels_last: bool = True
    compile: bool = False
    accumulate: Positive = 1
    keep: Literal["best", "last"] = "best"
    figure: Literal["f1", "f2", "loss"] = "f1"
    patience: NotNegative = 0
    validate_every: Positive = 1
    workers: NotNegative = 1
    save_minutes: Rate = 10.0


class TrainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be trained on what.

    Args:
        model: name in the registry.
        split: of the archive.
        labels: "43", "19", "level2" or "level1".
        seed: of weights, order, turns and dropout.
        options: the model's.
        recipe: of the training.
    """

    model: str
    split: str
    labels: str = "43"
    seed: int = 1
    options: dict[str, Any] = {}
    recipe: TrainRecipe = TrainRecipe()


def change_recipe(recipe: TrainRecipe, changes: Mapping[str, Any]) -> TrainRecipe:
    """A recipe with other values.

    Raises:
        RecipeError: an unknown name, or a value of the wrong kind or range.
    """
    try:
        return msgspec.convert({**msgspec.to_builtins(recipe), **changes}, TrainRecipe)
    except msgspec.ValidationError as error:
        raise RecipeError(
            str(error), where="train", do="docs/training.md lists names and values"
        ) from error
