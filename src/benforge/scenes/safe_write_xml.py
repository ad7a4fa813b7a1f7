"""The metadata files of a SAFE product: the elements that readers look for, no padding.

Modelled on real products: MTD_MSI*.xml tells the product, MTD_TL.xml the granule's ground,
MTD_DS.xml the datastrip, manifest.safe every file with its size and checksum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from rasterio.warp import transform

from benforge.scenes.safe_write_product import SafeProduct

_PSD = "https://psd-14.sentinel2.eo.esa.int/PSD"
_NEW_CHECKS = "04.00"


def product_xml(product: SafeProduct, images: Sequence[str]) -> bytes:
    """`MTD_MSIL1C.xml` or `MTD_MSIL2A.xml`.

    Args:
        product: what to tell.
        images: band files relative to the product's folder, without `.jp2`.
    """
    level = f"Level-{product.level[1:]}"
    root = _root(f"{level}_User_Product", f"User_Product_{level}")
    general = SubElement(root, "n1:General_Info")
    _product_info(general, product, images)
    _image_characteristics(general, product)
    _footprint(root, product)
    _quality(root, product)
    return _serialize(root)


def granule_xml(product: SafeProduct) -> bytes:
    """`MTD_TL.xml`: CRS, sizes and corners at 10, 20 and 60 m."""
    level = f"Level-{product.level[1:]}"
    root = _root(f"{level}_Tile_ID", f"S2_PDI_{level}_Tile_Metadata")
    general = SubElement(root, "n1:General_Info")
    _add(general, "TILE_ID", product.granule_id)
    if product.origin_baseline:
        _add(general, "L1C_TILE_ID", product.origin_id)
    _add(general, "DATASTRIP_ID", product.datastrip_id)
    _add(general, "SENSING_TIME", _time(product.sensing_time))
    geometry = SubElement(root, "n1:Geometric_Info")
    _geocoding(SubElement(geometry, "Tile_Geocoding"), product)
    quality = SubElement(root, "n1:Quality_Indicators_Info")
    content = SubElement(quality, "Image_Content_QI")
    _add(content, "CLOUDY_PIXEL_PERCENTAGE", f"{product.cloud_cover:.6g}")
    return _serialize(root)


def datastrip_xml(product: SafeProduct) -> bytes:
    """`MTD_DS.xml`: which datatake the granule was cut from."""
    level = f"Level-{product.level[1:]}"
    root = _root(f"{level}_DataStrip_ID", f"S2_PDI_{level}_Datastrip_Metadata")
    general = SubElement(root, "n1:General_Info")
    _datatake(general, product, "Datatake_Info")
    times = SubElement(general, "Datastrip_Time_Info")
    _add(times, "DATASTRIP_SENSING_START", _time(product.sensing_time))
    _add(times, "DATASTRIP_SENSING_STOP", _time(product.sensing_time))
    processing = SubElement(general, "Processing_Info")
    _add(processing, "PROCESSING_BASELINE", product.baseline)
    _add(processing, "UTC_DATE_TIME", _time(product.generated))
    return _serialize(root)


def manifest_xml(product: SafeProduct, folder: Path, files: Iterable[str]) -> bytes:
    """`manifest.safe`: the product's platform, time, orbit and every one of its files.

    Args:
        product: what to tell.
        folder: where the files lie.
        files: paths relative to it.
    """
    root = Element(
        "xfdu:XFDU",
        {
            "xmlns:xfdu": "urn:ccsds:schema:xfdu:1",
            "xmlns:safe": "http://www.esa.int/safe/sentinel/1.1",
            "version": "esa/safe/sentinel/1.1/sentinel-2/msi/archive_user_product",
        },
    )
    paths = list(files)
    package = SubElement(root, "informationPackageMap")
    unit = SubElement(package, "xfdu:contentUnit", unitType=f"Product_Level-{product.level[1:]}")
    for number in range(len(paths)):
        SubElement(unit, "dataObjectPointer", dataObjectID=f"file_{number:03d}")
    _safe_metadata(SubElement(root, "metadataSection"), product)
    objects = SubElement(root, "dataObjectSection")
    for number, path in enumerate(paths):
        _data_object(objects, f"file_{number:03d}", folder, path)
    return _serialize(root)


def _product_info(general: Element, product: SafeProduct, images: Sequence[str]) -> None:
    info = SubElement(general, "Product_Info")
    _add(info, "PRODUCT_START_TIME", _time(product.sensing_time))
    _add(info, "PRODUCT_STOP_TIME", _time(product.sensing_time))
    _add(info, "PRODUCT_URI", product.name)
    _add(info, "PROCESSING_LEVEL", f"Level-{product.level[1:]}")
    _add(info, "PRODUCT_TYPE", f"S2MSI{product.level[1:]}")
    _add(info, "PROCESSING_BASELINE", product.baseline)
    _add(info, "GENERATION_TIME", _time(product.generated))
    if product.simulated_by is not None:
        _add(info, "SIMULATED_BY", product.simulated_by)
    _datatake(info, product, "Datatake")
    query = SubElement(info, "Query_Options", completeSingleTile="true")
    _add(query, "PRODUCT_FORMAT", "SAFE_COMPACT")
    granules = SubElement(SubElement(info, "Product_Organisation"), "Granule_List")
    granule = SubElement(
        granules,
        "Granule",
        datastripIdentifier=product.datastrip_id,
        granuleIdentifier=product.granule_id,
        imageFormat="JPEG2000",
    )
    for image in images:
        _add(granule, "IMAGE_FILE", image)


def _datatake(parent: Element, product: SafeProduct, tag: str) -> None:
    stamp = f"{product.id.time}_{product.absolute_orbit:06d}_N{product.baseline}"
    take = SubElement(parent, tag, datatakeIdentifier=f"G{product.spacecraft}_{stamp}")
    _add(take, "SPACECRAFT_NAME", f"Sentinel-{product.spacecraft[1:]}")
    _add(take, "DATATAKE_TYPE", "INS-NOBS")
    _add(take, "DATATAKE_SENSING_START", _time(product.sensing_time))
    _add(take, "SENSING_ORBIT_NUMBER", product.orbit)
    _add(take, "SENSING_ORBIT_DIRECTION", "DESCENDING")


def _image_characteristics(general: Element, product: SafeProduct) -> None:
    image = SubElement(general, "Product_Image_Characteristics")
    for text, index in (("NODATA", 0), ("SATURATED", 65535)):
        special = SubElement(image, "Special_Values")
        _add(special, "SPECIAL_VALUE_TEXT", text)
        _add(special, "SPECIAL_VALUE_INDEX", index)
    display = SubElement(image, "Image_Display_Order")
    for color, channel in (("RED", 3), ("GREEN", 2), ("BLUE", 1)):
        _add(display, f"{color}_CHANNEL", channel)
    _radiometry(image, product)
    spectra = SubElement(image, "Spectral_Information_List")
    for number, band in enumerate(product.sensor.bands):
        about = SubElement(
            spectra, "Spectral_Information", bandId=str(number), physicalBand=band.physical
        )
        _add(about, "RESOLUTION", band.pixel_size)
        wavelength = SubElement(about, "Wavelength")
        _add(wavelength, "MIN", f"{band.wavelength - band.bandwidth / 2:g}", unit="nm")
        _add(wavelength, "MAX", f"{band.wavelength + band.bandwidth / 2:g}", unit="nm")
        _add(wavelength, "CENTRAL", f"{band.wavelength:g}", unit="nm")


def _radiometry(image: Element, product: SafeProduct) -> None:
    """Quantification and, where any band has one, the offsets of all bands."""
    if product.level == "L1C":
        _add(image, "QUANTIFICATION_VALUE", product.quantification, unit="none")
        listed, tag = "Radiometric_Offset_List", "RADIO_ADD_OFFSET"
    else:
        values = SubElement(image, "QUANTIFICATION_VALUES_LIST")
        _add(values, "BOA_QUANTIFICATION_VALUE", product.quantification, unit="none")
        listed, tag = "BOA_ADD_OFFSET_VALUES_LIST", "BOA_ADD_OFFSET"
    if any(product.offsets.values()):
        offsets = SubElement(image, listed)
        for number, band in enumerate(product.sensor.bands):
            _add(offsets, tag, product.offsets.get(band.name, 0), band_id=str(number))


def _footprint(root: Element, product: SafeProduct) -> None:
    geometry = SubElement(root, "n1:Geometric_Info")
    footprint = SubElement(SubElement(geometry, "Product_Footprint"), "Product_Footprint")
    outline = SubElement(footprint, "Global_Footprint")
    _add(outline, "EXT_POS_LIST", _outline(product))


def _quality(root: Element, product: SafeProduct) -> None:
    quality = SubElement(root, "n1:Quality_Indicators_Info")
    _add(quality, "Cloud_Coverage_Assessment", f"{product.cloud_cover:.6g}")
    checks = SubElement(quality, "Quality_Control_Checks")
    inspections = SubElement(checks, "Quality_Inspections")
    for check, verdict in product.quality_checks.items():
        # Baseline 04.00 came with another spelling of the same thing.
        if product.baseline >= _NEW_CHECKS:
            _add(inspections, "quality_check", verdict, checkType=check)
        else:
            _add(inspections, f"{check}_FLAG", verdict)


def _geocoding(code: Element, product: SafeProduct) -> None:
    zone, north = product.grid.crs[-2:], product.grid.crs[-3] == "6"
    _add(code, "HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {int(zone)}{'N' if north else 'S'}")
    _add(code, "HORIZONTAL_CS_CODE", product.grid.crs)
    grids = [product.grid.resized(pixel_size) for pixel_size in product.sensor.pixel_sizes]
    for grid in grids:
        size = SubElement(code, "Size", resolution=f"{grid.pixel_size:g}")
        _add(size, "NROWS", grid.height)
        _add(size, "NCOLS", grid.width)
    for grid in grids:
        position = SubElement(code, "Geoposition", resolution=f"{grid.pixel_size:g}")
        _add(position, "ULX", f"{grid.ulx:.0f}")
        _add(position, "ULY", f"{grid.uly:.0f}")
        _add(position, "XDIM", f"{grid.pixel_size:g}")
        _add(position, "YDIM", f"{-grid.pixel_size:g}")


def _safe_metadata(section: Element, product: SafeProduct) -> None:
    period = _wrapped(section, "acquisitionPeriod")
    _add(period, "safe:startTime", _time(product.sensing_time))
    orbit = _wrapped(section, "orbitReference")
    _add(orbit, "safe:orbitNumber", f"{product.absolute_orbit:06d}", type="start")
    _add(orbit, "safe:relativeOrbitNumber", f"{product.orbit:03d}", type="start")
    platform = _wrapped(section, "platform")
    _add(platform, "safe:familyName", "SENTINEL")
    _add(platform, "safe:number", product.spacecraft[1:])
    frame = _wrapped(section, "frameSet")
    _add(frame, "safe:footPrint", _outline(product))


def _wrapped(section: Element, name: str) -> Element:
    obj = SubElement(section, "metadataObject", ID=name, classification="DESCRIPTION")
    wrap = SubElement(obj, "metadataWrap", mimeType="text/xml", vocabularyName="Sentinel-SAFE")
    return SubElement(SubElement(wrap, "xmlData"), f"safe:{name}")


def _data_object(objects: Element, name: str, folder: Path, path: str) -> None:
    file = folder / path
    kind = "application/octet-stream" if file.suffix == ".jp2" else "text/xml"
    stream = SubElement(
        SubElement(objects, "dataObject", ID=name),
        "byteStream",
        mimeType=kind,
        size=str(file.stat().st_size),
    )
    SubElement(stream, "fileLocation", locatorType="URL", href=f"./{path}")
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False))
    _add(stream, "checksum", digest.hexdigest(), checksumName="MD5")


def _outline(product: SafeProduct) -> str:
    """The tile's corners as latitude and longitude, closed."""
    left, bottom, right, top = product.grid.bounds
    xs, ys = [left, right, right, left, left], [top, top, bottom, bottom, top]
    lon, lat = transform(product.grid.crs, "EPSG:4326", xs, ys)[:2]
    return " ".join(f"{y:.8f} {x:.8f}" for x, y in zip(lon, lat, strict=True))


def _root(name: str, schema: str) -> Element:
    return Element(f"n1:{name}", {"xmlns:n1": f"{_PSD}/{schema}.xsd"})


def _add(parent: Element, tag: str, text: object, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = str(text)


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def _serialize(root: Element) -> bytes:
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text + b"\n"
