from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from benforge.core.progress import silent
from benforge.correction.port import CorrectOptions, Processor
from benforge.correction.sen2cor import Sen2Cor
from benforge.errors import HungError, ProductError, StoppedError
from benforge.scenes.open import open_scene
from benforge.scenes.safe_metadata import read_metadata
from benforge.testing.processors import ProcessorContract
from tests.correction.products import write_l1c
from tests.correction.stand_in import write_stand_in
from tests.scenes.safe_products import write_product

Make = Callable[..., Sen2Cor]


@pytest.fixture(scope="module")
def l1c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_l1c(tmp_path_factory.mktemp("l1c"), simulated_by=None)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Sen2Cor:
    program = write_stand_in(tmp_path_factory.mktemp("good"))
    return Sen2Cor(CorrectOptions(sen2cor=program))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(mode: str, version: str = "2.8.0", **options: float) -> Sen2Cor:
        program = write_stand_in(tmp_path / "sen2cor", mode, version)
        return Sen2Cor(CorrectOptions(sen2cor=program, **options))

    return made


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


class TestSen2CorStandIn(ProcessorContract):
    @pytest.fixture
    def processor(self, good: Sen2Cor) -> Processor:
        return good

    @pytest.fixture
    def product(self, l1c: Path) -> Path:
        return l1c

    @pytest.fixture
    def refused(self, tmp_path: Path) -> Path:
        return write_product(tmp_path / "refused").folder


@pytest.mark.parametrize("version", ["2.5.5", "2.8.0", "2.11.0", "3.0.1"])
def test_every_version_is_run_its_way(make: Make, l1c: Path, out: Path, version: str) -> None:
    processor = make("good", version)
    assert processor.version == f"sen2cor {version}"
    assert open_scene(processor.correct(l1c, out, stop=Event(), progress=silent))


def test_missing_empty_folders_are_made_in_the_copy_only(
    good: Sen2Cor, l1c: Path, out: Path
) -> None:
    assert not (l1c / "AUX_DATA").exists()
    good.correct(l1c, out, stop=Event(), progress=silent)
    assert not (l1c / "AUX_DATA").exists()
    assert not (l1c / "INSPIRE.xml").exists()
    [copy] = out.glob("l1c/*.SAFE")
    assert (copy / "AUX_DATA").is_dir()
    assert (copy / "HTML").is_dir()


def test_a_product_that_it_finds_damaged_is_told_with_advice(
    make: Make, l1c: Path, out: Path
) -> None:
    with pytest.raises(ProductError) as caught:
        make("damaged product").correct(l1c, out, stop=Event(), progress=silent)
    assert str(caught.value) == (
        f"{l1c}: sen2cor failed: Error in creating L2A User Product. "
        "Download the product again: parts of it are missing"
    )


def test_a_second_run_has_a_fresh_folder(good: Sen2Cor, l1c: Path, tmp_path: Path) -> None:
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        made.append(good.correct(l1c, tmp_path / name, stop=Event(), progress=silent))
    assert [path.relative_to(tmp_path).parts[0] for path in made] == ["first", "second"]
    assert {open_scene(path).metadata.level for path in made} == {"L2A"}


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("silent", "exit status 0, but it left no L2A product; its last line: Progress"),
        ("crash", "exit status -9; its last line: Progress"),
        ("error", r"Failed to allocate memory for the LUTs\. Run again with fewer --workers"),
        ("no 60 m", r"no file of band B01, B09\. Set Downsample_20_to_60 to TRUE"),
        ("half", r"ended well \(could not write B02\), but its product does not open: no file of"),
    ],
)
def test_it_is_not_believed(make: Make, l1c: Path, out: Path, mode: str, message: str) -> None:
    with pytest.raises(ProductError, match=message):
        make(mode).correct(l1c, out, stop=Event(), progress=silent)


def test_a_hung_run_is_ended_with_all_its_processes(
    make: Make, l1c: Path, out: Path, tmp_path: Path
) -> None:
    with pytest.raises(HungError, match=r"printed nothing for 2 s and was ended.*--patience"):
        make("hang", patience=2 / 60).correct(l1c, out, stop=Event(), progress=silent)
    for pid in (tmp_path / "sen2cor/pids").read_text().split():
        assert has_ended(int(pid))


def test_a_run_that_closes_its_output_is_watched_on(
    make: Make, l1c: Path, out: Path, tmp_path: Path
) -> None:
    with pytest.raises(HungError, match="printed nothing for 2 s and was ended"):
        make("hang in silence", patience=2 / 60).correct(l1c, out, stop=Event(), progress=silent)
    assert has_ended(int((tmp_path / "sen2cor/pids").read_text()))


def test_what_it_does_to_bands_it_does_to_its_copy(make: Make, l1c: Path, out: Path) -> None:
    before = {band: band.read_bytes() for band in l1c.rglob("*.jp2")}
    make("damages bands").correct(l1c, out, stop=Event(), progress=silent)
    assert before
    assert {band: band.read_bytes() for band in l1c.rglob("*.jp2")} == before


def test_the_copy_is_part_of_the_room(good: Sen2Cor, l1c: Path, tmp_path: Path) -> None:
    larger = tmp_path / l1c.name
    shutil.copytree(l1c, larger)
    (larger / "preview.tif").write_bytes(bytes(10**6))
    rooms = [good.room(one, read_metadata(one)) for one in (l1c, larger)]
    assert rooms[1] - rooms[0] == 10**6


def test_a_run_that_talks_is_not_hung_but_may_take_too_long(
    make: Make, l1c: Path, out: Path, tmp_path: Path
) -> None:
    processor = make("slow", patience=1.5 / 60)
    seen: list[float] = []
    processor.correct(l1c, out, stop=Event(), progress=lambda _m, done=0, _t=0: seen.append(done))
    assert {6.18, 50.0, 100.0} <= set(seen)
    shutil.rmtree(out)
    out.mkdir()
    short = Sen2Cor(CorrectOptions(sen2cor=processor.program, longest=1 / 60))
    with pytest.raises(HungError, match=r"took more than 1 s and was ended.*--longest"):
        short.correct(l1c, out, stop=Event(), progress=silent)


def test_a_run_is_ended_when_told(make: Make, l1c: Path, out: Path, tmp_path: Path) -> None:
    processor, stop = make("hang"), Event()
    pids = tmp_path / "sen2cor/pids"

    def stop_once_it_runs() -> None:
        while not pids.exists() or len(pids.read_text().split()) < 2:
            time.sleep(0.05)
        stop.set()

    threading.Thread(target=stop_once_it_runs, daemon=True).start()
    with pytest.raises(StoppedError):
        processor.correct(l1c, out, stop=stop, progress=silent)
    assert all(has_ended(int(pid)) for pid in pids.read_text().split())


def test_simulated_products_are_refused_before_work(good: Sen2Cor, tmp_path: Path) -> None:
    product = write_l1c(tmp_path)
    with pytest.raises(ProductError, match="would not call simulated"):
        good.check(product, read_metadata(product))


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or only its parent has not asked for it yet."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False
