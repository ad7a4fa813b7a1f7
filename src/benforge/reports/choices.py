"""What the paper leaves open: the choice made here, and how much it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa

from benforge.experiments.plan import PlannedRun
from benforge.models.registry import read_options
from benforge.reports.folder import Folder, Run
from benforge.reports.measure import DEFAULT
from benforge.reports.measured import Results, Versus
from benforge.reports.part import Block, Section
from benforge.reports.words import UNITS, Words, p_text
from benforge.statistics.sheet import Sheet, table_of

CHOICES: tuple[tuple[str, str, str], ...] = (
    ("fc_width", "width of the fully connected layer", "one layer, no width"),
    ("batch_norm", "batch norm", "not named"),
    ("conv_dropout", "dropout after convolutions", "not named"),
    ("dropout", "dropout after the fully connected layer", "not named"),
    ("third_pooling", "pooling after the third convolution", "“between layers”"),
    ("init", "how initial weights are drawn", "randomly"),
    ("layout", "which of two public Inception-v2 networks", "the article alone"),
    ("picture_high", "stored number that Inception-v2 sees as white", "not told"),
    ("resize", "edge that Inception-v2's patches are enlarged to; 0 for not", "not told"),
    ("learning_rate", "learning rate", "not told"),
    ("schedule", "how the learning rate falls", "not told"),
    ("momentum", "momentum of SGD", "not named"),
    ("batch_size", "patches a step", "not told"),
    ("weight_decay", "weight decay", "not named"),
    ("augment", "whether patches are turned and flipped", "not named"),
    ("normalisation", "where the mean and deviation of bands come from", "not told"),
    ("kernel", "which cubic interpolation", "“cubic”"),
    ("keep", "which epoch is evaluated", "not told"),
    ("figure", "what the best epoch is chosen by, on validation", "not told"),
    ("precision", "precision of numbers in training", "not told"),
)
"""Key of a model's options or of the recipe, in words, and what the paper says (fidelity 29)."""

_OTHERS = {
    "from which score on a class is given": ("not told", "0.5"),
    "the test of significance": (
        "not named",
        "approximate randomisation and McNemar's, with Holm's correction",
    ),
}
_NOT_RUN = (
    "How much these choices matter was not measured in this experiment. "
    "`ben experiment paper ARCHIVE --out FOLDER --sensitivity`, with a new folder, trains "
    "S-CNN-All again with each of them changed."
)


def choices_section(folder: Folder, results: Results) -> Section:
    """Choices, then the sensitivity to them."""
    words = Words(folder.experiment)
    about = (
        "The paper names the layers, the loss, SGD and 100 epochs. All else is a choice; the "
        "defaults are those of the authors' nearest published network where it has them."
    )
    blocks = [Block(sheets={"choices": choices_sheet(folder)})]
    if results.variants:
        lost = [v.planned.method.name for v in folder.variants if not v.file.is_file()]
        told = (f"Not trained yet: {', '.join(lost)}.",) if lost else ()
        sheet = sensitivity_sheet(folder, results.variants)
        blocks.append(Block(words=told, sheets={"sensitivity": sheet}))
    elif folder.variants:
        named = "They are planned, but S-CNN-All or all of its variants have no predictions yet."
        blocks.append(Block(title=words.title("Sensitivity"), words=(named,)))
    else:
        blocks.append(Block(title=words.title("Sensitivity"), words=(_NOT_RUN,)))
    return Section("choices", "What the paper leaves open", (about,), blocks)


def choices_sheet(folder: Folder) -> Sheet:
    """One row a choice: what the paper says of it, and what was taken."""
    first = folder.experiment.seeds[0]
    runs = [run for run in folder.runs_of(folder.experiment.labels[0]) if run.planned.seed == first]
    made = {run.title: _values(folder, run.planned) for run in runs}
    rows = [
        (words, paper, value)
        for key, words, paper in CHOICES
        if (value := _told({title: v[key] for title, v in made.items() if key in v}, len(made)))
    ]
    rows += [(words, paper, here) for words, (paper, here) in _OTHERS.items()]
    columns = dict(zip(("choice", "the_paper", "here"), zip(*rows, strict=True), strict=True))
    title = Words(folder.experiment).title("What the paper leaves open")
    return Sheet(title, table_of(columns), "In brackets, the methods that a value is of.")


def _values(folder: Folder, planned: PlannedRun) -> dict[str, Any]:
    """Every option of a run's model and every value of its recipe."""
    options = read_options(planned.method.model, planned.method.options)
    recipe = planned.request(folder.experiment).recipe
    return {**msgspec.to_builtins(recipe), **msgspec.to_builtins(options)}


def _told(values: Mapping[str, object], methods: int) -> str:
    """One value, or several with the methods that have each; "" where no method has any."""
    shown: dict[str, list[str]] = {}
    for title, value in values.items():
        shown.setdefault(show(value), []).append(title)
    if len(shown) == 1 and len(values) == methods:
        return next(iter(shown))
    return "; ".join(f"{value} ({', '.join(titles)})" for value, titles in shown.items())


def show(value: object) -> str:
    """A value of a recipe for readers."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def sensitivity_sheet(folder: Folder, variants: Mapping[str, Versus]) -> Sheet:
    """One row a variant that was trained: what was changed, F1, and the difference."""
    named = {run.planned.method.name: run for run in folder.variants}
    rows = [(_changes(folder, named[name]), versus) for name, versus in variants.items()]
    first = next(iter(variants.values()))
    table = pa.table(
        {
            "change": [change for change, _ in rows],
            "F1": [versus.value for _, versus in rows],
            "difference": [versus.difference for _, versus in rows],
            "from": [versus.interval[0] for _, versus in rows],
            "to": [versus.interval[1] for _, versus in rows],
            "tiles:_p": [p_text(versus.randomisation("tiles")) for _, versus in rows],
            "patches:_p": [p_text(versus.randomisation("patches")) for _, versus in rows],
        }
    )
    seed = folder.experiment.seeds[0]
    note = (
        f"F1 of samples less that of {first.other} as it is above, with seed {seed} alone; from "
        f"and to are its 95 % interval by {UNITS[first.units]}. p is of randomisation, without "
        "correction. Another seed changes F1 too, so read small differences with the spread over "
        "seeds of Table 4."
    )
    title = Words(folder.experiment).title("Sensitivity", folder.experiment.labels[0])
    decimals = dict.fromkeys(("F1", "difference", "from", "to"), 4)
    return Sheet(title, table, note, decimals=decimals)


def _changes(folder: Folder, run: Run) -> str:
    """What a variant changes: "batch norm: no, not yes"."""
    method = next((m for m in folder.experiment.methods if m.name == DEFAULT), run.planned.method)
    usual = replace(run.planned, method=method)
    before, after = _values(folder, usual), _values(folder, run.planned)
    words = {key: text for key, text, _ in CHOICES}
    told = "; ".join(_differing(before, after, words))
    return told or f"{run.planned.method.name}: nothing, the default is the same"


def _differing(
    before: Mapping[str, Any], after: Mapping[str, Any], words: Mapping[str, str]
) -> Iterator[str]:
    for key, value in after.items():
        if key in before and before[key] != value:
            yield f"{words.get(key, key)}: {show(value)}, not {show(before[key])}"
