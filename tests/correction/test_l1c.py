from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benforge.core.sensor import load_sensor
from benforge.correction.l1c import open_l1c
from benforge.errors import ProductError
from tests.correction.products import GENERATED, write_l1c
from tests.scenes.safe_products import as_zip, write_product


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_l1c(tmp_path_factory.mktemp("l1c"))


def test_it_reads_the_cirrus_band_too(product: Path) -> None:
    scene = open_l1c(product)
    cirrus = scene.read_band("B10")
    assert cirrus.shape == (120, 100)
    assert (cirrus[0, 0], cirrus[50, 50], cirrus[-1, -1]) == (0, 10, 65535)
    assert (scene.generated, scene.simulated_by) == (GENERATED, "the tests")
    assert scene.geometry.source == "time"


def test_offsets_of_newer_baselines_are_applied_to_all(product: Path, tmp_path: Path) -> None:
    offsets = {band.name: -1000 for band in load_sensor().bands}
    newer = open_l1c(write_l1c(tmp_path, baseline="05.09", offsets=offsets))
    older = open_l1c(product)
    for name in ("B02", "B10"):
        assert np.array_equal(newer.read_band(name), older.read_band(name))


def test_a_zip_serves_as_well(tmp_path: Path) -> None:
    written = write_product(tmp_path, "L1C")
    packed = as_zip(written.folder, tmp_path / "p.zip", f"{written.folder.name}/")
    assert np.array_equal(open_l1c(packed).read_band("B10"), written.bands["B10"])


def test_a_product_without_b10_is_refused(product: Path, tmp_path: Path) -> None:
    copy = tmp_path / product.name
    shutil.copytree(product, copy)
    [file] = copy.rglob("*_B10.jp2")
    file.unlink()
    with pytest.raises(ProductError, match=r"no file of band B10, which tells thin clouds\."):
        open_l1c(copy)


def test_an_l2a_product_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match=r"taken off already.*--processor none"):
        open_l1c(write_product(tmp_path).folder)


def test_a_damaged_b10_is_found(product: Path, tmp_path: Path) -> None:
    copy = tmp_path / product.name
    shutil.copytree(product, copy)
    [file] = copy.rglob("*_B10.jp2")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(ProductError, match="checksum"):
        open_l1c(copy).read_band("B10")
