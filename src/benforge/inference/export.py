"""A trained model as others take it: a folder with a model card, and ONNX checked against torch."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import msgspec
import numpy as np
import torch

from benforge.core.contract import Contract
from benforge.core.files import new_folder, write_atomic
from benforge.core.predictions import Predictions
from benforge.core.sensor import load_sensor
from benforge.errors import BenError, InputError
from benforge.evaluation.evaluate import evaluate
from benforge.inference.card import write_card
from benforge.inference.deployed import DeployedModel
from benforge.models.checkpoint import hash_weights, load_model, write_checkpoint

ONNX, CARD, EVALUATION = "model.onnx", "README.md", "evaluation.json"
TOLERANCE = 1e-4
"""Largest difference of a score between torch and onnxruntime."""


class ExportModelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was written.

    Args:
        folder: of it.
        files: in it.
        largest_difference: of a score between torch and onnxruntime; None without ONNX.
    """

    folder: str
    files: tuple[str, ...]
    largest_difference: float | None = None


def export_model(
    run: Path, out: Path, *, predictions: Predictions | None = None, onnx: bool = True
) -> ExportModelSummary:
    """Write a model into a folder that a model hub takes as it is.

    Args:
        run: folder of a training.
        out: a new folder.
        predictions: of the model, whose figures the card tells.
        onnx: whether `model.onnx` is written too.

    Raises:
        InputError: no such checkpoint, predictions of other classes, or ONNX is not installed.
        ConflictError: the folder holds other things.
        StorageError: the disk is full; nothing stays of the folder.
    """
    model, contract = load_model(run)
    if predictions is not None:
        _check_its_own(predictions, contract, run)
    figures = evaluate(predictions) if predictions is not None else None
    with new_folder(out) as draft:
        difference = _write_onnx(draft / ONNX, model, contract) if onnx else None
        write_checkpoint(draft, model, contract)
        if figures is not None:
            text = msgspec.json.format(msgspec.json.encode(figures), indent=2)
            write_atomic(draft / EVALUATION, text + b"\n")
        write_atomic(draft / CARD, write_card(contract, figures, onnx=onnx).encode())
        files = tuple(sorted(path.name for path in draft.iterdir()))
    return ExportModelSummary(folder=str(out), files=files, largest_difference=difference)


def _check_its_own(predictions: Predictions, contract: Contract, run: Path) -> None:
    """Raise where predictions are not this model's."""
    if predictions.classes != contract.classes:
        raise InputError(
            "the predictions are of other classes than the model's", where=run, do="Predict anew"
        )
    told = predictions.facts.extra.get("weights")
    if told and told != hash_weights(run):
        raise InputError(
            f"the predictions are those of other weights, of the run {predictions.facts.run}",
            where=run,
            do="Predict with this model",
        )


def _write_onnx(path: Path, model: torch.nn.Module, contract: Contract) -> float:
    """Write the model with all that comes before and after it, and hold it against torch.

    Returns:
        The largest difference of a score.

    Raises:
        InputError: onnx, onnxscript or onnxruntime is not installed.
        BenError: the two do not agree.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  what torch exports with
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed", do="pip install 'benforge[onnx]', or use --no-onnx"
        ) from error
    sensor = load_sensor()
    deployed = DeployedModel(model, contract, sensor).eval()
    inputs = deployed.example(sensor, 2)
    names = [f"r{size}m" for size in deployed.sizes]
    _quietly_export(path, deployed, inputs, names)
    _forget_traces(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    asked = deployed.example(sensor, 3)
    feed = {name: tensor.numpy() for name, tensor in zip(names, asked, strict=True)}
    (theirs,) = session.run(None, feed)
    with torch.inference_mode():
        ours = deployed(*asked).numpy()
    difference = float(np.abs(ours - theirs).max())
    if not difference <= TOLERANCE:
        raise BenError(
            f"ONNX and torch differ by {difference:.2g} in a score", where=ONNX, do="Use --no-onnx"
        )
    return difference


def _forget_traces(path: Path) -> None:
    """Take out where each node was written: stack traces with paths of this machine."""
    import onnx

    made = onnx.load(str(path))
    for graph in (made.graph, *made.functions):
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
        for value in (*graph.value_info, *getattr(graph, "initializer", ())):
            del value.metadata_props[:]
    onnx.save(made, str(path))


def _quietly_export(
    path: Path, deployed: DeployedModel, inputs: tuple[torch.Tensor, ...], names: list[str]
) -> None:
    batch = torch.export.Dim("patch")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            deployed,
            inputs,
            str(path),
            input_names=names,
            output_names=["scores"],
            dynamic_shapes={"stored": tuple({0: batch} for _ in names)},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
