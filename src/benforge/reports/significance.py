"""Whether one method is better than its neighbour, in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from benforge.evaluation.comparison import Comparison
from benforge.reports.folder import Folder
from benforge.reports.measured import RANDOMISATION, LabelResults, Results, Versus
from benforge.reports.part import Block, Section
from benforge.reports.words import LABELS, UNITS, Words, counted, figure_text, p_text, signed_range
from benforge.statistics.sheet import Sheet

LEVEL = 0.05

_ABOUT = (
    "The paper says that all improvements are significant with p ≪ 0.0001, and does not name the "
    "test. Here each pair is tested on the F1 of samples: by approximate randomisation of patches, "
    "by that of whole tiles, which neighbours that are alike do not deceive, and by McNemar's test "
    "of all decisions, which takes them as independent and so promises too much. p values are "
    "Holm's, corrected over the pairs; of several seeds the largest is told."
)


def significance_section(folder: Folder, results: Results) -> Section:
    """Every two methods, a block a set of labels."""
    blocks = [_block(folder, found) for found in results.labels]
    return Section("significance", "Are the differences chance?", (_ABOUT,), blocks)


def _block(folder: Folder, found: LabelResults) -> Block:
    title = LABELS.get(found.labels, found.labels)
    if not found.versus:
        return Block(title, words=("Fewer than two methods have predictions of the same seed.",))
    neighbours = found.versus[: len(found.methods) - 1]
    sheet = significance_sheet(Words(folder.experiment), found)
    name = f"significance-{found.labels}"
    return Block(
        title, words=tuple(_say(one, len(found.versus)) for one in neighbours), sheets={name: sheet}
    )


def _say(versus: Versus, pairs: int) -> str:
    better = "higher" if versus.difference > 0 else "lower"
    tests = list(_tests(versus, pairs))
    sure = all(p < LEVEL for _, p, _ in tests)
    verdict = (
        "more than chance explains"
        if sure
        else "not more than chance explains"
        if all(p >= LEVEL for _, p, _ in tests)
        else "by some of the tests more than chance explains"
    )
    said = "; ".join(f"p = {p_text(p)} by {name}{least}" for name, p, least in tests)
    return (
        f"{versus.name} has an F1 {figure_text('f1', abs(versus.difference))} {better} than "
        f"{versus.other} (95 % interval by {UNITS[versus.units]} {signed_range(versus.interval)}), "
        f"{verdict} at {LEVEL}: {said}."
    )


def _tests(versus: Versus, pairs: int) -> Iterator[tuple[str, float, str]]:
    """Name, p, and, where no difference could be sure, the smallest p that can come out."""
    for units in ("tiles", "patches"):
        p = versus.randomisation(units)
        if p is not None:
            least = pairs * max(_smallest(found, units) for found in versus.comparisons)
            note = (
                f" (of so few none below {p_text(min(1.0, least))} can come out)"
                if least >= LEVEL
                else ""
            )
            yield f"randomisation of {units}", p, note
    yield "McNemar's test", versus.mcnemar, ""


def _smallest(found: Comparison, units: str) -> float:
    return next(t.smallest_p for t in found.tests if (t.test, t.units) == (RANDOMISATION, units))


def significance_sheet(words: Words, found: LabelResults) -> Sheet:
    """Every two methods of a set of labels, one row a pair."""
    versus: Sequence[Versus] = found.versus
    table = pa.table(
        {
            "method": [one.name for one in versus],
            "against": [one.other for one in versus],
            "difference_of_F1": [one.difference for one in versus],
            "from": [one.interval[0] for one in versus],
            "to": [one.interval[1] for one in versus],
            "Cohen's_d": pa.array([one.cohens_d for one in versus], pa.float64()),
            "tiles:_p": [p_text(one.randomisation("tiles")) for one in versus],
            "patches:_p": [p_text(one.randomisation("patches")) for one in versus],
            "McNemar:_p": [p_text(one.mcnemar) for one in versus],
            "seeds": [len(one.comparisons) for one in versus],
        }
    )
    decimals = dict.fromkeys(("difference_of_F1", "from", "to"), 4)
    resamples = versus[0].comparisons[0].resamples
    note = (
        f"From and to: 95 % interval of the difference, by {UNITS[versus[0].units]}. "
        f"{counted(resamples, 'resample')} a test; p of a randomisation is never below "
        f"{p_text(1 / (resamples + 1))}, before Holm's correction of "
        f"{counted(len(versus), 'pair')}. Cohen's d is of the patches' differences: 0.2 is small, "
        "0.8 large."
    )
    title = words.title("Differences between methods", found.labels)
    return Sheet(title, table, note, decimals=decimals)
