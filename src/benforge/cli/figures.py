"""What is printed of measured predictions: figures, comparisons, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from benforge.cli.tables import print_figures
from benforge.cli.terminal import err, out, print_facts

if TYPE_CHECKING:
    from benforge.evaluation.comparison import Comparison, Interval
    from benforge.evaluation.evaluate import ClassFigures, Evaluation, Figures

FEW = 20
"""Tiles below which intervals and tests of the bootstrap promise too much."""

RANDOMISATION = "approximate randomisation"

_HEADINGS = ("P (%)", "R (%)", "F1", "F2", "F0.5")


def print_evaluation(found: Evaluation, per_class: bool) -> None:
    """The figures on standard output: the paper's first, precision and recall in %."""
    sizes = f"{found.patches:,} patches, {found.labels} classes"
    print_facts(f"{found.model or 'Predictions'}: {sizes}", _of_what(found))
    rows = [(name, getattr(found, name)) for name in ("sample", "micro", "macro", "weighted")]
    print_figures(("average", *_HEADINGS), [(name, *_cells(row)) for name, row in rows])
    print_facts("Other figures", _others(found))
    _print_calibration(found)
    if per_class:
        names = ("class", "patches", "predicted", *_HEADINGS, "AP")
        print_figures(names, [_class_cells(row) for row in found.per_class])


def print_comparison(found: Comparison, first: Path, second: Path) -> None:
    """Both values, their difference and the tests on standard output; a warning of few tiles."""
    names = [side.model or path.stem for side, path in ((found.a, first), (found.b, second))]
    print_facts(
        f"{found.figure} of {found.patches:,} patches"
        + (" (simulated)" if found.simulated else ""),
        {
            "first": f"{found.a.value:.4f}  {names[0]}, threshold {_show(found.a.threshold)}",
            "second": f"{found.b.value:.4f}  {names[1]}, threshold {_show(found.b.threshold)}",
            "difference": f"{found.difference:+.4f}{_effect(found)}",
            **{f"95 % by {i.units}": _interval(i.difference) for i in found.intervals},
        },
    )
    rows = [
        (t.test, f"{t.number:,} {t.units}", f"{t.p:.2g}", f"{t.smallest_p:.2g}")
        for t in found.tests
    ]
    decisions = f"{found.mcnemar.a_alone + found.mcnemar.b_alone:,} decisions"
    rows.append(("McNemar", decisions, f"{found.mcnemar.p:.2g}", ""))
    print_figures(("test", "units", "p", "smallest possible"), rows)
    _warn_of_few(found)


def print_comparisons(every: Sequence[Comparison], files: Sequence[Path]) -> None:
    """The value of each model, then every two of them; p by Holm's method over all pairs."""
    first = every[0]
    sides = [first.a, *(pair.b for pair in every[: len(files) - 1])]
    names = _names([side.model for side in sides], files)
    values = [f"{side.value:.4f}, threshold {_show(side.threshold)}" for side in sides]
    print_facts(
        f"{first.figure} of {first.patches:,} patches"
        + (" (simulated)" if first.simulated else ""),
        dict(zip(names, values, strict=True)),
    )
    units = first.intervals[-1].units
    tests = [f"p by {test.units}" for test in first.tests if test.test == RANDOMISATION]
    rows = [
        (
            f"{a} − {b}",
            f"{pair.difference:+.4f}",
            _interval(pair.intervals[-1].difference),
            *(_p(test.p_holm) for test in pair.tests if test.test == RANDOMISATION),
            _p(pair.mcnemar.p_holm),
        )
        for (a, b), pair in zip(combinations(names, 2), every, strict=True)
    ]
    print_figures(("models", "difference", f"95 % by {units}", *tests, "McNemar"), rows, (0, 2))
    out.print(
        "p of randomisation, and McNemar's, corrected by Holm's method over all pairs; --json has "
        "the bootstrap's too",
        markup=False,
    )
    _warn_of_few(first)


def _names(models: Sequence[str], files: Sequence[Path]) -> Sequence[str]:
    """What tells the models apart: their names, else those of their files, else the paths."""
    stems = [file.stem for file in files]
    several = (names for names in (models, stems) if len({*names, ""}) > len(files))
    return next(several, [str(file) for file in files])


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"


def _warn_of_few(found: Comparison) -> None:
    if found.tiles is not None and found.tiles < FEW:
        err.print(f"{found.tiles} tiles are few: what is said by tiles is rough", markup=False)


def _cells(row: Figures | ClassFigures) -> tuple[str, ...]:
    shares = (f"{100 * row.precision:.2f}", f"{100 * row.recall:.2f}")
    return (*shares, *(f"{value:.4f}" for value in (row.f1, row.f2, row.f05)))


def _class_cells(row: ClassFigures) -> tuple[str, ...]:
    counts = f"{row.positives:,}", f"{row.predicted:,}"
    return row.name, *counts, *_cells(row), _show(row.average_precision)


def _of_what(found: Evaluation) -> dict[str, object]:
    part = f"{found.part} of {found.split}" if found.split else found.part
    archive = f"{found.archive}{', simulated' if found.simulated else ''}"
    facts = {"nomenclature": found.nomenclature, "part": part, "archive": archive.lstrip(", ")}
    told = f" for {found.threshold_figure}" if found.threshold_figure else ""
    threshold = f"{_show(found.threshold)}, {found.threshold_from}{told}"
    return {name: text for name, text in {**facts, "threshold": threshold}.items() if text}


def _others(found: Evaluation) -> dict[str, object]:
    precision = found.average_precision
    occur = f"{found.classes_that_occur} of {found.labels} classes occur"
    return {
        "average precision": f"micro {_show(precision.micro)}, macro {_show(precision.macro)}; "
        + occur,
        "hamming loss": _show(found.hamming_loss),
        "subset accuracy": _show(found.subset_accuracy),
        "one-error": _show(found.one_error),
        "coverage": f"{found.coverage:.2f} classes",
        "ranking loss": _show(found.ranking_loss),
        "LRAP": _show(found.lrap),
        "calibration error": _show(found.calibration.expected_error),
        "Brier score": _show(found.calibration.brier),
    }


def _print_calibration(found: Evaluation) -> None:
    rows = [
        (f"{b.low:.1f} to {b.high:.1f}", f"{b.decisions:,}", _show(b.mean_score), _show(b.true))
        for b in found.calibration.bins
    ]
    print_figures(("score", "decisions", "mean score", "true"), rows)


def _effect(found: Comparison) -> str:
    effect = found.effect
    if effect.a_better is None or effect.b_better is None:
        return ""
    d = "" if effect.cohens_d is None else f"Cohen's d {effect.cohens_d:.3f}, "
    return f"; {d}first better on {effect.a_better:.1%} of patches, second on {effect.b_better:.1%}"


def _interval(interval: Interval) -> str:
    return f"{interval[0]:+.4f} to {interval[1]:+.4f}"


def _show(value: float | tuple[float, ...] | None) -> str:
    if isinstance(value, tuple):
        return f"one a class, {min(value):.3f} to {max(value):.3f}"
    return "–" if value is None else f"{value:.4f}"
