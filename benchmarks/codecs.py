"""How patches may be packed without loss: room, and the speed of a core, of real and made pixels.

`python -m benchmarks.codecs`. A patch is packed as an archive packs it, an array a pixel size; time
is the process's own, so a busy machine disturbs it less. Three kinds of pixels: the 66 patches of
BigEarthNet in the sample, two L2A scenes of Major-TOM where they are at hand, and simulated ones.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numcodecs.abc import Codec
from numcodecs.blosc import Blosc
from numcodecs.delta import Delta
from numcodecs.zstd import Zstd

from benchmarks.measure import show, table
from benchmarks.tile import SENSOR, Patches, Pixels, read_sample
from benforge.archive.storage import COMPRESSIONS, StorageRecipe, make_codec
from benforge.patches.cut import read_mosaics
from benforge.patches.plan import plan_patches
from benforge.scenes.open import open_scene
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate

MAJORTOM = Path(__file__).resolve().parents[2] / "shared/data/sentinel2/majortom_S2L2A"
SIZES = {"toy": (4, 1), "full": (64, 5)}
"""Patches of each kind at most, and rounds."""


@dataclass(frozen=True)
class Packer:
    """One way to pack an array.

    Args:
        name: what it does.
        zarr: the words by which Zarr v3 knows it; empty where it has none.
        encode: array to bytes.
        decode: bytes into an array.
    """

    name: str
    zarr: str
    encode: Callable[[Pixels], Any]
    decode: Callable[[Any, Pixels], object]


def packers() -> Iterator[Packer]:
    """All that are compared; pcodec where it is installed."""
    core = {"none": "core", "zstd": "extension zstd", "blosc": "core blosc", "lz4": "core blosc"}
    for word in COMPRESSIONS:
        codec = make_codec(StorageRecipe(compression=word))
        yield Packer(
            f"benforge, {word}",
            core[word],
            codec.encode,
            lambda data, out, codec=codec: codec.decode(memoryview(data), out),
        )
    for level in (1, 9):
        yield _filtered(f"Blosc zstd {level}, bit shuffle", "core blosc", [], _blosc(level))
    shuffled = Blosc("zstd", 3, Blosc.SHUFFLE)
    yield _filtered("Blosc zstd 3, byte shuffle", "core blosc", [], shuffled)
    delta = [Delta("<u2")]
    words = "numcodecs.delta + core blosc"
    yield _filtered("delta, Blosc zstd 3, bit shuffle", words, delta, _blosc(3))
    yield _filtered("delta, Blosc zstd 9, bit shuffle", words, delta, _blosc(9))
    yield _filtered("delta, Blosc zstd 3, byte shuffle", words, delta, shuffled)
    yield _filtered("delta, zstd 3", "numcodecs.delta + extension zstd", delta, Zstd(3))
    for word, codec in ("zstd", _blosc(3)), ("lz4", Blosc("lz4", 3, Blosc.BITSHUFFLE)):
        yield Packer(
            f"row differences, sign last, Blosc {word}, bit shuffle",
            "",
            lambda pixels, codec=codec: codec.encode(differences(pixels)),
            lambda data, out, codec=codec: sums(codec.decode(data), out),
        )
    yield from _pcodec()


def _blosc(level: int) -> Blosc:
    return Blosc("zstd", level, Blosc.BITSHUFFLE)


def _filtered(name: str, zarr: str, filters: Sequence[Codec], codec: Codec) -> Packer:
    """As zarr-python does it: a copy a filter."""

    def encode(pixels: Pixels) -> Any:
        for one in filters:
            pixels = one.encode(pixels)
        return codec.encode(np.ascontiguousarray(pixels))

    def decode(data: Any, out: Pixels) -> None:
        if not filters:
            codec.decode(data, out)
            return
        found = np.frombuffer(codec.decode(data), "<u2")
        for one in filters[::-1]:
            found = one.decode(found)
        out.ravel()[:] = found

    return Packer(name, zarr, encode, decode)


def differences(pixels: Pixels) -> Pixels:
    """Each pixel less its left neighbour, small numbers of both signs made small ones without."""
    out = pixels.copy()
    out[..., 1:] -= pixels[..., :-1]
    signed = out.view(np.int16)
    return ((signed << 1) ^ (signed >> 15)).view(np.uint16)


def sums(data: Any, out: Pixels) -> None:
    """The pixels again."""
    found = np.frombuffer(data, "<u2").reshape(out.shape)
    np.cumsum((found >> 1) ^ -(found & 1), axis=-1, dtype=np.uint16, out=out)


def _pcodec() -> Iterator[Packer]:
    """Pcodec at two efforts: a predictor that is chosen by chunk, and an entropy coder."""
    try:
        from pcodec import ChunkConfig, standalone
    except ImportError:
        return
    for level in (4, 8):
        config = ChunkConfig(compression_level=level)
        yield Packer(
            f"pcodec {level}",
            "numcodecs.pcodec",
            lambda pixels, config=config: standalone.simple_compress(pixels.ravel(), config),
            lambda data, out: standalone.simple_decompress_into(data, out.ravel()),
        )


def sources(count: int) -> Iterator[tuple[str, Patches]]:
    """Name of each kind of pixels, and some patches of it."""
    with tempfile.TemporaryDirectory() as folder:
        sample = read_sample(Path(folder))
        yield "real, BigEarthNet v1", {s: p[:count] for s, p in sample.items()}
        if MAJORTOM.is_dir():
            yield "real, Major-TOM", _majortom(count)
        yield "simulated", _simulated(Path(folder), count)


def _majortom(count: int) -> Patches:
    """As many patches of each of the two scenes."""
    folders = sorted({path.parent for path in MAJORTOM.rglob("B02.tif")})
    some = [_cut(folder, count // len(folders)) for folder in folders]
    return {size: np.concatenate([one[size] for one in some]) for size in SENSOR.pixel_sizes}


def _cut(folder: Path, count: int) -> Patches:
    patches: Patches = {}
    for size in SENSOR.pixel_sizes:
        edge, bands = 1200 // size, []
        for band in SENSOR.bands_at(size):
            with rasterio.open(folder / f"{band.name}.tif") as file:
                bands.append(file.read(1))
        patches[size] = _tiles(np.stack(bands), edge)[:count]
    return patches


def _tiles(mosaic: Pixels, edge: int) -> Pixels:
    """`patch band row col`."""
    bands, rows, columns = mosaic.shape[0], mosaic.shape[1] // edge, mosaic.shape[2] // edge
    cut = mosaic[:, : rows * edge, : columns * edge].reshape(bands, rows, edge, columns, edge)
    return np.ascontiguousarray(cut.transpose(1, 3, 0, 2, 4).reshape(-1, bands, edge, edge))


def _simulated(folder: Path, count: int) -> Patches:
    recipe = SimulateRecipe(size=1200, dates=(SimulateDate(date=date(2017, 6, 13)),))
    [product] = simulate(folder, recipe).products
    scene = open_scene(product)
    mosaics = read_mosaics(scene, plan_patches(scene.metadata.grid), threads=2)
    return {size: _tiles(mosaic, 1200 // size)[:count] for size, mosaic in mosaics.items()}


def measure(packer: Packer, patches: Patches, rounds: int) -> dict[str, float]:
    """Bytes a patch, and megabytes of pixels that a core packs and unpacks in a second.

    Raises:
        AssertionError: what comes out is not what went in.
    """
    count = len(patches[10])
    raw = sum(array.nbytes for array in patches.values())
    spent: list[tuple[float, float]] = []
    for _ in range(rounds):
        packing = unpacking = 0.0
        room = dict.fromkeys(patches, 0)
        for size, array in patches.items():
            out = np.empty_like(array[0])
            for pixels in array:
                start = time.process_time()
                data = packer.encode(pixels)
                middle = time.process_time()
                packer.decode(data, out)
                unpacking += time.process_time() - middle
                packing += middle - start
                room[size] += len(data)
                assert np.array_equal(out, pixels)
        spent.append((packing, unpacking))
    fastest = np.min(spent, axis=0)
    return {
        "bytes": sum(room.values()) / count,
        "share": sum(room.values()) / raw,
        **{f"share, {size} m": room[size] / patches[size].nbytes for size in patches},
        "encode": raw / fastest[0] / 1e6,
        "decode": raw / fastest[1] / 1e6,
    }


def run(size: str = "full") -> dict[str, Any]:
    """What `measure` finds, by kind of pixels and way of packing."""
    count, rounds = SIZES[size]
    return {
        "found": {
            kind: {p.name: measure(p, patches, rounds) | {"zarr": p.zarr} for p in packers()}
            for kind, patches in sources(count)
        }
    }


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    parts = []
    for kind, found in run(size)["found"].items():
        rows = [
            {
                "packed by": name,
                "Zarr v3": one["zarr"] or "cannot say it",
                "bytes a patch": f"{one['bytes']:,.0f}",
                "of none": f"{one['share']:.3f}",
                "10 / 20 / 60 m": " / ".join(f"{one[f'share, {s} m']:.2f}" for s in (10, 20, 60)),
                "pack, MB/s": f"{one['encode']:,.0f}",
                "unpack, MB/s": f"{one['decode']:,.0f}",
            }
            for name, one in found.items()
        ]
        parts.append(table(f"Packing patches, {kind}", rows))
    parts.append(
        "Megabytes of pixels a second of one core's own time, the fastest of "
        f"{SIZES[size][1]} rounds; unpacking *none* is the copy of the same bytes (floor). "
        "*core* is in Zarr v3's core specification, *extension zstd* is a registered extension; "
        "what begins with *numcodecs.* needs a reader that has numcodecs, as zarr-python does. "
        "pcodec is measured where it is installed.\n"
    )
    return "\n".join(parts)


if __name__ == "__main__":
    show(report, SIZES)
