"""The viewer's server on an archive of 100,000 patches: filters, pages, and the log of decisions.

`python -m benchmarks.viewer`. The rows are made up on the tiles of the 125 published products, as
in `benchmarks.index`, with a made-up screening; there are no pixels.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from benchmarks import index
from benchmarks.measure import interleaved, seconds, show, table
from benforge.archive.archive import Archive
from benforge.quality.decisions import DecisionLog
from benforge.quality.events import encode_event, make_decision
from benforge.quality.review import Review
from benforge.quality.screening import FLAGS, SCHEMA, SHARES, Screening
from benforge.quality.screening_files import write_screening
from benforge.viewer.catalogue import Catalogue
from benforge.viewer.desk import Desk
from benforge.viewer.progress import measure
from benforge.viewer.query import parse_query
from benforge.viewer.rows import make_rows
from benforge.viewer.select import select

WORK = Path(__file__).parent / "work" / "viewer"
SIZES = {"toy": (8, 200, 2), "full": (800, 10_000, 15)}
"""Patches a product, decisions, and rounds."""

PAGE = 40
QUERIES = {
    "all, least sure first": "",
    "snow proposed, summer": "flag=seasonal_snow&season=summer",
    "two classes, undecided": "label=23&label=11&decided=none",
    "text in the id": "text=T33UUP_4",
    "a box, by date": "bbox=10,45,20,60&order=date",
    "same footprint": "near=5",
}


def write_archive(patches: int) -> Path:
    """The archive of `benchmarks.index`, of fewer patches, with a screening."""
    made = index.write_archive(patches)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.parent.mkdir(exist_ok=True)
    made.rename(WORK)
    ids = Archive.open(WORK).index["patch_id"]
    random, count = np.random.default_rng(1), len(ids)
    columns: dict[str, Any] = {"patch_id": ids, "source": ["bands"] * count}
    columns |= dict(zip(SHARES, random.dirichlet(np.ones(5), count).T[:4], strict=True))
    for flag in FLAGS:
        columns[flag] = random.random(count) < 0.1
        columns[f"{flag}_confidence"] = random.uniform(0.5, 1, count)
    rows = pa.table(columns).select(SCHEMA.names).cast(SCHEMA)
    write_screening(WORK, Screening("screen", "made up", rows.sort_by("patch_id")))
    return WORK


def ask(desk: Desk, words: str) -> bytes:
    """A page of what a query asks for, as it is sent."""
    query = parse_query(tuple(part.split("=")) for part in words.split("&") if part)
    board = desk.refresh()
    found = select(desk, board, query)
    rows = make_rows(desk, board, found[:PAGE].tolist())
    return msgspec.json.encode({"total": len(found), "rows": rows})


def run(size: str) -> dict[str, Any]:
    """Seconds of every query, of opening, and of the log."""
    patches, decisions, rounds = SIZES[size]
    root = write_archive(patches)
    opening = seconds(lambda: Catalogue.open(root, "screen"))
    catalogue = Catalogue.open(root, "screen")
    log = write_log(root, catalogue.patch_ids.slice(0, decisions).to_pylist())
    loading = seconds(lambda: Review(root))
    desk = Desk(catalogue, Review(root))
    works: dict[str, Callable[[], object]] = {
        name: (lambda words=words: ask(desk, words)) for name, words in QUERIES.items()
    }
    works["progress and kappa"] = lambda: measure(desk, "Ada")
    one = iter(range(10**9))
    works["one decision, saved and shown"] = lambda: desk.decide("Ada", [([], [next(one)])], "")
    first = {name: seconds(work) for name, work in works.items()}
    times = interleaved(works, rounds)
    found = {"patches": len(catalogue), "decisions": decisions, "lines": log, "times": times}
    return found | {"opening": opening, "loading": loading, "first": first}


def write_log(root: Path, patches: list[str]) -> int:
    """A log in which two reviewers decided each of these patches in turn, one patch a line."""
    log = DecisionLog(Review(root).log.path)
    events = [
        make_decision(("Ada", "Bob")[i % 2], FLAGS[: (i // 2) % 3 % 2], [patch])
        for i, patch in enumerate(np.repeat(patches[: len(patches) // 2], 2).tolist())
    ]
    log.append(events[0])
    with log.path.open("ab") as file:
        file.writelines(encode_event(event) for event in events[1:])
    return len(events)


def report(size: str = "full") -> str:
    """What was measured, as Markdown."""
    found = run(size)
    rows = [
        {"what": f"open an archive of {found['patches']:,} patches", "ms": _ms(found["opening"])},
        {"what": f"load a log of {found['lines']:,} decisions", "ms": _ms(found["loading"])},
    ]
    rows += [
        {"what": name, "ms": _ms(time), "ms, first time": _ms(found["first"][name])}
        for name, time in found["times"].items()
    ]
    rows = [row | {"ms, first time": row.get("ms, first time", "")} for row in rows]
    return table(f"The viewer's server, {found['patches']:,} patches (made up)", rows)


def _ms(time: float) -> str:
    return f"{1000 * time:.1f}"


if __name__ == "__main__":
    show(report, SIZES)
