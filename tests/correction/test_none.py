from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from benforge.core.progress import silent
from benforge.correction.none import NoCorrection
from benforge.correction.port import Processor
from benforge.errors import ProductError, StoppedError
from benforge.scenes.open import open_scene
from benforge.scenes.safe_metadata import read_metadata
from benforge.testing.processors import ProcessorContract
from tests.scenes.safe_products import as_zip, write_product


class TestNoCorrection(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return NoCorrection()

    @pytest.fixture
    def product(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return write_product(tmp_path_factory.mktemp("l2a")).folder

    @pytest.fixture
    def refused(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return write_product(tmp_path_factory.mktemp("l1c"), "L1C").folder


def test_bands_are_further_names_of_the_same_bytes(tmp_path: Path) -> None:
    product = write_product(tmp_path / "given").folder
    (tmp_path / "out").mkdir()
    made = NoCorrection().correct(product, tmp_path / "out", stop=Event(), progress=silent)
    [before], [after] = product.rglob("*_B02_10m.jp2"), made.rglob("*_B02_10m.jp2")
    assert before.samefile(after)


@pytest.mark.parametrize("inside", ["", "X.SAFE/"])
def test_a_zip_is_unpacked(tmp_path: Path, inside: str) -> None:
    written = write_product(tmp_path / "given")
    packed = as_zip(written.folder, tmp_path / "p.zip", inside)
    (tmp_path / "out").mkdir()
    made = NoCorrection().correct(packed, tmp_path / "out", stop=Event(), progress=silent)
    assert made.name == written.folder.name
    assert open_scene(made).metadata == open_scene(packed).metadata


def test_unpacking_stops_when_told(tmp_path: Path) -> None:
    packed = as_zip(write_product(tmp_path / "given").folder, tmp_path / "p.zip")
    (tmp_path / "out").mkdir()
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        NoCorrection().correct(packed, tmp_path / "out", stop=stop, progress=silent)


def test_a_zip_that_breaks_off_in_a_band_is_an_error(tmp_path: Path) -> None:
    written = write_product(tmp_path / "given")
    packed = as_zip(written.folder, tmp_path / "p.zip")
    data = bytearray(packed.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
    packed.write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(ProductError, match="cannot be unpacked"):
        NoCorrection().correct(packed, tmp_path / "out", stop=Event(), progress=silent)


def test_what_an_l1c_product_is_told_helps(tmp_path: Path) -> None:
    product = write_product(tmp_path, "L1C").folder
    with pytest.raises(ProductError, match="--processor sixs or sen2cor"):
        NoCorrection().check(product, read_metadata(product))
