"""Open and filter the index of an archive as large as BigEarthNet: 590,326 rows.

`python -m benchmarks.index`. The rows are made up on the tiles of the 125 published products, with
the columns, footprints and label lists that a real archive has. The floor is pyarrow reading the
same file and doing nothing with it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.measure import interleaved, show, table
from benforge.archive.archive import Archive
from benforge.archive.footprints import footprints, to_wkb
from benforge.archive.index import encode_rows
from benforge.archive.layout import INDEX
from benforge.archive.meta import ArchiveMeta, write_meta
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.identity import PatchId, ProductId
from benforge.core.nomenclature import load_nomenclature
from benforge.core.record import SCHEMA
from benforge.core.season import season_of
from benforge.core.sensor import load_sensor

WORK = Path(__file__).parent / "work" / "index"
SIZES = {"toy": (40, 3), "full": (590_326 // 125, 7)}
"""Patches a product, and rounds."""


def write_archive(patches: int) -> Path:
    """An archive without pixels: `archive.json` and the index."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    rng = np.random.default_rng(1)
    rows = [make_rows(product, patches, rng) for product in load_bigearthnet().products]
    (WORK / INDEX).write_bytes(encode_rows(pa.concat_tables(rows)))
    labels = load_nomenclature("clc-43")
    meta = ArchiveMeta(profile="ben-v1", recipe={}, sensor=load_sensor(), nomenclature=labels)
    write_meta(WORK, meta)
    return WORK


def make_rows(source: str, patches: int, rng: np.random.Generator) -> pa.Table:
    """The rows of one product, on its tile."""
    product = ProductId.parse(source)
    name = str(product)
    epsg, left, top = load_bigearthnet().corners[product.tile]
    row, column = np.divmod(np.sort(rng.choice(91 * 91, patches, replace=False)), 91)
    ulx, uly = left + 1200.0 * column, top - 1200.0 * row
    classes = load_nomenclature("clc-43").classes
    chosen = [sorted(rng.choice(43, rng.integers(1, 6), replace=False)) for _ in range(patches)]
    values: dict[str, Any] = {
        "patch_id": [str(PatchId(name, c, r)) for c, r in zip(column, row, strict=True)],
        "column": column,
        "row": row,
        "ulx": ulx,
        "uly": uly,
        "classes": [[classes[i].code for i in some] for some in chosen],
        "labels": [[classes[i].name for i in some] for some in chosen],
        "nodata": np.zeros(patches),
        "geometry": to_wkb(footprints(f"EPSG:{epsg}", ulx, uly, 1200)),
    }
    same = {
        "scene": name,
        "product": name,
        "tile": product.tile,
        "crs": f"EPSG:{epsg}",
        "sensing_time": product.sensing_time,
        "season": season_of(product.sensing_time),
        "country": "Finland",
        "source": source,
    }
    values |= {key: [value] * patches for key, value in same.items()}
    columns = [pa.array(values.get(f.name, [None] * patches), f.type) for f in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def run(size: str) -> dict[str, Any]:
    """Seconds of each way to the summer patches of one tile, and the ratio to the floor."""
    patches, rounds = SIZES[size]
    root = write_archive(patches)
    path, tile = root / INDEX, load_bigearthnet().products[0].split("_T")[1][:5]
    wanted = (pc.field("tile") == tile) & (pc.field("season") == "summer")

    def ours() -> int:
        return len(Archive.open(root).filter(wanted))

    def with_geopandas() -> int:
        frame = geopandas.read_parquet(path)
        return int(((frame["tile"] == tile) & (frame["season"] == "summer")).sum())

    def with_duckdb() -> int:
        query = f"SELECT * FROM '{path}' WHERE tile = '{tile}' AND season = 'summer'"  # noqa: S608
        return len(duckdb.sql(query).arrow().read_all())

    works = {
        "pyarrow reads the file (floor)": lambda: pq.read_table(path),
        "benforge: open and filter": ours,
        "geopandas: read and filter": with_geopandas,
        "DuckDB: query": with_duckdb,
    }
    times = interleaved(works, rounds)
    floor = times["pyarrow reads the file (floor)"]
    rows = [
        {"way": way, "seconds": f"{time:.2f}", "of the floor": f"{time / floor:.2f}"}
        for way, time in times.items()
    ]
    agree = ours() == with_geopandas() == with_duckdb() > 0
    return {"rows": rows, "patches": patches * 125, "agree": agree, "times": times}


def report(size: str = "full") -> str:
    """What was measured, as Markdown."""
    found = run(size)
    title = f"Summer patches of one tile, from an index of {found['patches']:,} rows (made up)"
    return table(title, found["rows"])


if __name__ == "__main__":
    show(report, SIZES)
