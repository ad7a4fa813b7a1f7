"""Labels in the classes of a user's file: what is learned, kept with the model, and asked again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.core.nomenclature import parse_nomenclature
from benforge.errors import ConflictError, InputError, MissingError, RecipeError
from benforge.inference.predict import predict
from benforge.loading.targets import digest_labels, load_targets, recall_targets
from benforge.models.checkpoint import read_contract
from benforge.training.train import train
from tests.training.conftest import few, request  # noqa: F401  a fixture

FORESTS = """
name = "forests"
[[class]]
code = 311
name = "Forest"
color = [0, 128, 0]
members = [311, 312, 313]
[[class]]
code = 2
name = "Water"
color = [0, 0, 255]
members = [511, 512, 521, 522, 523]
"""
WOODS = {"Broad-leaved forest", "Coniferous forest", "Mixed forest"}
WATERS = {"Water courses", "Water bodies", "Coastal lagoons", "Estuaries", "Sea and ocean"}


@pytest.fixture
def forests(tmp_path: Path) -> str:
    path = tmp_path / "forests.toml"
    path.write_text(FORESTS)
    return str(path)


def expected(archive: Archive) -> np.ndarray:
    """By the names of the labels alone."""
    names = [set(labels) for labels in archive.index["labels"].to_pylist()]
    return np.array([[bool(one & WOODS), bool(one & WATERS)] for one in names])


def test_a_class_is_a_label_where_a_member_is(imported_sample: Archive, forests: str) -> None:
    found = load_targets(imported_sample, forests)
    assert found.nomenclature.names == ("Forest", "Water")
    assert found.members == ((311, 312, 313), (511, 512, 521, 522, 523))
    assert np.array_equal(found.hot, expected(imported_sample))
    assert 0 < found.hot.sum() < found.hot.size


def test_a_model_keeps_the_classes_it_learned(few: Path, forests: str, tmp_path: Path) -> None:  # noqa: F811
    run = tmp_path / "run"
    train(few, request(labels=forests, epochs=1), run)
    Path(forests).unlink()
    contract, archive = read_contract(run), Archive.open(few)
    assert (contract.nomenclature, contract.classes) == ("forests", ("Forest", "Water"))
    assert contract.own is not None
    assert contract.own.by_name("Water").color == (0, 0, 255)
    assert np.array_equal(recall_targets(archive, contract).hot, expected(archive))
    assert np.array_equal(predict(run, few).targets, expected(archive))


def test_a_run_does_not_go_on_with_other_classes(few: Path, forests: str, tmp_path: Path) -> None:  # noqa: F811
    run = tmp_path / "run"
    train(few, request(labels=forests, epochs=1), run)
    Path(forests).write_text(FORESTS.replace("311, 312, 313", "311"))
    with pytest.raises(ConflictError, match="holds a run with labels_digest"):
        train(few, request(labels=forests, epochs=1), run)
    assert digest_labels("19") == ""


def test_a_code_of_clc_does_not_make_a_class_of_clc(imported_sample: Archive) -> None:
    """An archive whose class 311 is all forest does not tell which are broad-leaved."""
    mine = parse_nomenclature(
        {"name": "mine", "class": [{"code": 311, "name": "Forest", "color": [0, 0, 0]}]}
    )
    labels = [["Forest"] if set(one) & WOODS else [] for one in _labels(imported_sample)]
    index = imported_sample.index
    index = index.set_column(
        index.schema.get_field_index("labels"), "labels", [labels]
    ).drop_columns("classes")
    meta = msgspec.structs.replace(imported_sample.meta, nomenclature=mine)
    archive = replace(imported_sample, meta=meta, index=index)
    with pytest.raises(InputError, match="labels of mine cannot be brought to ben-19"):
        load_targets(archive, "19")


def _labels(archive: Archive) -> list[list[str]]:
    found: list[list[str]] = archive.index["labels"].to_pylist()
    return found


def test_wrong_words_are_refused(imported_sample: Archive, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no labels are called '20'.*or a TOML file"):
        load_targets(imported_sample, "20")
    with pytest.raises(MissingError, match="there is no nomenclature"):
        load_targets(imported_sample, "nowhere.toml")
    (tmp_path / "bad.toml").write_text("name = 3")
    with pytest.raises(RecipeError, match="not a nomenclature"):
        load_targets(imported_sample, str(tmp_path / "bad.toml"))
