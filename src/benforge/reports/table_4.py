"""Table 4: precision, recall, F1 and F2 of every method, beside the paper's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from benforge.reports.folder import Folder
from benforge.reports.measure import FEWEST_TILES, FIGURES
from benforge.reports.measured import LabelResults, Measured, Results
from benforge.reports.paper import load_paper
from benforge.reports.part import Block, Grid, GridGroup, GridRow, Section
from benforge.reports.words import (
    LABELS,
    NAMES,
    UNITS,
    Words,
    counted,
    figure_text,
    range_text,
)
from benforge.statistics.sheet import Sheet, table_of

_SHORT = ("P_%", "R_%", "F1", "F2")

_ABOUT = (
    "Precision, recall, F1 and F2 are means over test patches, computed in each of them: the "
    "paper's figures. Each is computed for every seed by itself, then averaged over seeds; so are "
    "the ends of the 95 % intervals, which tell what other test patches would have given, not what "
    "another training would. What stands below the thick rule is not in the paper."
)


def table_4_section(folder: Folder, results: Results) -> Section:
    """The section of Table 4, a block a set of labels."""
    words = (_ABOUT, *_differences(folder, results))
    blocks = [_block(folder, found) for found in results.labels]
    return Section("table-4", "Table 4: the methods", words, blocks)


def _block(folder: Folder, found: LabelResults) -> Block:
    title = LABELS.get(found.labels, found.labels)
    if not found.all:
        return Block(title, words=("No predictions yet.",))
    words = Words(folder.experiment)
    grid = Grid(
        title=words.title("Table 4", found.labels),
        headings=tuple(NAMES[name] for name in FIGURES),
        groups=tuple(_groups(found)),
        note=interval_note(found),
    )
    return Block(title, grids=(grid,))


def interval_note(found: LabelResults) -> str:
    """How intervals were drawn, and of how many patches."""
    of = counted(found.patches, "test patch", "test patches")
    tiles = f" in {counted(found.tiles, 'tile')}" if found.tiles else ""
    if found.tiles >= FEWEST_TILES:
        how = "Intervals are clustered: the bootstrap draws whole tiles."
        if found.tiles < 20:
            how += " So few tiles make them rough."
    else:
        how = (
            "Intervals are plain: the bootstrap draws patches, as there are fewer than "
            f"{FEWEST_TILES} tiles or ids name none. They are too narrow where neighbours are "
            "alike."
        )
    return f"{of}{tiles}. {how}"


def _groups(found: LabelResults) -> Iterator[GridGroup]:
    for place, one in enumerate(found.all):
        yield GridGroup(
            method=one.title,
            note="not in the paper" if one.baseline else "",
            rows=tuple(_rows(found.labels, one)),
            first_below=place == len(found.methods),
        )


def _rows(labels: str, one: Measured) -> Iterator[GridRow]:
    seeds, several = counted(len(one.seeds), "seed"), len(one.seeds) > 1
    ours = [figure_text(name, one.mean(name)) for name in FIGURES]
    yield GridRow(f"here, mean of {seeds}" if several else "here, 1 seed", ours, strong=True)
    ranges = [range_text(name, one.interval(name)) for name in FIGURES]
    yield GridRow(f"95 %, by {UNITS[one.units]}", ranges)
    if several:
        spread = [(min(one.sample(name)), max(one.sample(name))) for name in FIGURES]
        cells = [range_text(name, ends) for name, ends in zip(FIGURES, spread, strict=True)]
        yield GridRow("lowest and highest seed", cells)
    if paper := _of_paper(labels, one):
        yield GridRow("paper (2019)", [figure_text(name, paper[name]) for name in FIGURES])
        less = [figure_text(n, one.mean(n) - paper[n], sign=True) for n in FIGURES]
        yield GridRow("here less paper", less)


def _of_paper(labels: str, one: Measured) -> Mapping[str, float] | None:
    paper = load_paper()
    return paper.methods.get(one.paper) if labels == paper.labels else None


def table_4_sheet(words: Words, found: LabelResults) -> Sheet:
    """Table 4 of one set of labels for programs: one row a method and kind of number."""
    rows = [
        (_named(one), what, *values) for one in found.all for what, values in _lines(found, one)
    ]
    columns = dict(zip(("method", "what", *_SHORT), zip(*rows, strict=True), strict=True))
    decimals = dict.fromkeys(("F1", "F2"), 4)
    title = words.title("Table 4", found.labels)
    note = f"Mean over seeds; P and R in percent. {interval_note(found)}"
    return Sheet(title, table_of(columns), note, decimals=decimals)


def _named(one: Measured) -> str:
    return f"{one.title} (not in the paper)" if one.baseline else one.title


def _lines(found: LabelResults, one: Measured) -> Iterator[tuple[str, list[float]]]:
    yield "here", _scaled(one.mean)
    yield "95 % from", _scaled(lambda name: one.interval(name)[0])
    yield "95 % to", _scaled(lambda name: one.interval(name)[1])
    yield "lowest seed", _scaled(lambda name: min(one.sample(name)))
    yield "highest seed", _scaled(lambda name: max(one.sample(name)))
    if paper := _of_paper(found.labels, one):
        yield "paper", _scaled(lambda name: paper[name])
        yield "here less paper", _scaled(lambda name: one.mean(name) - paper[name])


def _scaled(get: Callable[[str], float]) -> list[float]:
    return [get(name) * (100 if name in ("precision", "recall") else 1) for name in FIGURES]


def _differences(folder: Folder, results: Results) -> Iterator[str]:
    """What was done otherwise than in the paper, in words."""
    experiment, paper, split = folder.experiment, load_paper(), folder.material.split
    kind = "a simulated archive" if experiment.simulated else "an archive"
    told = [f"{kind} of {experiment.patches:,} patches, not the {paper.patches:,} of BigEarthNet"]
    if experiment.recipe.epochs != paper.epochs:
        told.append(f"{experiment.recipe.epochs} epochs, not {paper.epochs}")
    titles = {one.title for found in results.labels for one in found.methods if "(" in one.title}
    told += sorted(titles)
    if split is None or split.split.rule != "paper-random":
        rule = f" by the rule {split.split.rule}" if split else ""
        told.append(f"the split {experiment.split}{rule}, not 60, 20 and 20 % of all patches drawn")
    else:
        told += split.split.notes
    yield f"What differs from the paper: {'; '.join(told)}. What it leaves open is told below."
