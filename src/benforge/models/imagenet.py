"""ImageNet weights of Inception-v2: read a public file, know it again, put it into the network.

Nothing in a file is ever executed: safetensors and npz hold arrays only, and torch's own files are
read with `weights_only`, which builds tensors and refuses everything else.
"""

from __future__ import annotations

import hashlib
import pickle
import struct
import tomllib
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from benforge.errors import BenError, InputError, MissingError
from benforge.models.bn_inception import BNInception, LayoutName

Tensors = Mapping[str, Tensor]
CONVERT = "Take bn_inception-52deb4733.pth, or convert it to safetensors or npz"
MARKS: dict[LayoutName, str] = {
    "caffe": "conv1_7x7_s2.weight",
    "slim": "InceptionV2/Conv2d_1a_7x7/depthwise_weights",
}
"""A tensor by which each layout is known."""

_SOFTMAX = ("last_linear.", "fc.", "InceptionV2/Logits/", "global_step")
"""Beginnings of what a file holds beyond the network: the softmax over ImageNet's classes."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Where weights come from that were not trained here.

    Args:
        file: name of the file, without its folder.
        sha256: of the file.
        layout: of which port.
        known: whether it is a public file whose SHA-256 is known.
    """

    file: str
    sha256: str
    layout: LayoutName
    known: bool

    def __str__(self) -> str:
        word = "ImageNet weights" if self.known else "unverified weights"
        return f"{word}, {self.layout} layout, {self.file}, sha256 {self.sha256}"


def read_imagenet(network: BNInception, path: Path) -> Weights:
    """Put the weights of a file into the network, and say where they come from.

    Raises:
        MissingError: there is no such file.
        InputError: it is damaged, would execute code, is of the other layout or another network.
    """
    if not path.is_file():
        raise MissingError(
            "there are no such weights", where=path, do="Name a file, or none for random weights"
        )
    tensors = {name.removesuffix(":0"): t for name, t in _read(path).items()}
    layout = recognise(tensors, path)
    if layout != network.layout.name:
        raise InputError(f"weights in the {layout} layout", where=path, do=f"Set layout={layout}")
    network.load_state_dict(convert(network, tensors, path))
    digest = sha256(path)
    known = any(digest.startswith(f["sha256"]) and f["layout"] == layout for f in known_files())
    return Weights(path.name, digest, layout, known)


def sha256(path: Path) -> str:
    """Of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def known_files() -> tuple[dict[str, str], ...]:
    """The public files of `imagenet.toml`."""
    text = (files("benforge.models") / "imagenet.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["file"])


def _read(path: Path) -> Tensors:
    """The tensors of a file, of whichever of the three kinds."""
    if path.suffix not in _READERS:
        kinds = ", ".join(_READERS)
        raise InputError("weights of an unknown kind", where=path, do=f"Use one of {kinds}")
    try:
        return _READERS[path.suffix](path)
    except BenError:
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            "a pickle that holds more than tensors, or a damaged one", where=path, do=CONVERT
        ) from error
    except _DAMAGED as error:
        what = str(error).partition("\n")[0]
        raise InputError(f"cannot be read, {what}", where=path, do=CONVERT) from error


def _read_npz(path: Path) -> Tensors:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def _read_torch(path: Path) -> Tensors:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickle protocols: what it cannot do it refuses
        loaded = torch.load(path, "cpu", weights_only=True)
    return _only_tensors(loaded, path)


_READERS: Mapping[str, Callable[[Path], Tensors]] = {
    ".safetensors": safetensors.torch.load_file,
    ".npz": _read_npz,
    ".pth": _read_torch,
    ".pt": _read_torch,
}
_DAMAGED = (
    *(SafetensorError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, RuntimeError, LookupError, TypeError, AttributeError),
)
"""What the libraries raise on files that are cut off or that are something else."""


def _only_tensors(loaded: object, path: Path) -> Tensors:
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(t, Tensor) for t in loaded.values()):
        raise InputError("not a dict of tensors", where=path, do=CONVERT)
    return loaded


def recognise(tensors: Tensors, path: Path) -> LayoutName:
    """Of which layout tensors are, by their names.

    Raises:
        InputError: of none.
    """
    for layout, mark in MARKS.items():
        if mark in tensors:
            return layout
    raise InputError(
        "not weights of Inception-v2",
        where=path,
        do=f"They have a tensor {' or '.join(MARKS.values())}",
    )


def convert(network: BNInception, tensors: Tensors, path: Path) -> dict[str, Tensor]:
    """The network's own state from a file's tensors: each is used once.

    Raises:
        InputError: one is missing, has another shape, or belongs to another network.
    """
    held, state = network.state_dict(), {}
    left = {name for name in tensors if not name.startswith(_SOFTMAX)}
    for ours, theirs in names(network).items():
        if theirs not in tensors:
            if theirs.endswith(("num_batches_tracked", "/gamma")):  # TF-Slim's gammas are 1
                state[ours] = held[ours]
                continue
            raise InputError(f"no tensor {theirs}", where=path, do="Take the whole file")
        state[ours] = _fit(tensors[theirs], theirs, held[ours], path)
        left.discard(theirs)
    if left:
        raise InputError(
            f"{len(left)} tensors that Inception-v2 does not have, {min(left)}", where=path
        )
    return state


def _fit(given: Tensor, name: str, wanted: Tensor, path: Path) -> Tensor:
    """A file's tensor in torch's order of axes, and for bands in the order red, green, blue."""
    tensor = given
    if name.endswith("/depthwise_weights") and given.ndim == 4:  # row col band many
        tensor = given.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)  # band·many 1 row col
    elif name.endswith("weights") and given.ndim == 4:  # row col band filter
        tensor = given.permute(3, 2, 0, 1)  # filter band row col
    elif name == MARKS["caffe"]:
        tensor = given.flip(1)  # trained on blue, green, red
    elif given.ndim == 2 and len(given) == 1:  # the port of 2017 writes `1 filter` in batch norms
        tensor = given[0]
    if tensor.shape != wanted.shape:
        shapes = f"{tuple(tensor.shape)}, not {tuple(wanted.shape)}"
        raise InputError(f"{name} has the shape {shapes}", where=path, do="Give it three bands")
    return tensor.to(wanted.dtype).contiguous()


def names(network: BNInception) -> dict[str, str]:
    """Each tensor of the network, and its name in files of its layout."""
    slim = network.layout.name == "slim"
    parts = _SLIM_PARTS if slim else _CAFFE_PARTS
    found = {}
    for ours, caffe, theirs in _units(network):
        for part, suffix in parts.items():
            found[f"{ours}.{part}"] = f"InceptionV2/{theirs}{suffix}" if slim else caffe + suffix
    if slim:
        first = "InceptionV2/Conv2d_1a_7x7"
        found["first.alone.weight"] = f"{first}/depthwise_weights"
        found["first.across.weight"] = f"{first}/pointwise_weights"
        found["first.across.bias"] = f"{first}/biases"
    return found


_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_CAFFE_PARTS = {"conv.weight": ".weight", "conv.bias": ".bias"} | {
    f"norm.{part}": f"_bn.{part}" for part in _NORM
}
_SLIM_PARTS = {"conv.weight": "/weights"} | {
    f"norm.{part}": f"/BatchNorm/{theirs}"
    for part, theirs in zip(
        _NORM,
        ("gamma", "beta", "moving_mean", "moving_variance", "num_batches_tracked"),
        strict=True,
    )
}


def _units(network: BNInception) -> Iterator[tuple[str, str, str]]:
    """Each convolution: its name here, in the Caffe port, in TF-Slim."""
    if not network.layout.separable:
        yield "first", "conv1_7x7_s2", ""
    yield "second.0", "conv2_3x3_reduce", "Conv2d_2b_1x1"
    yield "second.1", "conv2_3x3", "Conv2d_2c_3x3"
    for row, slim in zip(network.layout.rows, _SLIM_NAMES, strict=True):
        for branch, caffe, theirs in _branches(halves=not row.one):
            ours = f"blocks.{row.name}.branches.{branch}"
            yield ours, f"inception_{row.name}_{caffe}", f"Mixed_{slim}/{theirs}"


_SLIM_NAMES = ("3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "5c")
"""TF-Slim's names of the table's rows."""


def _branches(*, halves: bool) -> Iterator[tuple[str, str, str]]:
    first = 0 if halves else 1
    last = "1a_3x3" if halves else None
    if not halves:
        yield "one", "1x1", "Branch_0/Conv2d_0a_1x1"
        yield "pool.1", "pool_proj", "Branch_3/Conv2d_0b_1x1"
    yield "three.0", "3x3_reduce", f"Branch_{first}/Conv2d_0a_1x1"
    yield "three.1", "3x3", f"Branch_{first}/Conv2d_{last or '0b_3x3'}"
    yield "deep.0", "double_3x3_reduce", f"Branch_{first + 1}/Conv2d_0a_1x1"
    yield "deep.1", "double_3x3_1", f"Branch_{first + 1}/Conv2d_0b_3x3"
    yield "deep.2", "double_3x3_2", f"Branch_{first + 1}/Conv2d_{last or '0c_3x3'}"
