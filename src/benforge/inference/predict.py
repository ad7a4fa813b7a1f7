"""The scores of a trained model for patches of an archive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from benforge.archive.archive import Archive
from benforge.archive.layout import SPLITS
from benforge.archive.sidecars import read_split, sidecar_names
from benforge.core.contract import Contract, check_agrees
from benforge.core.predictions import PredictionFacts, Predictions
from benforge.core.progress import Progress, silent
from benforge.errors import InputError
from benforge.loading.inputs import Inputs
from benforge.loading.order import Positions
from benforge.loading.parts import find_parts
from benforge.loading.places import open_inputs
from benforge.loading.targets import recall_targets
from benforge.models.checkpoint import hash_weights, load_model

BATCH = 128


def predict(
    run: Path,
    archive: Path,
    *,
    split: str | None = None,
    part: str = "test",
    device: torch.device | None = None,
    batch_size: int = BATCH,
    progress: Progress = silent,
) -> Predictions:
    """Ask a model about a part of a split, or about all patches of an archive.

    Args:
        run: folder of a training, or its checkpoint.
        archive: its folder; need not be the one that the model was trained on.
        split: name of a split of the archive; None asks about all patches.
        part: of the split.
        device: where; the CPU if None.
        batch_size: patches at once; changes no score beyond rounding.
        progress: told how many are done.

    Raises:
        InputError: other bands, numbers or patch sizes than the model's; a part without patches; no
            patch at once.
        MissingError: no such checkpoint, archive or split.
    """
    if batch_size < 1:
        raise InputError(f"{batch_size} patches at once are none", do="Ask for 1 or more")
    model, contract = load_model(run, device)
    opened = Archive.open(archive)
    check_fits(contract, opened)
    targets = recall_targets(opened, contract)
    check_agrees("classes", contract.classes, targets.nomenclature.names, str(opened.root))
    positions, digest = _asked(opened, split, part)
    where = device or torch.device("cpu")
    inputs = open_inputs(opened, contract, where)
    scores = score(model, inputs, positions, batch_size, progress)
    return Predictions(
        patch_ids=opened.index["patch_id"].combine_chunks().take(positions),
        scores=scores,
        targets=targets.hot[positions],
        classes=contract.classes,
        facts=PredictionFacts(
            nomenclature=contract.nomenclature,
            model=contract.title,
            run=run.resolve().name,
            split=split or "",
            part=part if split else "",
            split_digest=digest,
            archive=opened.root.resolve().name,
            simulated=bool(opened.meta.simulated),
            extra={
                "weights": hash_weights(run),
                "trained_on": _trained_on(opened, contract, positions),
            },
        ),
    )


def _asked(archive: Archive, split: str | None, part: str) -> tuple[Positions, str]:
    """The patches of a part, and the digest of the split; all of them without one."""
    if split is None:
        return np.arange(len(archive)), ""
    found = read_split(archive.root, split)
    return find_parts(archive, found, [part])[part], found.digest


def _trained_on(archive: Archive, contract: Contract, positions: Positions) -> int | None:
    """How many of these patches the model was trained on; None where that cannot be told."""
    if contract.split not in sidecar_names(archive.root, SPLITS):
        return None
    split = read_split(archive.root, contract.split)
    if split.digest != contract.split_digest:
        return None
    ids = archive.index["patch_id"].cast(pa.string()).combine_chunks().take(pa.array(positions))
    return int(pc.sum(pc.is_in(ids, split.part("train").combine_chunks())).as_py() or 0)


def check_fits(contract: Contract, archive: Archive) -> None:
    """Raise where an archive's patches are not what the model was trained on.

    Raises:
        InputError: names what differs, and both sides.
    """
    sensor, where = archive.meta.sensor, str(archive.root)
    known = {band.name for band in sensor.patch_bands}
    if lost := [band for band in contract.bands if band not in known]:
        raise InputError(
            f"the model needs band {lost[0]}, the archive has {', '.join(sorted(known))}",
            where=where,
            do="Take a model of these bands",
        )
    check_agrees("reflectance 1 stored as", contract.quantification, sensor.quantification, where)
    if len(archive):
        edge = archive[0].arrays[min(sensor.pixel_sizes)].shape[-1]
        check_agrees("patches of so many pixels", contract.patch_pixels, edge, where)


def score(
    model: torch.nn.Module,
    inputs: Inputs,
    positions: Positions,
    batch_size: int = BATCH,
    progress: Progress = silent,
) -> np.ndarray:
    """The model's scores, `patch label`, float32, 0 to 1."""
    found, done = [], 0
    with torch.inference_mode():
        for batch in inputs.batches(positions, batch_size):
            found.append(torch.sigmoid(model(batch.inputs).float()).cpu().numpy())
            done += len(batch.positions)
            progress("predicting", done, len(positions))
    return np.concatenate(found) if found else np.zeros((0, 0), np.float32)
