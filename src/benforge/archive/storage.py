"""How chunks are compressed: the recipe's word for it, Zarr's words for it, and the codec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, get_args

import msgspec
import numcodecs
import numpy as np
import numpy.typing as npt
from numcodecs.blosc import Blosc
from numcodecs.zstd import Zstd

from benforge.errors import RecipeError

# Blosc's own threads lay blocks out in the order they end: the bytes would vary from run to run.
numcodecs.blosc.use_threads = False


Compression = Literal["none", "zstd", "blosc", "lz4"]
COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)


class StorageRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the pixels are stored; land cover and scene classification are always zstd.

    Args:
        compression: "none" reads at the speed of memory; "blosc" (zstd after bit shuffling)
            takes three fifths of the room; "lz4" (LZ4 after bit shuffling) a twentieth more than
            that, and decodes twice as fast; "zstd" is the plain form that more tools decode.
        level: effort, 1 to 9; without meaning for "none".

    Raises:
        RecipeError: another compression or level.
    """

    compression: Compression = "none"
    level: int = 3

    def __post_init__(self) -> None:
        if self.compression not in COMPRESSIONS:
            raise RecipeError(
                f"no compression is called {self.compression!r}", do="Use none, zstd, blosc or lz4"
            )
        if not 1 <= self.level <= 9:
            raise RecipeError(f"a compression level of {self.level}", do="Use 1 to 9")


MAPS = StorageRecipe(compression="zstd", level=9)
"""Storage of class maps: runs of the same code, a hundredth of the room."""


_BLOSC = {"blosc": "zstd", "lz4": "lz4"}
"""The words for what Blosc does, and what it has pack the shuffled bits."""


class ChunkCodec(Protocol):
    """One way to store the bytes of a chunk."""

    def encode(self, buf: npt.NDArray[Any]) -> bytes:
        """The stored bytes of a contiguous array."""
        ...

    def decode(self, buf: memoryview, out: npt.NDArray[Any]) -> object:
        """Fill a contiguous array from stored bytes."""
        ...


class BloscCodec:
    """Chunks packed by Blosc after shuffling their bits.

    Args:
        packer: what packs the bits, in Blosc's words.
        level: of effort, 1 to 9.
    """

    def __init__(self, packer: str, level: int) -> None:
        self.encode = Blosc(packer, level, Blosc.BITSHUFFLE).encode

    decode = staticmethod(numcodecs.blosc.decompress)
    """Without the checks of `Blosc.decode`, which cost as much as decoding a small chunk."""


class PlainCodec:
    """Chunks as they are in memory, little-endian."""

    def encode(self, buf: npt.NDArray[Any]) -> bytes:
        """The array's bytes."""
        return buf.tobytes()

    def decode(self, buf: memoryview, out: npt.NDArray[Any]) -> object:
        """Copy."""
        out[...] = np.frombuffer(buf, out.dtype).reshape(out.shape)
        return out


def zarr_codecs(storage: StorageRecipe, item_size: int) -> tuple[dict[str, Any], ...]:
    """The bytes-to-bytes codecs of an array as Zarr v3 metadata; empty for "none"."""
    if storage.compression == "none":
        return ()
    if storage.compression == "zstd":
        config: dict[str, Any] = {"level": storage.level, "checksum": False}
        return ({"name": "zstd", "configuration": config},)
    config = {
        "typesize": item_size,
        "cname": _BLOSC[storage.compression],
        "clevel": storage.level,
        "shuffle": "bitshuffle",
        "blocksize": 0,
    }
    return ({"name": "blosc", "configuration": config},)


def make_codec(storage: StorageRecipe) -> ChunkCodec:
    """The codec that stores chunks as the recipe says."""
    if storage.compression == "none":
        return PlainCodec()
    if storage.compression == "zstd":
        zstd: ChunkCodec = Zstd(level=storage.level, checksum=False)
        return zstd
    return BloscCodec(_BLOSC[storage.compression], storage.level)


def parse_codec(codecs: Sequence[Mapping[str, Any]]) -> ChunkCodec | None:
    """The codec that decodes an array's chunks, or None where only zarr-python can tell.

    Args:
        codecs: the inner codecs after `bytes`, as `zarr_codecs` gives them. Level, shuffle and
            what Blosc packs with do not matter: the chunks themselves say them.
    """
    match [codec["name"] for codec in codecs]:
        case []:
            return PlainCodec()
        case ["zstd"]:
            return make_codec(StorageRecipe(compression="zstd"))
        case ["blosc"]:
            return make_codec(StorageRecipe(compression="blosc"))
    return None


def compression_of(codecs: Sequence[Mapping[str, Any]]) -> str:
    """The recipe's word for an array's compression, or the names of codecs that have none."""
    match codecs:
        case [{"name": "blosc", "configuration": {"cname": "lz4"}}]:
            return "lz4"
    return "+".join(str(codec["name"]) for codec in codecs) or "none"
