"""What exports of many patches share: which patches, read in batches, into which folder."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge import __version__
from benforge.archive.archive import Archive
from benforge.archive.layout import LAND_COVER
from benforge.archive.locking import writing
from benforge.core.files import write_atomic
from benforge.core.split import PARTS, Split
from benforge.errors import ConflictError
from benforge.layouts.exporting import check_contents, check_target, choose_patches

NOTE = "export.json"
"""The file of an export that says what it holds."""

ALL = "patches"
"""The only part of an export without a split."""

BATCH = 256
"""Patches read at a time, 41 MB of those of BigEarthNet."""


@dataclass(frozen=True, slots=True, eq=False)
class PatchBatch:
    """Some patches, in order.

    Args:
        rows: of the index.
        pixels: pixel size (m) to `patch band row col`, uint16.
        land_cover: the reference map of each, `row col`; None where its scene has none.
    """

    rows: pa.Table
    pixels: Mapping[int, npt.NDArray[np.uint16]]
    land_cover: tuple[npt.NDArray[np.uint16] | None, ...]

    def __len__(self) -> int:
        return len(self.rows)


class ExportNote(msgspec.Struct, frozen=True, kw_only=True):
    """What `export.json` says: which patches of which archive, so that an export can go on.

    Args:
        layout: "lmdb", "webdataset" or "parquet".
        software: name to version of what wrote it; not compared.
        profile: of the archive.
        simulated: whether any pixel of the archive was simulated.
        nomenclature: of the archive's labels.
        classes: its class names, in order.
        bands: pixel size, "10", to names of bands, in the order of the arrays.
        split: name of the split, None without one.
        parts: part to patches.
        digest: SHA-256 of the split; "" without one.
        scenes: scene to the SHA-256 of its checksums.
    """

    layout: str
    software: Mapping[str, str]
    profile: str
    simulated: bool
    nomenclature: str
    classes: tuple[str, ...]
    bands: Mapping[str, tuple[str, ...]]
    split: str | None
    parts: Mapping[str, int]
    digest: str
    scenes: Mapping[str, str]


def plan_parts(archive: Archive, split: Split | None) -> dict[str, Archive]:
    """The patches to be exported by part, in the order of the index.

    Returns:
        The parts of the split that have patches here; all patches as "patches" without a split.

    Raises:
        InputError: there is no patch to export.
    """
    chosen = choose_patches(archive, split)
    parts = {ALL: chosen}
    if split:
        told = split.assign(archive.index["patch_id"])
        masks = {part: pc.equal(told, part).fill_null(False) for part in PARTS}
        parts = {part: archive.filter(np.asarray(mask)) for part, mask in masks.items()}
    return {part: chosen for part, chosen in parts.items() if len(chosen)}


def choose_rows(archive: Archive, rows: npt.NDArray[np.int64]) -> Archive:
    """The archive with these rows of its index, in this order."""
    return replace(archive, index=archive.index.take(pa.array(rows)).combine_chunks())


def read_batches(archive: Archive, size: int = BATCH, threads: int = 1) -> Iterator[PatchBatch]:
    """All patches of an archive, in order, read ahead in threads.

    Args:
        archive: patches of one size.
        size: patches in a batch.
        threads: decode at a time; one batch more than that is in memory besides the one given.

    Raises:
        ArchiveError: a scene is damaged.
    """
    ahead: deque[Future[PatchBatch]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(archive), size):
                ahead.append(pool.submit(_read, archive, start, size))
                if len(ahead) > threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _read(archive: Archive, start: int, size: int) -> PatchBatch:
    rows = archive.index.slice(start, size)
    places = replace(archive, index=rows).places()
    maps = (archive.pixels.read_map(scene, LAND_COVER, *at) for scene, *at in places)
    return PatchBatch(rows, archive.pixels.read_many(places), tuple(maps))


def make_note(
    layout: str, archive: Archive, parts: Mapping[str, Archive], split: Split | None
) -> ExportNote:
    """What `export.json` says of an export of these parts."""
    meta = archive.meta
    used = set().union(*(one.index["scene"].unique().to_pylist() for one in parts.values()))
    sizes = meta.sensor.pixel_sizes
    return ExportNote(
        layout=layout,
        software={"benforge": __version__},
        profile=meta.profile,
        simulated=meta.simulated,
        nomenclature=meta.nomenclature.name,
        classes=meta.nomenclature.names,
        bands={str(size): tuple(b.name for b in meta.sensor.bands_at(size)) for size in sizes},
        split=split.name if split else None,
        parts={part: len(chosen) for part, chosen in parts.items()},
        digest=split.digest if split else "",
        scenes={scene.name: scene.manifest for scene in meta.scenes if scene.name in used},
    )


@contextmanager
def exporting(archive: Archive, out: Path, note: ExportNote, *, grows: bool) -> Iterator[None]:
    """Hold the folder of an export for writing, new or begun by the same export.

    Args:
        archive: what is exported.
        out: the folder; made where it is missing.
        note: written into it first.
        grows: an export of other patches may go on there, if the scenes they share are the same.

    Raises:
        ConflictError: `out` is an archive or lies in this one, holds other things, or another
            export.
        StorageError: the disk is full.
    """
    check_target(archive, out)
    with writing(out):
        _check_held(out, note, grows)
        text = msgspec.json.format(msgspec.json.encode(note, order="deterministic"), indent=2)
        write_atomic(out / NOTE, text + b"\n")
        yield


def _check_held(out: Path, note: ExportNote, grows: bool) -> None:
    """Raise unless the folder is empty, or holds this export or one it may go on from."""
    path = out / NOTE
    begun = path.is_file()
    check_contents(out, lambda name: begun)
    if not begun:
        return
    try:
        held = msgspec.json.decode(path.read_bytes(), type=ExportNote)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConflictError("not a note of an export", where=path) from error
    if grows and held.layout == note.layout:
        shared = held.scenes.keys() & note.scenes.keys()
        same = all(held.scenes[scene] == note.scenes[scene] for scene in shared)
    else:
        same = msgspec.structs.replace(held, software=note.software) == note
    if not same:
        raise ConflictError(
            "another export is there", where=out, do="Export into a new folder, or remove it"
        )
