"""An L1C product opened for correction: with its cirrus band B10 and its geometry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from benforge.core.sensor import load_sensor
from benforge.correction.geometry import Geometry, read_geometry
from benforge.errors import ProductError
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_files import ProductFiles, open_files, split_tile
from benforge.scenes.safe_jp2 import HEADER, check_header, decode
from benforge.scenes.safe_layout import find_band, find_granule, find_product_xml
from benforge.scenes.safe_manifest import read_manifest
from benforge.scenes.safe_reader import SafeReader, open_safe, reflectance_table
from benforge.scenes.safe_xml import find_text, parse_whole, read_xml

CIRRUS = "B10"
_CIRRUS_INDEX = "10"
_GENERATED = re.compile(r"_(\d{8}T\d{6})$")


@dataclass(frozen=True, slots=True)
class L1CScene:
    """An L1C product of one tile; made by `open_l1c`, which checks it.

    Args:
        reader: of the bands that archives keep.
        files: the product's.
        cirrus: name of the file of B10.
        cirrus_offset: radiometric offset of B10.
        geometry: of sun and sensor.
        simulated_by: what simulated it, None for a product that was measured.
    """

    reader: SafeReader
    files: ProductFiles
    cirrus: str
    cirrus_offset: int
    geometry: Geometry
    simulated_by: str | None

    @property
    def metadata(self) -> SceneMetadata:
        """What the product tells of itself."""
        return self.reader.metadata

    @property
    def generated(self) -> datetime:
        """When the product says it was made; the sensing time where its id does not say."""
        match = _GENERATED.search(self.metadata.source)
        text = match[1] if match else self.metadata.product.time
        try:
            return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return self.metadata.sensing_time

    def read_band(self, name: str, *, threads: int = 1) -> npt.NDArray[np.uint16]:
        """One band at native size, B10 too; reflectance at the top of the atmosphere x 10,000.

        Raises:
            ProductError: the file is damaged, or not the one that manifest.safe lists.
        """
        if name != CIRRUS:
            return self.reader.read_band(name, threads=threads)
        about = self.metadata
        out = np.empty(about.grid.resized(about.sensor.band(CIRRUS).pixel_size).shape, np.uint16)
        listed = read_manifest(self.files).get(self.cirrus)
        with self.files.raster(self.cirrus, listed) as path:
            decode(path, out, self.files.where(self.cirrus), threads=threads)
        table = reflectance_table(
            self.cirrus_offset, about.quantification, about.sensor.quantification
        )
        return np.take(table, out)


def open_l1c(path: Path) -> L1CScene:
    """Open an L1C product and check all that can be checked without decoding a band.

    Args:
        path: as `open_scene` takes it.

    Raises:
        MissingError: there is nothing at `path`.
        ProductError: another kind of product, one without B10, or one that is damaged.
    """
    reader = open_safe(path)
    if not isinstance(reader, SafeReader):
        raise TypeError("open_safe gives a SafeReader")
    about = reader.metadata
    if about.level != "L1C":
        raise already_corrected(path)
    folder, _ = split_tile(path)
    files = open_files(folder)
    main, _ = read_xml(files, find_product_xml(files))
    granule, granule_name = find_granule(files, about.tile)
    ground, _ = read_xml(files, granule_name)
    return L1CScene(
        reader=reader,
        files=files,
        cirrus=_find_cirrus(files, granule, about),
        cirrus_offset=_cirrus_offset(main, about, files.where(find_product_xml(files))),
        geometry=read_geometry(ground, files.where(granule_name), about.grid, about.sensing_time),
        simulated_by=find_text(main, "SIMULATED_BY"),
    )


def already_corrected(path: Path) -> ProductError:
    """The error where an L2A product is given."""
    return ProductError(
        "an L2A product, whose atmosphere is taken off already",
        where=path,
        do="Build from it as it is, or take it over with --processor none",
    )


def _find_cirrus(files: ProductFiles, granule: str, about: SceneMetadata) -> str:
    band = load_sensor().band(CIRRUS)
    found = find_band(files.sizes, granule, band, "L1C", ())
    if len(found) != 1:
        how = f"{len(found)} files" if found else "no file"
        raise ProductError(
            f"{how} of band B10, which tells thin clouds",
            where=files.where(f"{granule}/IMG_DATA"),
            do="Give the whole L1C product: download it again",
        )
    name = found[0]
    grid = about.grid.resized(band.pixel_size)
    check_header(files.head(name, HEADER), grid, "uint16", files.where(name))
    return name


def _cirrus_offset(main: Element, about: SceneMetadata, where: str) -> int:
    """Of B10, 0 where the metadata state none, as archives do not need it."""
    stated: Mapping[str | None, str] = {
        e.get("band_id"): e.text or "" for e in main.iterfind(".//{*}RADIO_ADD_OFFSET")
    }
    text = stated.get(_CIRRUS_INDEX)
    return parse_whole(text.strip(), "RADIO_ADD_OFFSET", where) if text else 0
