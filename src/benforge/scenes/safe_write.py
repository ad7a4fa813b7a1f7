"""Write a Sentinel-2 SAFE product, L1C or L2A, from arrays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from os import SEEK_END
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError  # What a failed copy raises has no public name.
from rasterio.errors import RasterioError

from benforge.core.grid import Grid
from benforge.errors import ConflictError, GridError, InputError, StorageError
from benforge.scenes.safe_write_product import QUALITY_CHECKS, SafeProduct
from benforge.scenes.safe_write_xml import datastrip_xml, granule_xml, manifest_xml, product_xml

__all__ = ["QUALITY_CHECKS", "SafeProduct", "to_raw", "write_safe"]

_BLOCK = {10: 1024, 20: 640, 60: 192}
"""Pixels along a JPEG 2000 tile by pixel size, as in real products."""

_END_OF_CODESTREAM = b"\xff\xd9"


def write_safe(
    folder: Path,
    product: SafeProduct,
    bands: Mapping[str, npt.NDArray[np.uint16]],
    classification: npt.NDArray[np.uint8] | None = None,
    *,
    threads: int = 1,
) -> Path:
    """Write `folder/<product.name>`, lossless and the same bytes for the same input.

    The product is written beside its place and renamed when whole, so a product that is there
    is complete. Only native pixel sizes are written; the resampled copies of real L2A are not.

    Args:
        folder: where the product goes; made if missing.
        product: what its metadata tell.
        bands: band name to `row col` at native size, digital numbers as they go into the files
            (see `to_raw`). A lazy mapping serves: each band is asked for once and let go. B10
            of an L1C product may be missing and is 0 then.
        classification: SCL at 20 m, `row col`; L2A only.
        threads: bands worked on at once.

    Returns:
        The product's folder.

    Raises:
        InputError: a band is missing, or L1C comes with a classification.
        GridError: an array has another size than its band.
        ConflictError: the product is already there.
        StorageError: the disk is full or a file cannot be written.
    """
    _check(product, bands, classification)
    target = folder / product.name
    if target.exists():
        raise ConflictError("the product is already there", where=target, do="Remove it first")
    partial = folder / f".{product.name}.part"
    try:
        _write_product(partial, product, bands, classification, threads)
        partial.rename(target)
    except (OSError, RasterioError, CPLE_BaseError) as error:
        raise StorageError(
            f"cannot be written ({error})", where=target, do="Make room and run again"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def to_raw(
    reflectance: npt.NDArray[np.uint16], offset: int, nodata: int = 0
) -> npt.NDArray[np.uint16]:
    """Digital numbers for the files from reflectance x 10,000.

    Args:
        reflectance: any shape; `nodata` stays as it is.
        offset: as the metadata give it, so -1000 adds 1000.
        nodata: the number of pixels without data.

    Returns:
        Same shape; valid pixels are clipped to 1 … 65,535.
    """
    raw = np.clip(reflectance.astype(np.int32) - offset, 1, 65535).astype(np.uint16)
    raw[reflectance == nodata] = nodata
    return raw


def _check(
    product: SafeProduct,
    bands: Mapping[str, npt.NDArray[np.uint16]],
    classification: npt.NDArray[np.uint8] | None,
) -> None:
    missing = [b.name for b in product.bands if b.name not in bands and b.name != "B10"]
    if missing:
        raise InputError(f"no array for the bands {', '.join(missing)}", where=product.name)
    if classification is None:
        return
    if product.level == "L1C":
        raise InputError("an L1C product has no scene classification", where=product.name)
    _check_shape("SCL", classification.shape, product.grid.resized(20))


def _check_shape(name: str, shape: tuple[int, ...], grid: Grid) -> None:
    if shape != grid.shape:
        raise GridError(f"{name} is {shape}, its pixels of {grid.pixel_size:g} m are {grid.shape}")


def _write_product(
    folder: Path,
    product: SafeProduct,
    bands: Mapping[str, npt.NDArray[np.uint16]],
    classification: npt.NDArray[np.uint8] | None,
    threads: int,
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    images = [product.image(band.name, band.pixel_size) for band in product.bands]
    for image in images:
        (folder / image).parent.mkdir(parents=True, exist_ok=True)
    _write_bands(folder, product, bands, threads)
    if classification is not None:
        images += _write_classification(folder, product, classification)
    texts = {
        product.metadata_file: product_xml(product, images),
        f"{product.granule}/MTD_TL.xml": granule_xml(product),
        f"{product.datastrip}/MTD_DS.xml": datastrip_xml(product),
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    files = [*texts, *(f"{image}.jp2" for image in images)]
    (folder / "manifest.safe").write_bytes(manifest_xml(product, folder, files))
    for place in (product.granule, product.datastrip):
        (folder / place / "QI_DATA").mkdir()


def _write_bands(
    folder: Path,
    product: SafeProduct,
    bands: Mapping[str, npt.NDArray[np.uint16]],
    threads: int,
) -> None:
    def write(name: str, grid: Grid, image: str) -> None:
        pixels = bands[name] if name in bands else np.zeros(grid.shape, np.uint16)
        _check_shape(name, pixels.shape, grid)
        _write_jp2(folder / f"{image}.jp2", pixels, grid)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda job: write(*job), _jobs(product)))


def _jobs(product: SafeProduct) -> Iterator[tuple[str, Grid, str]]:
    """Name, grid and file of each band, the big ones first so that threads end together."""
    for band in sorted(product.bands, key=lambda band: band.pixel_size):
        grid = product.grid.resized(band.pixel_size)
        yield band.name, grid, product.image(band.name, band.pixel_size)


def _write_classification(
    folder: Path, product: SafeProduct, classification: npt.NDArray[np.uint8]
) -> list[str]:
    """SCL at 20 m and, by the middle pixel of each 3 x 3, at 60 m."""
    images = []
    for pixel_size, pixels in ((20, classification), (60, classification[1::3, 1::3])):
        image = product.image("SCL", pixel_size)
        _write_jp2(folder / f"{image}.jp2", pixels, product.grid.resized(pixel_size))
        images.append(image)
    return images


def _write_jp2(
    file: Path, pixels: npt.NDArray[np.uint16] | npt.NDArray[np.uint8], grid: Grid
) -> None:
    """One lossless JPEG 2000 file with GMLJP2 georeference.

    By way of a dataset in memory: only a copy lets GDAL encode without Python's lock, so that
    threads help.
    """
    block = str(_BLOCK[int(grid.pixel_size)])
    with rasterio.open(
        "pixels",
        "w+",
        driver="MEM",
        height=grid.height,
        width=grid.width,
        count=1,
        dtype=pixels.dtype,
        crs=grid.crs,
        transform=rasterio.Affine(*grid.transform),
    ) as memory:
        memory.write(pixels, 1)
        rasterio.shutil.copy(
            memory,
            file,
            driver="JP2OpenJPEG",
            QUALITY="100",
            REVERSIBLE="YES",
            YCC="NO",
            BLOCKXSIZE=block,
            BLOCKYSIZE=block,
        )
    _check_whole(file)


def _check_whole(file: Path) -> None:
    """GDAL does not always tell that the disk was full when it closed a file."""
    with file.open("rb") as opened:
        opened.seek(-2, SEEK_END)
        if opened.read() != _END_OF_CODESTREAM:
            raise OSError(f"{file.name} ends early")
