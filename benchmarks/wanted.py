"""What the issues ask of each benchmark, and where in what it found the answer stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.record import Record


@dataclass(frozen=True, slots=True)
class Wanted:
    """One figure that was asked for.

    Args:
        benchmark: that measures it.
        what: the figure, in words.
        where: the keys that lead to it in what `run` returned, or what looks it up.
        limit: that it must reach, or must not pass.
        at_least: whether the limit is the least.
        unit: of the figure.
        size: the size at which it counts.
    """

    benchmark: str
    what: str
    where: tuple[str, ...] | Callable[[Any], float | None]
    limit: float
    at_least: bool = True
    unit: str = "×"
    size: str = "full"


def _share_of_copying(found: Any) -> float | None:
    """The fastest way to float32 batches of all bands on the device."""
    rows = [r for r in found.get("prepared", ()) if (r["bands"], r["type"]) == (12, "float32")]
    return max((float(row["of copying"]) for row in rows), default=None)


def _stall(found: Any) -> float | None:
    """Percent, the most of any S-CNN-All training from the device."""
    rows = [row for row in found.get("trained", ()) if row["model"] == "scnn-all"]
    return max((float(row["stall"].split()[0]) for row in rows), default=None)


def _row_costs(found: Any) -> dict[str, float]:
    """Step to what a row costs at the largest index, of what it costs at the first."""
    costs = {}
    for step, sizes in found.get("found", {}).items():
        first, *_, last = sorted((int(factor), one["seconds"]) for factor, one in sizes.items())
        costs[step] = last[1] / last[0] * first[0] / first[1]
    return costs


def _median_row(found: Any) -> float | None:
    costs = sorted(_row_costs(found).values())
    return costs[len(costs) // 2] if costs else None


def _worst_row(found: Any) -> float | None:
    return max(_row_costs(found).values(), default=None)


WARM, COLD, ORDERLY = ("ratios", "at random"), ("ratios", "at random"), ("ratios", "in order")
WANTED = (
    Wanted(
        "build", "`ben build`, of decoding the product's bands alone", ("ratio",), 1.25,
        at_least=False,
    ),
    Wanted("correction", "`ben correct`, a tile", ("seconds",), 600, at_least=False, unit="s"),
    Wanted("correction", "`ben correct`, memory", ("GiB",), 6, at_least=False, unit="GiB"),
    Wanted(
        "reads", "random reads, warm, in batches, of copying the same arrays into such",
        (*WARM, "of batches copied"), 0.9,
    ),
    Wanted(
        "reads", "the same, a patch a call, of copying its three arrays",
        (*WARM, "of three arrays copied"), 0.9,
    ),
    Wanted(
        "reads", "the same, over LMDB as ConfigILM reads it",
        (*WARM, "times LMDB as ConfigILM"), 3,
    ),
    Wanted("reads", "the same, over zero-copy LMDB", (*WARM, "times LMDB, zero-copy"), 1),
    Wanted(
        "reads", "the same, over GeoTIFF per band through rasterio",
        (*WARM, "times GeoTIFF per band, rasterio"), 100,
    ),
    Wanted(
        "cold", "random reads, cold, of what the disk gives",
        (*COLD, "of the disk, the same ranges"), 0.8,
    ),
    Wanted(
        "cold", "reads in order, cold, of what the disk gives",
        (*ORDERLY, "of the disk, the same ranges"), 0.8,
    ),
    Wanted(
        "cold", "an epoch shuffled in blocks, cold, of the same in order",
        ("ratios", "shuffled in blocks", "in batches, of the same in order"), 0.8,
    ),
    Wanted(
        "loader", "batches in full shuffle, warm, of copying the same arrays",
        ("ratios", "warm, of copying"), 0.9,
    ),
    Wanted(
        "loader", "model-ready batches, over torch bicubic on the same cores",
        ("ratios", "model-ready, times torch bicubic"), 3,
    ),
    Wanted(
        "loader", "two workers, over one", ("ratios", "two workers, times one"), 1.8
    ),
    Wanted(
        "loader", "the same, of two threads that copy in memory",
        ("ratios", "two workers, of two threads that copy"), 0.9,
    ),
    Wanted(
        "gpu", "batches gathered, upsampled and normalised on the device, of its copying",
        _share_of_copying, 0.5,
    ),
    Wanted(
        "gpu", "S-CNN-All from the device, stall", _stall, 2, at_least=False, unit="%"
    ),
    Wanted(
        "scale", "a row of an index of 11.8 million, of one of 590,250: the median of all steps",
        _median_row, 1.2, at_least=False,
    ),
    Wanted("scale", "the same, the step that grows most", _worst_row, 1.2, at_least=False),
    Wanted(
        "screening", "`ben screen`, two cores",
        ("rates", "ben screen, two processes and their start"), 2000, unit="patches/s",
    ),
    Wanted(
        "mapping", "`ben map`, of decoding and asking alone", ("ratio",), 1.3, at_least=False
    ),
    Wanted(
        "search", "a query of 500,000 vectors", ("seconds", "the 10 nearest, cosine"), 0.05,
        at_least=False, unit="s",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a figure that was asked for.

    Args:
        wanted: the figure.
        got: its value; None where it was not measured.
        record: of the run; None where there is none.
    """

    wanted: Wanted
    got: float | None
    record: Record | None

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.got is None:
            return "unmeasured"
        one, other = self.got, self.wanted.limit
        met = "met" if (one >= other if self.wanted.at_least else one <= other) else "not met"
        size = self.record.size if self.record else ""
        return met if size == self.wanted.size else f"{met} at {size} size"


def answers(records: Mapping[str, Record]) -> Iterator[Answer]:
    """Of each figure; those that a benchmark tells itself, as `found["figures"]`, come after.

    Such a figure is a mapping with `what`, `got`, `wanted` and, where they differ from
    `Wanted`'s, `at_least` and `unit`.
    """
    for wanted in WANTED:
        record = records.get(wanted.benchmark)
        yield Answer(wanted, _look(record.found, wanted.where) if record else None, record)
    for name, record in records.items():
        for one in record.found.get("figures", ()):
            more = {key: one[key] for key in ("at_least", "unit") if key in one}
            wanted = Wanted(name, one["what"], (), one["wanted"], size=record.size, **more)
            yield Answer(wanted, one["got"], record)


def _look(found: Any, where: Any) -> float | None:
    if callable(where):
        value: float | None = where(found)
        return value
    for key in where:
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, (int, float)) else None
