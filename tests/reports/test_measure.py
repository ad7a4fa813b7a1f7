"""What is reported is what evaluation says, of each seed, then averaged."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from benforge.core.predictions import Predictions
from benforge.errors import InputError
from benforge.evaluation.compare import compare, compare_all
from benforge.evaluation.evaluate import evaluate
from benforge.evaluation.figure import Figure
from benforge.evaluation.files import read_predictions, write_predictions
from benforge.experiments.plan import PREDICTIONS, run_folder
from benforge.reports.folder import Folder, read_folder
from benforge.reports.measure import measure
from benforge.reports.measured import Results, answers_of
from benforge.reports.mistaken import count_mistaken
from tests.reports.conftest import RESAMPLES
from tests.reports.made import made_experiment, write_experiment


def told(whole: Path, labels: str, method: str, seed: int) -> Predictions:
    return read_predictions(run_folder(whole, labels, method, seed) / PREDICTIONS)


@pytest.mark.parametrize("labels", ["43", "level1"])
@pytest.mark.parametrize("figure", ["precision", "recall", "f1", "f2"])
def test_figures_are_means_over_seeds_of_what_evaluation_says(
    whole: Path, results: Results, labels: str, figure: str
):
    found = next(one for one in results.labels if one.labels == labels)
    for one in found.methods:
        files = [told(whole, labels, one.name, seed) for seed in (1, 2)]
        assert one.sample(figure) == [getattr(evaluate(file).sample, figure) for file in files]
        assert one.mean(figure) == fmean(one.sample(figure))


def test_intervals_are_those_of_compare_with_their_ends_averaged(whole: Path, results: Results):
    one = results.labels[0].methods[2]
    ends = []
    for seed in (1, 2):
        file = told(whole, "43", "scnn-all", seed)
        ends.append(compare(file, file, Figure("sample", "f2"), resamples=RESAMPLES).intervals[1].a)
    assert one.interval("f2") == pytest.approx(tuple(np.mean(ends, axis=0)))
    assert one.units == "tiles"
    low, high = one.interval("f1")
    assert low < one.mean("f1") < high


def test_pairs_are_corrected_over_all_of_a_seed_and_the_largest_p_is_told(
    whole: Path, results: Results
):
    pairs = {
        seed: compare_all(
            [told(whole, "43", name, seed) for name in ("scnn-all", "scnn-rgb", "inception-v2")],
            resamples=RESAMPLES,
        )
        for seed in (1, 2)
    }
    found = results.labels[0].versus
    assert [(v.name, v.other) for v in found] == [
        ("S-CNN-RGB", "Inception-v2 (random weights)"),
        ("S-CNN-All", "S-CNN-RGB"),
        ("S-CNN-All", "Inception-v2 (random weights)"),
    ]
    best = found[1]
    assert best.difference == fmean(pairs[seed][0].difference for seed in (1, 2))
    assert best.difference > 0
    assert best.randomisation("patches") == max(pairs[s][0].tests[0].p_holm for s in (1, 2))
    assert best.randomisation("tiles") == max(pairs[s][0].tests[2].p_holm for s in (1, 2))
    assert best.mcnemar == max(pairs[s][0].mcnemar.p_holm for s in (1, 2))


def test_variants_are_held_against_the_default_with_the_first_seed(whole: Path, results: Results):
    assert list(results.variants) == ["no-batch-norm", "conv-dropout"]
    a, b = (told(whole, "43", name, 1) for name in ("no-batch-norm", "scnn-all"))
    expected = compare(a, b, resamples=RESAMPLES)
    assert results.variants["no-batch-norm"].comparisons == [expected]


def test_few_tiles_are_not_drawn_from(tmp_path: Path):
    plan = made_experiment(labels=["level1"], seeds=1)
    out = write_experiment(tmp_path / "e", plan, tiles=("33UUP", "29SNB"))
    (found,) = measure(read_folder(out), RESAMPLES).labels
    assert found.tiles == 2
    assert found.methods[0].units == "patches"
    assert found.versus[0].randomisation("tiles") is None
    assert found.versus[0].randomisation("patches") is not None


def test_predictions_of_another_split_are_refused_by_name(tmp_path: Path):
    plan = made_experiment(labels=["level1"], seeds=1)
    out = write_experiment(tmp_path / "e", plan)
    file = run_folder(out, "level1", "scnn-rgb", 1) / PREDICTIONS
    found = read_predictions(file)
    facts = type(found.facts)(split_digest="1" * 64, part="test")
    other = Predictions(found.patch_ids, found.scores, found.targets, found.classes, facts)
    write_predictions(file, other)
    with pytest.raises(InputError, match=f"{file}: predictions of other patches"):
        measure(read_folder(out), RESAMPLES)


def small(scores: list[list[float]], targets: list[list[int]]) -> Predictions:
    names = [f"patch {i}" for i in range(len(scores))]
    return Predictions.of(names, scores, targets, ["wood", "water", "town"])


def test_what_is_given_in_place_of_what_is_missed():
    #              wood   water  town
    scores = [[0.9, 0.1, 0.1], [0.1, 0.8, 0.7], [0.2, 0.6, 0.1]]
    targets = [[1, 0, 0], [1, 1, 0], [1, 0, 0]]
    found = count_mistaken(small(scores, targets), "model", 1)
    assert found.classes == ("wood", "water")  # no patch has town
    assert found.true.tolist() == [3, 1]
    assert found.missed.tolist() == [2, 0]
    # wood is missed twice; water stands in its place once, for it is true of the other patch
    assert found.instead.tolist() == [[0, 1], [0, 0]]
    assert found.shares.tolist() == [[0, 0.5], [0, 0]]


def test_answers_of_patches_to_show():
    file = small([[0.9, 0.1, 0.7], [0.5, 0.8, 0.1]], [[1, 1, 0], [0, 1, 0]])
    (answer,) = answers_of({"model": file}, ["patch 1", "elsewhere"])
    assert answer.true == ["water"]
    assert answer.said == {"model": ["wood", "water"]}


def test_memory_holds_every_file_with_its_digest(folder: Folder, results: Results):
    files = {str(path.relative_to(folder.path)) for path in folder.path.rglob(PREDICTIONS)}
    assert set(results.digests) == files
