import numpy as np
import pytest

from benforge.core.grid import Grid
from benforge.core.identity import PatchId
from benforge.core.patch import Patch
from benforge.core.sensor import load_sensor
from benforge.errors import InputError

SENSOR = load_sensor()


def test_a_band_is_a_view_at_its_native_size() -> None:
    arrays = {
        size: np.arange(len(SENSOR.bands_at(size)), dtype=np.uint16)[:, None, None]
        * np.ones((1, 1200 // size, 1200 // size), np.uint16)
        for size in SENSOR.pixel_sizes
    }
    grid = Grid("EPSG:32633", 300000, 5400000, 10, 120, 120)
    product = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP"
    patch = Patch(PatchId(product, 0, 0), grid, SENSOR, arrays)
    assert patch.band("B8A").shape == (60, 60)
    assert patch.band("B8A")[0, 0] == 3
    assert np.shares_memory(patch.band("B8A"), arrays[20])
    with pytest.raises(InputError, match="no band B10"):
        patch.band("B10")
