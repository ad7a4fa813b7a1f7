"""Exact search of 500,000 vectors, a query at a time, beside one pass over them.

`python -m benchmarks.search`. Vectors are made up, in clusters as embeddings are; they are mapped
from a file that the system holds in memory. The floor reads every number once.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import seconds, show, table
from benforge.retrieval.nearest import Metric, Vectors

WORK = Path(__file__).parent / "work" / "search"
SIZES = {"toy": (5_000, 16, 3), "full": (500_000, 128, 41)}
"""Vectors, features, rounds."""
WANTED = 0.05
"""Seconds that a query may take."""
CLUSTERS, TOGETHER, NEAREST = 200, 64, 10


def make_vectors(path: Path, count: int, features: int) -> npt.NDArray[np.float32]:
    """Vectors around a few middles, none negative, as a ReLU leaves them; mapped."""
    random = np.random.default_rng(5)
    middles = random.standard_normal((CLUSTERS, features), dtype=np.float32)
    values = middles[random.integers(0, CLUSTERS, count)]
    values += random.standard_normal((count, features), dtype=np.float32) * np.float32(0.5)
    np.save(path, np.maximum(values, 0))
    mapped: npt.NDArray[np.float32] = np.load(path, mmap_mode="r")
    return mapped


def run(size: str = "full") -> dict[str, Any]:
    """Time each way in turns, another query every round."""
    count, features, rounds = SIZES[size]
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / "vectors.npy"
    values = make_vectors(path, count, features)
    metrics: tuple[Metric, ...] = ("cosine", "euclidean")
    vectors = {metric: Vectors.of(values, metric) for metric in metrics}
    load, times = os.getloadavg()[0], dict[str, list[float]]()
    for row in np.random.default_rng(6).integers(0, count, rounds):
        query = np.asarray(values[row])
        works = {
            "every number read once (floor)": lambda: values.sum(),
            "one product with numpy": lambda query=query: values @ query,
            **{
                f"the {NEAREST} nearest, {metric}": lambda query=query, of=of: next(
                    of.nearest(query[None], NEAREST)
                )
                for metric, of in vectors.items()
            },
        }
        for name, work in works.items():
            times.setdefault(name, []).append(seconds(work))
    queries = np.asarray(values[:TOGETHER])
    together = seconds(lambda: list(vectors["cosine"].nearest(queries, NEAREST))) / TOGETHER
    path.unlink()
    floor = statistics.median(times["every number read once (floor)"])
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    medians[f"the same, {TOGETHER} queries together, each"] = together
    return {
        "rows": [
            {
                "work": name,
                "ms": f"{1000 * taken:.1f}",
                "least": f"{1000 * min(times.get(name, [taken])):.1f}",
                "of the floor": f"{taken / floor:.2f}",
            }
            for name, taken in medians.items()
        ],
        "seconds": medians,
        "gigabytes": values.nbytes / 1e9,
        "load": load,
    }


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found, (count, features, rounds) = run(size), SIZES[size]
    floor = found["seconds"]["every number read once (floor)"]
    note = (
        f"{found['gigabytes']:.2f} GB, read at {found['gigabytes'] / floor:.1f} GB/s by the floor; "
        f"medians of {rounds} queries. Wanted are {1000 * WANTED:.0f} ms. "
        f"Load before the rounds: {found['load']:.1f}."
    )
    title = f"Exact search in {count:,} vectors of {features} numbers, warm"
    return table(title, found["rows"]) + "\n" + note + "\n"


if __name__ == "__main__":
    show(report, SIZES)
