"""Permutation: what a model needs, held against scikit-learn on the same predictor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance
from sklearn.metrics import average_precision_score, f1_score
from torch import Tensor, nn

from benforge.archive.archive import Archive
from benforge.core.contract import Normalisation
from benforge.core.sensor import load_sensor
from benforge.errors import InputError
from benforge.inference.explain_bands import (
    ALL,
    Asked,
    band_importance,
    draw_permutations,
    group_bands,
    parse_groups,
)
from benforge.inference.predict import score
from benforge.loading.inputs import PatchInputs
from benforge.loading.prepare import Preparer
from benforge.loading.reading import PatchReader
from benforge.testing.archives import make_scene, small_frame, write_archive

SENSOR = load_sensor()
BANDS = ("B02", "B04", "B05", "B8A", "B12", "B01")
MEAN = 5000.0


class OfMeans(nn.Module):
    """Logits that are weighed means of bands."""

    def __init__(self, weights: npt.ArrayLike) -> None:
        super().__init__()
        self.weights = torch.as_tensor(np.asarray(weights), dtype=torch.float32)

    def forward(self, bands: Sequence[Tensor]) -> Tensor:
        means = torch.cat([one.mean((2, 3)) for one in bands], dim=1)
        logits: Tensor = means @ self.weights
        return logits


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """80 patches of noise about a level of their own in every band."""
    scene = make_scene(small_frame(10, 8), seed=3)
    random = np.random.default_rng(4)
    for name, mosaic in scene.mosaics.items():
        if name.startswith("r"):
            levels = random.integers(500, 9000, (len(mosaic), 8, 10))
            edge = mosaic.shape[-1] // 10
            mosaic[:] = levels.repeat(edge, 1).repeat(edge, 2) + mosaic % 100
    root = write_archive(tmp_path_factory.mktemp("bands") / "archive", scene)
    return Archive.open(root)


def inputs_of(archive: Archive) -> PatchInputs:
    """Native bands, in the order by pixel size in which the model is given them."""
    norm = Normalisation(source="none", mean=(MEAN,) * len(BANDS), std=(1000.0,) * len(BANDS))
    prepare = Preparer(SENSOR, BANDS, norm, "cubic-0.5", native=True, device=torch.device("cpu"))
    return PatchInputs(PatchReader(archive, BANDS), prepare, 1)


def means_of(archive: Archive) -> npt.NDArray[np.float64]:
    """`patch band`, read without the loader, normalised."""
    rows = [[patch.band(name).mean() for name in BANDS] for patch in archive]
    return (np.array(rows) - MEAN) / 1000


def asked(archive: Archive, weights: npt.ArrayLike, targets: npt.NDArray[np.bool_]) -> Asked:
    positions = np.arange(len(archive))
    return Asked(OfMeans(weights), inputs_of(archive), positions, targets, batch_size=32)


def measured(work: Asked, features: dict[str, tuple[str, ...]], repeats: int = 4, seed: int = 1):
    base = work.base(score(work.model, work.inputs, work.positions))
    orders = draw_permutations(len(work.positions), repeats, seed)
    return base, band_importance(work, SENSOR, features, orders, base)


@pytest.mark.parametrize("one", BANDS)
def test_a_model_that_sees_one_band_needs_it_alone(archive: Archive, one: str) -> None:
    weights = np.zeros((len(BANDS), 2))
    weights[BANDS.index(one)] = 3, -3
    level = means_of(archive)[:, BANDS.index(one)]
    work = asked(archive, weights, np.stack([level > 0, level < 0], axis=1))
    base, found = measured(work, {band: (band,) for band in BANDS})
    assert base.f1 == 1
    assert base.average_precision == 1
    for importance in found:
        drops = importance.f1, importance.average_precision, *importance.per_class
        for drop in drops:
            assert drop is not None
            if importance.name == one:
                assert drop.mean > 0.2
                assert drop.deviation > 0
            else:
                assert set(drop.values) == {0.0}


class Predictor(BaseEstimator):  # type: ignore[misc]
    """The same function of means, as scikit-learn wants it."""

    def __init__(self, weights: npt.NDArray[np.float64]) -> None:
        self.weights = weights

    def fit(self, x: object, y: object) -> Predictor:
        return self

    def predict(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return 1 / (1 + np.exp(-(x @ self.weights)))


def sample_f1(model: Predictor, x: npt.NDArray[np.float64], y: npt.NDArray[np.bool_]) -> float:
    return float(f1_score(y, model.predict(x) >= 0.5, average="samples", zero_division=0))


def mean_ap(model: Predictor, x: npt.NDArray[np.float64], y: npt.NDArray[np.bool_]) -> float:
    return float(average_precision_score(y, model.predict(x), average="macro"))


def orders_of_sklearn(patches: int, repeats: int, seed: int) -> npt.NDArray[np.int64]:
    """The permutations that it comes to: it permutes again what it has permuted."""
    first = np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1)
    random, shuffled, order = np.random.RandomState(first), np.arange(patches), np.arange(patches)
    found = []
    for _ in range(repeats):
        random.shuffle(shuffled)
        order = order[shuffled]
        found.append(order)
    return np.stack(found)


def test_scikit_learn_finds_the_same(archive: Archive) -> None:
    random = np.random.default_rng(8)
    x, weights = means_of(archive), random.normal(size=(len(BANDS), 3))
    targets = x @ weights + random.normal(0, 2, (len(x), 3)) > 0
    work = asked(archive, weights, targets)
    base = work.base(score(work.model, work.inputs, work.positions))
    orders = orders_of_sklearn(len(x), 5, 7)
    features = {band: (band,) for band in BANDS}
    found = band_importance(work, SENSOR, features, orders, base)
    for scoring, name in ((sample_f1, "f1"), (mean_ap, "average_precision")):
        told = permutation_importance(
            Predictor(weights), x, targets, scoring=scoring, n_repeats=5, random_state=7
        )
        drops = [getattr(one, name) for one in found]
        assert np.allclose([drop.values for drop in drops], told.importances, atol=1e-6)
        assert np.allclose([drop.mean for drop in drops], told.importances_mean, atol=1e-6)
        assert np.allclose([drop.deviation for drop in drops], told.importances_std, atol=1e-6)
        assert told.importances_mean.max() > 0.05


def test_bands_of_a_group_come_from_one_patch(archive: Archive) -> None:
    """A model of a difference of two bands needs neither where both change together by equals."""
    x = means_of(archive)
    weights = np.zeros((len(BANDS), 1))
    weights[[0, 1], 0] = 4, -4
    targets = (x[:, :1] - x[:, 1:2]) > 0
    work = asked(archive, weights, targets)
    base, (both, everything) = measured(work, {"both": BANDS[:2], ALL: BANDS})
    assert both.f1.values == everything.f1.values
    orders = draw_permutations(len(x), 4, 1)
    decided = (x[:, 0] - x[:, 1]) >= 0
    f1 = [float((decided[order] & targets[:, 0]).mean()) for order in orders]
    assert np.allclose([base.f1 - drop for drop in both.f1.values], f1)


def test_equal_seeds_give_equal_figures(archive: Archive) -> None:
    targets = np.random.default_rng(1).random((len(archive), 1)) < 0.5
    work = asked(archive, np.ones((len(BANDS), 1)), targets)
    first, again, other = (measured(work, {"B02": ("B02",)}, seed=s)[1] for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_groups() -> None:
    every = [band.name for band in SENSOR.patch_bands]
    groups = group_bands(every, SENSOR)
    assert groups == {
        "10 m": ("B02", "B03", "B04", "B08"),
        "20 m": ("B05", "B06", "B07", "B8A", "B11", "B12"),
        "60 m": ("B01", "B09"),
        "visible": ("B02", "B03", "B04"),
        "red edge": ("B05", "B06", "B07"),
        "near infrared": ("B08", "B8A"),
        "short-wave infrared": ("B11", "B12"),
        ALL: tuple(every),
    }
    assert group_bands(["B04", "B03", "B02"], SENSOR) == {ALL: ("B04", "B03", "B02")}
    own = parse_groups(["mine=B05, B06", "red=B04"], every, SENSOR)
    assert own == {"mine": ("B05", "B06"), "red": ("B04",), ALL: tuple(every)}


@pytest.mark.parametrize("word", ["B05", "=B05", "name=", "name=B10", "name=B02,B99"])
def test_words_that_are_no_group(word: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no group of bands|sees no band"):
        parse_groups([word], ["B02", "B05"], SENSOR)
