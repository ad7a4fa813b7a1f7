from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from benforge.core.grid import Grid
from benforge.errors import ProductError
from benforge.scenes.safe_jp2 import HEADER, check_header, decode

REAL = Grid("EPSG:32631", 399_960, 4_800_000, 60, 1830, 1830)


@pytest.fixture
def real_band(shared_data: Path) -> Path:
    [band] = (shared_data / "sentinel2" / "eodag_SAFE_T31TDH").rglob("*_B01.jp2")
    return band


def _write(file: Path, size: int = 300, block: int = 64, **changes: object) -> np.ndarray:
    pixels = np.random.default_rng(5).integers(0, 5000, (size, size)).astype(np.uint16)
    profile = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 3e5, 0, -10, 5e6)}
    with rasterio.open(
        file,
        "w",
        driver="JP2OpenJPEG",
        height=size,
        width=size,
        count=1,
        dtype="uint16",
        REVERSIBLE="YES",
        QUALITY="100",
        BLOCKXSIZE=block,
        BLOCKYSIZE=block,
        **profile | changes,
    ) as target:
        target.write(pixels, 1)
    return pixels


def test_the_real_band_has_the_header_that_its_metadata_announce(real_band: Path) -> None:
    check_header(real_band.read_bytes()[:HEADER], REAL, "uint16", "B01")


def test_the_real_band_decodes_as_rasterio_reads_its_windows(real_band: Path) -> None:
    out = np.empty(REAL.shape, np.uint16)
    decode(str(real_band), out, "B01", threads=2)
    with rasterio.open(real_band) as source:
        for row, col in [(0, 0), (185, 190), (911, 777), (1700, 1650)]:
            window = source.read(1, window=Window(col, row, 130, 130))
            assert np.array_equal(out[row : row + 130, col : col + 130], window)
    assert 0.4 < (out == 0).mean() < 0.42


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_each_block_is_decoded_and_finished_once(tmp_path: Path, threads: int) -> None:
    pixels = _write(tmp_path / "a.jp2")
    out = np.empty_like(pixels)

    def finish(block: np.ndarray) -> None:
        block += 1

    decode(str(tmp_path / "a.jp2"), out, "a", threads=threads, finish=finish)
    assert np.array_equal(out, pixels + 1)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_file_that_breaks_off_raises_with_any_number_of_threads(
    tmp_path: Path, threads: int, share: float
) -> None:
    """GDAL's own threads pass such a file as whole, which is why they are not used."""
    file = tmp_path / "a.jp2"
    pixels = _write(file)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(ProductError, match=r"^B02\.jp2: cannot be decoded"):
        decode(str(file), np.empty_like(pixels), "B02.jp2", threads=threads)


def test_a_file_of_another_size_than_before_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.jp2")
    with pytest.raises(ProductError, match="announce"):
        decode(str(tmp_path / "a.jp2"), np.empty((10, 10), np.uint16), "a")


def test_a_file_without_georeference_is_accepted_without_a_warning(tmp_path: Path) -> None:
    with pytest.warns(NotGeoreferencedWarning):
        pixels = _write(tmp_path / "a.jp2", crs=None, transform=rasterio.Affine.identity())
    # A second file, because GDAL put a georeference of its own beside the first.
    file = tmp_path / "b.jp2"
    file.write_bytes((tmp_path / "a.jp2").read_bytes())

    check_header(file.read_bytes(), Grid("EPSG:32633", 3e5, 5e6, 10, 300, 300), "uint16", "a")
    out = np.empty_like(pixels)
    decode(str(file), out, "a", threads=3)
    assert np.array_equal(out, pixels)
    with pytest.warns(NotGeoreferencedWarning):  # it is silent there alone
        rasterio.open(file).close()
