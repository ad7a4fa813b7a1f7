"""The real sample, unpacked and imported once for all tests of this folder that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.archive.v1_import import import_v1
from benforge.demo.sample import unpack_sample


@pytest.fixture(scope="session")
def v1_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """66 real patches in the published v1 layout."""
    return unpack_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def imported_sample(v1_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The same as an archive."""
    out = tmp_path_factory.mktemp("imported") / "archive"
    import_v1(v1_sample, out)
    return Archive.open(out)
