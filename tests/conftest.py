"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benforge.archive.archive import Archive

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; see CONTRIBUTING.md."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real data: the folder ../shared/data is not beside the project")
    return SHARED_DATA


@pytest.fixture(scope="session")
def published_metadata(shared_data: Path) -> Path:
    """The published lists of all 590,326 patches."""
    return shared_data / "bigearthnet" / "metadata"


@pytest.fixture(scope="session")
def v1_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """66 real patches in the published v1 layout; only read."""
    from benforge.demo.sample import unpack_sample

    return unpack_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def imported_sample(v1_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The same as an archive; only read."""
    from benforge.layouts.v1_import import import_v1

    out = tmp_path_factory.mktemp("imported") / "archive"
    import_v1(v1_sample, out)
    return Archive.open(out)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a dask scheduler on loopback, with two workers in processes of their own."""
    from tests.clusters import running

    with running(tmp_path_factory.mktemp("cluster"), 2) as found:
        yield found.address
