"""What the tests of this room describe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from benforge.archive.archive import Archive
from benforge.published.lists import find_lists
from benforge.statistics.described import Described, describe_archive_rows, describe_published
from benforge.testing.archives import make_scene, small_frame, write_archive

SUMMER = "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP"
WINTER = "S2B_MSIL2A_20180221T101031_N0206_R022_T33UUP"


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Two simulated scenes of the same ground, in the second of which patches are missing."""
    frame = small_frame(6, 5)
    scenes = [
        make_scene(frame, product=SUMMER, seed=1),
        make_scene(frame, product=WINTER, kept=0.5, seed=2),
    ]
    return Archive.open(write_archive(tmp_path_factory.mktemp("simulated") / "small", *scenes))


@pytest.fixture(scope="session")
def sample(imported_sample: Archive) -> Described:
    """66 real patches."""
    return describe_archive_rows(imported_sample)


@pytest.fixture(scope="session")
def published(published_metadata: Path) -> Described:
    """All 590,326 patches, by their lists."""
    return describe_published(find_lists(published_metadata))


@pytest.fixture(scope="session")
def partly_labelled(simulated: Archive) -> Described:
    """The simulated archive, in which every fourth patch has no labels."""
    labels = simulated.index["labels"].to_pylist()
    labels = [[] if n % 4 == 0 else names for n, names in enumerate(labels)]
    place = simulated.index.column_names.index("labels")
    kind = simulated.index.schema.field(place)
    index = simulated.index.set_column(place, kind, pa.array(labels, kind.type))
    return describe_archive_rows(replace(simulated, index=index))
