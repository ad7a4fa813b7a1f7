"""The verbs that train a model and ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import ArchiveArgument, DeviceOption, JsonOption, PixelsOption
from benforge.cli.terminal import print_facts, print_json, showing_progress

ModelOption = Annotated[
    str,
    typer.Option(
        help="scnn-rgb, scnn-all, resnet18, ... (ben models tells all), or *module:NAME* of yours."
    ),
]
LabelsOption = Annotated[
    str,
    typer.Option(
        help="Classes to learn: *43* (level 3), *19*, *level2*, *level1*, or a TOML file."
    ),
]
RunArgument = Annotated[
    Path, typer.Argument(help="Folder of a training, or its model.safetensors.", metavar="RUN")
]


@app.command()
def train(
    archive: ArchiveArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")],
    split: Annotated[str, typer.Option(help="Split of the archive; see ben split.")],
    model: ModelOption = "scnn-all",
    labels: LabelsOption = "43",
    epochs: Annotated[int | None, typer.Option(min=1, help="100 if left out.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order, turns and dropout.")] = 1,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Another choice, again for more: train.batch_size=256, train.precision=bf16, "
            "model.dropout=0.2; docs/training.md has all.",
        ),
    ] = None,
    device: DeviceOption = "",
    pixels: PixelsOption = "disk",
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder for features of frozen networks, to share between runs."),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's event files too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Train a model on a split of an archive.

    Interrupt it when you like: the same command goes on where it stopped. For several GPUs:
    `torchrun --nproc-per-node 4 -m benforge.cli train ...`

    `ben train archive --model scnn-all --split paper-random --labels 43 --out run`
    """
    from benforge.recipe.train import request_from_words
    from benforge.training.train import train as train_model

    request = request_from_words(model, split, labels, seed, epochs, changes or [])
    with showing_progress("Training") as progress:
        summary = train_model(
            archive,
            request,
            out,
            device=device,
            pixels=pixels,
            cache=cache,
            tensorboard=tensorboard,
            progress=progress,
        )
    facts = msgspec.to_builtins(summary)
    print_json(facts) if json else print_facts(f"Trained {out}", facts)


@app.command()
def models(json: JsonOption = False) -> None:
    """Tell the models that can be trained, and their options with defaults.

    `ben train archive --model kbranch --set model.dropout=0.2 ...`
    """
    from benforge.models.registry import MODELS

    found = {name: spec.facts() for name, spec in MODELS.items()}
    if json:
        print_json(found)
        return
    for name, facts in found.items():
        options = [f"{key}={value}" for key, value in facts["options"].items()]
        print_facts(name, {**facts, "options": options})


@app.command()
def predict(
    run: RunArgument,
    archive: ArchiveArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file of predictions.")],
    split: Annotated[
        str | None, typer.Option(help="Split of the archive; all patches if left out.")
    ] = None,
    part: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    batch_size: Annotated[int, typer.Option(min=1, help="Patches at once.")] = 128,
    device: DeviceOption = "",
    json: JsonOption = False,
) -> None:
    """Ask a trained model about patches: ids, scores and targets, for ben evaluate.

    `ben predict run archive --split paper-random --part test --out test.parquet`
    """
    from benforge.evaluation.files import write_predictions
    from benforge.inference.predict import predict as ask
    from benforge.loading.devices import find_device

    with showing_progress("Predicting") as progress:
        found = ask(
            run,
            archive,
            split=split,
            part=part,
            device=find_device(device),
            batch_size=batch_size,
            progress=progress,
        )
    write_predictions(out, found)
    trained_on = found.facts.extra["trained_on"]
    facts = {
        "patches": len(found.patch_ids),
        "trained on": "not known" if trained_on is None else f"{trained_on:,} of them",
        "classes": len(found.classes),
        "file": str(out),
    }
    print_json(facts) if json else print_facts(f"Predicted by {found.facts.model}", facts)


@app.command("export-model")
def export_model(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder.")],
    predictions: Annotated[
        Path | None, typer.Option(help="Predictions whose figures the model card tells.")
    ] = None,
    onnx: Annotated[bool, typer.Option(help="Write model.onnx too, checked against torch.")] = True,
    json: JsonOption = False,
) -> None:
    """Write a trained model as others take it: weights, contract, model card, ONNX.

    `ben export-model run --predictions test.parquet --out model`
    """
    from benforge.evaluation.files import read_predictions
    from benforge.inference.export import export_model as export

    told = read_predictions(predictions) if predictions else None
    facts = msgspec.to_builtins(export(run, out, predictions=told, onnx=onnx))
    print_json(facts) if json else print_facts(f"Exported {out}", facts)
