import pytest

from benforge.core.sensor import load_sensor
from benforge.errors import InputError


def test_the_papers_bands() -> None:
    sensor = load_sensor()
    assert sensor.pixel_sizes == (10, 20, 60)
    names = {size: [band.name for band in sensor.bands_at(size)] for size in (10, 20, 60)}
    assert names == {
        10: ["B02", "B03", "B04", "B08"],
        20: ["B05", "B06", "B07", "B8A", "B11", "B12"],
        60: ["B01", "B09"],
    }
    assert "B10" not in [band.name for band in sensor.patch_bands]


def test_wavelengths_rise_and_band_ids_are_positions() -> None:
    bands = load_sensor().bands
    assert [band.wavelength for band in bands] == sorted(band.wavelength for band in bands)
    assert [band.physical for band in bands][8:10] == ["B8A", "B9"]


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(InputError, match="Its bands are B01, B02"):
        load_sensor().band("B13")
    with pytest.raises(InputError, match="sentinel-2"):
        load_sensor("landsat")
