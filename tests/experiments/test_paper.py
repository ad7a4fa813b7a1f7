"""A whole experiment, small: what it leaves, that it goes on, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.errors import ConflictError, InputError, MissingError, RecipeError
from benforge.evaluation.files import read_predictions
from benforge.experiments.baselines import band_means, predict_baseline
from benforge.experiments.paper import plan_paper, run_experiment
from benforge.experiments.plan import Experiment, Method, plan_runs, read_experiment
from benforge.loading.targets import load_targets
from benforge.training.recipe import TrainRecipe

SMALL = {"third_pooling": True, "fc_width": 8}
METHODS = (
    Method(name="rgb", model="scnn-rgb", options=SMALL, paper="S-CNN-RGB"),
    Method(name="all", model="scnn-all", options=SMALL, train={"learning_rate": 0.01}),
)
VARIANT = Method(name="last", model="scnn-rgb", options=SMALL, train={"keep": "last"})


def plan(archive: Path, **changes: object) -> Experiment:
    recipe = TrainRecipe(epochs=1, batch_size=6)
    wanted = {"labels": ("level1", "19"), "seeds": 1, "variants": (VARIANT,)}
    return plan_paper(archive, "few", recipe=recipe, methods=METHODS, **{**wanted, **changes})  # type: ignore[arg-type]


def test_an_experiment(few: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "experiment", []
    experiment = plan(few)
    summary = run_experiment(few, experiment, out, progress=lambda *a: told.append((*a, 0, 0)[:3]))
    assert (summary.trainings, summary.new) == (5, 5)
    assert [r.folder.relative_to(out).as_posix() for r in plan_runs(out, experiment)] == [
        "runs/level1/rgb/seed-1",
        "runs/level1/all/seed-1",
        "runs/19/rgb/seed-1",
        "runs/19/all/seed-1",
        "runs/level1/last/seed-1",
    ]
    shares = [done / total for _, done, total in told if total]
    assert shares == sorted(shares)
    for name in ("prior", "band-means", "rgb", "all"):
        found = read_predictions(out / "runs" / "19" / name / "seed-1" / "test.parquet")
        assert (len(found), len(found.classes), found.facts.part) == (4, 19, "test")
    rate = msgspec.json.decode((out / "runs/19/all/seed-1/run.json").read_bytes())
    assert rate["request"]["recipe"]["learning_rate"] == 0.01
    assert read_experiment(out) == experiment


def test_it_goes_on_where_it_stopped(few: Path, tmp_path: Path) -> None:
    small = plan(few, labels=("level1",), variants=())

    def stop(message: str, done: float = 0, total: float = 0) -> None:
        if message.startswith("all,"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(few, small, tmp_path, progress=stop)
    summary = run_experiment(few, small, tmp_path)
    assert (summary.trainings, summary.new) == (2, 1)
    assert run_experiment(few, small, tmp_path).new == 0


def test_labels_are_taken_once(few: Path) -> None:
    assert plan(few, labels=["43", " 19", "43 ", "", "43"]).labels == ("43", "19")


def test_an_impossible_method_leaves_nothing(few: Path, tmp_path: Path) -> None:
    bad = Method(name="bad", model="scnn-rgb", train={"momentum": 2})
    with pytest.raises(RecipeError, match=r"docs/training\.md lists"):
        run_experiment(few, plan(few, variants=(bad,)), tmp_path / "e")
    assert not list(tmp_path.iterdir())


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_is_refused(few: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no labels are called '44'"):
        plan(few, labels=("44",))
    with pytest.raises(InputError, match="0 seeds"):
        plan(few, seeds=0)
    with pytest.raises(MissingError, match="no splits of this name"):
        plan_paper(few, "none")
    with pytest.raises(MissingError, match="holds no experiment"):
        read_experiment(tmp_path)
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(ConflictError, match=r"other things, such as photo\.jpg"):
        run_experiment(few, plan(few), tmp_path)
    other = tmp_path / "other"
    small = plan(few, labels=("level1",), variants=())
    with pytest.raises(KeyboardInterrupt):
        run_experiment(few, plan(few, labels=("19",)), other, progress=interrupt)
    with pytest.raises(ConflictError, match="holds another experiment"):
        run_experiment(few, small, other)


def test_baselines(few: Path) -> None:
    archive = Archive.open(few)
    targets = load_targets(archive, "level1")
    prior = predict_baseline(few, "few", "level1", "prior")
    assert np.allclose(prior.scores, targets.hot[:12].mean(axis=0))
    means = band_means(archive, np.array([3]))
    patch = archive[3]
    stored = [b for size in (10, 20, 60) for b in archive.meta.sensor.bands_at(size)]
    assert np.allclose(means[0], [patch.band(band.name).mean() for band in stored], rtol=1e-5)
    regression = predict_baseline(few, "few", "level1", "band-means")
    assert regression.facts.model == "Logistic regression on band means"
    assert regression.scores.std(axis=0).max() > 0.01


def test_the_regression_is_scikit_learns(few: Path) -> None:
    """Their minimum of the same penalised loss."""
    from sklearn.linear_model import LogisticRegression

    from benforge.experiments.baselines import DECAY

    archive = Archive.open(few)
    hot = load_targets(archive, "level1").hot
    known, asked = (band_means(archive, np.arange(a, b)) for a, b in ((0, 12), (16, 20)))
    middle, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    ours = predict_baseline(few, "few", "level1", "band-means").scores
    for label in np.flatnonzero(hot[:12].any(axis=0) & ~hot[:12].all(axis=0)):
        strength = 12 * hot.shape[1] * DECAY * 2  # ours: mean over patches and labels
        theirs = LogisticRegression(C=1 / strength, max_iter=20_000, tol=1e-8)
        theirs.fit((known - middle) / spread, hot[:12, label])
        told = theirs.predict_proba((asked - middle) / spread)[:, 1]
        assert np.abs(ours[:, label] - told).max() < 0.05
