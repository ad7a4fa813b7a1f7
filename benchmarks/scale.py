"""The index at 1 to 20 times the size of BigEarthNet: seconds and memory of every use of it.

`python -m benchmarks.scale`. The rows are simulated, as in `benchmarks.index`: on the tiles of the
125 published products, their acquisitions again and again in later years. There are no pixels.
Every step runs in a process of its own; seconds are those of the step alone, memory is the most
that the process held, with the opened index and the libraries in it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.index import make_rows
from benchmarks.measure import peak_memory, seconds, show, table
from benforge.archive.archive import Archive
from benforge.archive.check_rows import check_rows
from benforge.archive.index import ROW_GROUP, encode_rows, merge_rows
from benforge.archive.info import describe_archive
from benforge.archive.layout import INDEX, SceneFrame
from benforge.archive.meta import ArchiveMeta, write_meta
from benforge.core.bigearthnet import TILE_PATCHES, load_bigearthnet
from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.nomenclature import load_nomenclature
from benforge.core.record import SCHEMA
from benforge.core.sensor import load_sensor
from benforge.labels.hot import labels_hot, level_3_hot
from benforge.loading import reading
from benforge.splits.make import make_split
from benforge.splits.rules import PARTS
from benforge.statistics.describe import make_sheets
from benforge.statistics.described import Described

WORK = Path(__file__).parent / "work" / "scale"
SIZES = {
    "toy": (4, (1, 2)),
    "quick": (125, (1, 5)),
    "full": (125, (1, 2, 5, 10, 20)),
}
"""Products, and the factors."""

PATCHES = 590_326 // 125
"""Patches a product."""


def write_archive(products: int, factor: int) -> Path:
    """An archive without pixels: `archive.json`, and the index, written as it is made."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    labels = load_nomenclature("clc-43")
    meta = ArchiveMeta(
        profile="ben-v1", recipe={}, sensor=load_sensor(), nomenclature=labels, simulated=True
    )
    write_meta(WORK, meta)
    with pq.ParquetWriter(WORK / INDEX, SCHEMA, compression="zstd") as writer:
        for group in _groups(_scenes(products, factor)):
            writer.write_table(group, row_group_size=ROW_GROUP)
    return WORK


def _scenes(count: int, factor: int) -> Iterator[pa.Table]:
    """The rows of every scene, in the order of the index."""
    rng = np.random.default_rng(1)
    products = load_bigearthnet().products[:count]
    made = {source: make_rows(source, PATCHES, rng) for source in products}
    later = {
        str(ProductId.parse(name)): (name, source)
        for source in products
        for name in (_later(source, 2 * n) for n in range(factor))
    }
    for scene in sorted(later):
        name, source = later[scene]
        yield _renamed(made[source], scene, name)


def _later(source: str, years: int) -> str:
    """The same product, so many years later."""
    for year in ("2018", "2017"):
        source = source.replace(f"_{year}", f"_{int(year) + years}")
    return source


def _renamed(rows: pa.Table, scene: str, source: str) -> pa.Table:
    """The same rows as those of another scene."""
    ends = pc.utf8_slice_codeunits(rows["patch_id"], -6)
    same = {
        "scene": scene,
        "product": scene,
        "source": source,
        "sensing_time": ProductId.parse(source).sensing_time,
    }
    changed = {key: pa.array([value] * len(rows)) for key, value in same.items()}
    changed["patch_id"] = pc.binary_join_element_wise(pa.scalar(scene), ends, "")
    columns = [changed.get(name, rows[name]) for name in SCHEMA.names]
    return pa.table(columns, SCHEMA.names).cast(SCHEMA)


def _groups(scenes: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, as many at a time as a row group holds."""
    held: list[pa.Table] = []
    for scene in scenes:
        held.append(scene)
        if sum(map(len, held)) >= ROW_GROUP:
            whole = pa.concat_tables(held)
            yield whole.slice(0, ROW_GROUP).unify_dictionaries()
            held = [whole.slice(ROW_GROUP)]
    yield pa.concat_tables(held).unify_dictionaries()


def _filter(archive: Archive) -> int:
    tile = load_bigearthnet().products[0].split("_T")[1][:5]
    return len(archive.filter((pc.field("tile") == tile) & (pc.field("season") == "summer")))


def _split(rule: str) -> Callable[[Archive], int]:
    def make(archive: Archive) -> int:
        split = make_split(archive.index, rule)
        return len(split) + len(split.digest)

    return make


def _assign(archive: Archive) -> int:
    """The parts of all patches, by a split that names them in another order."""
    from benforge.core.split import Split

    parts = np.array(PARTS, object)[np.arange(len(archive)) % 3]
    return len(
        Split.of("mine", "published", archive.index["patch_id"], parts).assign(
            archive.index["patch_id"]
        )
    )


def _hot(archive: Archive) -> int:
    rows, nomenclature = archive.index, archive.meta.nomenclature
    found = level_3_hot(rows, nomenclature)
    return int(labels_hot(rows, nomenclature).sum()) - int(0 if found is None else found.sum())


def _tables(archive: Archive) -> int:
    described = Described("simulated", archive.index, archive.meta.nomenclature, simulated=True)
    return len(make_sheets(described))


def _reader(archive: Archive) -> int:
    with mock.patch.object(reading, "_shapes", return_value={}):  # there are no pixels to look at
        reading.PatchReader(archive, [])
    return len(archive)


def _scene_tables(archive: Archive) -> Iterator[pa.Table]:
    for rows, _ in archive.places_by_scene():
        yield archive.index.slice(int(rows[0]), len(rows))


def _check(archive: Archive) -> int:
    found = 0
    for rows in _scene_tables(archive):
        first = rows.slice(0, 1).to_pylist()[0]
        crs, left, top = first["crs"], *load_bigearthnet().corners[first["tile"]][1:]
        grid = Grid(crs, left, top, 10, TILE_PATCHES * 120, TILE_PATCHES * 120)
        frame = SceneFrame(grid, TILE_PATCHES, TILE_PATCHES, 120)
        names = archive.meta.nomenclature
        found += len(check_rows(rows, first["scene"], frame, names, archive.root, imported=True))
    assert found == 0, "the made-up rows break a rule"
    return len(archive)


def _find(archive: Archive) -> int:
    ids = archive.index["patch_id"]
    return sum(archive.find(ids[len(ids) * n // 100].as_py()) for n in range(100))


STEPS: Mapping[str, Callable[[Archive], int]] = {
    "open": len,
    "filter by tile and season": _filter,
    "count what it holds (ben info)": lambda archive: describe_archive(archive).patches,
    "every table of ben stats but the pixels'": _tables,
    "labels, multi-hot": _hot,
    "places, as a list": lambda archive: len(archive.places()),
    "places, scene by scene": lambda archive: sum(len(p) for _, p in archive.places_by_scene()),
    "the loader's PatchReader": _reader,
    "split paper-random": _split("paper-random"),
    "split ben-v1": _split("ben-v1"),
    "split ben-v2": _split("ben-v2"),
    "split by-tile": _split("by-tile"),
    "give every patch its part": _assign,
    "ben check, the rules of rows": _check,
    "find 100 patches by id": _find,
    "sort and encode, as a build ends": lambda archive: len(
        encode_rows(merge_rows(list(_scene_tables(archive))))
    ),
}
"""What is done with an opened index."""


def run_step(name: str) -> dict[str, float]:
    """Seconds and peak memory of a step, GiB; for a process of its own."""
    if name == "open":
        return {"seconds": seconds(lambda: Archive.open(WORK)), "memory": peak_memory()}
    archive = Archive.open(WORK)
    return {"seconds": seconds(lambda: STEPS[name](archive)), "memory": peak_memory()}


def _alone(name: str) -> dict[str, float]:
    """The same, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--step", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    print(f"{name}: {told['seconds']:.2f} s, {told['memory']:.2f} GiB", file=sys.stderr)
    return told


def run(size: str) -> dict[str, Any]:
    """Step to factor to seconds and memory."""
    products, factors = SIZES[size]
    found: dict[str, dict[int, dict[str, float]]] = {name: {} for name in STEPS}
    for factor in factors:
        write_archive(products, factor)
        for name in STEPS:
            found[name][factor] = run_step(name) if size == "toy" else _alone(name)
    shutil.rmtree(WORK)
    return {"found": found, "rows": products * PATCHES, "factors": factors}


def report(size: str = "full") -> str:
    """What was measured, as Markdown."""
    told = run(size)
    rows = []
    for name, found in told["found"].items():
        cells = {
            f"{told['rows'] * n:,}": f"{one['seconds']:.2f} s, {one['memory']:.1f} GiB"
            for n, one in found.items()
        }
        first, *others = ((n, one["seconds"] / n) for n, one in found.items())
        most = max(cost for _, cost in others) / first[1]
        rows.append({"step": name, **cells, "a row, of the first": f"{most:.2f}"})
    return table("An index of so many rows (simulated), each step in a process of its own", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        print(json.dumps(run_step(sys.argv[2])))
    else:
        show(report, SIZES)
