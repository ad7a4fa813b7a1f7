"""What a report needs and only the archive has, kept beside the runs of an experiment."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.image import imsave

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.files import read_json, write_atomic
from benforge.core.predictions import Predictions
from benforge.core.progress import Progress, silent
from benforge.core.split import PARTS
from benforge.evaluation.counts import Counts
from benforge.evaluation.figure import Figure
from benforge.evaluation.files import read_predictions
from benforge.evaluation.threshold import Threshold
from benforge.experiments.plan import PREDICTIONS, Experiment, run_folder
from benforge.loading.parts import find_parts
from benforge.loading.targets import load_targets
from benforge.splits.leakage import Leakage
from benforge.splits.request import SplitRequest, answer_archive
from benforge.splits.summary import SplitSummary, summarise
from benforge.statistics.example_chart import PERCENTILES
from benforge.statistics.examples import choose_examples
from benforge.statistics.pictures import TRUE_COLOR, picture_of

EXAMPLES = 8
"""Test patches that are shown with their labels, as in the paper's Table 3."""

_F1 = Figure("sample", "f1")
_T = TypeVar("_T")


class ClassCounts(msgspec.Struct, frozen=True):
    """Patches of each part that have a class."""

    train: int
    validation: int
    test: int


class SplitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The split, and how often each class occurs in its parts.

    Args:
        split: as `ben split` tells it.
        classes: label set, then class, to counts.
    """

    split: SplitSummary
    classes: Mapping[str, Mapping[str, ClassCounts]]


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A patch to be shown.

    Args:
        patch_id: its id.
        taken: day, country.
        picture: PNG in true colour, each patch stretched by itself.
    """

    patch_id: str
    taken: str
    picture: bytes


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; None for what is not written yet."""

    leakage: Leakage | None
    split: SplitFacts | None
    examples: tuple[Example, ...] | None


def write_material(
    archive: Path, experiment: Experiment, out: Path, progress: Progress = silent
) -> None:
    """Write `leakage.json`, `classes.json` and `examples.json`; those that are there stay.

    Args:
        archive: its folder.
        experiment: whose runs are in `out`, all with predictions.
        out: folder of the experiment.
        progress: told what is written.

    Raises:
        BenError: the archive or predictions are damaged, or the disk is full.
    """
    makers: Mapping[str, Callable[[], object]] = {
        "leakage": lambda: _find_leakage(archive, experiment.split),
        "classes": lambda: _count_classes(archive, experiment),
        "examples": lambda: _picture_examples(archive, experiment, out),
    }
    for name, make in makers.items():
        if not (out / f"{name}.json").is_file():
            progress(f"writing {name}")
            write_atomic(out / f"{name}.json", msgspec.json.encode(make()) + b"\n")


def read_material(out: Path) -> Material:
    """What was written of it.

    Raises:
        InputError: a file is damaged.
    """
    return Material(
        leakage=_read(out / "leakage.json", Leakage),
        split=_read(out / "classes.json", SplitFacts),
        examples=_read(out / "examples.json", tuple[Example, ...]),
    )


def _read(path: Path, kind: type[_T]) -> _T | None:
    if not path.is_file():
        return None
    return read_json(path, kind, do="Remove it and run the experiment again")


def _find_leakage(archive: Path, split: str) -> Leakage | None:
    return answer_archive(archive, SplitRequest(name=split, leakage=True)).leakage


def _count_classes(archive: Path, experiment: Experiment) -> SplitFacts:
    opened, split = Archive.open(archive), read_split(archive, experiment.split)
    parts = find_parts(opened, split, [part for part in PARTS if split.sizes[part]])
    none = np.zeros(0, np.int64)
    classes = {}
    for labels in experiment.labels:
        targets = load_targets(opened, labels)
        counts = [targets.counts(parts.get(part, none)).tolist() for part in PARTS]
        rows = zip(targets.nomenclature.names, *counts, strict=True)
        classes[labels] = {name: ClassCounts(*row) for name, *row in rows}
    return SplitFacts(split=summarise(split), classes=classes)


def _picture_examples(archive: Path, experiment: Experiment, out: Path) -> list[Example]:
    """Test patches that the last method got right, and that it got wrong."""
    opened = Archive.open(archive)
    labels, seed, method = experiment.labels[0], experiment.seeds[0], experiment.methods[-1].name
    told = read_predictions(run_folder(out, labels, method, seed) / PREDICTIONS)
    ids = told.patch_ids.to_pylist()
    return [_picture(opened, ids[i]) for i in choose_answers(opened, told)]


def choose_answers(archive: Archive, told: Predictions, count: int = EXAMPLES) -> list[int]:
    """Rows of predictions to show, without chance, best answers first.

    Half are of the answers that are wholly right and half of the others, where there are enough
    of both; in each half they show as many classes as possible.
    """
    f1 = Counts.of_patches(Threshold.of(told).decide(told.scores), told.targets).of_each(_F1)
    order = np.argsort(-f1, kind="stable")
    count = min(count, len(told))
    half = count // 2
    cut = int(np.clip((f1 == 1).sum(), half, len(told) - (count - half)))
    index = archive.index["patch_id"].cast(pa.string())
    positions = np.asarray(pc.index_in(told.patch_ids, index))
    chosen: list[int] = []
    for rows, many in ((order[:cut], half), (order[cut:], count - half)):
        chosen += _varied(archive, positions, told.targets, np.sort(rows), many)
    return sorted(chosen, key=lambda row: -f1[row])


def _varied(
    archive: Archive,
    positions: npt.NDArray[np.int64],
    hot: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.int64],
    count: int,
) -> list[int]:
    if not len(rows) or not count:
        return []
    found = choose_examples(archive.index.take(positions[rows]), hot[rows], count)
    chosen: list[int] = rows[found].tolist()
    return chosen


def _picture(archive: Archive, patch_id: str) -> Example:
    position = archive.find(patch_id)
    record, sink = archive.record(position), io.BytesIO()
    picture = picture_of(archive[position], TRUE_COLOR, PERCENTILES)
    unsigned: Any = {"Software": None}
    imsave(sink, picture, format="png", metadata=unsigned)
    day = f"{record.sensing_time.day} {record.sensing_time:%B %Y}"
    taken = ", ".join(part for part in (day, record.country) if part)
    return Example(patch_id=patch_id, taken=taken, picture=sink.getvalue())
