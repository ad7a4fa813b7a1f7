"""The whole: from a run and an archive to figures and pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.cli.main import run as ben
from benforge.core.nomenclature import load_nomenclature
from benforge.errors import ConflictError, InputError, MissingError
from benforge.evaluation.evaluate import evaluate
from benforge.inference.explain import draw_positions, explain
from benforge.inference.explain_patches import ExplainRequest, choose_maps
from benforge.inference.explain_pictures import draw_importance, ground_of, weigh_ground
from benforge.inference.explained import FOLDER, NOTE, read_explanation
from benforge.inference.predict import predict
from benforge.models.checkpoint import hash_weights
from tests.inference.test_export import make_run
from tests.training.conftest import few  # noqa: F401

REQUEST = ExplainRequest(split="few", part="train", repeats=2)


@pytest.fixture(scope="module")
def explained(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A run with an explanation; only read."""
    run = make_run(tmp_path_factory.mktemp("explained") / "run", "scnn-rgb")
    explain(run, few, REQUEST)
    return run


def test_figures_are_those_of_predict_and_evaluate(explained: Path, few: Path) -> None:  # noqa: F811
    told = read_explanation(explained / FOLDER)
    figures = evaluate(predict(explained, few, split="few", part="train"))
    assert told.base.f1 == figures.sample.f1
    assert told.base.average_precision == figures.average_precision.macro
    each = [one.average_precision for one in figures.per_class]
    assert list(told.base.per_class) == each
    assert (told.patches, told.patches_of_part) == (12, 12)
    assert told.weights == hash_weights(explained)
    assert told.split_digest == read_split(few, "few").digest
    assert [one.name for one in told.bands] == ["B04", "B03", "B02"]
    assert [one.name for one in told.groups] == ["all bands"]
    for one in (*told.bands, *told.groups):
        assert len(one.f1.values) == 2
        assert [drop is None for drop in one.per_class] == [value is None for value in each]
    assert told.grids == ((64, 15, 15),)
    assert not told.simulated
    assert "simulated" not in told.of_what()


def test_maps_are_drawn_and_say_what_is_true(explained: Path, few: Path) -> None:  # noqa: F811
    told, archive = read_explanation(explained / FOLDER), Archive.open(few)
    predictions = predict(explained, few, split="few", part="train")
    rows = {patch: row for row, patch in enumerate(predictions.patch_ids.to_pylist())}
    assert told.maps
    for one in told.maps:
        row, label = rows[one.patch_id], told.classes.index(one.label)
        assert one.score == pytest.approx(float(predictions.scores[row, label]), abs=1e-6)
        given = one.label in one.predicted, one.label in one.true
        assert (
            given
            == {"right": (True, True), "missed": (False, True), "wrong": (True, False)}[one.kind]
        )
        assert archive.find(one.patch_id) >= 0
        picture = Image.open(explained / FOLDER / one.file)
        assert picture.width > 400
        assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    assert (explained / FOLDER / "importance.png").is_file()


def test_dots_at_the_edge_are_drawn_whole(explained: Path) -> None:
    told = read_explanation(explained / FOLDER)
    gained = replace(told.groups[0].f1, mean=-0.1, deviation=0.1, values=(-0.2, 0.0))
    row = replace(told.groups[0], f1=gained, average_precision=gained)
    for axes in draw_importance(replace(told, bands=(), groups=(row,))).axes:
        left, right = axes.get_xlim()
        assert left < -0.2
        assert right > 0


def test_equal_seeds_give_equal_files(explained: Path, few: Path, tmp_path: Path) -> None:  # noqa: F811
    explain(explained, few, REQUEST, tmp_path / "again", batch_size=5)
    first, again = (read_explanation(at) for at in (explained / FOLDER, tmp_path / "again"))
    assert [one.f1.values for one in first.bands] == [one.f1.values for one in again.bands]
    pairs = zip(
        sorted((explained / FOLDER).rglob("*.png")),
        sorted((tmp_path / "again").rglob("*.png")),
        strict=True,
    )
    same = [a.read_bytes() == b.read_bytes() for a, b in pairs]
    assert sum(same) >= len(same) - 1  # a batch of another size may round a map otherwise


def test_by_the_command(explained: Path, few: Path, tmp_path: Path, capsys) -> None:  # noqa: F811
    words = ["explain", str(explained), str(few), "--split", "few", "--part", "test"]
    more = ["--repeats", "1", "--group", "warm=B04,B03", "--maps", "0", "--most", "3"]
    assert ben([*words, *more, "--out", str(tmp_path / "out"), "--json"]) == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert told == msgspec.json.decode((tmp_path / "out" / NOTE).read_bytes())
    assert (told["patches"], told["patches_of_part"], told["maps"]) == (3, 4, [])
    assert [one["name"] for one in told["groups"]] == ["warm", "all bands"]
    assert ben([*words, *more]) == 1
    assert "the folder holds other things" in capsys.readouterr().err
    assert ben([*words, "--out", str(few / "inside")]) == 1
    assert "lies in archive" in capsys.readouterr().err


def test_what_cannot_be_explained(explained: Path, few: Path, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(ConflictError, match="holds other things"):
        explain(explained, few, REQUEST)
    with pytest.raises(InputError, match="has no part 'tset'"):
        ExplainRequest(split="few", part="tset")
    with pytest.raises(MissingError, match="no splits of this name"):
        explain(explained, few, ExplainRequest(split="many"), tmp_path / "a")
    with pytest.raises(InputError, match="sees no band B8A"):
        explain(explained, few, ExplainRequest(split="few", groups=("x=B8A",)), tmp_path / "b")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_what_is_damaged_is_refused(explained: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="holds no explanation"):
        read_explanation(tmp_path)
    copy = Path(shutil.copytree(explained / FOLDER, tmp_path / "copy"))
    text = (copy / NOTE).read_bytes()
    (copy / NOTE).write_bytes(text[:-100])
    with pytest.raises(InputError, match="ben explain"):
        read_explanation(copy)
    (copy / NOTE).write_bytes(text.replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(InputError, match="of format 2"):
        read_explanation(copy)


def test_patches_that_tell_most_are_chosen() -> None:
    scores = np.array([[0.9, 0.2], [0.8, 0.1], [0.3, 0.9], [0.1, 0.6], [0.7, 0.4]], np.float32)
    targets = np.array([[1, 0], [1, 1], [1, 0], [1, 0], [0, 1]], np.bool_)
    assert choose_maps(scores, targets, 0.5, 1) == [
        (0, 0, "right"),
        (3, 0, "missed"),
        (4, 0, "wrong"),
        (1, 1, "missed"),
        (2, 1, "wrong"),
    ]
    assert [one.row for one in choose_maps(scores, targets, 0.5, 5) if one.kind == "missed"] == [
        3,
        2,
        1,
        4,
    ]
    assert choose_maps(scores, targets, 0.5, 0) == []


def test_patches_are_drawn_alike() -> None:
    whole = np.arange(100, 200)
    drawn = draw_positions(whole, 30, 1)
    assert len(set(drawn.tolist())) == 30
    assert (np.diff(drawn) > 0).all()
    assert set(drawn) <= set(whole)
    assert np.array_equal(drawn, draw_positions(whole, 30, 1))
    assert not np.array_equal(drawn, draw_positions(whole, 30, 2))
    assert draw_positions(whole, 0, 1) is whole


def test_ground_of_a_class_and_what_lies_on_it() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0], heat[3, 3] = 3, 1
    ground = np.zeros((4, 4), np.bool_)
    ground[:2] = True
    assert weigh_ground(heat, ground) == (0.5, 0.75)
    assert weigh_ground(0 * heat, ground) == (0.5, None)
    assert weigh_ground(heat, None) == (None, None)


class _Map:
    """An archive whose one patch is half arable land and half forest."""

    def land_cover(self, position: int) -> np.ndarray:
        return np.array([[211, 311], [212, 312]], np.uint16)


def test_a_class_of_a_coarser_nomenclature_is_where_its_members_are() -> None:
    level_1 = load_nomenclature("clc-level-1")
    found = [ground_of(_Map(), 0, level_1, i) for i in range(3)]  # type: ignore[arg-type]
    assert [None if one is None else one.tolist() for one in found] == [
        [[False, False], [False, False]],
        [[True, False], [True, False]],
        [[False, True], [False, True]],
    ]
    level_3 = load_nomenclature("clc-43")
    conifers = ground_of(_Map(), 0, level_3, level_3.codes.index(312))  # type: ignore[arg-type]
    assert conifers is not None
    assert conifers.tolist() == [[False, False], [False, True]]
