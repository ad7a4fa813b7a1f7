"""The published index, read once for the tests that hold it to an oracle."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from benforge.published.index import read_index
from benforge.published.lists import find_lists


@pytest.fixture(scope="session")
def published_index(published_metadata: Path) -> pa.Table:
    """All 590,326 rows."""
    return read_index(find_lists(published_metadata))
