"""An archive becomes an index of all its patches or of a part, whole or not at all."""

from __future__ import annotations

import re
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.errors import BenError, ConflictError, InputError, MissingError, StorageError
from benforge.inference.embed import embed_patches
from benforge.models.checkpoint import hash_weights, load_model
from benforge.retrieval.band_statistics import describe_archive
from benforge.retrieval.embed import embed_archive
from benforge.retrieval.index import MODEL, SearchIndex, open_index
from benforge.retrieval.scaling import Spread, turn_to_axes


def test_by_statistics(statistics: SearchIndex, imported_sample: Archive) -> None:
    assert statistics.facts.told() == {
        "model": "band statistics",
        "archive": "archive",
        "of": "all patches",
        "simulated": False,
        "patches": 66,
        "features": 24,
    }
    assert statistics.facts.metric == "euclidean"
    assert np.abs(statistics.vectors.mean(axis=0)).max() < 1e-5
    along = np.corrcoef(statistics.vectors.T) - np.eye(24)
    assert np.abs(along).max() < 1e-3  # principal axes, the one that varies most first
    assert (np.diff(statistics.vectors.std(axis=0)) < 1e-6).all()
    ids = statistics.patches["patch_id"].to_pylist()
    assert ids == imported_sample.index["patch_id"].to_pylist()
    places = np.array([statistics.patches[c].to_numpy() for c in ("longitude", "latitude")])
    assert (abs(places[0]) < 40).all()
    assert ((places[1] > 35) & (places[1] < 72)).all()


def test_by_a_model_and_statistics_that_count_alike(
    learned: SearchIndex, run: Path, imported_sample: Archive
) -> None:
    assert learned.facts.told()["model"] == "S-CNN-All and band statistics"
    assert learned.facts.metric == "euclidean"
    assert learned.facts.weights == hash_weights(run) == hash_weights(learned.root / MODEL)
    assert load_model(learned.root / MODEL)[1] == load_model(run)[1]
    kinds = [
        np.concatenate(list(describe_archive(imported_sample))),
        np.concatenate(list(embed_patches(run, imported_sample, batch_size=13))),
    ]
    spread = Spread()
    list(spread.watch([np.concatenate(kinds, axis=1)]))
    wanted = turn_to_axes(np.concatenate(kinds, axis=1), *spread.axes([24, kinds[1].shape[1]]))
    assert learned.vectors.shape == (66, 65)
    for row in (0, 40):
        far, told = (
            np.linalg.norm(vectors - vectors[row], axis=1) for vectors in (wanted, learned.vectors)
        )
        assert np.allclose(far, told, rtol=1e-2, atol=1e-2)


def test_a_part_of_a_split(few: Path, run: Path, tmp_path: Path) -> None:
    for way in (None, run):
        out = tmp_path / str(bool(way))
        embed_archive(few, out, run=way, split="few", part="test")
        index = open_index(out)
        assert index.facts.told()["of"] == "test of few"
        told = read_split(few, "few").part("test").to_pylist()
        assert sorted(index.patches["patch_id"].to_pylist()) == told


def test_what_cannot_be_embedded(few: Path, run: Path, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, object], type[BenError], str]] = [
        ({"split": "many"}, MissingError, "no splits of this name"),
        ({"split": "few", "part": "val"}, InputError, "a split has no part 'val'"),
        ({"split": "all", "part": "test"}, InputError, "there are no patches to embed"),
        ({"run": tmp_path}, MissingError, "there is no such file"),
        ({"run": run, "device": "tpu"}, InputError, "is no device"),
    ]
    for words, kind, said in cases:
        with pytest.raises(kind, match=said):
            embed_archive(few, tmp_path / "out", **words)  # type: ignore[arg-type]
    with pytest.raises(ConflictError, match="lies in archive"):
        embed_archive(few, few / "index")
    with pytest.raises(ConflictError, match="holds other things"):
        embed_archive(few, run)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(few: Path, run: Path, tmp_path: Path) -> None:
    """A file-size limit stands in for the disk."""
    out = tmp_path / "index"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, before[1]))
    try:
        for way in (None, run):
            with pytest.raises(StorageError, match=f"^{re.escape(str(out))}: cannot be written"):
                embed_archive(few, out, run=way)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())
