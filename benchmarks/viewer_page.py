"""How long a reviewer waits: the page in a headless browser, on an archive of 100,000 patches.

`python -m benchmarks.viewer_page`. The rows are made up and point at the 66 real patches of the
demo's sample, so the index is large and the pixels are real. Times are taken in the page itself,
from the start of its load or from the key, to the frame in which the pictures are painted.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from playwright.sync_api import Page, sync_playwright

from benchmarks.measure import show, table
from benforge.archive.archive import Archive
from benforge.archive.index import encode_rows
from benforge.archive.layout import INDEX
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.demo.sample import unpack_sample
from benforge.layouts.v1_import import import_v1
from benforge.quality.screening import SCHEMA, SHARES, Screening
from benforge.quality.screening_files import write_screening

WORK = Path(__file__).parent / "work" / "viewer_page"
SIZES = {"toy": (500, 2), "full": (100_000, 20)}
"""Patches, and screens looked at."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WINDOW = {"width": 1400, "height": 900}

WATCH = """
localStorage.setItem("benforge.reviewer", "Benchmark");
window.drawn = [];
window.keyed = 0;
addEventListener("keydown", () => { window.keyed = performance.now(); }, true);
new MutationObserver(() => requestAnimationFrame(() => setTimeout(() =>
  window.drawn.push(performance.now())))).observe(
  document, { subtree: true, attributes: true, attributeFilter: ["data-drawn"] });
"""


def write_archive(patches: int) -> Path:
    """An archive of so many rows, with a screening, whose pixels are those of 66 real patches."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    root = WORK / "archive"
    import_v1(unpack_sample(WORK), root)
    index = Archive.open(root).index
    rows = pa.concat_tables([index] * -(-patches // len(index))).slice(0, patches)
    ids = pa.array([f"{name}_{n}" for n, name in enumerate(rows["patch_id"].to_pylist())])
    rows = rows.set_column(0, rows.schema.field(0), ids)
    (root / INDEX).write_bytes(encode_rows(rows))
    write_screening(root, _screening(ids), replace=True)
    return root


def _screening(ids: pa.Array) -> Screening:
    """Proposals drawn by chance."""
    random = np.random.default_rng(1)
    drawn = {name: random.random(len(ids), np.float32) for name in SCHEMA.names}
    columns: dict[str, Any] = {
        **drawn,
        "patch_id": ids,
        **{name: drawn[name] / len(SHARES) for name in SHARES},
        **{flag: drawn[flag] < 0.1 for flag in (SEASONAL_SNOW, CLOUD_OR_SHADOW)},
        "source": pa.array(["bands"] * len(ids)),
    }
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in SCHEMA]
    found = pa.Table.from_arrays(arrays, schema=SCHEMA).sort_by("patch_id")
    return Screening("screen", "made up", found)


@contextmanager
def _served(root: Path) -> Iterator[str]:
    """The address of `ben inspect` on an archive."""
    command = [sys.executable, "-u", "-m", "benforge.cli", "inspect", str(root), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield found[0]
        process.terminate()


def _drawn(page: Page, count: int) -> float:
    """The moment when so many screens had been painted, ms since the page's load began."""
    while page.evaluate("drawn.length") < count:
        page.wait_for_timeout(5)
    return float(page.evaluate("drawn.at(-1)"))


def _turn(page: Page, screens: int, pause: float) -> list[float]:
    """Milliseconds from the key to each next screen, with a pause to look at each."""
    times = []
    for _ in range(screens):
        page.wait_for_timeout(pause)
        before = page.evaluate("drawn.length")
        page.keyboard.press("n")
        times.append(_drawn(page, before + 1) - float(page.evaluate("keyed")))
    return times


def _decide(page: Page, count: int) -> list[float]:
    """Milliseconds from the key to a decision that is on the disk."""
    times = []
    for _ in range(count):
        page.evaluate(
            """void (window.saved = new Promise((done) => new MutationObserver(() => {
              if (document.getElementById("saved").dataset.state === "saved")
                done(performance.now() - keyed);
            }).observe(document.getElementById("saved"), { attributes: true })))"""
        )
        page.keyboard.press("s")
        times.append(float(page.evaluate("saved")))
    return times


def run(size: str) -> dict[str, Any]:
    """Milliseconds of each wait: median and longest."""
    patches, screens = SIZES[size]
    root = write_archive(patches)
    with _served(root) as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        first = []
        for _ in range(3 if size == "toy" else 5):
            page = browser.new_page(viewport=WINDOW)
            page.add_init_script(WATCH)
            page.goto(address)
            first.append(_drawn(page, 1))
        shown = page.locator(".cell").count()
        waits = {
            "first screen, from the start of the load": first,
            "next screen, after a second of looking": _turn(page, screens, 1000),
            "next screen, at once": _turn(page, screens, 0),
            "a decision, until it is on the disk": _decide(page, 2 * screens),
        }
        browser.close()
    rows = [
        {"wait": wait, "median": f"{statistics.median(ms):.0f} ms", "longest": f"{max(ms):.0f} ms"}
        for wait, ms in waits.items()
    ]
    return {"rows": rows, "patches": patches, "shown": shown, "waits": waits}


def report(size: str = "full") -> str:
    """What was measured, as Markdown."""
    if CHROMIUM is None:
        return "Not measured: there is no Chromium here.\n"
    found = run(size)
    title = f"Review of {found['patches']:,} patches, {found['shown']} a screen, headless Chromium"
    return table(title, found["rows"])


if __name__ == "__main__":
    show(report, SIZES)
