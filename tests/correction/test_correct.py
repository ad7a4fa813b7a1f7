from __future__ import annotations

import json
import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from benforge.core.identity import ProductId
from benforge.core.progress import Progress
from benforge.correction import budget
from benforge.correction.budget import workers_for
from benforge.correction.correct import correct_products
from benforge.correction.none import NoCorrection
from benforge.correction.port import CorrectOptions
from benforge.correction.registry import PROCESSORS, make_processor
from benforge.correction.sixs import SixS
from benforge.errors import (
    BenError,
    ConflictError,
    InputError,
    MissingError,
    ProductError,
    StoppedError,
    StorageError,
)
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneMetadata
from tests.correction.air import plain_air
from tests.correction.products import SENSED, about, write_l1c
from tests.scenes.safe_products import as_zip, write_product

SIXS = SixS(CorrectOptions(), run=plain_air)


@pytest.fixture(scope="module")
def l1c(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("l1c")
    days = (SENSED, SENSED.replace(day=23), SENSED.replace(month=7))
    return [write_l1c(folder, sensing_time=day) for day in days]


class TakesOver:
    """A processor of one's own, by way of `NoCorrection`."""

    name, version, memory = "none", "none", 0.1
    settings: Mapping[str, object] = {}
    room, check, made = NoCorrection().room, NoCorrection().check, NoCorrection().made

    def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
        return NoCorrection().correct(product, folder, stop=stop, progress=progress)


class Counting(TakesOver):
    """Takes L2A over, counts, and fails or waits where it is told to."""

    def __init__(self, bad: str = "", wait: float = 0.0) -> None:
        self.bad, self.wait = bad, wait
        self.calls: list[str] = []
        self.now = self.most = 0
        self.lock = threading.Lock()

    def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
        with self.lock:
            self.calls.append(product.name)
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.wait)
        with self.lock:
            self.now -= 1
        if self.bad and self.bad in product.name:
            raise ProductError("cannot be corrected", where=product, do="Leave it out")
        return super().correct(product, folder, stop=stop, progress=progress)


@pytest.fixture
def l2a(tmp_path: Path) -> list[Path]:
    days = (SENSED, SENSED.replace(day=23), SENSED.replace(month=7))
    return [write_product(tmp_path / "given", sensing_time=day).folder for day in days]


def test_products_are_made_beside_each_other_and_left_alone_then(
    l1c: list[Path], tmp_path: Path
) -> None:
    first = correct_products(l1c[:2], tmp_path, SIXS)
    assert (first.processor, first.corrected, first.left_alone) == ("sixs", 2, 0)
    assert [open_scene(Path(p)).metadata.level for p in first.products] == ["L2A", "L2A"]
    times = {p: Path(p).stat().st_mtime_ns for p in first.products}
    second = correct_products(l1c, tmp_path, SIXS)
    assert (second.corrected, second.left_alone) == (1, 2)
    assert second.products[:2] == first.products
    assert {p: Path(p).stat().st_mtime_ns for p in first.products} == times
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        Path(p).name for p in second.products
    )


def test_an_l2a_product_of_ours_that_does_not_open_is_made_again(
    l1c: list[Path], tmp_path: Path
) -> None:
    [made] = correct_products(l1c[:1], tmp_path, SIXS).products
    [band] = Path(made).rglob("*_B05_20m.jp2")
    band.unlink()
    again = correct_products(l1c[:1], tmp_path, SIXS)
    assert (again.products, again.corrected) == ((made,), 1)
    assert open_scene(Path(made))


def test_a_folder_of_somebodys_in_the_results_place_stays(l2a: list[Path], tmp_path: Path) -> None:
    notes = tmp_path / "out" / l2a[0].name / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("mine")
    with pytest.raises(ConflictError, match="was not made by this command"):
        correct_products(l2a[:1], tmp_path / "out", "none")
    assert notes.read_text() == "mine"


def test_a_result_goes_into_no_product(l2a: list[Path]) -> None:
    before = sorted(l2a[0].rglob("*"))
    for out in (l2a[0], l2a[0] / "GRANULE" / "deep"):
        for given in (l2a[0], l2a[0] / "MTD_MSIL2A.xml"):
            with pytest.raises(InputError, match="lies inside a product"):
                correct_products([given], out, "none")
    assert sorted(l2a[0].rglob("*")) == before


def test_what_was_made_another_way_is_not_left_alone(l1c: list[Path], tmp_path: Path) -> None:
    [made] = correct_products(l1c[:1], tmp_path, SIXS).products
    high = SixS(CorrectOptions(elevation=800), run=plain_air)
    with pytest.raises(ConflictError, match=r"made with elevation_m 0\.0; now elevation_m 800 is"):
        correct_products(l1c[:1], tmp_path, high)
    [report] = Path(made).rglob("correction.json")
    report.write_text(json.dumps(json.loads(report.read_text()) | {"source": "another"}))
    with pytest.raises(ConflictError, match="made with source another; now source S2A_MSIL1C_"):
        correct_products(l1c[:1], tmp_path, SIXS)


def test_another_l2a_product_of_that_time_is_not_left_alone(
    l2a: list[Path], tmp_path: Path
) -> None:
    correct_products(l2a[:1], tmp_path / "out", "none")
    other = write_product(tmp_path / "other", sensing_time=SENSED, seed=5).folder
    with pytest.raises(ConflictError, match="is there already, made with product"):
        correct_products([other], tmp_path / "out", "none")


def test_what_a_killed_run_left_is_cleared(l2a: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    left = out / f".{ProductId.parse(l2a[0].name)}.none.part"
    (left / "half.SAFE").mkdir(parents=True)
    correct_products(l2a[:1], out, "none")
    assert [p.name for p in out.iterdir()] == [l2a[0].name]


def test_two_runs_do_not_meet_in_one_folder(l2a: list[Path], tmp_path: Path) -> None:
    errors: list[BenError] = []

    class Inviting(TakesOver):
        def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
            if not errors:
                with pytest.raises(ConflictError) as caught:
                    correct_products(l2a[:1], tmp_path / "out", self)
                errors.append(caught.value)
            return super().correct(product, folder, stop=stop, progress=progress)

    assert correct_products(l2a[:1], tmp_path / "out", Inviting()).corrected == 1
    assert "another ben correct works on this product" in str(errors[0])


def test_a_failure_leaves_the_others_made_and_nothing_half(l2a: list[Path], tmp_path: Path) -> None:
    out, processor = tmp_path / "out", Counting(bad=l2a[1].name)
    with pytest.raises(ProductError, match=r"1 of 3 products failed, the others are in .*First:"):
        correct_products(l2a, out, processor)
    assert sorted(p.name for p in out.iterdir()) == sorted([l2a[0].name, l2a[2].name])
    processor.bad = ""
    assert correct_products(l2a, out, processor).left_alone == 2
    assert processor.calls.count(l2a[0].name) == 1


def test_one_product_that_fails_says_its_own_error(l2a: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ProductError) as caught:
        correct_products(l2a[:1], tmp_path / "out", Counting(bad="S2A"))
    assert str(caught.value) == f"{l2a[0]}: cannot be corrected. Leave it out"


def test_several_are_worked_on_at_once(l2a: list[Path], tmp_path: Path) -> None:
    alone, together = Counting(wait=0.2), Counting(wait=0.2)
    correct_products(l2a, tmp_path / "alone", alone, workers=1)
    correct_products(l2a, tmp_path / "together", together, workers=3)
    assert (alone.most, together.most) == (1, 3)


def test_workers_fit_into_cores_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget.os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.setattr(budget, "free_memory", lambda: 11.0)
    assert workers_for(100, 5.0) == 2
    assert workers_for(1, 5.0) == 1
    assert workers_for(100, 50.0) == 1
    assert workers_for(100, 0.1) == 8
    assert workers_for(3, 5.0, 7) == 3
    with pytest.raises(InputError, match="--workers: 0 workers do no work"):
        workers_for(3, 5.0, 0)


def test_room_is_checked_before_work(
    l2a: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(budget.shutil, "disk_usage", lambda _: usage(0, 0, 10_000_000))
    processor = Counting()
    with pytest.raises(StorageError, match=r"3 products take up to 0\.3 GiB, 0\.0 GiB are free"):
        correct_products(l2a, tmp_path / "out", processor)
    assert not processor.calls
    assert not (tmp_path / "out").exists()


def test_every_product_is_looked_at_before_work(l2a: list[Path], tmp_path: Path) -> None:
    processor = Counting()
    for bad in (tmp_path / "gone.SAFE", tmp_path):
        with pytest.raises(BenError):
            correct_products([*l2a, bad], tmp_path / "out", processor)
    broken = as_zip(l2a[0], tmp_path / "broken.zip")
    broken.write_bytes(broken.read_bytes()[:-2000])
    with pytest.raises(ProductError, match=r"broken\.zip"):
        correct_products([l2a[1], broken], tmp_path / "out", processor)
    assert not processor.calls


def test_bad_requests_are_one_line(l1c: list[Path], l2a: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no product is given"):
        correct_products([], tmp_path, SIXS)
    with pytest.raises(InputError, match="the same acquisition as"):
        correct_products([l1c[0], l1c[0]], tmp_path, SIXS)
    with pytest.raises(InputError, match="no processor is called 'maja'"):
        correct_products(l1c, tmp_path, "maja")
    with pytest.raises(ProductError, match="taken off already"):
        correct_products(l2a, tmp_path, SIXS)
    with pytest.raises(ProductError, match="whose atmosphere is still on"):
        correct_products(l1c, tmp_path, "none")


def test_what_is_of_another_acquisition_is_not_taken(l2a: list[Path], tmp_path: Path) -> None:
    class Astray(TakesOver):
        def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
            return super().correct(l2a[1], folder, stop=stop, progress=progress)

    with pytest.raises(ProductError, match="of another acquisition or ground"):
        correct_products(l2a[:1], tmp_path / "out", Astray())
    assert not list((tmp_path / "out").iterdir())


def test_a_simulated_product_may_not_lose_its_mark(tmp_path: Path) -> None:
    product = write_product(tmp_path / "simulated", simulated_by="benforge").folder
    measured = write_product(tmp_path / "measured").folder

    class Forgetful(TakesOver):
        def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
            return super().correct(measured, folder, stop=stop, progress=progress)

    with pytest.raises(ProductError, match="does not say so"):
        correct_products([product], tmp_path / "out", Forgetful())


def test_sen2cor_is_taken_where_found_else_6s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SEN2COR_HOME", "SEN2COR_BIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert make_processor(None, CorrectOptions()).name == "sixs"
    program = tmp_path / "L2A_Process"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert make_processor(None, CorrectOptions()).name == "sen2cor"
    assert set(PROCESSORS) == {"sen2cor", "sixs", "none"}
    with pytest.raises(InputError, match="sen2cor is named, and sixs is to correct"):
        make_processor("sixs", CorrectOptions(sen2cor=program))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingError):
        _ = make_processor("sen2cor", CorrectOptions()).version


def test_an_interruption_ends_the_work_and_leaves_nothing_half(
    l2a: list[Path], tmp_path: Path
) -> None:
    told = []

    class Endless(TakesOver):
        def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
            while not stop.wait(0.05):
                progress("working", 1, 100)
            told.append(product)
            raise StoppedError("stopped")

    def interrupt(message: str, done: float = 0, total: float = 0) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        correct_products(l2a[:1], tmp_path / "out", Endless(), progress=interrupt)
    assert not list((tmp_path / "out").iterdir())


def test_the_l2a_of_another_processor_is_not_taken_for_ones_own(
    l1c: list[Path], tmp_path: Path
) -> None:
    shutil.copytree(
        write_product(tmp_path / "other", sensing_time=SENSED, grid=about().grid).folder,
        tmp_path / "out" / "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE",
    )
    found = correct_products(l1c[:1], tmp_path / "out", SIXS)
    assert found.corrected == 1
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_made_is_asked_with_an_id(l1c: list[Path]) -> None:
    metadata: SceneMetadata = open_scene(l1c[0]).metadata
    assert isinstance(metadata.product, ProductId)
    assert np.isfinite(SIXS.room(l1c[0], metadata))
