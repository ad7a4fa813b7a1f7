"""Models as others take them: ONNX asked by onnxruntime alone, and a card that tells."""

from __future__ import annotations

import re
import resource
import signal
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.core.contract import Contract, Normalisation
from benforge.core.nomenclature import load_nomenclature
from benforge.core.predictions import PredictionFacts
from benforge.errors import ConflictError, InputError, StorageError
from benforge.inference.export import export_model
from benforge.inference.predict import predict
from benforge.models.checkpoint import load_model, write_checkpoint
from benforge.models.registry import build_model, find_model, wanted_normalisation
from tests.training.conftest import few  # noqa: F401


def make_run(folder: Path, name: str) -> Path:
    """A model that was not trained, with its contract."""
    folder.mkdir()
    spec, classes = find_model(name), load_nomenclature("clc-level-1").names
    options = {"third_pooling": True, "fc_width": 8} if name.startswith("scnn") else {}
    torch.manual_seed(3)
    norm = wanted_normalisation(name, options) or Normalisation(
        source="none", mean=(800.0,) * len(spec.bands), std=(700.0,) * len(spec.bands)
    )
    contract = Contract(
        model=name,
        title=spec.title,
        options=options,
        bands=spec.bands,
        quantification=10_000,
        native=spec.native,
        kernel="cubic-0.5",
        normalisation=norm,
        nomenclature="clc-level-1",
        classes=classes,
        split="few",
        split_digest="0" * 64,
        archive="sample",
        simulated=False,
    )
    write_checkpoint(folder, build_model(name, spec.bands, len(classes), options), contract)
    return folder


@pytest.mark.parametrize("name", ["scnn-rgb", "scnn-all", "convnext-native"])
def test_onnx_says_what_ben_predict_says(few: Path, tmp_path: Path, name: str) -> None:  # noqa: F811
    run = make_run(tmp_path / "run", name)
    summary = export_model(run, tmp_path / "out")
    assert summary.files == ("README.md", "model.json", "model.onnx", "model.safetensors")
    assert summary.largest_difference is not None
    assert summary.largest_difference < 1e-4
    onnx.checker.check_model(str(tmp_path / "out" / "model.onnx"))
    assert b".py" not in (tmp_path / "out" / "model.onnx").read_bytes()
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    archive, told = Archive.open(few), predict(run, few)
    patches = [archive[i].arrays for i in range(5)]
    feed = {
        i.name: np.stack([p[int(i.name[1:-1])] for p in patches]).astype(np.float32)
        for i in session.get_inputs()
    }
    (scores,) = session.run(None, feed)
    assert np.abs(scores - told.scores[:5]).max() < 1e-4


def test_the_card(few: Path, tmp_path: Path) -> None:  # noqa: F811
    run = make_run(tmp_path / "run", "scnn-rgb")
    told = predict(run, few)
    summary = export_model(run, tmp_path / "out", predictions=told, onnx=False)
    assert summary.files == ("README.md", "evaluation.json", "model.json", "model.safetensors")
    card = (tmp_path / "out" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: benforge\n")
    assert "simulated" not in card
    assert "| 0 | B04 | 800.00 | 700.00 |" in card
    assert "66 patches, all patches, of archive; threshold 0.5 (fixed)" in card
    assert "model.onnx" not in card
    assert load_model(tmp_path / "out")[1].classes == told.classes


def test_a_simulated_model_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "scnn-rgb")
    model, contract = load_model(run)
    write_checkpoint(run, model, msgspec.structs.replace(contract, simulated=True))
    export_model(run, tmp_path / "out", onnx=False)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "- simulated-data" in card
    assert "**simulated** patches" in card


def test_the_card_warns_of_patches_that_were_trained_on(few: Path, tmp_path: Path) -> None:  # noqa: F811
    run = make_run(tmp_path / "run", "scnn-rgb")
    for seen, warned in ((3, True), (0, False)):
        told = predict(run, few, split="few")
        told.facts.extra["trained_on"] = seen
        export_model(run, tmp_path / str(seen), predictions=told, onnx=False)
        card = (tmp_path / str(seen) / "README.md").read_text()
        assert ("**3 of these patches were trained on**" in card) == warned


@pytest.mark.parametrize("onnx", [True, False])
def test_a_full_disk_leaves_nothing_and_the_same_call_goes_through(tmp_path: Path, onnx: bool):
    """A file-size limit stands in for the disk."""
    run, out = make_run(tmp_path / "run", "scnn-rgb"), tmp_path / "model"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(StorageError, match=f"^{re.escape(str(out))}: cannot be written"):
            export_model(run, out, onnx=onnx)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    out.mkdir()
    assert "model.safetensors" in export_model(run, out, onnx=False).files
    assert {path.name for path in tmp_path.iterdir()} == {"run", "model"}


def test_an_interrupted_export_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = make_run(tmp_path / "run", "scnn-rgb")
    monkeypatch.setattr("benforge.inference.export.write_card", stop)
    with pytest.raises(KeyboardInterrupt):
        export_model(run, tmp_path / "model", onnx=False)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_cannot_be_exported(few: Path, tmp_path: Path) -> None:  # noqa: F811
    run = make_run(tmp_path / "run", "scnn-rgb")
    told = predict(run, few)
    other = type(told)(
        told.patch_ids, told.scores[:, :2], told.targets[:, :2], ("a", "b"), PredictionFacts()
    )
    with pytest.raises(InputError, match="of other classes than the model's"):
        export_model(run, tmp_path / "a", predictions=other, onnx=False)
    swapped = make_run(tmp_path / "other", "scnn-rgb")
    model, contract = load_model(swapped)
    write_checkpoint(swapped, model, msgspec.structs.replace(contract, epoch=7))
    with pytest.raises(InputError, match="those of other weights, of the run run"):
        export_model(swapped, tmp_path / "b", predictions=told, onnx=False)
    with pytest.raises(ConflictError, match="holds other things"):
        export_model(run, run, onnx=False)
