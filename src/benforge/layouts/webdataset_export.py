"""From an archive to WebDataset: tar shards that the webdataset library decodes by itself."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from tarfile import USTAR_FORMAT, TarInfo
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from benforge.archive.archive import Archive
from benforge.archive.layout import LAND_COVER, array_name
from benforge.core.files import write_atomic
from benforge.core.progress import Progress, silent
from benforge.layouts.export_batches import ExportNote, PatchBatch, choose_rows, read_batches
from benforge.layouts.export_shards import Shard, ShardedLayout, export_shards, writing_whole
from benforge.layouts.port import ExportOptions, ExportSummary

SHARD = 2_000
"""Patches in a shard: 320 MB of those of BigEarthNet."""

INDEX = "index.json"
_BLOCK, _RECORD = 512, 10_240
_BATCH = 64


class _Index(msgspec.Struct, frozen=True, kw_only=True):
    """What `index.json` says.

    Args:
        shards: file to number of samples.
        parts: part to number of samples.
        classes: class names; `label_ids` of a sample are positions in them.
        bands: pixel size, "10", to names of bands, in the order of the arrays.
        nomenclature: of the classes.
        simulated: whether any pixel was simulated.
    """

    shards: Mapping[str, int]
    parts: Mapping[str, int]
    classes: tuple[str, ...]
    bands: Mapping[str, tuple[str, ...]]
    nomenclature: str
    simulated: bool


def export_webdataset(
    archive: Archive,
    out: Path,
    options: ExportOptions | None = None,
    progress: Progress = silent,
    *,
    shard_patches: int = SHARD,
) -> ExportSummary:
    """Write shards `<part>-000000.tar` and `index.json`, which names them, classes and bands.

    A sample is `<patch id>.r10m.npy`, `.r20m.npy`, `.r60m.npy` (`band row col`, uint16),
    `.land_cover.npy` where there is a reference map, and `.json` with labels, place and date.
    Samples are shuffled within a part, always alike, because a shard is read from one end: else
    neighbours would train together. A shard is whole or not there, so the same call goes on
    where one was cut off; the same archive gives the same bytes.

    Args:
        archive: patches of any size.
        out: the folder for the shards.
        options: `split` names the parts; without one all patches are of the part "patches".
        progress: told how many patches are done.
        shard_patches: samples in a shard; the last of a part has fewer.

    Raises:
        InputError: there is no patch to export.
        ConflictError: `out` holds another export or other things.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
        WorkerError: a process died.
    """
    layout = ShardedLayout(
        "webdataset",
        plan=partial(_plan_shards, size=shard_patches),
        write=_write_shard,
        finish=_write_index,
    )
    return export_shards(layout, archive, out, options or ExportOptions(), progress)


def _plan_shards(out: Path, part: str, archive: Archive, size: int) -> Iterator[Shard]:
    """The shards of a part, by number, its patches in the order of their ids' SHA-256."""
    ids = archive.index["patch_id"].to_pylist()
    digests = np.array([hashlib.sha256(one.encode()).digest()[:8] for one in ids], "S8")
    order = np.argsort(digests, kind="stable")
    for number, start in enumerate(range(0, len(order), size)):
        chosen = choose_rows(archive, order[start : start + size])
        yield Shard(out / f"{part}-{number:06d}.tar", part, chosen)


def _write_index(out: Path, shards: Sequence[Shard], note: ExportNote) -> None:
    index = _Index(
        shards={shard.path.name: len(shard.archive) for shard in shards},
        parts=note.parts,
        classes=note.classes,
        bands=note.bands,
        nomenclature=note.nomenclature,
        simulated=note.simulated,
    )
    text = msgspec.json.format(msgspec.json.encode(index), indent=2)
    write_atomic(out / INDEX, text + b"\n")


def _write_shard(shard: Shard) -> int:
    """Write one shard; the number of its patches."""
    with writing_whole(shard.path) as file:
        for batch in read_batches(shard.archive, _BATCH):
            _write_samples(file, batch, _describe(batch, shard))
        file.write(bytes(2 * _BLOCK))
        file.write(bytes(-file.tell() % _RECORD))
    return len(shard.archive)


def _write_samples(file: BinaryIO, batch: PatchBatch, facts: Sequence[bytes]) -> None:
    for place, (key, text) in enumerate(
        zip(batch.rows["patch_id"].to_pylist(), facts, strict=True)
    ):
        members: list[bytes | memoryview] = []
        for size, pixels in batch.pixels.items():
            members += _encode_array(f"{key}.{array_name(size)}.npy", pixels[place])
        if (cover := batch.land_cover[place]) is not None:
            members += _encode_array(f"{key}.{LAND_COVER}.npy", cover)
        members += _encode_member(f"{key}.json", len(text), text)
        file.writelines(members)


def _encode_array(name: str, array: npt.NDArray[np.uint16]) -> list[bytes | memoryview]:
    head = _npy_header(array.shape)
    return _encode_member(
        name, len(head) + array.nbytes, head, array.astype("<u2", copy=False).data
    )


@cache
def _npy_header(shape: tuple[int, ...]) -> bytes:
    """How an NPY file of little-endian uint16 begins."""
    sink = io.BytesIO()
    facts = {"descr": "<u2", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(sink, facts)
    return sink.getvalue()


def _encode_member(name: str, size: int, *content: bytes | memoryview) -> list[bytes | memoryview]:
    return [tar_header(name, size), *content, bytes(-size % _BLOCK)]


def tar_header(name: str, size: int) -> bytes:
    """The header of a file in a tar, as `tarfile` writes it, made without it.

    The file belongs to nobody, is readable by all, and was changed in 1970: equal samples give
    equal bytes. A name that is not short ASCII, or a size of 8 GiB, is left to `tarfile`.
    """
    text = name.encode()
    if len(text) > 100 or not name.isascii() or size >= 8**11:
        return _tar_info(name, size).tobuf()
    head = bytearray(_tar_template())
    head[: len(text)] = text
    head[124:136] = b"%011o\0" % size
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


@cache
def _tar_template() -> bytes:
    return _tar_info("", 0).tobuf(USTAR_FORMAT)


def _tar_info(name: str, size: int) -> TarInfo:
    info = TarInfo(name)
    info.size = size
    return info


def _describe(batch: PatchBatch, shard: Shard) -> list[bytes]:
    """The JSON of each patch."""
    meta = shard.archive.meta
    places = {name: place for place, name in enumerate(meta.nomenclature.names)}
    outlines = shapely.to_geojson(shapely.from_wkb(batch.rows["geometry"].to_pylist()))
    rows = batch.rows.drop_columns("geometry").to_pylist()
    return [
        msgspec.json.encode(_facts(row, outline, places, shard.part, meta.simulated))
        for row, outline in zip(rows, outlines, strict=True)
    ]


def _facts(
    row: Mapping[str, Any], outline: str, places: Mapping[str, int], part: str, simulated: bool
) -> dict[str, Any]:
    same = "patch_id", "labels", "season", "country", "tile", "product", "v1_name"
    ground = "crs", "ulx", "uly", "classes", "shares"
    told = {name: row[name] for name in same} | {
        "label_ids": [places[label] for label in row["labels"]],
        "date": row["sensing_time"],
        "part": part,
        **{name: row[name] for name in ground},
        "geometry": msgspec.Raw(outline.encode()),
    }
    return told | ({"simulated": True} if simulated else {})
