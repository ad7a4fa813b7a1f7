"""Names in the published v1 layout, which tell less than a patch id: parsed and rebuilt."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from pyproj import CRS
from pyproj.enums import WktVersion
from pyproj.exceptions import CRSError

from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.identity import ProductId
from benforge.errors import InputError

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
"""How `acquisition_date` is written; UTC."""

_NAME = re.compile(
    r"(?P<spacecraft>S2[A-Z])_MSIL2A_(?P<date>\d{8})T(?P<time>\d{1,6})"
    r"_(?P<column>0|[1-9]\d*)_(?P<row>0|[1-9]\d*)"
)
_SHORT_TIME = re.compile(r"(?<=_)(\d{8}T)(\d{1,5})(?=_)")


@dataclass(frozen=True, slots=True)
class V1Name:
    """Name of a patch in BigEarthNet v1: `S2B_MSIL2A_20180204T94161_57_38`.

    It holds no tile. Where its time was counted up until the name was unique, that was done as
    an integer: a leading zero is missing then, and seconds of 60 and more occur. All names whose
    time is the product's have its leading zero: 220,656 published ones.

    Args:
        spacecraft: "S2B".
        date: "20180204".
        time: digits after the T as published, "94161".
        column: patches to the right of the tile's corner.
        row: patches downward.
    """

    spacecraft: str
    date: str
    time: str
    column: int
    row: int

    def __str__(self) -> str:
        return f"{self.spacecraft}_MSIL2A_{self.date}T{self.time}_{self.column}_{self.row}"

    @classmethod
    def parse(cls, text: str) -> V1Name:
        """Read a name.

        Raises:
            InputError: the text is not one.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise InputError(
                "not the name of a BigEarthNet v1 patch",
                where=text,
                do="One looks like S2A_MSIL2A_20170613T101031_26_57",
            )
        spacecraft, date, time, column, row = match.groups()
        return cls(spacecraft, date, time, int(column), int(row))

    @classmethod
    def matches(cls, text: str) -> bool:
        """Whether the text is such a name."""
        return _NAME.fullmatch(text) is not None

    @classmethod
    def of(cls, product: ProductId, column: int, row: int, counted: int = 0) -> V1Name:
        """The name that a patch of `product` gets when it never had one.

        Two tiles of one sensing time give the same name; the caller must look for that.

        Args:
            product: what it was cut from.
            column: patches to the right of the tile's corner.
            row: patches downward.
            counted: by how much the time is counted up.
        """
        date, time = product.time.split("T")
        shown = str(int(time) + counted) if counted else time
        return cls(product.spacecraft, date, shown, column, row)

    def counted(self, product: ProductId) -> int:
        """By how much the time was counted up from that of its product; 0 where it was not."""
        return int(self.time) - int(product.time[-6:])


@lru_cache(maxsize=4096)
def mend_tile_source(text: str) -> str:
    """The full id of the product that a patch's `tile_source` means, without `.SAFE`.

    Published texts such as `S2A_MSIL1C_20180510T94033_N0206_R036_T35WPN_20180510T114116.SAFE`
    carry the time of the patch's name, counted up and without leading zero. Where everything
    but the time is that of one of the 125 products of BigEarthNet, that product is meant; else
    the leading zero is put back and the text believed.

    Raises:
        InputError: the text is not a product id even so.
    """
    mended = _SHORT_TIME.sub(lambda found: found[1] + found[2].zfill(6), text, count=1)
    ProductId.parse(mended)
    mended = mended.removesuffix(".SAFE")
    return sys.intern(_published_products().get(_all_but_time(mended), mended))


@cache
def _published_products() -> Mapping[tuple[str, ...], str]:
    """The 125 products of BigEarthNet, by everything but the time of sensing."""
    return {_all_but_time(name): name for name in load_bigearthnet().products}


def _all_but_time(product: str) -> tuple[str, ...]:
    spacecraft, level, time, *rest = product.split("_")
    return spacecraft, level, time[:8], *rest


@cache
def published_projection(crs: str) -> str:
    """The text that v1 publishes as `projection` of a UTM zone.

    It is WKT 1 with the axes of latitude and longitude spelled out, which newer versions of
    GDAL leave away.

    Args:
        crs: "EPSG:32633".
    """
    text = CRS.from_string(crs).to_wkt(WktVersion.WKT1_GDAL)
    geographic = 'AUTHORITY["EPSG","4326"]'
    return text.replace(geographic, f'AXIS["Latitude",NORTH],AXIS["Longitude",EAST],{geographic}')


@cache
def parse_projection(text: str) -> str:
    """The CRS of a `projection` text as "EPSG:32633".

    Raises:
        InputError: the text is not WKT, or not of a CRS with an EPSG code.
    """
    try:
        code = CRS.from_wkt(text).to_epsg()
    except CRSError as error:
        raise InputError("projection is not WKT", where=text[:40]) from error
    if code is None:
        raise InputError("projection has no EPSG code", where=text[:40])
    return f"EPSG:{code}"


def published_metadata(
    *,
    labels: Sequence[str],
    crs: str,
    ulx: float,
    uly: float,
    edge: float,
    source: str,
    sensing_time: datetime,
) -> dict[str, Any]:
    """What `<patch>_labels_metadata.json` says of a patch (fidelity 8), keys in published order.

    Args:
        labels: class names.
        crs: "EPSG:32633".
        ulx: easting of the upper-left corner, m.
        uly: northing of the same, m.
        edge: edge of the patch, m.
        source: full product id, without `.SAFE`.
        sensing_time: UTC.
    """
    corners = {"ulx": ulx, "uly": uly, "lrx": ulx + edge, "lry": uly - edge}
    return {
        "labels": list(labels),
        "coordinates": {name: _plain(value) for name, value in corners.items()},
        "projection": published_projection(crs),
        "tile_source": f"{source}.SAFE",
        "acquisition_date": sensing_time.strftime(TIME_FORMAT),
    }


def _plain(value: float) -> int | float:
    """A whole number without its `.0`, as published."""
    return int(value) if value == int(value) else value
