"""What is kept of an archive for the report."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_split
from benforge.core.predictions import Predictions
from benforge.core.split import Split
from benforge.errors import InputError
from benforge.evaluation.files import write_predictions
from benforge.experiments.material import (
    Material,
    choose_answers,
    read_material,
    write_material,
)
from benforge.experiments.paper import plan_paper
from benforge.experiments.plan import PREDICTIONS, Experiment, run_folder
from benforge.loading.targets import load_targets
from benforge.splits.make import make_split
from benforge.splits.request import SplitRequest, answer_archive


@pytest.fixture(scope="module")
def archive(imported_sample: Archive, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    root = tmp_path_factory.mktemp("material") / "archive"
    shutil.copytree(imported_sample.root, root)
    write_split(root, make_split(imported_sample.index, "paper-random"))
    return Archive.open(root)


@pytest.fixture(scope="module")
def plan(archive: Archive) -> Experiment:
    return plan_paper(archive.root, "paper-random", labels=["43", "level1"], seeds=1)


def predict_half(archive: Archive, split: Split) -> Predictions:
    """Of the test part: every second patch right, the others without any label."""
    ids = split.part("test").to_pylist()
    hot = load_targets(archive, "43").hot[[archive.find(one) for one in ids]]
    scores = np.where(hot, 0.9, 0.1)
    scores[1::2] = 0.1
    return Predictions.of(ids, scores, hot, archive.meta.nomenclature.names)


@pytest.fixture(scope="module")
def told(archive: Archive) -> Predictions:
    return predict_half(archive, make_split(archive.index, "paper-random"))


@pytest.fixture
def out(tmp_path: Path, plan: Experiment, told: Predictions) -> Path:
    write_predictions(run_folder(tmp_path, "43", "scnn-all", 1) / PREDICTIONS, told)
    return tmp_path


def test_what_the_archive_alone_knows_is_kept(archive: Archive, plan: Experiment, out: Path):
    write_material(archive.root, plan, out)
    found = read_material(out)
    leakage = answer_archive(archive.root, SplitRequest(name="paper-random", leakage=True)).leakage
    assert found.leakage == leakage
    assert found.split is not None
    assert found.split.split.rule == "paper-random"
    assert found.split.split.digest == plan.split_digest
    for labels in plan.labels:
        hot = load_targets(archive, labels)
        counts = found.split.classes[labels]
        assert list(counts) == list(hot.nomenclature.names)
        summed = [c.train + c.validation + c.test for c in counts.values()]
        assert summed == hot.hot.sum(0).tolist()


def test_examples_are_pictures_of_right_and_of_wrong_answers(
    archive: Archive, plan: Experiment, out: Path, told: Predictions
):
    write_material(archive.root, plan, out)
    examples = read_material(out).examples
    assert examples is not None
    assert len({one.patch_id for one in examples}) == 8
    ids = told.patch_ids.to_pylist()
    assert [ids.index(one.patch_id) % 2 for one in examples] == [0] * 4 + [1] * 4
    for one in examples:
        assert imread(io.BytesIO(one.picture)).shape[:2] == (120, 120)
        assert str(archive.record(archive.find(one.patch_id)).sensing_time.year) in one.taken


def test_few_answers_are_all_shown(archive: Archive, told: Predictions):
    few = Predictions(
        told.patch_ids[:3], told.scores[:3], told.targets[:3], told.classes, told.facts
    )
    assert sorted(choose_answers(archive, few)) == [0, 1, 2]
    assert len(choose_answers(archive, told, 5)) == 5


def test_what_is_there_stays_and_what_is_lost_comes_back(
    archive: Archive, plan: Experiment, out: Path
):
    write_material(archive.root, plan, out)
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in out.glob("*.json")}
    assert set(before) == {"leakage.json", "classes.json", "examples.json"}
    (out / "examples.json").unlink()
    write_material(archive.root, plan, out)
    for path in out.glob("*.json"):
        assert path.read_bytes() == before[path.name][0]
    assert (out / "leakage.json").stat().st_mtime_ns == before["leakage.json"][1]


def test_nothing_is_there_at_first(tmp_path: Path):
    assert read_material(tmp_path) == Material(leakage=None, split=None, examples=None)


def test_damage_is_named(tmp_path: Path):
    (tmp_path / "classes.json").write_text("{")
    with pytest.raises(InputError, match=r"classes\.json: cannot be read"):
        read_material(tmp_path)
