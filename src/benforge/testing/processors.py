"""What every atmospheric processor must do: inherit this class to test one of yours."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from benforge.core.progress import silent
from benforge.correction.port import Processor
from benforge.errors import BenError, StoppedError
from benforge.scenes.open import open_scene
from benforge.scenes.safe_metadata import read_metadata


class ProcessorContract:
    """Tests of the port `Processor`; a subclass gives the three fixtures.

    Use a product of a few hundred pixels: it is corrected several times.
    """

    @pytest.fixture
    def processor(self) -> Processor:
        """The processor under test."""
        raise LookupError("the subclass gives the fixture `processor`")

    @pytest.fixture
    def product(self) -> Path:
        """A folder with a product that the processor takes."""
        raise LookupError("the subclass gives the fixture `product`")

    @pytest.fixture
    def refused(self) -> Path:
        """A good product that it does not take, as of the other level."""
        raise LookupError("the subclass gives the fixture `refused`")

    def test_names_itself(self, processor: Processor) -> None:
        """A name in small letters, a version without folders, a size."""
        assert processor.name == processor.name.lower()
        assert processor.name.isidentifier()
        assert processor.version
        assert "/" not in processor.version
        assert processor.memory > 0

    def test_makes_a_product_of_the_same_acquisition_and_ground(
        self, processor: Processor, product: Path, tmp_path: Path
    ) -> None:
        """It opens, is L2A, lies in the folder, and tells of the same place and time."""
        made = processor.correct(product, tmp_path, stop=Event(), progress=silent)
        before, after = read_metadata(product), open_scene(made).metadata
        assert tmp_path in made.parents
        assert after.level == "L2A"
        assert made.name == f"{after.source}.SAFE"
        assert (after.tile, after.orbit, after.grid) == (before.tile, before.orbit, before.grid)
        assert after.sensing_time == before.sensing_time
        assert after.simulated == before.simulated
        assert processor.made(after.product)

    def test_leaves_the_product_as_it_was(
        self, processor: Processor, product: Path, tmp_path: Path
    ) -> None:
        """Not a file is changed, added or taken away."""
        before = _digests(product)
        processor.correct(product, tmp_path, stop=Event(), progress=silent)
        assert _digests(product) == before

    def test_the_room_is_enough(self, processor: Processor, product: Path, tmp_path: Path) -> None:
        """What is left in the folder takes no more than was said, metadata aside."""
        said = processor.room(product, read_metadata(product))
        processor.correct(product, tmp_path, stop=Event(), progress=silent)
        images = (file.stat().st_size for file in tmp_path.rglob("*.jp2") if file.is_file())
        assert sum(images) <= 1.25 * said

    def test_no_data_and_valid_pixels_stay_apart(
        self, processor: Processor, product: Path, tmp_path: Path
    ) -> None:
        """A pixel is without data after just where it was before."""
        made = processor.correct(product, tmp_path, stop=Event(), progress=silent)
        before, after = open_scene(product), open_scene(made)
        for name in ("B02", "B05", "B09"):
            assert np.array_equal(before.read_band(name) == 0, after.read_band(name) == 0)

    def test_several_at_once_make_the_same(
        self, processor: Processor, product: Path, tmp_path: Path
    ) -> None:
        """Two threads, two folders, one result."""
        folders = [tmp_path / "a", tmp_path / "b"]
        for folder in folders:
            folder.mkdir()
        with ThreadPoolExecutor(2) as pool:
            made = list(
                pool.map(
                    lambda f: processor.correct(product, f, stop=Event(), progress=silent), folders
                )
            )
        first, second = (open_scene(one).read_band("B04") for one in made)
        assert np.array_equal(first, second)

    def test_stops_when_told(self, processor: Processor, product: Path, tmp_path: Path) -> None:
        """Work that is to end ends with its own error."""
        stop = Event()
        stop.set()
        with pytest.raises(StoppedError):
            processor.correct(product, tmp_path, stop=stop, progress=silent)

    def test_another_product_is_refused_before_work(
        self, processor: Processor, product: Path, refused: Path
    ) -> None:
        """`check` takes the one and refuses the other in a line."""
        processor.check(product, read_metadata(product))
        with pytest.raises(BenError) as caught:
            processor.check(refused, read_metadata(refused))
        assert caught.value.do


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        if file.is_file()
        else "folder"
        for file in sorted(folder.rglob("*"))
    }
