"""Features of a frozen network: computed once, kept in a file, learned from often."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from benforge.archive.archive import Archive
from benforge.core.contract import Contract
from benforge.core.files import storage_errors
from benforge.core.progress import Progress, silent
from benforge.loading.inputs import FeatureInputs, Inputs
from benforge.loading.order import Positions

BATCH = 32
FEATURES = "features-"
"""What the files of a cache begin with."""


def feature_inputs(
    model: nn.Module,
    inputs: Inputs,
    archive: Archive,
    used: Positions,
    contract: Contract,
    precision: str,
    cache: Path,
    progress: Progress = silent,
) -> FeatureInputs:
    """The features of these patches, from the cache where it has them.

    Args:
        model: with `features`, which are frozen.
        inputs: gives what it sees.
        archive: of the patches.
        used: positions, ascending.
        contract: of the model.
        precision: "fp32" or "bf16".
        cache: folder of feature files.
        progress: told how many are done.

    Raises:
        StorageError: the disk is full.
    """
    path = cache / f"{FEATURES}{_key(model, archive, used, contract, precision)}.npy"
    if not path.is_file():
        _write(path, _compute(model, inputs, used, precision, progress))
    rows = np.full(len(archive), -1, np.int64)
    rows[used] = np.arange(len(used))
    device = next(model.parameters()).device
    return FeatureInputs(np.load(path, mmap_mode="r"), rows, device)


def _compute(
    model: nn.Module, inputs: Inputs, used: Positions, precision: str, progress: Progress
) -> npt.NDArray[np.float32]:
    """`patch feature`."""
    model.eval()
    device, done = next(model.parameters()).device, 0
    found: list[npt.NDArray[np.float32]] = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"),
    ):
        for batch in inputs.batches(used, BATCH):
            features = model.features(batch.inputs)  # type: ignore[operator]
            found.append(features.float().cpu().numpy())
            done += len(batch.positions)
            progress("computing features", done, len(used))
    return np.concatenate(found)


def _write(path: Path, features: npt.NDArray[np.float32]) -> None:
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.stem}.draft.npy")
        np.save(draft, features)
        draft.rename(path)


def _key(
    model: nn.Module, archive: Archive, used: Positions, contract: Contract, precision: str
) -> str:
    """A name that changes with whatever changes a feature: weights, patches, how they are seen."""
    digest = hashlib.sha256(precision.encode())
    frozen = {n: t for n, t in model.state_dict().items() if not n.startswith("head.")}
    for name, tensor in sorted(frozen.items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    seen = (contract.bands, contract.normalisation, contract.kernel)
    digest.update(msgspec.json.encode(seen, order="deterministic"))
    ids = archive.index["patch_id"].cast(pa.string()).combine_chunks().take(pa.array(used))
    digest.update("\n".join(ids.to_pylist()).encode())
    digest.update(b"".join(scene.manifest.encode() for scene in archive.meta.scenes))
    return digest.hexdigest()[:16]
