"""The main job on data that ship with benforge: import, build, check, learn, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benforge.archive.archive import Archive
from benforge.archive.build import build_archive
from benforge.archive.build_recipe import BuildRecipe
from benforge.archive.check import check_archive
from benforge.core.files import storage_errors, write_atomic
from benforge.core.progress import Progress, silent
from benforge.demo.learn import learn
from benforge.demo.report import Made, render_report
from benforge.demo.sample import unpack_sample
from benforge.labels.recipe import LabelRecipe
from benforge.layouts.v1_import import import_v1
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate

SIZE = 1800
"""Pixels of 10 m along the simulated tile: 15 x 15 patches."""

DATES = (
    SimulateDate(date=date(2017, 7, 2), haze=0.1),
    SimulateDate(date=date(2018, 2, 17), cloud=0.2, snow=0.45),
)

EPOCHS = (6, 3)
"""Of each training: enough to show the way, far too few for figures that mean anything."""

RECIPE = BuildRecipe(
    labels=LabelRecipe(nomenclature="clc-43", policy="presence", max_unlabelled=1.0)
)
"""Labels as BigEarthNet v1 gives them: every class that occurs in a patch."""


@dataclass(frozen=True, slots=True)
class Pages:
    """What the demo wrote to be looked at.

    Args:
        report: both archives.
        learned: what was learned from each, the real one first.
    """

    report: Path
    learned: tuple[Path, Path]


def run_demo(
    out: Path, progress: Progress = silent, *, size: int = SIZE, epochs: tuple[int, int] = EPOCHS
) -> Pages:
    """Make two archives from what ships, check both, train on both, and write pages of it.

    What is there from an earlier run is kept and used.

    Args:
        out: folder for the archives `sample-archive` and `simulated-archive`, their sources, and
            the pages.
        progress: told what is being done.
        size: pixels of 10 m along the simulated tile; a multiple of 120.
        epochs: of each training on the real and on the simulated archive.

    Returns:
        Pages that need no other file.

    Raises:
        BenError: `out` cannot be written, or holds something else of these names.
    """
    with storage_errors(out):
        sample = unpack_sample(out)
    real = _imported(sample, out / "sample-archive", progress)
    simulated = _built(out / "simulated-products", out / "simulated-archive", size, progress)
    progress("writing the report")
    report = out / "report.html"
    write_atomic(report, render_report(real, simulated).encode())
    learned = (
        learn(real.archive.root, out / "learned-sample", epochs[0], 16, progress),
        learn(simulated.archive.root, out / "learned-simulated", epochs[1], 32, progress),
    )
    return Pages(report, learned)


def _imported(sample: Path, out: Path, progress: Progress) -> Made:
    summary = import_v1(sample, out, progress=progress)
    seconds = summary.seconds if summary.new_scenes else None
    return _made("BigEarthNet v1 sample, imported", out, seconds, progress)


def _built(products: Path, out: Path, size: int, progress: Progress) -> Made:
    recipe = SimulateRecipe(size=size, seed=7, dates=DATES)
    found = simulate(products, recipe, _prefixed(progress, "simulating"))
    summary = build_archive(found.products, found.land_cover, out, RECIPE, progress=progress)
    seconds = summary.seconds if summary.built else None
    return _made("Simulated products, built", out, seconds, progress)


def _prefixed(progress: Progress, verb: str) -> Callable[[str], None]:
    return lambda message: progress(f"{verb} {message}")


def _made(name: str, out: Path, seconds: float | None, progress: Progress) -> Made:
    findings = check_archive(out, progress=progress)
    return Made(name, Archive.open(out), findings, seconds)
