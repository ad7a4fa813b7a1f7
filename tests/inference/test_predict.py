"""Scores of a trained model: of the right patches, in order, refused where bands differ."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.core.contract import Contract
from benforge.core.sensor import load_sensor
from benforge.errors import ConflictError, InputError, MissingError
from benforge.evaluation.files import read_predictions, write_predictions
from benforge.inference.predict import check_fits, predict
from benforge.loading.targets import load_targets
from benforge.models.checkpoint import load_model, read_contract
from benforge.training.train import train
from tests.training.conftest import few, request  # noqa: F401


@pytest.fixture(scope="module")
def run(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    out = tmp_path_factory.mktemp("run")
    options = {"third_pooling": True, "fc_width": 8}
    train(few, request("scnn-all", labels="19", epochs=1, options=options), out)
    return out


def test_scores_by_hand(few: Path, run: Path, tmp_path: Path) -> None:  # noqa: F811
    found = predict(run, few, split="few", part="test")
    archive = Archive.open(few)
    assert found.patch_ids.to_pylist() == archive.index["patch_id"].to_pylist()[16:20]
    assert (found.targets == load_targets(archive, "19").hot[16:20]).all()
    model, contract = load_model(run)
    patch = archive[17]
    bands = []
    for i, name in enumerate(contract.bands):
        band = patch.band(name).astype(np.float32)
        size = torch.from_numpy(band)[None, None]
        norm = contract.normalisation
        fine = torch.nn.functional.interpolate(size, (120, 120), mode="bicubic")
        bands.append((fine[0, 0] - norm.mean[i]) / norm.std[i])
    with torch.inference_mode():
        score = torch.sigmoid(model(torch.stack(bands)[None]))[0].numpy()
    assert np.abs(score - found.scores[1]).max() < 0.02  # torch's cubic is the other kernel
    path = write_predictions(tmp_path / "p.parquet", found)
    again = read_predictions(path)
    assert (again.scores == found.scores).all()
    assert again.facts.model == "S-CNN-All"
    assert again.facts.extra["trained_on"] == 0
    assert predict(run, few).facts.extra["trained_on"] == 12
    with pytest.raises(ConflictError, match="something else than predictions"):
        write_predictions(few / "archive.json", found)


def test_batches_change_nothing(few: Path, run: Path) -> None:  # noqa: F811
    one, other = (predict(run, few, batch_size=size) for size in (66, 7))
    assert len(one) == 66
    assert np.abs(one.scores - other.scores).max() < 1e-5


def test_parts_and_splits(few: Path, run: Path) -> None:  # noqa: F811
    with pytest.raises(InputError, match="a split has no part 'val'"):
        predict(run, few, split="few", part="val")
    with pytest.raises(MissingError, match="no splits of this name"):
        predict(run, few, split="many")
    with pytest.raises(MissingError):
        predict(few, few)


def test_an_archive_that_does_not_fit(few: Path, run: Path) -> None:  # noqa: F811
    archive, contract = Archive.open(few), read_contract(run)
    check_fits(contract, archive)
    fewer = replace(load_sensor(), bands=load_sensor().bands[:6])
    meta = msgspec.structs.replace(archive.meta, sensor=fewer)
    with pytest.raises(InputError, match="the model needs band B07, the archive has B01"):
        check_fits(contract, replace(archive, meta=meta))
    for name, value, said in (
        ("quantification", 1000, "reflectance 1 stored as: the model was trained with 1000"),
        ("patch_pixels", 64, "patches of so many pixels: the model was trained with 64, here 120"),
    ):
        other: Contract = msgspec.structs.replace(contract, **{name: value})
        with pytest.raises(InputError, match=said):
            check_fits(other, archive)


def test_classes_that_changed(few: Path, run: Path, tmp_path: Path) -> None:  # noqa: F811
    """A checkpoint whose classes are not those of its nomenclature names both."""
    from benforge.models.checkpoint import write_checkpoint

    model, contract = load_model(run)
    shutil.copytree(run, tmp_path / "run")
    swapped = (contract.classes[1], contract.classes[0], *contract.classes[2:])
    write_checkpoint(tmp_path / "run", model, msgspec.structs.replace(contract, classes=swapped))
    with pytest.raises(InputError, match=r"classes: the model was trained with 19 \(Industrial"):
        predict(tmp_path / "run", few)
