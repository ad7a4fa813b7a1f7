"""Catalogues for tests: STAC items as the three public APIs write them, of real product ids.

Clouds, addresses and sizes are made up; the ids are those of the 125 products, and decoys.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import shapely

from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.identity import ProductId
from benforge.tiles.ground import square_of

TIME = "%Y%m%dT%H%M%S"


def product_id(name: str, **changes: str) -> str:
    """A product id with some of its parts changed: level, time, baseline, tile, generated."""
    one = ProductId.parse(name)
    parts = {"level": one.level, "time": one.time, "baseline": one.baseline, "tile": one.tile}
    parts |= {"generated": name[-15:]} | changes
    return (
        f"{one.spacecraft}_MSI{parts['level']}_{parts['time']}_N{parts['baseline']}"
        f"_R{one.orbit:03d}_T{parts['tile']}_{parts['generated']}"
    )


def cdse_item(
    name: str, cloud: float | None = 0.4, assets: dict[str, Any] | None = None
) -> dict[str, Any]:
    """As the Copernicus Data Space writes it: the id is the product's."""
    one = ProductId.parse(name)
    properties: dict[str, Any] = {
        "datetime": datetime.strptime(one.time, TIME).strftime("%Y-%m-%dT%H:%M:%S.024Z"),
        "platform": f"sentinel-2{name[2].lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "grid:code": f"MGRS-{one.tile}",
        "processing:level": one.level[:2],
        "processing:version": f"{one.baseline[:2]}.{one.baseline[2:]}",
        "product:type": f"S2MSI{one.level[1:]}",
        "sat:relative_orbit": one.orbit,
    }
    if cloud is not None:
        properties["eo:cloud_cover"] = cloud
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": name,
        "collection": f"sentinel-2-{one.level.lower()}",
        "geometry": shapely.geometry.mapping(square_of(one.tile)),
        "bbox": list(square_of(one.tile).bounds),
        "properties": properties,
        "links": [],
        "assets": assets or {},
    }


def earth_search_item(name: str, cloud: float | None = 0.4, number: int = 0) -> dict[str, Any]:
    """As Earth Search writes it: an id of its own, the product's in `s2:product_uri`."""
    one = ProductId.parse(name)
    item = cdse_item(name, cloud)
    item["id"] = f"{one.spacecraft}_{one.tile}_{one.time[:8]}_{number}_{one.level}"
    item["properties"] |= {
        "s2:product_uri": f"{name}.SAFE",
        "s2:processing_baseline": f"{one.baseline[:2]}.{one.baseline[2:]}",
    }
    return item


def planetary_item(name: str, cloud: float | None = 0.4) -> dict[str, Any]:
    """As the Planetary Computer writes it: an id without baseline."""
    item = earth_search_item(name, cloud)
    item["id"] = name.replace(f"_N{ProductId.parse(name).baseline}", "")
    return item


def decoys() -> list[tuple[str, float | None]]:
    """Products that the rules must leave, one of each kind for each of the 125."""
    chance = random.Random(2019)
    found: list[tuple[str, float | None]] = []
    for name in load_bigearthnet().products:
        time = datetime.strptime(ProductId.parse(name).time, TIME)
        cloudy = time + timedelta(days=5 if time.day < 20 else -5)
        before, after = time - timedelta(days=365 * 2), time + timedelta(days=365 * 2)
        found += [
            (product_id(name, time=cloudy.strftime(TIME)), chance.uniform(1.01, 100)),
            (product_id(name, time=before.strftime(TIME)), 0.0),
            (product_id(name, time=after.strftime(TIME), baseline="0208"), 0.0),
            (product_id(name, generated=(time - timedelta(hours=1)).strftime(TIME)), 0.0),
            (product_id(name, baseline="0204"), 0.0),
            (product_id(name, baseline="0500", generated="20231001T010203"), 0.0),
            (product_id(name, level="L2A"), 0.0),
            (product_id(name, tile="40RCN"), 0.0),
            (product_id(name, time=(time + timedelta(hours=1)).strftime(TIME)), 0.99),
            (product_id(name, time=(time + timedelta(hours=2)).strftime(TIME)), None),
        ]
    return found


def real(cloud: float = 0.3) -> list[tuple[str, float | None]]:
    """The 125 products, as clear as the paper asked for."""
    return [(name, cloud) for name in load_bigearthnet().products]


def collection(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """An ItemCollection."""
    return {"type": "FeatureCollection", "features": list(items)}


def write_catalogue(path: Path, items: Iterable[dict[str, Any]]) -> Path:
    """An ItemCollection as a file."""
    path.write_text(json.dumps(collection(items)))
    return path
