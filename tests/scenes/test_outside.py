"""A sensor of a user's module: the tutorial's own, held to the contract and built from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

import benforge as ben
from benforge.core.sensor import load_sensor, parse_sensor, read_sensor
from benforge.errors import ConflictError, InputError, MissingError
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneReader
from benforge.testing.products import write_small_map, write_small_product
from benforge.testing.scene_reader import SceneReaderContract
from tests.test_docs import DOCS, FILE, blocks

NAME = "LC8_OLIL2A_20170613T101031_N0001_R022_T33UUP"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the tutorial, and beside them a product of noise with 2 x 3 patches."""
    folder = tmp_path_factory.mktemp("landsat")
    for _, text in blocks(DOCS / "tutorials/sensor.md"):
        if named := FILE.match(text):
            (folder / named[1]).write_text(text)
    (folder / NAME).mkdir()
    random, corner = np.random.default_rng(1), rasterio.Affine(30, 0, 3e5, 0, -30, 5.4e6)
    for band in ("blue", "green", "red", "nir", "swir"):
        with rasterio.open(
            folder / NAME / f"{band}.tif", "w", driver="GTiff", crs="EPSG:32633",
            transform=corner, count=1, dtype="uint16", height=80, width=120,
        ) as file:  # fmt: skip
            file.write(random.integers(1, 9_000, (80, 120), np.uint16), 1)
    return folder / NAME


class TestLandsat(SceneReaderContract):
    @pytest.fixture
    def reader(self, product: Path, monkeypatch: pytest.MonkeyPatch) -> SceneReader:
        monkeypatch.syspath_prepend(product.parent)
        return open_scene(product, sensor="landsat:LANDSAT")


def test_what_opens_nothing_is_refused(product: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(product.parent)
    with pytest.raises(InputError, match="landsat holds no SensorSpec of the name 'SENSOR'"):
        open_scene(product, sensor="landsat:SENSOR")
    with pytest.raises(InputError, match="or module:NAME of yours"):
        open_scene(product, sensor="landsat")


def test_an_archive_of_it_grows_only_by_its_own_and_is_no_bigearthnet(
    product: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(product.parent)
    land, changes = tmp_path / "map.gpkg", {"products.sensor": "landsat:LANDSAT"}
    write_small_map(land)
    archive = ben.build(product, land, tmp_path / "archive", profile="custom", changes=changes)
    assert ben.check(archive) == []
    with rasterio.open(product / "swir.tif") as file:
        pixels = file.read(1)
    for patch in archive:
        rows, columns = (slice(40 * i, 40 * i + 40) for i in (patch.id.row, patch.id.column))
        assert np.array_equal(patch.band("swir"), pixels[rows, columns])
    assert len(archive) == 6
    with pytest.raises(ConflictError, match=r"built by other rules: products\.sensor"):
        ben.build(write_small_product(tmp_path), land, archive.root, profile="custom")
    with pytest.raises(InputError, match="holds bands of landsat-8, published layouts those of"):
        ben.export(archive, tmp_path / "v1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "mine.toml: not a TOML file"),
        ('name = "x"', "mine.toml: not a sensor, .*quantification"),
        ('name = "x"\nquantification = 1\nband = []', "not a sensor"),
        (
            'name = "x"\nquantification = 1\n[[band]]\nname = "a"\npixel_size = 0\nwavelength = 1',
            r"not a sensor, .*>= 1",
        ),
        (
            'name = "x"\nquantification = 1\n'
            + 2 * '[[band]]\nname="a"\npixel_size=9\nwavelength=1\n',
            "two bands of one name",
        ),
    ],
)
def test_what_describes_no_sensor_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_sensor(tmp_path / "mine.toml")
    with pytest.raises(MissingError, match="there is no such sensor"):
        read_sensor(tmp_path / "nowhere.toml")


def test_the_shipped_sensor_is_whole() -> None:
    assert [band.name for band in load_sensor().bands].index("B8A") == 8
    facts = {
        "name": "x",
        "quantification": 10,
        "band": [{"name": "a", "pixel_size": 3, "wavelength": 1.0}],
    }
    assert parse_sensor(facts).pixel_sizes == (3,)
