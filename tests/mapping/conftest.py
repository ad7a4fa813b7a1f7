"""A simulated scene with clouds, its archive, and a model that was not trained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.archive.build import build_archive
from benforge.recipe.load import load_recipe
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate
from tests.inference.test_export import make_run
from tests.training.conftest import one_thread  # noqa: F401


@dataclass(frozen=True, slots=True)
class World:
    """A product of 6 x 6 patches and the archive that was built of it."""

    product: Path
    archive: Archive


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("mapping")
    day = SimulateDate(date=date(2017, 6, 13), cloud=0.3)
    recipe = SimulateRecipe(size=6 * 120, seed=3, dates=(day,), baseline="05.09")
    made = simulate(folder / "world", recipe)
    [product] = made.products
    build_archive([product], made.land_cover, folder / "archive", load_recipe("custom"))
    return World(product, Archive.open(folder / "archive"))


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All twelve bands."""
    return make_run(tmp_path_factory.mktemp("mapping-run") / "run", "scnn-all")


@pytest.fixture(scope="session")
def rgb_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red, green and blue."""
    return make_run(tmp_path_factory.mktemp("mapping-rgb") / "run", "scnn-rgb")
