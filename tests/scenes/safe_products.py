"""Small SAFE products for the tests of the reader, in today's and in older layouts."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.scenes.safe_write import SafeProduct, write_safe

BANDS = ["B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12"]
OFFSETS = dict.fromkeys(BANDS, -1000)
GRID = Grid("EPSG:32633", 300_000, 5_300_040, 10, 180, 120)


@dataclass(frozen=True)
class Written:
    """A product on disk and what went into it."""

    folder: Path
    product: SafeProduct
    bands: Mapping[str, npt.NDArray[np.uint16]]
    classification: npt.NDArray[np.uint8] | None

    @property
    def xml(self) -> Path:
        return self.folder / self.product.metadata_file

    @property
    def granule(self) -> Path:
        return self.folder / self.product.granule

    def image(self, name: str, pixel_size: int) -> Path:
        return self.folder / f"{self.product.image(name, pixel_size)}.jp2"


def write_product(folder: Path, level: str = "L2A", seed: int = 1, **changes: Any) -> Written:
    """A product of 180 x 120 pixels: noise with no data, saturated and very dark pixels."""
    about: dict[str, Any] = {
        "spacecraft": "S2A",
        "level": level,
        "sensing_time": datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC),
        "generated": datetime(2017, 6, 13, 10, 16, 8, tzinfo=UTC),
        "baseline": "02.05",
        "orbit": 22,
        "tile": "33UUP",
        "grid": GRID,
        "cloud_cover": 0.75,
    }
    product = SafeProduct(**{**about, **changes})
    random = np.random.default_rng(seed)
    bands = {b.name: _noise(random, product.grid.resized(b.pixel_size)) for b in product.bands}
    shape = product.grid.resized(20).shape
    classes = random.integers(0, 12, shape).astype(np.uint8) if level == "L2A" else None
    return Written(write_safe(folder, product, bands, classes), product, bands, classes)


def _noise(random: np.random.Generator, grid: Grid) -> npt.NDArray[np.uint16]:
    pixels = random.integers(0, 6000, grid.shape).astype(np.uint16)
    pixels[0, :6] = 0, 1, 1000, 1001, 65534, 65535
    return pixels


def edit(file: Path, *changes: tuple[str, str]) -> None:
    """Replace texts in a file; each must occur."""
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def as_pilot(written: Written) -> Path:
    """The product as sen2cor wrote it in 2017: `L2A_` and `_2A` in tags and file names."""
    product = written.product
    uri = f"<PRODUCT_URI>{product.name}</PRODUCT_URI>"
    both = "<PRODUCT_URI_1C>{}</PRODUCT_URI_1C><PRODUCT_URI_2A>{}</PRODUCT_URI_2A>"
    edit(
        written.xml,
        (uri, both.format(product.name.replace("L2A", "L1C"), product.name)),
        (">Level-2A<", ">Level-2Ap<"),
        ("<Product_Info>", "<L2A_Product_Info>"),
        ("</Product_Info>", "</L2A_Product_Info>"),
        ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE"),
        ("IMAGE_FILE", "IMAGE_FILE_2A"),
        ("m/T33UUP_", "m/L2A_T33UUP_"),
    )
    edit(written.granule / "MTD_TL.xml", ("TILE_ID", "TILE_ID_2A"))
    for image in written.granule.rglob("*.jp2"):
        image.rename(image.with_name(f"L2A_{image.name}"))
    return written.folder


def as_old(written: Written, folder: Path, tiles: tuple[str, ...] = ("33UUP",)) -> Path:
    """The product as before December 2016: long names, a granule for each of `tiles`."""
    stamps = "PDMC_20170613T120000_R022_V20170613T101031_20170613T101031"
    level = written.product.level
    new = folder / f"S2A_OPER_PRD_MSI{level}_{stamps}.SAFE"
    new.mkdir(parents=True)
    xml = new / f"S2A_OPER_MTD_SAF{level}_{stamps}.xml"
    shutil.copy(written.xml, xml)
    edit(xml, (written.product.name, new.name), ("IMAGE_FILE", "IMAGE_ID"))
    text = re.sub(r"<IMAGE_ID>.*?</IMAGE_ID>", "", xml.read_text(encoding="utf-8"))
    xml.write_text(text, encoding="utf-8")
    for tile in tiles:
        _old_granule(written, new, level, tile)
    return new


def _old_granule(written: Written, new: Path, level: str, tile: str) -> None:
    stem = f"S2A_OPER_MSI_{level}_TL_EPA__20170613T120000_A010301_T{tile}"
    granule = new / "GRANULE" / f"{stem}_N02.05"
    shutil.copytree(written.granule, granule)
    xml = (granule / "MTD_TL.xml").rename(granule / f"{stem.replace('MSI', 'MTD')}.xml")
    edit(xml, ("T33UUP", f"T{tile}"))
    for image in granule.rglob("*.jp2"):
        ending = image.stem.partition("_")[2].partition("_")[2]
        name = f"{stem}_{ending}.jp2"
        if ending.startswith("SCL"):
            name = f"{stem.replace('MSI', 'SCL')}_{ending.removeprefix('SCL_')}.jp2"
        image.rename(image.with_name(name))


def as_zip(folder: Path, file: Path, inside: str = "", method: int = 8) -> Path:
    """The product's files in a zip, below the folder `inside` of it."""
    with zipfile.ZipFile(file, "w", compression=method) as archive:
        for member in sorted(folder.rglob("*")):
            archive.write(member, inside + member.relative_to(folder).as_posix())
    return file
