"""What can be had without a network: how frequent classes are, and the means of the bands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.predictions import PredictionFacts, Predictions
from benforge.evaluation.prior import prior_scores
from benforge.loading.order import Positions, cut
from benforge.loading.parts import find_parts
from benforge.loading.reading import PatchReader, read_ahead
from benforge.loading.targets import Targets, load_targets

TITLES = {"prior": "Class prior", "band-means": "Logistic regression on band means"}
DECAY = 1e-4
"""L2 of the regression's weights."""
ROUNDS = 200
"""Of L-BFGS, at most."""
_BATCH = 256

Floats = npt.NDArray[np.float32]


def predict_baseline(archive: Path, split: str, labels: str, name: str) -> Predictions:
    """What a baseline, fitted to the part train, says of the part test.

    Args:
        archive: its folder.
        split: its name.
        labels: "43", "19", "level2" or "level1".
        name: "prior" or "band-means".

    Raises:
        BenError: a part without patches, labels that the archive does not tell.
    """
    opened = Archive.open(archive)
    found = read_split(opened.root, split)
    parts = find_parts(opened, found, ("train", "test"))
    targets = load_targets(opened, labels)
    if name == "prior":
        scores = prior_scores(targets.hot[parts["train"]], len(parts["test"]))
    else:
        scores = _regress(opened, targets, parts["train"], parts["test"])
    return Predictions(
        patch_ids=opened.index["patch_id"].combine_chunks().take(parts["test"]),
        scores=scores,
        targets=targets.hot[parts["test"]],
        classes=targets.nomenclature.names,
        facts=PredictionFacts(
            nomenclature=targets.nomenclature.name,
            model=TITLES[name],
            run=name,
            split=split,
            part="test",
            split_digest=found.digest,
            archive=opened.root.resolve().name,
            simulated=bool(opened.meta.simulated),
        ),
    )


def _regress(archive: Archive, targets: Targets, train: Positions, test: Positions) -> Floats:
    """Scores of a logistic regression, one a class, on the mean of each band."""
    known, asked = band_means(archive, train), band_means(archive, test)
    middle, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    x = torch.from_numpy((known - middle) / spread)
    y = torch.from_numpy(targets.hot[train]).float()
    layer = torch.nn.Linear(x.shape[1], y.shape[1])
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(
        layer.parameters(), max_iter=ROUNDS, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(layer(x), y)
        loss = loss + DECAY * layer.weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        told = torch.sigmoid(layer(torch.from_numpy((asked - middle) / spread)))
    scores: Floats = told.numpy()
    return scores


def band_means(archive: Archive, positions: Positions) -> Floats:
    """The mean of each band of these patches, stored numbers: `patch band`."""
    bands = [band.name for band in archive.meta.sensor.patch_bands]
    reader = PatchReader(archive, bands)
    parts = (positions[part] for part in cut(len(positions), _BATCH))
    rows = [
        np.concatenate([array.mean(axis=(2, 3)) for array in pixels.values()], axis=1)
        for pixels in read_ahead(reader.read, parts, 1)
    ]
    return np.concatenate(rows).astype(np.float32)
