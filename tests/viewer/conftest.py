from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benforge.archive.index import read_rows
from benforge.quality.screening import SCHEMA, Screening
from benforge.quality.screening_files import write_screening
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive

LATER = PRODUCT.replace("20170613", "20180108")


@pytest.fixture(scope="session")
def small_screened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dates of the same ground, 24 patches each with a few dropped, screened; only read."""
    frame = small_frame(6, 4)
    scenes = make_scene(frame, kept=0.9), make_scene(frame, product=LATER, kept=0.8, seed=1)
    root = write_archive(tmp_path_factory.mktemp("viewer") / "archive", *scenes)
    ids = read_rows(root / "patches.parquet")["patch_id"].to_pylist()
    write_screening(root, made_screening(ids[:-3]))
    return root


@pytest.fixture
def screened(small_screened: Path, tmp_path: Path) -> Path:
    """The same, to decide on."""
    return shutil.copytree(small_screened, tmp_path / "archive")


def made_screening(ids: list[str]) -> Screening:
    """Shares, proposals and confidences drawn at random."""
    random = np.random.default_rng(5)
    shares = random.dirichlet(np.ones(5), len(ids))[:, :4].astype(np.float32)
    values = dict(zip(("snow", "cloud", "shadow", "nodata"), shares.T, strict=True))
    flags = {flag: random.random(len(ids)) < 0.4 for flag in ("seasonal_snow", "cloud_or_shadow")}
    sure = {f"{flag}_confidence": random.uniform(0.5, 1, len(ids)) for flag in flags}
    source = {"source": ["bands"] * len(ids)}
    table = pa.table({"patch_id": ids, **values, **flags, **sure, **source})
    return Screening(
        "screen", "made up for a test", table.select(SCHEMA.names).cast(SCHEMA).sort_by("patch_id")
    )
