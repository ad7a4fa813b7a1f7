"""An index on the disk: vectors, the patches they are of, and how they were made.

A folder of `vectors.npy` (float32, `patch axis`, mapped and never read whole), `patches.parquet`
(one row a vector), `axes.npy` (how features become vectors), `index.json`, and `model.safetensors`
where a model made them, so that a new patch is prepared as those were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import google_crc32c
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benforge.core.files import ANEW, read_json, storage_errors, write_atomic
from benforge.errors import InputError, MissingError
from benforge.retrieval.nearest import Metric
from benforge.retrieval.scaling import Spread, turned_from_file

FORMAT = 2
"""Of the folder; 1 had a model's vectors as they were."""
AXES, _RAW = "axes.npy", "raw.npy"
FACTS, VECTORS, PATCHES, MODEL = "index.json", "vectors.npy", "patches.parquet", "model.safetensors"
_ADVICE = "Make it again with ben embed"
_PIECE = 1 << 24
"""Bytes that a checksum takes at a time."""

Floats = npt.NDArray[np.float32]


class IndexFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How an index was made.

    Args:
        format: of the folder.
        kind: whether a model made the vectors, or the statistics of bands.
        model: its name for tables; "band statistics" without one.
        run: the training run.
        weights: SHA-256 of the checkpoint.
        archive: name of the archive's folder.
        split: name of a split of it; "" where all patches were taken.
        part: of the split.
        simulated: whether the archive, or what the model was trained on, is simulated.
        nomenclature: of the labels.
        patches: how many.
        features: numbers of each vector.
        metric: what is measured by unless another is asked for.
        shift: taken off each feature of a patch before it is turned to the axes.
        checksums: CRC-32C of each file.
    """

    format: int = FORMAT
    kind: Literal["model", "statistics"]
    model: str
    run: str = ""
    weights: str = ""
    archive: str
    split: str = ""
    part: str = ""
    simulated: bool
    nomenclature: str
    patches: int = 0
    features: int = 0
    metric: Metric
    shift: tuple[float, ...] = ()
    checksums: dict[str, int] = {}

    def told(self) -> dict[str, Any]:
        """What a person or a program is told of it."""
        return {
            "model": self.model,
            "archive": self.archive,
            "of": f"{self.part} of {self.split}" if self.split else "all patches",
            "simulated": self.simulated,
            "patches": self.patches,
            "features": self.features,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SearchIndex:
    """An index, opened.

    Args:
        root: its folder.
        facts: how it was made.
        patches: a row a vector: id, v1 name, tile, day, country, place and labels.
        vectors: `patch feature`, a memory map.
    """

    root: Path
    facts: IndexFacts
    patches: pa.Table
    vectors: Floats

    def find(self, name: str) -> int:
        """The row of a patch, by its id or its name in BigEarthNet v1.

        Raises:
            InputError: the index holds no such patch.
        """
        for column in ("patch_id", "v1_name"):
            row = pc.index(self.patches[column], pa.scalar(name, pa.string())).as_py()
            if row >= 0:
                return int(row)
        raise InputError(
            f"the index of {self.facts.archive} holds no such patch",
            where=name,
            do="Name one of its archive, or give its pixels with --image",
        )


def write_index(
    folder: Path,
    facts: IndexFacts,
    patches: pa.Table,
    batches: Iterable[Floats],
    kinds: Sequence[int] = (),
) -> IndexFacts:
    """Write an index into a folder; a checkpoint that belongs to it lies there already.

    Args:
        folder: a draft.
        facts: counts, checksums, and shift are filled in.
        patches: one row a vector.
        batches: the vectors, `patch feature` each, in order.
        kinds: how many features are of each kind, which are brought to one scale and turned to
            their axes; they stay as they are if empty.

    Raises:
        InputError: a vector that is not finite, or another number of vectors than patches.
        StorageError: the disk is full.
    """
    if kinds:
        facts, batches = _on_axes(folder, facts, len(patches), batches, kinds)
    shape = _write_vectors(folder / VECTORS, len(patches), batches)
    (folder / _RAW).unlink(missing_ok=True)
    sink = pa.BufferOutputStream()
    pq.write_table(patches, sink, compression="zstd")
    write_atomic(folder / PATCHES, bytes(sink.getvalue()), ANEW)
    sums = {path.name: checksum(path) for path in sorted(folder.iterdir())}
    made = msgspec.structs.replace(facts, patches=shape[0], features=shape[1], checksums=sums)
    text = msgspec.json.format(msgspec.json.encode(made), indent=2)
    write_atomic(folder / FACTS, text + b"\n", ANEW)
    return made


def _on_axes(
    folder: Path, facts: IndexFacts, patches: int, batches: Iterable[Floats], kinds: Sequence[int]
) -> tuple[IndexFacts, Iterable[Floats]]:
    """The vectors on the axes of all of them, which are written too."""
    spread = Spread()
    _write_vectors(folder / _RAW, patches, spread.watch(batches))
    shift, axes = spread.axes(kinds)
    sink = BytesIO()
    np.save(sink, axes)
    write_atomic(folder / AXES, sink.getvalue(), ANEW)
    facts = msgspec.structs.replace(facts, shift=tuple(shift.tolist()))
    return facts, turned_from_file(folder / _RAW, facts.shift, axes)


def _write_vectors(path: Path, patches: int, batches: Iterable[Floats]) -> tuple[int, int]:
    """Vectors as a file of numpy's, written as they come."""
    written = features = 0
    with storage_errors(path, ANEW), path.open("wb") as file:
        for batch in batches:
            if not written:
                features = batch.shape[1]
                file.write(_header((patches, features)))
            wrong = ~np.isfinite(batch).all(axis=1)
            if wrong.any():
                raise InputError(
                    f"the vector of patch {written + int(np.argmax(wrong))} is not finite",
                    do="See to the model: its weights, or a patch that it cannot take",
                )
            file.write(np.ascontiguousarray(batch, "<f4").tobytes())
            written += len(batch)
    if written != patches or not written:
        raise InputError(f"{written} vectors for {patches} patches", do="Name an archive of some")
    return patches, features


def _header(shape: tuple[int, int]) -> bytes:
    head = BytesIO()
    said = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, said)
    return head.getvalue()


def checksum(path: Path) -> int:
    """CRC-32C of a file, read once."""
    total = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            total = google_crc32c.extend(total, piece)
    return int(total)


def open_index(root: Path) -> SearchIndex:
    """The index in a folder, held to its checksums.

    Raises:
        MissingError: there is no such folder, or it is no index.
        InputError: a file of it is missing, cut off or changed, or a newer benforge wrote it.
    """
    if not (root / FACTS).is_file():
        what = "not an index of ben embed" if root.is_dir() else "no such folder"
        raise MissingError(what, where=root, do="Make one: ben embed RUN ARCHIVE --out INDEX")
    facts = read_json(root / FACTS, IndexFacts, do=_ADVICE)
    if facts.format != FORMAT:
        raise InputError(
            f"of format {facts.format}, this benforge reads {FORMAT}",
            where=root,
            do="Update benforge" if facts.format > FORMAT else _ADVICE,
        )
    needed = [VECTORS, PATCHES, *[AXES] * bool(facts.shift), *[MODEL] * (facts.kind == "model")]
    for name in needed:
        _check_file(root / name, facts.checksums.get(name))
    vectors, patches = _read(root)
    if vectors.shape != (facts.patches, facts.features) or len(patches) != facts.patches:
        raise InputError("its files do not fit together", where=root, do=_ADVICE)
    return SearchIndex(root, facts, patches, vectors)


def _check_file(path: Path, told: int | None) -> None:
    if not path.is_file():
        raise InputError("a file of the index is missing", where=path, do=_ADVICE)
    if checksum(path) != told:
        raise InputError("cut off or changed since it was written", where=path, do=_ADVICE)


def _read(root: Path) -> tuple[Floats, pa.Table]:
    try:
        vectors = np.load(root / VECTORS, mmap_mode="r", allow_pickle=False)
        return vectors, pq.read_table(root / PATCHES, partitioning=None).combine_chunks()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"cannot be read, {error}", where=root, do=_ADVICE) from error
