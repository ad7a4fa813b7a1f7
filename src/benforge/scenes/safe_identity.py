"""Which product the metadata are of: its id, its baseline and when it was sensed."""

from __future__ import annotations

import re
from datetime import datetime
from xml.etree.ElementTree import Element

from benforge.core.identity import ProductId
from benforge.errors import InputError, ProductError
from benforge.scenes.safe_xml import find_text, need_text

_MADE_BY_USERS = ("00.06", "99.99")
"""Baselines of `ben correct` by 6S and of sen2cor; they say nothing of the L1C product."""


def read_baseline(main: Element, where: str) -> str:
    """The processing baseline, "02.05".

    Raises:
        ProductError: there is none, or it is of another form.
    """
    text = need_text(main, where, "PROCESSING_BASELINE")
    if not re.fullmatch(r"\d\d\.\d\d", text, re.ASCII):
        raise ProductError(
            f"PROCESSING_BASELINE is {text!r}, not of the form 02.05",
            where=where,
            do="Download it again",
        )
    return text


def read_origin(ground: Element, baseline: str) -> str:
    """The baseline of the L1C product that an L2A product's user made it from, "" if not told.

    Args:
        ground: root of the granule's metadata; sen2cor names the L1C granule there.
        baseline: of the product; ESA's own tell the radiometry by themselves.
    """
    named = re.search(r"_N(\d\d\.\d\d)$", find_text(ground, "L1C_TILE_ID") or "", re.ASCII)
    return named[1] if named and baseline in _MADE_BY_USERS else ""


def read_sensing_time(main: Element, product: ProductId, where: str) -> datetime:
    """That of the id, UTC; what the metadata say of the datatake must be a time too.

    Raises:
        ProductError: one of the two is no time.
    """
    stated = find_text(main, "DATATAKE_SENSING_START")
    try:
        if stated is not None:
            datetime.fromisoformat(stated)
        return product.sensing_time
    except ValueError as error:
        raise ProductError(
            f"the sensing time, {stated or product.time}, is none",
            where=where,
            do="Download it again",
        ) from error


def read_id(main: Element, where: str, name: str, level: str, tile: str) -> tuple[ProductId, str]:
    """The id, and the full id with the time of generation.

    From the product's URI, else its folder; both are of no use before December 2016, where the
    id is composed as it would read today.

    Args:
        main: root of the product's metadata.
        where: that file, for errors.
        name: the product's folder.
        level: "L1C" or "L2A", as the metadata have it.
        tile: MGRS tile, likewise.

    Raises:
        ProductError: URI, folder and metadata contradict each other, or make no id.
    """
    uri = (find_text(main, "PRODUCT_URI", f"PRODUCT_URI_{level[1:]}") or "").removesuffix(".SAFE")
    texts = (uri, name.removesuffix(".SAFE"))
    found = [(product, text) for text in texts if (product := _parse_id(text)) is not None]
    if not found:
        product = _compose_id(main, where, level, tile)
        return product, uri or f"{product}_{_stamp(main, where, 'GENERATION_TIME')}"
    if len({product for product, _ in found}) > 1:
        raise ProductError(
            f"the folder is called {name}, but its metadata are of {uri}",
            where=where,
            do="Give the folder its own name back, or download the product again",
        )
    product, text = found[0]
    if (product.level, product.tile) != (level, tile):
        raise ProductError(
            f"the product is called {text}, but its metadata are {level} of tile {tile}",
            where=where,
            do="Download it again",
        )
    return product, text


def _parse_id(text: str) -> ProductId | None:
    try:
        return ProductId.parse(text)
    except InputError:
        return None


def _compose_id(main: Element, where: str, level: str, tile: str) -> ProductId:
    craft = need_text(main, where, "SPACECRAFT_NAME")
    time = _stamp(main, where, "DATATAKE_SENSING_START", "PRODUCT_START_TIME")
    baseline = need_text(main, where, "PROCESSING_BASELINE").replace(".", "")
    orbit = need_text(main, where, "SENSING_ORBIT_NUMBER").zfill(3)
    text = f"S{craft.removeprefix('Sentinel-')}_MSI{level}_{time}_N{baseline}_R{orbit}_T{tile}"
    try:
        return ProductId.parse(text)
    except InputError as error:
        raise ProductError(f"the metadata make no product id, but {text}", where=where) from error


def _stamp(main: Element, where: str, *tags: str) -> str:
    """A time such as 2016-01-05T10:20:21.026Z as names write it, 20160105T102021."""
    return re.sub(r"[-:]|\..*|Z$", "", need_text(main, where, *tags))
