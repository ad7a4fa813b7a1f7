"""Predictions as files or as they are, tuned thresholds, and figures as printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import benforge as ben
from benforge.core.predictions import PredictionFacts
from benforge.errors import InputError


def made(part: str, seed: int, patches: int = 40) -> ben.Predictions:
    random = np.random.default_rng(seed)
    targets = random.random((patches, 3)) < 0.4
    scores = np.clip(0.25 * targets + 0.5 * random.random((patches, 3)), 0, 1)
    facts = PredictionFacts(model="Made", split="mine", part=part, simulated=True)
    ids = [
        f"S2A_MSIL2A_20170613T101031_N0205_R022_T{33 + i % 2}UUP_{i:02d}_{seed:02d}"
        for i in range(patches)
    ]
    return ben.Predictions.of(ids, scores, targets, ["a", "b", "c"], facts)


def test_files_and_predictions_are_taken_alike(tmp_path: Path) -> None:
    test, validation = made("test", 1), made("validation", 2)
    files = [
        ben.write_predictions(tmp_path / f"{one.facts.part}.parquet", one)
        for one in (test, validation)
    ]
    assert ben.evaluate(files[0]) == ben.evaluate(test)
    tuned = ben.evaluate(str(files[0]), tune_on=files[1])
    assert tuned == ben.evaluate(test, tune_on=validation)
    assert tuned.threshold_from == "tuned on validation"
    assert tuned.sample.f1 > ben.evaluate(test, threshold=0.9).sample.f1
    assert ben.compare(files[0], test, "macro-f1").difference == 0.0
    with pytest.raises(InputError):
        ben.evaluate(test, tune_on=test)


def test_printed_are_the_figures_that_are_read_first() -> None:
    figures = ben.evaluate(made("test", 1))
    head, names, sample, *_ = str(figures).splitlines()
    assert head == "Made, test of mine, simulated: 40 patches, 3 classes"
    assert names.split() == ["precision", "recall", "f1", "f2"]
    f = figures.sample
    assert sample.split() == ["sample", *(f"{x:.4f}" for x in (f.precision, f.recall, f.f1, f.f2))]
