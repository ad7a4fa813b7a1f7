from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest

from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.sensor import load_sensor
from benforge.errors import ProductError
from benforge.patches.cut import nodata_shares, read_mosaics
from benforge.patches.plan import PatchPlan, plan_patches
from benforge.scenes.port import SceneMetadata, SceneReader

SENSOR = load_sensor()
NAME = "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP"


class FakeScene:
    """A scene of random numbers, 4 x 3 patches and a margin; one band may be corrupt."""

    def __init__(self, corrupt: str = "") -> None:
        grid = Grid("EPSG:32633", 300000, 5400000, 10, 3 * 120 + 60, 4 * 120 + 60)
        self.corrupt = corrupt
        self.reads: list[str] = []
        self.metadata = SceneMetadata(
            product=ProductId.parse(NAME),
            source=NAME,
            level="L2A",
            baseline="02.05",
            sensing_time=datetime(2017, 6, 13, tzinfo=UTC),
            orbit=22,
            tile="33UUP",
            grid=grid,
            sensor=SENSOR,
            quantification=10000,
            offsets={},
            cloud_cover=None,
            quality_checks={},
            fingerprint="",
            simulated=True,
        )

    def pixels(self, name: str) -> npt.NDArray[np.uint16]:
        shape = self.metadata.grid.resized(SENSOR.band(name).pixel_size).shape
        seed = [band.name for band in SENSOR.bands].index(name)
        return np.random.default_rng(seed).integers(1, 9999, shape, np.uint16)

    def read_band(
        self, name: str, out: npt.NDArray[np.uint16] | None = None, *, threads: int = 1
    ) -> npt.NDArray[np.uint16]:
        if name == self.corrupt:
            raise ProductError(f"band {name} is corrupt")
        self.reads.append(name)
        assert out is not None
        out[:] = self.pixels(name)
        return out

    def read_classification(self) -> npt.NDArray[np.uint8] | None:
        return None


_: SceneReader = FakeScene()


@pytest.mark.parametrize("threads", [1, 3])
def test_patches_are_slices_of_the_bands_and_each_band_is_read_once(threads: int) -> None:
    scene = FakeScene()
    plan = plan_patches(scene.metadata.grid)
    told: list[str] = []
    mosaics = read_mosaics(
        scene, plan, threads=threads, progress=lambda message, *_: told.append(message[-3:])
    )
    assert sorted(scene.reads) == sorted(told) == sorted(b.name for b in SENSOR.patch_bands)
    for size in (10, 20, 60):
        for i, band in enumerate(SENSOR.bands_at(size)):
            edge = 1200 // size
            whole = scene.pixels(band.name)
            for column, row in plan:
                expected = whole[row * edge :, column * edge :][:edge, :edge]
                np.testing.assert_array_equal(
                    mosaics[size][i][plan.window(column, row, size)], expected
                )


def test_a_corrupt_band_is_raised() -> None:
    scene = FakeScene(corrupt="B8A")
    with pytest.raises(ProductError, match="B8A is corrupt"):
        read_mosaics(scene, plan_patches(scene.metadata.grid), threads=2)


def clear_mosaics(plan: PatchPlan) -> dict[int, npt.NDArray[np.uint16]]:
    return {
        size: np.ones((len(SENSOR.bands_at(size)), *plan.mosaic_shape(size)), np.uint16)
        for size in SENSOR.pixel_sizes
    }


@pytest.mark.parametrize(("size", "share"), [(10, 1 / 400), (20, 1 / 400), (60, 1 / 400)])
def test_one_zero_pixel_counts_as_one_coarse_pixel(size: int, share: float) -> None:
    plan = plan_patches(FakeScene().metadata.grid)
    mosaics = clear_mosaics(plan)
    assert not nodata_shares(mosaics, plan).any()
    down, right = plan.window(2, 1, size)
    mosaics[size][-1, down.start + 3, right.start] = 0
    shares = nodata_shares(mosaics, plan)
    assert shares[1 * plan.columns + 2] == np.float32(share)
    assert np.count_nonzero(shares) == 1
