"""What `manifest.safe` lists of a product's files: size and checksum of each."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from benforge.errors import ProductError
from benforge.scenes.safe_checksum import ALGORITHMS, ListedFile
from benforge.scenes.safe_files import FolderFiles, ProductFiles
from benforge.scenes.safe_xml import read_xml

MANIFEST = "manifest.safe"


def read_manifest(files: ProductFiles) -> dict[str, ListedFile]:
    """File name to what the manifest lists of it; empty where there is no manifest to be used.

    A manifest that is not XML is passed over, as are entries without a known checksum and those
    of files elsewhere: ESA's L2A products of baseline 02.08 have such manifests and good bands.

    Raises:
        ProductError: the manifest is empty, or a folder.
    """
    if isinstance(files, FolderFiles) and (files.root / MANIFEST).is_dir():
        raise _no_manifest("a folder, not a file", files)
    if MANIFEST not in files.sizes:
        return {}
    if files.sizes[MANIFEST] == 0:
        raise _no_manifest("an empty file", files)
    try:
        root, _ = read_xml(files, MANIFEST)
    except ProductError:
        return {}
    return parse_manifest(root)


def _no_manifest(what: str, files: ProductFiles) -> ProductError:
    return ProductError(what, where=files.where(MANIFEST), do="Download the product again")


def parse_manifest(root: Element) -> dict[str, ListedFile]:
    """File name, relative to the product, to what the manifest lists of it.

    Args:
        root: of a manifest; each `byteStream` in it tells of a file.
    """
    streams = (_parse_stream(stream) for stream in root.iterfind(".//{*}byteStream"))
    return dict(entry for entry in streams if entry is not None)


def _parse_stream(stream: Element) -> tuple[str, ListedFile] | None:
    """Name and entry of a file, or None where a part is missing or the algorithm unknown."""
    location, checksum = stream.find("{*}fileLocation"), stream.find("{*}checksum")
    size = stream.get("size", "")
    if location is None or checksum is None or not size.isdecimal():
        return None
    algorithm = checksum.get("checksumName", "").upper()
    text = (checksum.text or "").strip().lower()
    if algorithm not in ALGORITHMS or not text:
        return None
    name = location.get("href", "").removeprefix("./")
    return name, ListedFile(int(size), algorithm, text)
