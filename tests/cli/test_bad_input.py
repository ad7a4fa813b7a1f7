"""A table of bad inputs: each ends in one clear line, exit 1, and nothing half-written."""

import json
import re
import shutil
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from benforge.cli.main import run
from benforge.testing.products import GRID, write_small_map, write_small_product

LATER = datetime(2023, 6, 13, 10, 10, 31, tzinfo=UTC)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {y} "{f"&{x};" * 10}">' for x, y in zip("acdefg", "cdefgh", strict=True))
    + "]><b>&h;</b>"
)


@dataclass(frozen=True)
class Inputs:
    """What a `ben build` is given; a case damages it."""

    folder: Path
    product: Path
    land_cover: Path
    out: Path


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("good")
    return write_small_product(folder), write_small_map(folder / "map.gpkg")


@pytest.fixture
def inputs(good: tuple[Path, Path], tmp_path: Path) -> Inputs:
    product, land_cover = good
    shutil.copytree(product, tmp_path / product.name)
    shutil.copy(land_cover, tmp_path / "map.gpkg")
    return Inputs(tmp_path, tmp_path / product.name, tmp_path / "map.gpkg", tmp_path / "out")


def one(inputs: Inputs, pattern: str) -> Path:
    (found,) = inputs.product.glob(pattern)
    return found


def truncate_band(inputs: Inputs) -> None:
    file = one(inputs, "GRANULE/*/IMG_DATA/R10m/*_B04_10m.jp2")
    file.write_bytes(file.read_bytes()[:-5000])


def corrupt_band(inputs: Inputs) -> None:
    file = one(inputs, "GRANULE/*/IMG_DATA/R10m/*_B04_10m.jp2")
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    file.write_bytes(data)


def remove_band(inputs: Inputs) -> None:
    one(inputs, "GRANULE/*/IMG_DATA/R20m/*_B8A_20m.jp2").unlink()


def not_a_jp2(inputs: Inputs) -> None:
    one(inputs, "GRANULE/*/IMG_DATA/R60m/*_B01_60m.jp2").write_bytes(b"GIF89a" * 99)


def lie_about_size(inputs: Inputs) -> None:
    file = one(inputs, "GRANULE/*/MTD_TL.xml")
    text = file.read_text().replace("<NROWS>540<", "<NROWS>1080<")
    file.write_text(text.replace("<NROWS>270<", "<NROWS>540<").replace("<NROWS>90<", "<NROWS>180<"))


def bomb_metadata(inputs: Inputs) -> None:
    one(inputs, "MTD_MSIL2A.xml").write_text(BOMB)


def break_metadata(inputs: Inputs) -> None:
    file = one(inputs, "MTD_MSIL2A.xml")
    file.write_text(file.read_text()[:700])


def landsat(inputs: Inputs) -> None:
    for path in inputs.product.rglob("*"):
        if path.is_file():
            path.unlink()
    (inputs.product / "LC08_L1TP_193026_20170613_MTL.txt").write_text("GROUP = L1_METADATA_FILE")


def climbing_zip(inputs: Inputs) -> None:
    shutil.rmtree(inputs.product)
    with zipfile.ZipFile(inputs.product, "w") as archive:
        archive.writestr("../../evil/MTD_MSIL2A.xml", "<a/>")


def broken_zip(inputs: Inputs) -> None:
    shutil.rmtree(inputs.product)
    inputs.product.write_bytes(b"PK\x03\x04" + bytes(500))


def no_product(inputs: Inputs) -> None:
    shutil.rmtree(inputs.product)


def change_map(change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> Callable[[Inputs], None]:
    def damage(inputs: Inputs) -> None:
        changed = change(gpd.read_file(inputs.land_cover))
        inputs.land_cover.unlink()
        with warnings.catch_warnings(action="ignore"):  # a map without a CRS is meant here
            changed.to_file(inputs.land_cover, driver="GPKG")

    return damage


def overlapping(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame.geometry = frame.buffer(300)
    return frame


def not_a_map(inputs: Inputs) -> None:
    inputs.land_cover.write_text("class,share\n312,0.5\n")


def no_map(inputs: Inputs) -> None:
    inputs.land_cover.unlink()


def empty_raster(inputs: Inputs) -> None:
    inputs.land_cover.unlink()
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "height": 9, "width": 9}
    with rasterio.open(
        inputs.land_cover,
        "w",
        crs=GRID.crs,
        transform=rasterio.Affine(1000, 0, 299000, 0, -1000, 5401000),
        **profile,
    ) as target:
        target.write(np.full((9, 9), 255, np.uint8), 1)


def foreign_folder(inputs: Inputs) -> None:
    inputs.out.mkdir()
    (inputs.out / "thesis.tex").write_text("chapter 1")


def a_file_for_out(inputs: Inputs) -> None:
    inputs.out.write_text("something")


def newer_archive(inputs: Inputs) -> None:
    inputs.out.mkdir()
    meta = {"format": "benforge-archive", "version": 99}
    (inputs.out / "archive.json").write_text(json.dumps(meta))


def broken_archive(inputs: Inputs) -> None:
    inputs.out.mkdir()
    (inputs.out / "archive.json").write_text('{"format": "benforge-arch')


def nothing(inputs: Inputs) -> None:
    pass


CASES: dict[str, tuple[Callable[[Inputs], None], str]] = {
    "truncated JP2": (truncate_band, "B04"),
    "corrupt JP2": (corrupt_band, "B04"),
    "no JP2 at all": (not_a_jp2, "B01"),
    "missing band": (remove_band, "B8A"),
    "metadata that lie about size": (lie_about_size, "metadata announce"),
    "XML bomb": (bomb_metadata, "MTD_MSIL2A.xml"),
    "broken XML": (break_metadata, "MTD_MSIL2A.xml"),
    "another sensor": (landsat, "Sentinel-2"),
    "zip with ../ members": (climbing_zip, r"\.\./"),
    "broken zip": (broken_zip, "zip"),
    "no such product": (no_product, "there is no"),
    "map without a code field": (
        change_map(lambda f: f.rename(columns={"Code_18": "colour"})),
        r"labels\.code_field",
    ),
    "unknown codes": (change_map(lambda f: f.assign(Code_18="777")), "777"),
    "codes that are words": (change_map(lambda f: f.assign(Code_18="forest")), "forest"),
    "map without a CRS": (change_map(lambda f: f.set_crs(None, allow_override=True)), "CRS"),
    "wrong CRS": (change_map(lambda f: f.set_crs("EPSG:4326", allow_override=True)), "CRS|cover"),
    "map of another place": (
        change_map(lambda f: f.set_geometry(f.translate(5e5, 5e5))),
        "cover|reach",
    ),
    "map that overlaps itself": (change_map(overlapping), "overlap"),
    "no map at all": (not_a_map, "map"),
    "missing map": (no_map, "map.gpkg"),
    "raster without a class": (empty_raster, "map"),
    "out is not an archive": (foreign_folder, "not an archive"),
    "out is a file": (a_file_for_out, "not a folder"),
    "newer archive format": (newer_archive, "format 99"),
    "broken archive.json": (broken_archive, "archive.json"),
}


def files(folder: Path) -> dict[str, bytes]:
    if folder.is_file():
        return {"": folder.read_bytes()}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_clear_line(
    case: str, inputs: Inputs, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, message = CASES[case]
    damage(inputs)
    before = files(inputs.out) if inputs.out.exists() else {}
    words = ["build", inputs.product, "--land-cover", inputs.land_cover, "--out", inputs.out]
    assert run([*map(str, words), "--profile", "custom"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("ben: ")
    assert "Traceback" not in line
    assert re.search(message, line), line
    assert (files(inputs.out) if inputs.out.exists() else {}) == before
    assert inputs.out.exists() == bool(before), "an empty folder was left"
