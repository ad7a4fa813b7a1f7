"""One benchmark run and written down: `results/<name>.json` is all that the page knows of it.

`python -m benchmarks.record NAME` does it in this process; `python -m benchmarks` has a fresh one
for each, so that none is measured in the memory of another. At toy size nothing is written. What
was measured elsewhere, as on a machine with a GPU, is taken over with `--found JSON --markdown MD`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.measure import machine
from benchmarks.registry import FOLDER, find

RESULTS = FOLDER / "results"
TOLD = (
    "benforge", "numpy", "zarr", "numcodecs", "rasterio", "shapely", "geopandas", "pyarrow",
    "lmdb", "safetensors", "torch",
)  # fmt: skip
"""Packages whose versions are written down, where they are installed."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one run found, and under which circumstances.

    Args:
        name: of the benchmark.
        size: one of its `SIZES`.
        measured: day, ISO 8601.
        machine: cores, processor and Python.
        versions: of the packages that are compared.
        seconds: that the run took; None where it was not kept.
        load: of the minute before; None where it was not kept.
        others: cores that other programs kept busy on average while it ran; None likewise.
        markdown: tables and notes.
        found: what `run` returned.
        note: more that a reader should know.
    """

    name: str
    size: str
    measured: str
    machine: str
    versions: Mapping[str, str]
    seconds: float | None
    load: float | None
    others: float | None
    markdown: str
    found: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def take(name: str, size: str = "full") -> Record:
    """Run a benchmark, and what its page and its figures are."""
    module, found = find(name), dict[str, Any]()
    run = module.run

    def remembered(*args: Any, **options: Any) -> dict[str, Any]:
        found.update(run(*args, **options))
        return found

    load, busy = os.getloadavg()[0], Watch()
    with mock.patch.object(module, "run", remembered):
        markdown = module.report(size)
    seconds, others = busy.stop()
    return Record(
        name=name,
        size=size,
        measured=datetime.now(UTC).date().isoformat(),
        machine=machine(),
        versions=dict(_versions()),
        seconds=round(seconds, 1),
        load=round(load, 2),
        others=round(others, 2),
        markdown=markdown,
        found=plain(found),
    )


def take_over(name: str, size: str, found: Path, markdown: Path) -> Record:
    """What another machine found; `found` names it as `device`, and its `torch`."""
    told: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    day = datetime.fromtimestamp(found.stat().st_mtime, UTC).date()
    return Record(
        name=name,
        size=size,
        measured=day.isoformat(),
        machine=str(told.get("device", "another machine")),
        versions={"torch": str(told["torch"])} if "torch" in told else {},
        seconds=None,
        load=None,
        others=None,
        markdown=markdown.read_text(encoding="utf-8"),
        found=told,
    )


class Watch:
    """How long something takes, and how many cores others keep busy meanwhile (Linux)."""

    def __init__(self) -> None:
        self._start, self._all, self._own = time.perf_counter(), _all_busy(), _own_busy()

    def stop(self) -> tuple[float, float]:
        """Seconds, and cores of others on average."""
        seconds = time.perf_counter() - self._start
        others = (_all_busy() - self._all) - (_own_busy() - self._own)
        return seconds, max(0.0, others / max(seconds, 1e-9))


def _all_busy() -> float:
    """Seconds that all cores have worked, or were taken by the host, since the start."""
    with Path("/proc/stat").open() as file:
        user, nice, system, _, _, *rest = map(int, file.readline().split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _own_busy() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _versions() -> Iterator[tuple[str, str]]:
    for package in TOLD:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def plain(value: Any) -> Any:
    """The value as JSON has it: keys of several parts as one text, other things by their words."""
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _key(key: Any) -> str:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def write(record: Record, folder: Path = RESULTS) -> Path:
    """Write it where the page looks."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{record.name}.json"
    path.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    return path


def read(folder: Path = RESULTS) -> dict[str, Record]:
    """All records by name."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json")))
    records = (Record(**json.loads(text)) for text in texts)
    return {record.name: record for record in records}


@contextmanager
def _told(name: str, size: str) -> Iterator[None]:
    print(f"{name}, {size}, from {datetime.now(UTC):%H:%M} UTC", flush=True)
    start = time.perf_counter()
    yield
    print(f"{name} took {time.perf_counter() - start:.0f} s", flush=True)


def main() -> None:
    """Measure one, print it, and write it unless it is a toy."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.record")
    parser.add_argument("name")
    parser.add_argument("--size", default="full")
    parser.add_argument("--found", type=Path, help="what another machine found, JSON")
    parser.add_argument("--markdown", type=Path, help="and its tables")
    words = parser.parse_args()
    if words.found:
        print(write(take_over(words.name, words.size, words.found, words.markdown)))
        return
    with _told(words.name, words.size):
        record = take(words.name, words.size)
    print(record.markdown)
    if words.size != "toy":
        write(record)


if __name__ == "__main__":
    main()
