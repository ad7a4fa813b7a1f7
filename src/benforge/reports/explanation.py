"""What the models look at: bands that they need, and where they find classes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from benforge.errors import InputError
from benforge.inference.explain_pictures import SAID, draw_classes, draw_importance
from benforge.inference.explained import FOLDER, NOTE, Explanation, MapFacts, read_explanation
from benforge.models.checkpoint import WEIGHTS
from benforge.reports.folder import Folder, Run, digest
from benforge.reports.part import Block, Section, Seen, draw
from benforge.reports.words import listed
from benforge.statistics.sheet import Sheet

MOST_SEEN = 24
"""Maps of a run that the page shows; the run's folder holds them all."""

_BANDS = (
    "Of one band after the other, each patch is given that of another patch, in the numbers that "
    "are stored; what the figure then loses is how much the model needs the band beside the "
    "others. Bands that tell the same stand in for each other: each of them alone may cost "
    "nothing, and their group much. A loss within the spread of its repeats is none."
)
_MAPS = (
    "A map shows which ground speaks for a class in the model's last grid of features, brightest "
    "where most does. It tells where the model looked, not whether it was right to."
)


def explanation_sections(folder: Folder) -> list[Section]:
    """One section where a run has an explanation, else none.

    Raises:
        InputError: an explanation is damaged, of other weights, or of another split.
    """
    blocks = [_block(run, told) for run, told in _told(folder)]
    title = "What the model looks at"
    return [Section("explanation", title, (_BANDS, _MAPS), blocks)] if blocks else []


def _told(folder: Folder) -> Iterator[tuple[Run, Explanation]]:
    for run in (*folder.runs, *folder.variants):
        place = run.planned.folder / FOLDER
        if not (place / NOTE).is_file():
            continue
        told = read_explanation(place)
        if WEIGHTS in run.lost or told.weights != digest(run.planned.folder / WEIGHTS):
            raise _foreign("of other weights than the run's", place)
        if told.split_digest != folder.experiment.split_digest:
            raise _foreign("of another split than the experiment's", place)
        yield run, told


def _foreign(what: str, place: Path) -> InputError:
    return InputError(what, where=place / NOTE, do="Remove the folder and run ben explain again")


def _block(run: Run, told: Explanation) -> Block:
    name = f"importance-{run.planned.labels}-{run.planned.method.name}-{run.planned.seed}"
    what = f"What permuting bands costs · {told.of_what()}"
    caption = (
        f"Mean of {told.repeats} permutations, with their standard deviation; a dot each. "
        f"{told.patches:,} of {told.patches_of_part:,} patches; bands, and below them groups."
    )
    shown = draw(f"figure-{name}", name, what, caption, lambda: draw_importance(told, what))
    by_class = f"{name}-by-class"
    each = f"What permuting bands costs each class · {told.of_what()}"
    caption = "Mean loss of average precision; of a class that few patches have it says little."
    heat = []
    if any(value is not None for value in told.base.per_class):
        made = draw(f"figure-{by_class}", by_class, each, caption, lambda: draw_classes(told, each))
        heat.append(made)
    return Block(
        run.name,
        figures=(shown, *heat),
        sheets={name: importance_sheet(told), by_class: class_sheet(told, each)},
        board=[_seen(run.planned.folder / FOLDER, one) for one in choose_seen(told)],
        board_caption=f"Where it finds classes · {told.of_what()}, "
        f"{min(len(told.maps), MOST_SEEN)} of {len(told.maps)} maps, of the classes it tells best",
    )


def choose_seen(told: Explanation) -> list[MapFacts]:
    """The maps that a page shows: of the classes with the highest average precision first."""
    scores = dict(zip(told.classes, told.base.per_class, strict=True))
    return sorted(told.maps, key=lambda one: -(scores[one.label] or 0.0))[:MOST_SEEN]


def _seen(folder: Path, one: MapFacts) -> Seen:
    try:
        picture = b64encode((folder / one.file).read_bytes()).decode()
    except OSError as error:
        raise _foreign(f"its picture {one.file} cannot be read", folder) from error
    share = one.share_of_map
    on = "" if share is None else f"; {share:.0%} of the map lies on the class"
    return Seen(
        picture=f"data:image/png;base64,{picture}",
        head=one.label,
        note=f"{SAID[one.kind]}, score {one.score:.2f}{on}",
        lines=(
            ("true labels", listed(one.true) or "none"),
            ("predicted", listed(one.predicted) or "none"),
        ),
    )


def importance_sheet(told: Explanation) -> Sheet:
    """One row a band and group: what each figure loses, and the class that loses most."""
    rows = [*told.bands, *told.groups]
    most = [
        max(
            (
                (drop.mean, name)
                for name, drop in zip(told.classes, row.per_class, strict=True)
                if drop
            ),
            default=(0.0, ""),
        )
        for row in rows
    ]
    table = pa.table(
        {
            "permuted": [row.name for row in rows],
            "bands": [", ".join(row.bands) for row in rows],
            "loss_of_F1": [row.f1.mean for row in rows],
            "its_deviation": [row.f1.deviation for row in rows],
            "loss_of_AP": [row.average_precision.mean for row in rows],
            "deviation_of_it": [row.average_precision.deviation for row in rows],
            "class_that_loses_most": [name for _, name in most],
            "loss_of_its_AP": [loss for loss, _ in most],
        }
    )
    names = ("loss_of_F1", "its_deviation", "loss_of_AP", "deviation_of_it", "loss_of_its_AP")
    note = (
        f"F1 of samples from {told.base.f1:.4f}, mean average precision (AP) from "
        f"{told.base.average_precision:.4f}; {told.repeats} permutations, seed {told.seed}. "
        f"{NOTE} has every repeat and class."
    )
    title = f"What permuting bands costs · {told.of_what()}"
    return Sheet(title, table, note, decimals=dict.fromkeys(names, 4))


def class_sheet(told: Explanation, title: str) -> Sheet:
    """One row a class that occurs: its average precision, and what each band takes from it."""
    kept = [i for i, value in enumerate(told.base.per_class) if value is not None]
    columns = {
        "class": [told.classes[i] for i in kept],
        "AP": pa.array([told.base.per_class[i] for i in kept], pa.float64()),
        **{
            row.name: pa.array(
                [drop.mean if (drop := row.per_class[i]) else None for i in kept], pa.float64()
            )
            for row in (*told.bands, *told.groups)
        },
    }
    decimals = {name: 3 for name in columns if name != "class"}
    note = f"AP is average precision. Means of {told.repeats} permutations."
    return Sheet(title, pa.table(columns), note, decimals=decimals)
