"""What every `SceneReader` must keep: inherit `SceneReaderContract` and give a reader."""

from __future__ import annotations

import pickle
import re
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import numpy as np
import pytest

from benforge.core.identity import ProductId
from benforge.errors import BenError
from benforge.scenes.port import SceneReader


class SceneReaderContract(ABC):
    """Tests of the port; a subclass names its product in the fixture `reader`.

    Use a product of a few hundred pixels: every band is decoded several times.
    """

    @abstractmethod
    @pytest.fixture
    def reader(self) -> SceneReader:
        """An opened product with all bands."""

    def test_names_agree(self, reader: SceneReader) -> None:
        """Id, level, tile and orbit are told once."""
        about = reader.metadata
        assert (about.product.level, about.product.tile) == (about.level, about.tile)
        assert about.product.orbit == about.orbit
        assert ProductId.parse(str(about.product)) == about.product
        assert about.source
        assert not about.source.endswith(".SAFE")

    def test_sensing_time_is_that_of_the_id_in_utc(self, reader: SceneReader) -> None:
        """The time of the id, with its zone."""
        about = reader.metadata
        assert about.sensing_time == about.product.sensing_time
        assert about.sensing_time.tzinfo == UTC

    def test_grid_is_whole_at_every_pixel_size(self, reader: SceneReader) -> None:
        """The same ground in whole pixels of each size."""
        about = reader.metadata
        assert about.grid.pixel_size == about.sensor.pixel_sizes[0]
        for size in about.sensor.pixel_sizes:
            assert about.grid.resized(size).bounds == about.grid.bounds

    def test_every_band_has_an_offset(self, reader: SceneReader) -> None:
        """For the bands that archives keep, no more and no less."""
        about = reader.metadata
        assert set(about.offsets) == {band.name for band in about.sensor.patch_bands}
        assert about.quantification > 0

    def test_fingerprint_is_sha256(self, reader: SceneReader) -> None:
        """As hexadecimal."""
        assert re.fullmatch(r"[0-9a-f]{64}", reader.metadata.fingerprint)

    def test_every_band_is_read_at_its_native_size(self, reader: SceneReader) -> None:
        """Shape and type of each band."""
        about = reader.metadata
        for band in about.sensor.patch_bands:
            pixels = reader.read_band(band.name)
            assert pixels.shape == about.grid.resized(band.pixel_size).shape
            assert pixels.dtype == np.uint16

    def test_a_band_is_read_into_a_given_array(self, reader: SceneReader) -> None:
        """Into a slice, touching nothing beside it."""
        name = reader.metadata.sensor.patch_bands[-1].name
        expected = reader.read_band(name)
        # A slice of a larger array, as the bands of one pixel size share one.
        whole = np.full((3, *expected.shape), 7, np.uint16)
        read = reader.read_band(name, whole[1])
        assert np.shares_memory(read, whole)
        assert np.array_equal(whole[1], expected)
        assert (whole[::2] == 7).all()

    def test_an_array_that_does_not_fit_is_refused(self, reader: SceneReader) -> None:
        """By shape and by type."""
        name = reader.metadata.sensor.patch_bands[0].name
        shape = reader.read_band(name).shape
        for wrong in (np.zeros((1, 1), np.uint16), np.zeros(shape, np.int32)):
            with pytest.raises(BenError):
                reader.read_band(name, wrong)  # type: ignore[arg-type]

    def test_threads_change_nothing(self, reader: SceneReader) -> None:
        """The same pixels whatever the number of threads."""
        for band in reader.metadata.sensor.patch_bands[:2]:
            again = reader.read_band(band.name, threads=3)
            assert np.array_equal(again, reader.read_band(band.name))

    def test_bands_are_read_from_several_threads(self, reader: SceneReader) -> None:
        """A reader is safe to share between threads."""
        names = [band.name for band in reader.metadata.sensor.patch_bands] * 2
        with ThreadPoolExecutor(4) as pool:
            read = list(pool.map(reader.read_band, names))
        for name, pixels in zip(names, read, strict=True):
            assert np.array_equal(pixels, reader.read_band(name))

    def test_a_reader_travels_to_another_process(self, reader: SceneReader) -> None:
        """A reader holds nothing that cannot be sent."""
        there: SceneReader = pickle.loads(pickle.dumps(reader))  # noqa: S301
        assert there.metadata == reader.metadata
        name = reader.metadata.sensor.patch_bands[-1].name
        assert np.array_equal(there.read_band(name), reader.read_band(name))

    def test_other_bands_are_refused(self, reader: SceneReader) -> None:
        """Bands that archives leave out and names of no band."""
        left_out = [band.name for band in reader.metadata.sensor.bands if not band.in_patches]
        for name in (*left_out, "B13", "", "SCL"):
            with pytest.raises(BenError):
                reader.read_band(name)

    def test_classification_is_at_20_m(self, reader: SceneReader) -> None:
        """Where there is one."""
        classes = reader.read_classification()
        if classes is not None:
            assert classes.shape == reader.metadata.grid.resized(20).shape
            assert classes.dtype == np.uint8
