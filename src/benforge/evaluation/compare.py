"""Whether one model is better than another, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.core.predictions import Predictions
from benforge.errors import InputError
from benforge.evaluation.comparison import (
    Comparison,
    Effect,
    Interval,
    Intervals,
    PairedTest,
    Side,
)
from benforge.evaluation.counts import Counts
from benforge.evaluation.figure import Figure
from benforge.evaluation.holm import holm
from benforge.evaluation.mcnemar import McNemar, mcnemar
from benforge.evaluation.pair import Pair
from benforge.evaluation.resample import Units, as_far_as_observed, bootstrap, randomise
from benforge.evaluation.threshold import Threshold

RESAMPLES = 10_000

_Tested = TypeVar("_Tested", PairedTest, McNemar)


def compare(
    a: Predictions,
    b: Predictions,
    figure: Figure | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 1,
    clustered: bool = True,
    threshold_a: Threshold | None = None,
    threshold_b: Threshold | None = None,
) -> Comparison:
    """Compare two models on the same patches; equal input gives equal numbers.

    Args:
        a: the first.
        b: the second.
        figure: default the F1 of samples.
        resamples: of each test.
        seed: of chance.
        clustered: test by tile too, which needs benforge's patch ids and two tiles.
        threshold_a: default the one that `a` brings along.
        threshold_b: likewise of `b`.

    Raises:
        InputError: classes, patches or targets differ; or clustered, but ids name no tiles.
    """
    figure = figure or Figure("sample", "f1")
    if resamples < 1 or seed < 0:
        raise InputError(f"{resamples} resamples, seed {seed}", do="Name 1 or more, and 0 or more")
    threshold_a, threshold_b = threshold_a or Threshold.of(a), threshold_b or Threshold.of(b)
    pair = Pair.of(a, b, threshold_a, threshold_b)
    tiles = pair.tiles() if clustered else None
    plain = Units.of(pair, figure)
    kinds = {"patches": plain} | ({} if tiles is None else {"tiles": plain.clustered(tiles)})
    value_a, value_b = plain.observed()
    tested = [_test(kind, units, resamples, seed) for kind, units in kinds.items()]
    return Comparison(
        figure=str(figure),
        patches=len(a),
        tiles=None if tiles is None else int(tiles.max()) + 1,
        simulated=a.facts.simulated if a.facts.simulated is not None else b.facts.simulated,
        a=_side(a, threshold_a, value_a),
        b=_side(b, threshold_b, value_b),
        difference=value_a - value_b,
        intervals=tuple(intervals for _, intervals in tested),
        tests=tuple(test for tests, _ in tested for test in tests),
        mcnemar=mcnemar(pair),
        effect=_effect(pair, figure),
        resamples=resamples,
        seed=seed,
    )


def compare_all(
    predictions: Sequence[Predictions],
    figure: Figure | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 1,
    clustered: bool = True,
) -> tuple[Comparison, ...]:
    """Compare every two of several models, with Holm's correction of each kind of test.

    Raises:
        InputError: as `compare`.
    """
    pairs = [
        compare(a, b, figure, resamples=resamples, seed=seed, clustered=clustered)
        for a, b in combinations(predictions, 2)
    ]
    tests = [
        _corrected([pair.tests[i] for pair in pairs])
        for i in range(len(pairs[0].tests) if pairs else 0)
    ]
    mcnemars = _corrected([pair.mcnemar for pair in pairs])
    return tuple(
        msgspec.structs.replace(pair, tests=tuple(kind[i] for kind in tests), mcnemar=mcnemars[i])
        for i, pair in enumerate(pairs)
    )


def _corrected(tests: list[_Tested]) -> list[_Tested]:
    corrected = holm([test.p for test in tests])
    return [
        msgspec.structs.replace(test, p_holm=p) for test, p in zip(tests, corrected, strict=True)
    ]


def _test(
    kind: str, units: Units, resamples: int, seed: int
) -> tuple[tuple[PairedTest, PairedTest], Intervals]:
    """Both tests over one kind of unit, and the bootstrap's intervals."""
    swaps, draws = (np.random.default_rng([seed, part]) for part in range(2))
    a, b = bootstrap(units, resamples, draws)
    value_a, value_b = units.observed()
    least = 1 / (resamples + 1)
    found = randomise(units, resamples, swaps), as_far_as_observed(a - b, value_a - value_b)
    p_values = [(count + 1) / (resamples + 1) for count in found]
    tests = (
        PairedTest(
            test="approximate randomisation",
            units=kind,
            number=units.differing,
            p=p_values[0],
            smallest_p=max(least, 2.0 ** (1 - units.differing) if units.differing else 1.0),
        ),
        PairedTest(
            test="bootstrap",
            units=kind,
            number=len(units.a),
            p=p_values[1],
            smallest_p=least,
        ),
    )
    return tests, Intervals(units=kind, a=_middle(a), b=_middle(b), difference=_middle(a - b))


def _middle(draws: npt.NDArray[np.float64]) -> Interval:
    """The middle 95 % of the draws."""
    low, high = np.percentile(draws, (2.5, 97.5))
    return float(low), float(high)


def _side(predictions: Predictions, threshold: Threshold, value: float) -> Side:
    return Side(
        model=predictions.facts.model,
        run=predictions.facts.run,
        threshold=threshold.value,
        threshold_from=threshold.source,
        value=value,
    )


def _effect(pair: Pair, figure: Figure) -> Effect:
    if figure.average != "sample":
        return Effect()
    a, b = (
        Counts.of_patches(decided, pair.targets).of_each(figure) for decided in (pair.a, pair.b)
    )
    change = a - b
    spread = float(change.std(ddof=1)) if len(change) > 1 else 0.0
    return Effect(
        cohens_d=float(change.mean() / spread) if spread > 0 else None,
        a_better=float((change > 0).mean()),
        b_better=float((change < 0).mean()),
        equal=float((change == 0).mean()),
    )
