"""One thread, as in the tests of training, and indexes of the 66 real patches; only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.retrieval.embed import embed_archive
from benforge.retrieval.index import SearchIndex, open_index
from tests.inference.test_export import make_run
from tests.training.conftest import few, one_thread  # noqa: F401


@pytest.fixture(scope="session")
def statistics(imported_sample: Archive, tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    """By the statistics of bands."""
    out = tmp_path_factory.mktemp("statistics") / "index"
    embed_archive(imported_sample.root, out)
    return open_index(out)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was not trained, whose embeddings nobody would search by."""
    return make_run(tmp_path_factory.mktemp("runs") / "run", "scnn-all")


@pytest.fixture(scope="session")
def learned(
    imported_sample: Archive, run: Path, tmp_path_factory: pytest.TempPathFactory
) -> SearchIndex:
    """By that model."""
    out = tmp_path_factory.mktemp("learned") / "index"
    embed_archive(imported_sample.root, out, run=run)
    return open_index(out)
