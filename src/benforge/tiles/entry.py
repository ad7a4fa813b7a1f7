"""A product as a catalogue lists it, whatever that catalogue calls things: parsed at the door."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from benforge.core.identity import ProductId
from benforge.core.season import season_of
from benforge.errors import InputError
from benforge.tiles.ground import square_of

ID_FIELDS = ("s2:product_uri", "title")
"""Properties that may hold a product's full name; the id of the item is asked last."""

_STAC = "1.1.0"
_EXTENSIONS = tuple(
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("eo/v2.0.0", "grid/v1.1.0", "file/v2.1.0", "processing/v1.2.0")
)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of a product.

    Args:
        href: where it lies: http, https or s3.
        size: in bytes, where the catalogue tells.
        checksum: as a multihash in hexadecimal, where the catalogue tells.
        others: further places of the same file.
    """

    href: str
    size: int | None = None
    checksum: str = ""
    others: tuple[str, ...] = ()

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Asset:
        """Read one asset of a STAC item."""
        size = fields.get("file:size")
        more = fields.get("alternate")
        places = more.values() if isinstance(more, Mapping) else ()
        return cls(
            href=str(fields.get("href") or ""),
            size=size if isinstance(size, int) and size >= 0 else None,
            checksum=str(fields.get("file:checksum") or "").lower(),
            others=tuple(str(p["href"]) for p in places if isinstance(p, Mapping) and "href" in p),
        )

    def as_stac(self) -> dict[str, Any]:
        """One asset of a STAC item."""
        found: dict[str, Any] = {"href": self.href, "roles": ["data"]}
        if self.size is not None:
            found["file:size"] = self.size
        if self.checksum:
            found["file:checksum"] = self.checksum
        if self.others:
            found["alternate"] = {f"place-{i}": {"href": h} for i, h in enumerate(self.others, 1)}
        return found


@dataclass(frozen=True, slots=True)
class Entry:
    """A Sentinel-2 product that can be chosen.

    Args:
        name: its full id, with generation time.
        product: the same, parsed.
        cloud: cloud cover, per cent; None where the catalogue does not tell.
        assets: its files, by the catalogue's names.
        country: the country of its tile's middle, where that was asked.
        simulated: whether its data are made up.
        item: its id in the catalogue.
    """

    name: str
    product: ProductId
    cloud: float | None = None
    assets: Mapping[str, Asset] = field(default_factory=lambda: MappingProxyType({}))
    country: str = ""
    simulated: bool = False
    item: str = field(default="", compare=False)

    @classmethod
    def named(cls, name: str) -> Entry:
        """Of a full product id alone.

        Raises:
            InputError: the name is no product id, or no clock shows its time.
        """
        plain = name.removesuffix(".SAFE")
        product = ProductId.parse(plain)
        _ = product.sensing_time
        square_of(product.tile)
        return cls(plain, product)

    @classmethod
    def parse(cls, item: Mapping[str, Any], fields: Iterable[str] = ID_FIELDS) -> Entry | None:
        """Read a STAC item; None if it names no Sentinel-2 product.

        Args:
            item: as JSON gives it.
            fields: properties that may hold the product's id.
        """
        properties = item.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        for name in (*(properties.get(key) for key in fields), item.get("id")):
            try:
                found = cls.named(str(name))
            except InputError:
                continue
            assets = item.get("assets")
            return cls(
                found.name,
                found.product,
                _percent(properties.get("eo:cloud_cover")),
                _assets(assets if isinstance(assets, Mapping) else {}),
                str(properties.get("benforge:country") or ""),
                properties.get("benforge:simulated") is True,
                str(item.get("id")),
            )
        return None

    @property
    def time(self) -> datetime:
        """The datatake's start, UTC."""
        return self.product.sensing_time

    @property
    def season(self) -> str:
        """Its season on the northern hemisphere."""
        return season_of(self.time)

    @property
    def baseline(self) -> str:
        """Its processing baseline, "02.05"."""
        return f"{self.product.baseline[:2]}.{self.product.baseline[2:]}"

    @property
    def generated(self) -> str:
        """When it was processed, "20170613T101608"; "" where its name does not tell."""
        return self.name[len(str(self.product)) + 1 :]

    @property
    def acquisition(self) -> tuple[str, str, int, str]:
        """What stays when a product is processed again: spacecraft, time, orbit, tile."""
        one = self.product
        return one.spacecraft, one.time, one.orbit, one.tile

    @property
    def size(self) -> int | None:
        """Bytes of all its files, None where the catalogue does not tell."""
        sizes = [asset.size for asset in self.assets.values()]
        return sum(s or 0 for s in sizes) if sizes and None not in sizes else None

    def as_stac(self) -> dict[str, Any]:
        """A STAC item, whose id is the full product id."""
        square = square_of(self.product.tile)
        properties: dict[str, Any] = {
            "datetime": self.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "platform": f"sentinel-2{self.product.spacecraft[2].lower()}",
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "grid:code": f"MGRS-{self.product.tile}",
            "s2:mgrs_tile": self.product.tile,
            "s2:processing_baseline": self.baseline,
            "s2:product_uri": f"{self.name}.SAFE",
            "processing:level": self.product.level.removesuffix("C").removesuffix("A"),
            "sat:relative_orbit": self.product.orbit,
            "benforge:season": self.season,
        }
        if self.cloud is not None:
            properties["eo:cloud_cover"] = self.cloud
        if self.country:
            properties["benforge:country"] = self.country
        if self.simulated:
            properties["benforge:simulated"] = True
        return {
            "type": "Feature",
            "stac_version": _STAC,
            "stac_extensions": list(_EXTENSIONS),
            "id": self.name,
            "bbox": [round(value, 6) for value in square.bounds],
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[round(x, 6), round(y, 6)] for x, y in square.exterior.coords]],
            },
            "properties": properties,
            "links": [],
            "assets": {name: asset.as_stac() for name, asset in self.assets.items()},
        }


class Listed(list[Entry]):
    """The products that a catalogue lists.

    Args:
        entries: the products.
        unread: how many further items name no Sentinel-2 product.
    """

    def __init__(self, entries: Iterable[Entry] = (), unread: int = 0) -> None:
        super().__init__(entries)
        self.unread = unread


def _percent(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _assets(found: Mapping[str, Any]) -> Mapping[str, Asset]:
    """The assets that are files of the product; pictures for looking at are none."""
    files = {
        str(name): Asset.parse(one)
        for name, one in found.items()
        if isinstance(one, Mapping) and not _PICTURES & _roles(one)
    }
    return MappingProxyType({name: asset for name, asset in files.items() if asset.href})


_PICTURES = {"thumbnail", "overview", "tiles"}


def _roles(asset: Mapping[str, Any]) -> set[str]:
    roles = asset.get("roles")
    return set(map(str, roles)) if isinstance(roles, list) else set()
