"""What a comparison of two methods says: values, intervals, tests and the size of the effect."""

from __future__ import annotations

import msgspec

from benforge.evaluation.mcnemar import McNemar

Interval = tuple[float, float]


class PairedTest(msgspec.Struct, frozen=True, kw_only=True):
    """One test of the difference, two-sided.

    Args:
        test: "approximate randomisation" or "bootstrap".
        units: what is swapped or drawn as one: "patches" or "tiles".
        number: of units; of randomisation, of those on which the methods differ.
        p: `(count + 1) / (resamples + 1)`, so never 0.
        smallest_p: that could have come out: of so many resamples, or swaps of so few units.
        p_holm: corrected where several methods are compared, else None.
    """

    test: str
    units: str
    number: int
    p: float
    smallest_p: float
    p_holm: float | None = None


class Intervals(msgspec.Struct, frozen=True, kw_only=True):
    """95 % percentile intervals of the bootstrap over `units`."""

    units: str
    a: Interval
    b: Interval
    difference: Interval


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """How large the difference is, patch by patch; all None but for figures of samples.

    Args:
        cohens_d: mean of the patches' differences by their standard deviation (n - 1); None where
            all differ by the same.
        a_better: share of patches on which the first method's figure is higher.
        b_better: likewise the second's.
        equal: the rest.
    """

    cohens_d: float | None = None
    a_better: float | None = None
    b_better: float | None = None
    equal: float | None = None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two methods.

    Args:
        model: "" where not known.
        run: likewise.
        threshold: one for all classes, or one a class.
        threshold_from: "fixed" or "tuned on validation".
        value: of the figure.
    """

    model: str
    run: str
    threshold: float | tuple[float, ...]
    threshold_from: str
    value: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two methods on the same patches.

    Args:
        figure: that is compared, "sample-f1".
        patches: how many.
        tiles: how many, None where patches alone were resampled.
        simulated: whether the patches are; None where not known.
        a: the first method.
        b: the second.
        difference: the first's figure less the second's.
        intervals: plain, then clustered by tile.
        tests: plain, then clustered by tile.
        mcnemar: over all decisions.
        effect: see `Effect`.
        resamples: of each test.
        seed: of chance.
    """

    figure: str
    patches: int
    tiles: int | None
    simulated: bool | None
    a: Side
    b: Side
    difference: float
    intervals: tuple[Intervals, ...]
    tests: tuple[PairedTest, ...]
    mcnemar: McNemar
    effect: Effect
    resamples: int
    seed: int
