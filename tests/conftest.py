"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; see CONTRIBUTING.md."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real data: the folder ../shared/data is not beside the project")
    return SHARED_DATA
