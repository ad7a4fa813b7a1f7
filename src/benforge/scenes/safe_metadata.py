"""What the metadata of a SAFE product tell, parsed without touching a band.

Every processing baseline is read: the tags of sen2cor's pilot products (`L2A_…`, `…_2A`), the
quality checks as flags or as `quality_check`, and the radiometric offsets from 04.00 on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from xml.etree.ElementTree import Element

from benforge.core.grid import Grid
from benforge.core.sensor import Sensor, load_sensor
from benforge.errors import GridError, ProductError
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_checksum import ListedFile, fingerprint
from benforge.scenes.safe_files import ProductFiles, open_files, split_tile
from benforge.scenes.safe_identity import read_baseline, read_id, read_origin, read_sensing_time
from benforge.scenes.safe_layout import (
    find_band,
    find_classification,
    find_granule,
    find_product_xml,
    tile_of,
)
from benforge.scenes.safe_manifest import read_manifest
from benforge.scenes.safe_xml import find_text, need_text, parse_number, parse_whole, read_xml

_IMAGES = ("IMAGE_FILE", "IMAGE_FILE_2A", "IMAGE_ID", "IMAGE_ID_2A")
_QUANTIFICATION = {
    "L1C": ("QUANTIFICATION_VALUE",),
    "L2A": ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE"),
}
_OFFSET = {"L1C": "RADIO_ADD_OFFSET", "L2A": "BOA_ADD_OFFSET"}
_FIRST_WITH_OFFSETS, _HOME_MADE = "04.00", "99.99"
"""Baselines from which offsets must be stated; 99.99 is sen2cor run by a user, old or new."""

_UTM = re.compile(r"EPSG:32[67](0[1-9]|[1-5]\d|60)")


@dataclass(frozen=True, slots=True)
class SafeContents:
    """A product before its bands are looked at.

    Args:
        metadata: what it tells of itself.
        granule: folder of the granule.
        bands: band name to the files found for it; one in a good product.
        classification: files of the scene classification; at most one in a good product.
        listed: those of these files that the manifest lists, to what it lists of them.
    """

    metadata: SceneMetadata
    granule: str
    bands: Mapping[str, Sequence[str]]
    classification: Sequence[str]
    listed: Mapping[str, ListedFile]


def read_metadata(path: Path, tile: str | None = None) -> SceneMetadata:
    """What a product tells of itself; its bands may be missing.

    Args:
        path: folder, main metadata file or zip, or one of these and a tile, `X.SAFE#32TNM`.
        tile: which granule, where a product from before December 2016 has several and the path
            does not say.

    Raises:
        MissingError: there is nothing at `path`.
        ProductError: not a Sentinel-2 L1C or L2A product, or one whose metadata are damaged.
    """
    path, named = split_tile(path)
    return read_contents(open_files(path), tile or named).metadata


def read_contents(files: ProductFiles, tile: str | None = None) -> SafeContents:
    """The metadata of a product and the names of its band files.

    Raises:
        ProductError: not a Sentinel-2 L1C or L2A product, or one whose metadata are damaged.
    """
    main_name = find_product_xml(files)
    granule, granule_name = find_granule(files, tile)
    main, main_bytes = read_xml(files, main_name)
    ground, ground_bytes = read_xml(files, granule_name)

    sensor = load_sensor()
    level = _read_level(main, files.where(main_name))
    named = [e.text or "" for tag in _IMAGES for e in main.iterfind(f".//{{*}}{tag}")]
    bands = {b.name: find_band(files.sizes, granule, b, level, named) for b in sensor.patch_bands}
    classes = find_classification(files.sizes, granule, named) if level == "L2A" else []

    images = {name: files.sizes[name] for name in sorted(chain(*bands.values(), classes))}
    manifest = read_manifest(files)
    listed = {name: manifest[name] for name in images if name in manifest}
    digest = fingerprint([main_bytes, ground_bytes], images, listed)
    metadata = parse_metadata(
        main, ground, (files.where(main_name), files.where(granule_name)), files.name, digest
    )
    return SafeContents(metadata, granule, bands, classes, listed)


def parse_metadata(
    main: Element, ground: Element, where: tuple[str, str], name: str, fingerprint: str
) -> SceneMetadata:
    """What the two metadata files say.

    Args:
        main: root of the product's metadata.
        ground: root of the granule's metadata.
        where: both files, as an error names them.
        name: the product's folder, for its id where the metadata hold none.
        fingerprint: of the product.

    Raises:
        ProductError: something is missing, or the two contradict each other.
    """
    sensor, level = load_sensor(), _read_level(main, where[0])
    baseline = read_baseline(main, where[0])
    tile_id = need_text(ground, where[1], "TILE_ID", "TILE_ID_2A")
    tile = tile_of(tile_id)
    if tile is None:
        raise ProductError(f"TILE_ID is {tile_id!r}, which has no MGRS tile", where=where[1])
    product, source = read_id(main, where[0], name, level, tile)
    quantification = need_text(main, where[0], *_QUANTIFICATION[level])
    return SceneMetadata(
        product=product,
        source=source,
        level=level,
        baseline=baseline,
        sensing_time=read_sensing_time(main, product, where[0]),
        orbit=product.orbit,
        tile=tile,
        grid=_read_grid(ground, sensor, where[1]),
        sensor=sensor,
        quantification=_positive(quantification, "QUANTIFICATION_VALUE", where[0]),
        offsets=_read_offsets(main, level, baseline, sensor, where[0]),
        cloud_cover=_read_cloud_cover(main, ground, where[0]),
        quality_checks=_read_quality_checks(main),
        fingerprint=fingerprint,
        simulated=find_text(main, "SIMULATED_BY") is not None,
        origin_baseline=read_origin(ground, baseline),
    )


def _read_level(main: Element, where: str) -> str:
    """Level L1C or L2A, from the root's name and PROCESSING_LEVEL ("Level-2Ap" of the pilot)."""
    root = re.fullmatch(r"(?:\{.*\})?Level-(1C|2A)_User_Product", main.tag)
    text = need_text(main, where, "PROCESSING_LEVEL")
    if root is None or not text.startswith(f"Level-{root[1]}"):
        raise ProductError(
            f"the metadata are of {text}, not of a Level-1C or Level-2A product",
            where=where,
            do="Give an L1C or L2A product",
        )
    return f"L{root[1]}"


def _read_grid(ground: Element, sensor: Sensor, where: str) -> Grid:
    """The tile in pixels of 10 m; what is said of the other sizes must be the same ground."""
    crs = need_text(ground, where, "HORIZONTAL_CS_CODE")
    if not _UTM.fullmatch(crs):
        raise ProductError(f"the CRS is {crs!r}, not a UTM zone as EPSG:32633", where=where)
    grids = [_grid_at(ground, crs, size, where) for size in sensor.pixel_sizes]
    finest = grids[0]
    try:
        fits = all(grid == finest.resized(grid.pixel_size) for grid in grids)
    except GridError as error:
        raise ProductError(error.what, where=where, do="Sizes are multiples of 60 m") from error
    if not fits:
        raise ProductError(
            "sizes or corners differ between the pixel sizes", where=where, do="Download it again"
        )
    return finest


def _grid_at(ground: Element, crs: str, pixel_size: int, where: str) -> Grid:
    """The tile in pixels of one size."""

    def number(group: str, tag: str) -> int:
        path = f".//{{*}}{group}[@resolution='{pixel_size}']/{{*}}{tag}"
        text = ground.findtext(path)
        if text is None:
            raise ProductError(f"no {group} {tag} at {pixel_size} m", where=where)
        return parse_whole(text.strip(), tag, where)

    steps = number("Geoposition", "XDIM"), number("Geoposition", "YDIM")
    if steps != (pixel_size, -pixel_size):
        raise ProductError(f"pixels of {pixel_size} m step by {steps}, not north-up", where=where)
    ulx, uly = float(number("Geoposition", "ULX")), float(number("Geoposition", "ULY"))
    try:
        return Grid(crs, ulx, uly, pixel_size, number("Size", "NROWS"), number("Size", "NCOLS"))
    except GridError as error:
        raise ProductError(error.what, where=where) from error


def _read_offsets(
    main: Element, level: str, baseline: str, sensor: Sensor, where: str
) -> dict[str, int]:
    """Band name to radiometric offset, for every band that archives keep; 0 before 04.00."""
    tag = _OFFSET[level]
    stated = {e.get("band_id"): e.text or "" for e in main.iterfind(f".//{{*}}{tag}")}
    if not stated and not _FIRST_WITH_OFFSETS <= baseline < _HOME_MADE:
        return {band.name: 0 for band in sensor.patch_bands}
    offsets = {}
    for index, band in enumerate(sensor.bands):
        text = stated.get(str(index))
        if text is not None and band.in_patches:
            offsets[band.name] = parse_whole(text.strip(), tag, where)
    missing = [band.name for band in sensor.patch_bands if band.name not in offsets]
    if missing:
        raise ProductError(
            f"baseline {baseline}, but no {tag} for {', '.join(missing)}",
            where=where,
            do="Download it again: reflectance cannot be told without the offset",
        )
    return offsets


def _read_cloud_cover(main: Element, ground: Element, where: str) -> float | None:
    """Percent of the product, else of the granule, or None."""
    tag = "Cloud_Coverage_Assessment"
    text = find_text(main, tag) or find_text(ground, "CLOUDY_PIXEL_PERCENTAGE")
    return None if text is None else parse_number(text, tag, where)


def _read_quality_checks(main: Element) -> dict[str, str]:
    """Check to verdict: `quality_check` with its type, or one `…_FLAG` a check before 2017."""
    checks = {}
    for element in main.iterfind(".//{*}Quality_Inspections/*"):
        tag = element.tag.rpartition("}")[2]
        name = element.get("checkType") or tag.removesuffix("_FLAG")
        checks[name] = (element.text or "").strip()
    return checks


def _positive(text: str, tag: str, where: str) -> int:
    number = parse_whole(text, tag, where)
    if number <= 0:
        raise ProductError(f"{tag} is {number}", where=where, do="Download it again")
    return number
