"""Patches that show where a model looks: which ones, and their pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from torch import nn

from benforge.archive.archive import Archive
from benforge.core.contract import Contract
from benforge.core.files import write_atomic
from benforge.core.progress import Progress
from benforge.core.split import check_parts
from benforge.errors import InputError
from benforge.inference.explain_maps import activation_maps
from benforge.inference.explain_pictures import draw_map, ground_of, true_color, weigh_ground
from benforge.inference.explained import KINDS, MAPS, Kind, MapFacts
from benforge.labels.hot import Hot
from benforge.loading.inputs import PatchInputs
from benforge.loading.order import Positions
from benforge.loading.targets import Targets
from benforge.statistics.style import as_png, lay_out, styled

REPEATS, MOST = 5, 2000
"""Permutations of each band, and patches that are looked at, where nothing is said."""
AT_ONCE = 16
"""Patches whose maps are computed at a time."""

Scores = npt.NDArray[np.float32]


class ExplainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    Args:
        split: name of a split of the archive.
        part: of it.
        repeats: permutations of each band.
        seed: of the patches drawn and of the permutations.
        most: patches to look at; drawn where the part has more. 0 for all.
        maps: patches to draw of each class and kind.
        threshold: from which score on a class is predicted.
        groups: words such as "vegetation=B05,B06"; none for those that are usual.

    Raises:
        InputError: no such part, or a number out of range.
    """

    split: str
    part: str = "test"
    repeats: int = REPEATS
    seed: int = 1
    most: int = MOST
    maps: int = 1
    threshold: float = 0.5
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_parts([self.part])
        if self.repeats < 1 or self.maps < 0 or self.most < 0 or not 0 <= self.threshold <= 1:
            raise InputError("a number out of range", do="Repeats from 1 on, a threshold of 0 to 1")


class Choice(NamedTuple):
    """A map to draw: the row of the patch, the class, and what the model says of it."""

    row: int
    label: int
    kind: Kind


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """All that is at hand, opened and checked.

    Args:
        archive: whose patches are looked at.
        model: that is asked.
        contract: of it.
        targets: of the archive.
        inputs: its patches as the model sees them.
        positions: in the index, of those that are looked at.
        request: what is asked.
    """

    archive: Archive
    model: nn.Module
    contract: Contract
    targets: Targets
    inputs: PatchInputs
    positions: Positions
    request: ExplainRequest

    @property
    def hot(self) -> Hot:
        """`patch label`, of the patches that are looked at."""
        return self.targets.hot[self.positions]

    @property
    def simulated(self) -> bool:
        """Whether the archive, or what the model was trained on, is."""
        return bool(self.archive.meta.simulated) or self.contract.simulated


def choose_maps(scores: Scores, targets: Hot, threshold: float, each: int) -> list[Choice]:
    """Of every class the patches that tell most: surest right, worst missed, surest wrong.

    Args:
        scores: `patch label`.
        targets: likewise.
        threshold: from which score on a class is given.
        each: patches of each class and kind; fewer where there are fewer.
    """
    given = scores >= np.float32(threshold)
    of: dict[Kind, Hot] = {
        "right": given & targets,
        "missed": ~given & targets,
        "wrong": given & ~targets,
    }
    found = []
    for label in range(scores.shape[1]):
        for kind in KINDS:
            rows = np.flatnonzero(of[kind][:, label])
            keys = scores[rows, label] * (1 if kind == "missed" else -1)
            best = rows[np.argsort(keys, kind="stable")[:each]]
            found += [Choice(int(row), label, kind) for row in best]
    return found


def draw_maps(
    work: Work, scores: Scores, draft: Path, progress: Progress
) -> tuple[tuple[MapFacts, ...], tuple[tuple[int, int, int], ...]]:
    """Draw the maps of some patches of every class into a folder.

    Returns:
        What was drawn, and `feature row col` of the grids that it was taken at.

    Raises:
        InputError: the network works on no grid.
        StorageError: the disk is full.
    """
    request = work.request
    chosen = choose_maps(scores, work.hot, request.threshold, request.maps)
    (draft / MAPS).mkdir()
    told: list[MapFacts] = []
    grids: tuple[tuple[int, int, int], ...] = ()
    for start in range(0, len(chosen), AT_ONCE):
        some = chosen[start : start + AT_ONCE]
        pixels = work.inputs.reader.read(work.positions[[one.row for one in some]])
        labels = [one.label for one in some]
        heats, grids = activation_maps(work.model, work.inputs.prepare(pixels), labels)
        for choice, heat in zip(some, heats, strict=True):
            progress("drawing maps", len(told), len(chosen))
            told.append(_draw_map(work, scores[choice.row], choice, heat, draft, len(told)))
    return tuple(told), grids


def _draw_map(
    work: Work,
    scores: Scores,
    choice: Choice,
    heat: npt.NDArray[np.float32],
    draft: Path,
    number: int,
) -> MapFacts:
    position, names = int(work.positions[choice.row]), work.contract.classes
    record, label = work.archive.record(position), work.targets.nomenclature.classes[choice.label]
    ground = ground_of(work.archive, position, work.targets.nomenclature, choice.label)
    share, share_of_map = weigh_ground(heat, ground)
    hot, given = work.hot[choice.row], scores >= np.float32(work.request.threshold)
    told = MapFacts(
        file=f"{MAPS}/{number + 1:03d}-{_slug(label.name)}-{choice.kind}.png",
        patch_id=record.patch_id,
        taken=", ".join([record.sensing_time.date().isoformat(), *filter(None, [record.country])]),
        label=label.name,
        kind=choice.kind,
        score=float(scores[choice.label]),
        true=tuple(name for name, has in zip(names, hot, strict=True) if has),
        predicted=tuple(name for name, has in zip(names, given, strict=True) if has),
        share=share,
        share_of_map=share_of_map,
    )
    bands = true_color(work.archive, position)
    with styled():
        figure = draw_map(told, bands, heat, ground, label.color, simulated=work.simulated)
        lay_out(figure)
        write_atomic(draft / told.file, as_png(figure))
    return told


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
