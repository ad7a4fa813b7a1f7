from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from threading import Event

import msgspec
import numpy as np
import pytest

from benforge.core.identity import ProductId
from benforge.core.progress import silent
from benforge.core.sensor import load_sensor
from benforge.correction.classify import Scl
from benforge.correction.port import CorrectOptions, Processor
from benforge.correction.report import REPORT
from benforge.correction.sixs import SixS
from benforge.correction.sixs_run import Air, Light, Passage
from benforge.errors import InputError, StoppedError
from benforge.scenes.open import open_scene
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate
from benforge.testing.processors import ProcessorContract
from tests.correction.air import plain_air
from tests.correction.products import AIR, ground, write_l1c
from tests.scenes.safe_products import write_product

SIXS = SixS(CorrectOptions(), run=plain_air)


@pytest.fixture(scope="module")
def l1c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_l1c(tmp_path_factory.mktemp("l1c"))


@pytest.fixture(scope="module")
def made(l1c: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SIXS.correct(l1c, tmp_path_factory.mktemp("l2a"), stop=Event(), progress=silent)


class TestSixS(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return SIXS

    @pytest.fixture
    def product(self, l1c: Path) -> Path:
        return l1c

    @pytest.fixture
    def refused(self, tmp_path: Path) -> Path:
        return write_product(tmp_path / "refused").folder


def test_the_ground_comes_back(tmp_path: Path) -> None:
    # Ground of one shade, so that no light comes in from around that is another.
    l1c = write_l1c(tmp_path, marks=False)
    found = open_scene(SIXS.correct(l1c, tmp_path, stop=Event(), progress=silent))
    for name, expected in ground().items():
        if name == "B10":
            continue
        away = np.abs(found.read_band(name) / 1e4 - expected).mean()
        assert away < 0.012 + 0.05 * expected.mean(), name


def test_the_report_tells_what_was_found_and_assumed(made: Path) -> None:
    [file] = made.rglob(REPORT)
    told = json.loads(file.read_text())
    assert told["aerosol_optical_thickness"] == pytest.approx(AIR.aot, abs=0.05)
    assert told["water_vapour_g_cm2"] == pytest.approx(AIR.water, rel=0.1)
    assert (told["aerosol_from"], told["water_vapour_from"]) == ("dark vegetation", "B09")
    assert (told["angles_from"], told["elevation_m"]) == ("time", 0)
    assert "/" not in file.read_text().replace("g/cm2", "")


def test_the_product_has_its_own_mark_and_stays_simulated(made: Path) -> None:
    about = open_scene(made).metadata
    assert about.baseline == "00.06"
    assert about.simulated
    assert about.source.startswith("S2A_MSIL2A_20170613T101031_N0006_R022_T33UUP_")
    assert about.offsets == {band.name: 0 for band in load_sensor().patch_bands}
    assert not SIXS.made(ProductId.parse("S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP"))


def test_the_product_is_classified(made: Path) -> None:
    classes = open_scene(made).read_classification()
    assert classes is not None
    assert classes[0, 0] == Scl.NO_DATA
    assert classes[-1, -1] == Scl.SATURATED
    assert (classes[100:200, 100:200] == Scl.VEGETATION).mean() > 0.99


def test_saturated_pixels_stay(made: Path) -> None:
    band = open_scene(made).read_band("B04")
    assert (band[-12:, -12:] == 65535).all()
    assert (band == 65535).sum() == 144


def test_the_same_product_gives_the_same_bytes(l1c: Path, made: Path, tmp_path: Path) -> None:
    again = SIXS.correct(l1c, tmp_path, stop=Event(), progress=silent)
    files = [file.relative_to(made) for file in made.rglob("*") if file.is_file()]
    assert len(files) > 14
    assert all((made / file).read_bytes() == (again / file).read_bytes() for file in files)


def test_each_band_is_corrected_once(l1c: Path, tmp_path: Path) -> None:
    told: list[str] = []
    SIXS.correct(l1c, tmp_path, stop=Event(), progress=lambda m, _d=0, _t=0: told.append(m))
    corrected = [message for message in told if message.startswith("correcting B")]
    assert len(corrected) == len(set(corrected))
    assert len(set(corrected)) == 12


def test_an_impossible_elevation_is_refused() -> None:
    with pytest.raises(InputError, match=r"--elevation: the ground is not at 9000 m"):
        SixS(CorrectOptions(elevation=9000))


def test_a_tile_of_clouds_only_is_corrected_by_defaults(tmp_path: Path) -> None:
    from benforge.scenes.safe_write import write_safe
    from tests.correction.products import GRID, about

    product = about()
    bands = {
        band.name: np.full(GRID.resized(band.pixel_size).shape, 6000, np.uint16)
        for band in product.bands
    }
    made = SIXS.correct(
        write_safe(tmp_path, product, bands), tmp_path, stop=Event(), progress=silent
    )
    assert open_scene(made).metadata.cloud_cover == 100


def test_the_baseline_of_the_source_is_kept(made: Path) -> None:
    metadata = open_scene(made).metadata
    assert (metadata.baseline, metadata.origin_baseline) == ("00.06", "02.05")


def test_a_stop_ends_the_runs_of_6s(l1c: Path, tmp_path: Path) -> None:
    stop, runs = Event(), []

    def run(band: str, light: Light, air: Air) -> Passage:
        runs.append(band)
        stop.set()
        return plain_air(band, light, air)

    with pytest.raises(StoppedError):
        SixS(CorrectOptions(), run=run).correct(l1c, tmp_path, stop=stop, progress=silent)
    assert len(runs) <= 2


@pytest.mark.slow
@pytest.mark.parametrize(("day", "snow"), [(date(2017, 6, 13), 0.0), (date(2018, 2, 13), 0.6)])
def test_a_simulated_ground_comes_back_nearer_in_every_band_than_it_was_seen(
    day: date, snow: float, tmp_path: Path
) -> None:
    # The simulator's air is 6S's, of one aerosol and water that the correction is not told.
    recipe = SimulateRecipe(size=360, dates=(SimulateDate(date=day, snow=snow),))
    below, above = (
        simulate(tmp_path / level, msgspec.structs.replace(recipe, level=level)).products[0]
        for level in ("L2A", "L1C")
    )
    out = tmp_path / "out"
    out.mkdir()
    made = SixS(CorrectOptions()).correct(above, out, stop=Event(), progress=silent)
    true, seen, found = map(open_scene, (below, above, made))
    for band in true.metadata.sensor.patch_bands:
        expected = true.read_band(band.name).astype(float)
        away, before = (
            np.sqrt(((scene.read_band(band.name) - expected) ** 2).mean())
            for scene in (found, seen)
        )
        assert away < before, band.name
        if band.wavelength < 700:
            assert away < before / 4, band.name
