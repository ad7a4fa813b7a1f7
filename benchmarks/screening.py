"""Screening patches from their bands, warm, beside reading the same bands and doing nothing.

`python -m benchmarks.screening`. The pixels are the 66 real sample patches of BigEarthNet, laid out
at random over one tile. The floor reads the bands of 10 and 20 m of all patches through memory
maps.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.measure import interleaved, show, table
from benchmarks.tile import SCENE, SENSOR, Tile, write_scenes
from benforge.archive.executors import run_tasks
from benforge.archive.pixels import PixelReader, Place
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.screen_scene import AT_ONCE, SceneTask, screen_scene

WORK = Path(__file__).parent / "work" / "screening"
SIZES = {"toy": (14, 14, 1), "full": (91, 91, 5)}
"""Rows, columns, rounds."""

WANTED = 2000
"""Patches/s that a screening is meant to reach on two cores."""


def screening_task(reader: PixelReader, places: list[Place]) -> SceneTask:
    """Some patches of the tile, as `ben screen` sends them to a process."""
    names = pa.array([f"{column}_{row}" for _, column, row in places])
    return SceneTask(reader, SENSOR, names, places, 48.0, ScreenRecipe())


def read_bands(reader: PixelReader, places: list[Place]) -> None:
    """The floor: the bands that are looked at, into the same arrays."""
    room = {
        size: np.empty((AT_ONCE, *reader.read_array(SCENE, size, 0, 0).shape), np.uint16)
        for size in (10, 20)
    }
    for start in range(0, len(places) - AT_ONCE + 1, AT_ONCE):
        reader.read_many(places[start : start + AT_ONCE], room)


def cpu_seconds(work: Callable[[], object]) -> float:
    """What a call takes of one core, whoever else uses it."""
    start = time.process_time()
    work()
    return time.process_time() - start


def run(size: str = "full") -> dict[str, Any]:
    """Write one tile, then time each way in turns."""
    rows, columns, rounds = SIZES[size]
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    write_scenes(Tile.draw(WORK, rows, columns), WORK, ("none",))
    reader = PixelReader(WORK / "none", SENSOR)
    places: list[Place] = [(SCENE, c, r) for r in range(rows) for c in range(columns)]
    halves = [places[: len(places) // 2], places[len(places) // 2 :]]
    ways: dict[str, Callable[[], object]] = {
        "reading only (floor)": lambda: read_bands(reader, places),
        "ben screen, one process": lambda: screen_scene(screening_task(reader, places)),
        "ben screen, two processes and their start": lambda: list(
            run_tasks(screen_scene, [screening_task(reader, half) for half in halves], 2)
        ),
    }
    alone = list(ways.values())[:2]
    for way in alone:
        way()
    floor_of_cpu, ours_of_cpu = (len(places) / cpu_seconds(way) for way in alone)
    loads = os.getloadavg()[0]
    times = interleaved(ways, rounds)
    rates = {name: len(places) / taken for name, taken in times.items()}
    shutil.rmtree(WORK)
    floor = rates["reading only (floor)"]
    return {
        "rows": [
            {"work": name, "patches/s": f"{rate:,.0f}", "of the floor": f"{rate / floor:.3f}"}
            for name, rate in rates.items()
        ],
        "rates": rates,
        "load": loads,
        "of a core": (ours_of_cpu, ours_of_cpu / floor_of_cpu),
    }


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found = run(size)
    rate, ratio = found["of a core"]
    note = (
        f"One tile of real patches, uncompressed; medians. Of one core's own time, screening does "
        f"{rate:,.0f} patches/s, {ratio:.3f} of the floor; wanted are {WANTED:,} on two cores. "
        f"Load before the rounds: {found['load']:.1f}."
    )
    return table("Screening from the bands, warm", found["rows"]) + "\n" + note + "\n"


if __name__ == "__main__":
    show(report, SIZES)
