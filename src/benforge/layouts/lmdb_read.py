"""Values of the community's LMDB: one safetensors of bands a patch, read where they lie.

The format is that of rico-hdl, which ConfigILM reads (fidelity 10): the key is the name of a
patch, the value holds `B01` to `B12` and `B8A`, each `row col` at native size; the reference map
of a patch has the key `<patch>_reference_map` and one tensor, `Data`; Sentinel-1 patches lie
between and are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import lmdb
import msgspec
import numpy as np
import numpy.typing as npt

from benforge.errors import ArchiveError, InputError, MissingError

MAP_SUFFIX = "_reference_map"
MAP_TENSOR = "Data"
DATA_FILE = "data.mdb"

_MAGIC = struct.pack("=I", 0xBEEFC0DE)
_META = 24
"""Bytes from a data file's begin to behind its magic number and version."""
_LONGEST_HEADER = 1 << 20
_AGAIN = "Encode the archive again, or use --skip-bad"
_PICKLES = range(2, 6)
"""Protocols of pickle whose first byte is 0x80."""


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of a safetensors header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


Plan = Mapping[str, _Tensor]
"""Name of a tensor to where it lies."""

_environments: dict[str, lmdb.Environment] = {}


def data_file(path: Path) -> Path:
    """The file that holds the pages: `data.mdb` in a folder, or `path` itself."""
    return path / DATA_FILE if path.is_dir() else path


def is_lmdb(path: Path) -> bool:
    """Whether a folder or file is an LMDB, told from the first bytes alone."""
    try:
        with data_file(path).open("rb") as file:
            return file.read(_META)[16:20] == _MAGIC
    except OSError:
        return False


def open_lmdb(path: Path) -> lmdb.Environment:
    """The environment of an LMDB, opened once in a process: a second opening is refused by lmdb.

    Nothing is locked and nothing is written, so it may lie on a disk that is read-only; nobody
    may write into it meanwhile. Pages are read ahead, as an import reads all of them.

    Raises:
        MissingError: there is none.
        ArchiveError: it is damaged, or cut off.
    """
    key = str(path.absolute())
    if key not in _environments:
        _environments[key] = _open(path)
    return _environments[key]


def close_lmdb(path: Path) -> None:
    """Close what `open_lmdb` opened; others may open it then, to write for example."""
    environment = _environments.pop(str(path.absolute()), None)
    if environment is not None:
        environment.close()


def _open(path: Path) -> lmdb.Environment:
    if not data_file(path).is_file():
        raise MissingError("there is no LMDB", where=path)
    try:
        found = lmdb.open(
            str(path),
            subdir=path.is_dir(),
            readonly=True,
            lock=False,
            create=False,
            readahead=True,
            max_spare_txns=1,
        )
    except lmdb.Error as error:
        raise _damaged(path, error) from error
    pages = found.info()["last_pgno"] + 1
    size = data_file(path).stat().st_size
    if size < pages * found.stat()["psize"]:
        found.close()
        raise ArchiveError(
            f"the LMDB is cut off: {size:,} bytes, where it had {pages:,} pages",
            where=path,
            do="Copy it again",
        )
    return found


def _damaged(path: Path, error: lmdb.Error) -> ArchiveError:
    return ArchiveError(f"the LMDB cannot be read, {error}", where=path, do="Copy it again")


def read_keys(path: Path) -> Iterator[str]:
    """Every key, sorted; their values are not touched.

    Raises:
        MissingError: there is no LMDB.
        ArchiveError: it is damaged, or a key is no text.
    """
    try:
        with open_lmdb(path).begin() as transaction:
            for key in transaction.cursor().iternext(values=False):
                yield key.decode()
    except UnicodeDecodeError as error:
        raise InputError("a key is no text, so it is no patch", where=path) from error
    except lmdb.Error as error:
        raise _damaged(path, error) from error


@contextmanager
def value_of(path: Path, key: str) -> Iterator[memoryview | None]:
    """The bytes of a value where they lie, until the block ends; None where there is no such key.

    Raises:
        MissingError: there is no LMDB.
        ArchiveError: it is damaged.
    """
    try:
        with open_lmdb(path).begin(buffers=True) as transaction:
            yield transaction.get(key.encode())
    except lmdb.Error as error:
        raise _damaged(path, error) from error


def parse_tensors(value: memoryview, where: str) -> tuple[Plan, int]:
    """The tensors of a safetensors, checked: each within the value, in line, without a gap.

    Args:
        value: all of it.
        where: its key, for messages.

    Returns:
        Name to tensor, and the byte where the data begins.

    Raises:
        ArchiveError: it is no safetensors, or a damaged one.
        InputError: it is a pickle.
    """
    check_no_pickle(value, where)
    length = int.from_bytes(value[:8], "little")
    if len(value) < 8 or length > min(len(value) - 8, _LONGEST_HEADER):
        raise _no_tensors("its header is longer than the value", where)
    try:
        return _parse_header(bytes(value[8 : 8 + length]), len(value) - 8 - length), 8 + length
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise _no_tensors(str(error), where) from error


def check_no_pickle(value: memoryview, where: str) -> None:
    """Raise where a value is a pickle, as bigearthnet_encoder wrote them for v1.

    It begins with 0x80 and the protocol. So may a safetensors whose header has 640 bytes, but
    there six zeros follow.

    Raises:
        InputError: it is one.
    """
    begin = bytes(value[:8])
    if begin[:1] == b"\x80" and begin[1:2] and begin[1] in _PICKLES and any(begin[2:]):
        raise InputError(
            "the value is a pickle, which may run any code when it is read, so it is not",
            where=where,
            do="Import the folder of GeoTIFFs that this LMDB was made from",
        )


@lru_cache(maxsize=64)
def _parse_header(header: bytes, size: int) -> Plan:
    """The tensors that a header names; nearly all patches have the same header.

    Raises:
        ValueError: it is no header, or does not fit data of this many bytes.
    """
    if header[:1] != b"{":
        raise ValueError("its header is no JSON object")
    told = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
    told.pop("__metadata__", None)
    plan = {name: msgspec.json.decode(raw, type=_Tensor) for name, raw in told.items()}
    end = 0
    for tensor in sorted(plan.values(), key=lambda tensor: tensor.data_offsets):
        start, stop = tensor.data_offsets
        if start != end or stop < start or min(tensor.shape, default=0) < 0:
            raise ValueError("its tensors do not lie one behind the other")
        end = stop
    if end != size:
        raise ValueError(f"its tensors have {end} bytes, and it has {size}")
    return plan


def read_tensor(
    value: memoryview, plan: Plan, start: int, name: str, edge: int, where: str
) -> npt.NDArray[np.uint16]:
    """One tensor of `edge` x `edge` pixels, `row col`, a view into the value.

    Args:
        value: the safetensors.
        plan: its tensors, as `parse_tensors` gives them.
        start: where its data begins, likewise.
        name: of the tensor.
        edge: pixels.
        where: the key, for messages.

    Raises:
        ArchiveError: there is no such tensor, or it has another type or shape.
    """
    tensor = check_tensor(plan, name, edge, where)
    begin, stop = tensor.data_offsets
    data = value[start + begin : start + stop]
    return np.frombuffer(data, "<u2").reshape(edge, edge)


def check_tensor(plan: Plan, name: str, edge: int, where: str) -> _Tensor:
    """The entry of a tensor, if it is uint16 of `edge` x `edge` pixels.

    Raises:
        ArchiveError: there is no such tensor, or it has another type or shape.
    """
    if name not in plan:
        raise ArchiveError(f"the value has no {name}", where=where, do=_AGAIN)
    tensor = plan[name]
    begin, stop = tensor.data_offsets
    if (tensor.dtype, tensor.shape) != ("U16", (edge, edge)) or stop - begin != 2 * edge * edge:
        shape = " x ".join(map(str, tensor.shape))
        raise ArchiveError(
            f"{name} is {tensor.dtype} of {shape} in {stop - begin} bytes, "
            f"where a patch has U16 of {edge} x {edge}",
            where=where,
            do=_AGAIN,
        )
    return tensor


def _no_tensors(why: str, where: str) -> ArchiveError:
    return ArchiveError(f"the value is no safetensors: {why}", where=where, do=_AGAIN)
