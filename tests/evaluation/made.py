"""Predictions made up for tests, with ties, empty patches and classes that never occur."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from benforge.core.predictions import PredictionFacts, Predictions

TILES = ("33UUP", "29SNB", "34TFQ", "35VPK")


def patch_ids(n: int, tiles: int = 4) -> list[str]:
    """Ids of patches that take turns in their tiles."""
    product = "S2A_MSIL2A_20170613T101031_N0205_R022_T"
    return [f"{product}{TILES[i % tiles]}_{i // 90:02d}_{i % 90:02d}" for i in range(n)]


def made(
    scores: npt.ArrayLike, targets: npt.ArrayLike, *, tiles: int = 4, **facts: object
) -> Predictions:
    """Predictions of these arrays `patch label`."""
    given = np.atleast_2d(np.asarray(targets))
    classes = [f"class {i}" for i in range(given.shape[1])]
    known = PredictionFacts(**facts)  # type: ignore[arg-type]
    return Predictions.of(
        patch_ids(len(given), tiles), np.atleast_2d(scores), given, classes, known
    )


def drawn(
    seed: int, n: int = 60, labels: int = 5, skill: float = 2.0, **facts: object
) -> Predictions:
    """Predictions by chance, the better the more skill; equal targets for equal n and labels."""
    targets = np.random.default_rng(n * labels).random((n, labels)) < 0.3
    noise = np.random.default_rng(seed).normal(size=(n, labels))
    return made(1 / (1 + np.exp(1 - skill * targets - noise)), targets, **facts)


@st.composite
def cases(draw: st.DrawFn, min_labels: int = 2) -> Predictions:
    """Small predictions; scores of few values, so that they tie and meet thresholds."""
    n, labels = draw(st.integers(1, 9)), draw(st.integers(min_labels, 6))
    value = st.integers(0, draw(st.sampled_from([2, 4, 1000])))
    rows = draw(st.lists(st.lists(value, min_size=labels, max_size=labels), min_size=n, max_size=n))
    scores = np.array(rows, np.float64) / max(1, np.max(rows))
    row = st.lists(st.booleans(), min_size=labels, max_size=labels)
    targets = np.array(draw(st.lists(row, min_size=n, max_size=n)))
    targets[:, draw(st.integers(0, labels - 1))] &= draw(st.booleans())
    return made(scores, targets)
