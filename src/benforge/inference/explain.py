"""What a model looks at: how much it needs each band, and where in patches it finds a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.contract import check_agrees
from benforge.core.files import new_folder, write_atomic
from benforge.core.progress import Progress, silent
from benforge.inference.explain_bands import (
    Asked,
    band_importance,
    draw_permutations,
    parse_groups,
)
from benforge.inference.explain_patches import ExplainRequest, Scores, Work, draw_maps
from benforge.inference.explain_pictures import draw_importance
from benforge.inference.explained import CHART, FOLDER, NOTE, Base, Explanation, Importance
from benforge.inference.predict import BATCH, check_fits, score
from benforge.loading.order import Positions
from benforge.loading.parts import find_parts
from benforge.loading.places import inputs_from_disk
from benforge.loading.targets import load_targets
from benforge.models.checkpoint import hash_weights, load_model
from benforge.statistics.style import as_png, lay_out, styled


def explain(
    run: Path,
    archive: Path,
    request: ExplainRequest,
    out: Path | None = None,
    *,
    device: torch.device | None = None,
    batch_size: int = BATCH,
    progress: Progress = silent,
) -> Explanation:
    """Write what a model looks at: figures as JSON, a chart of bands, pictures of patches.

    Equal input and an equal seed give equal figures on a CPU.

    Args:
        run: folder of a training, or its checkpoint.
        archive: its folder; need not be the one that the model was trained on.
        request: what is asked.
        out: a new folder; `explanation` in the run's folder if None, where `ben report` finds it.
        device: where; the CPU if None.
        batch_size: patches at once; changes nothing beyond rounding.
        progress: told what is done.

    Raises:
        InputError: other bands, numbers or classes than the model's, a part without patches, a
            group of bands that is none, or a network that works on no grid.
        MissingError: no such checkpoint, archive or split.
        ConflictError: the folder holds other things.
        StorageError: the disk is full; nothing stays of the folder.
    """
    work, digest, whole = _open(run, archive, request, device or torch.device("cpu"))
    contract, names = work.contract, work.contract.bands
    groups = parse_groups(request.groups, names, work.archive.meta.sensor)
    with new_folder(out or (run if run.is_dir() else run.parent) / FOLDER) as draft:
        scores = score(work.model, work.inputs, work.positions, batch_size, progress)
        maps, grids = draw_maps(work, scores, draft, progress)
        base, found = _measure(work, scores, groups, batch_size, progress)
        told = Explanation(
            model=contract.title,
            run=run.resolve().name,
            weights=hash_weights(run),
            archive=work.archive.root.resolve().name,
            simulated=work.simulated,
            nomenclature=contract.nomenclature,
            classes=contract.classes,
            split_digest=digest,
            patches=len(work.positions),
            patches_of_part=whole,
            grids=grids,
            base=base,
            bands=tuple(found[: len(names)]),
            groups=tuple(found[len(names) :]),
            maps=maps,
            **{name: getattr(request, name) for name in _FROM_REQUEST},
        )
        _write(told, draft)
    return told


_FROM_REQUEST = ("split", "part", "threshold", "repeats", "seed")


def _measure(
    work: Work,
    scores: Scores,
    groups: Mapping[str, tuple[str, ...]],
    batch_size: int,
    progress: Progress,
) -> tuple[Base, list[Importance]]:
    """The figures as they are, and what permuting each band and then each group costs."""
    request = work.request
    asked = Asked(work.model, work.inputs, work.positions, work.hot, request.threshold, batch_size)
    base = asked.base(scores)
    orders = draw_permutations(len(work.positions), request.repeats, request.seed)
    features = {**{band: (band,) for band in work.contract.bands}, **groups}
    sensor = work.archive.meta.sensor
    return base, band_importance(asked, sensor, features, orders, base, progress)


def _open(
    run: Path, archive: Path, request: ExplainRequest, device: torch.device
) -> tuple[Work, str, int]:
    """What is needed, the digest of the split, and how many patches its part has."""
    model, contract = load_model(run, device)
    opened = Archive.open(archive)
    check_fits(contract, opened)
    targets = load_targets(opened, contract.nomenclature)
    check_agrees("classes", contract.classes, targets.nomenclature.names, str(opened.root))
    split = read_split(opened.root, request.split)
    whole = find_parts(opened, split, [request.part])[request.part]
    positions = draw_positions(whole, request.most, request.seed)
    inputs = inputs_from_disk(opened, contract, device)
    work = Work(opened, model, contract, targets, inputs, positions, request)
    return work, split.digest, len(whole)


def draw_positions(whole: Positions, most: int, seed: int) -> Positions:
    """So many of these positions, drawn by chance, in their order; all where `most` is 0."""
    if not most or len(whole) <= most:
        return whole
    drawn = np.random.default_rng([seed, len(whole)]).choice(len(whole), most, replace=False)
    return whole[np.sort(drawn)]


def _write(told: Explanation, draft: Path) -> None:
    with styled():
        figure = draw_importance(told)
        lay_out(figure)
        write_atomic(draft / CHART, as_png(figure))
    text = msgspec.json.format(msgspec.json.encode(told), indent=2)
    write_atomic(draft / NOTE, text + b"\n")
