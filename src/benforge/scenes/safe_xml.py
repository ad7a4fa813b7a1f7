"""The XML of a SAFE product, parsed safely: no document types, no entities, nothing fetched."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from benforge.errors import ProductError
from benforge.scenes.safe_files import ProductFiles

XML_LIMIT = 64 * 2**20
"""Bytes of the largest metadata file that is read; real ones have at most 1 MiB."""


def read_xml(files: ProductFiles, name: str) -> tuple[Element, bytes]:
    """The root of a metadata file, and the bytes it was parsed from.

    Raises:
        ProductError: not well formed, larger than `XML_LIMIT`, or with a document type.
    """
    data = files.head(name, XML_LIMIT + 1)
    if len(data) > XML_LIMIT:
        raise ProductError(
            f"larger than {XML_LIMIT // 2**20} MiB, which no real metadata file is",
            where=files.where(name),
        )
    return parse_xml(data, files.where(name)), data


def parse_xml(data: bytes, where: str) -> Element:
    """The root of an XML document.

    Raises:
        ProductError: not well formed, or with a document type, which real metadata never have.
    """
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ProductError(
            "the XML declares a document type or entities, which a real product never does",
            where=where,
            do="Download the product again from a source that you trust",
        ) from error
    except (ParseError, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise ProductError(
            f"not well-formed XML ({error})", where=where, do="Download the product again"
        ) from error
    return root


def find_text(root: Element, *tags: str) -> str | None:
    """The text of the first of `tags` that occurs anywhere with text, any namespace, or None."""
    for tag in tags:
        for element in root.iterfind(f".//{{*}}{tag}"):
            text = (element.text or "").strip()
            if text:
                return text
    return None


def need_text(root: Element, where: str, *tags: str) -> str:
    """The text of the first of `tags` that occurs.

    Raises:
        ProductError: none does.
    """
    text = find_text(root, *tags)
    if text is None:
        raise ProductError(
            f"the metadata have no {' or '.join(tags)}", where=where, do="Download it again"
        )
    return text


def parse_number(text: str, tag: str, where: str) -> float:
    """A finite number.

    Raises:
        ProductError: the text is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ProductError(f"{tag} is {text!r}, not a number", where=where, do="Download it again")
    return number


def parse_whole(text: str, tag: str, where: str) -> int:
    """A whole number, also where it is written as 10000.0.

    Raises:
        ProductError: the text is none.
    """
    number = parse_number(text, tag, where)
    if not number.is_integer():
        raise ProductError(f"{tag} is {text!r}, not a whole number", where=where)
    return int(number)
