"""The demo's report: one page of HTML that stands alone, with every picture inside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np

from benforge import __version__
from benforge.archive.archive import Archive
from benforge.archive.finding import Finding
from benforge.demo.choose import choose_varied
from benforge.demo.maps import grid_lines, outlines, scene_figures
from benforge.demo.pictures import data_uri, side_by_side
from benforge.demo.views import bars_of, card_of
from benforge.statistics.pictures import TRUE_COLOR, picture_of

CARDS, VIEWS, PLACES = 20, 3, 5
"""Real patches shown, those shown in other bands, and simulated places shown at every date."""
BANNER_ROWS = 3
SECONDS_OF_READING = 0.5

COMMANDS = """\
ben build S2A_MSIL2A_*.SAFE --land-cover U2018_CLC2018_V2020_20u1.gpkg --out archive
ben check archive
ben import BigEarthNet-v1.0 --out archive
ben export archive --layout v1 --out folder"""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """An archive that the demo made.

    Args:
        name: for the table.
        archive: the archive.
        findings: what its check found.
        seconds: how long making it took; None where it was there from an earlier run.
    """

    name: str
    archive: Archive
    findings: Sequence[Finding]
    seconds: float | None


def render_report(real: Made, simulated: Made) -> str:
    """The page: real patches, then the simulated scenes, then checks and figures."""
    source = files("benforge.demo") / "report.html"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(source.read_text(encoding="utf-8"))
    archives = [_row(real), _row(simulated)]
    return template.render(
        version=__version__,
        commands=COMMANDS,
        bands=len(real.archive.meta.sensor.patch_bands),
        archives=archives,
        figures=_figures(real, simulated, archives),
        findings=[
            f"{f.severity}: {f.where}: {f.what}"
            for made in (real, simulated)
            for f in made.findings
        ],
        **_real_part(real.archive),
        **_simulated_part(simulated.archive),
    )


def _real_part(archive: Archive) -> dict[str, Any]:
    pictures = [picture_of(patch, TRUE_COLOR) for patch in archive]
    columns = max(1, len(pictures) // BANNER_ROWS)
    varied = choose_varied(list(archive.records()), CARDS + VIEWS)
    return {
        "real": {"patches": len(archive)},
        "banner": data_uri(side_by_side(pictures, columns)),
        "cards": [card_of(archive, position) for position in varied[VIEWS:]],
        "views": [card_of(archive, position, views=3) for position in varied[:VIEWS]],
        "bars": bars_of(archive),
    }


def _simulated_part(archive: Archive) -> dict[str, Any]:
    records = list(archive.records())
    first = min(records, key=lambda r: r.sensing_time).scene
    of_first = [r for r in records if r.scene == first]
    places = [(of_first[i].column, of_first[i].row) for i in choose_varied(of_first, PLACES)]
    shown = sorted(
        (places.index((r.column, r.row)), r.sensing_time, position)
        for position, r in enumerate(records)
        if (r.column, r.row) in places
    )
    columns, rows = (max(getattr(r, axis) for r in records) + 1 for axis in ("column", "row"))
    return {
        "simulated": {
            "columns": columns,
            "rows": rows,
            "pixels": f"{columns * 120:,} × {rows * 120:,}",
            "lines": grid_lines(columns, rows),
            "chosen": outlines(places),
        },
        "maps": scene_figures(archive),
        "built": [card_of(archive, position) for _, _, position in sorted(shown, key=_by_date)],
    }


def _by_date(shown: tuple[int, Any, int]) -> tuple[Any, int]:
    place, day, _ = shown
    return day, place


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table of archives, as text."""

    name: str
    ok: bool
    verdict: str
    scenes: str
    patches: str
    size: str
    seconds: str
    reads: str


def _row(made: Made) -> _Row:
    errors = sum(finding.severity == "error" for finding in made.findings)
    return _Row(
        name=made.name,
        ok=not errors,
        verdict=f"{errors} errors" if errors else "sound",
        scenes=f"{len(made.archive.meta.scenes):,}",
        patches=f"{len(made.archive):,}",
        size=f"{_bytes(made.archive) / 1e6:,.1f} MB",
        seconds="an earlier run" if made.seconds is None else f"{made.seconds:.1f} s",
        reads=f"{reads_per_second(made.archive):,.0f} /s",
    )


def _bytes(archive: Archive) -> int:
    return sum(path.stat().st_size for path in archive.root.rglob("*") if path.is_file())


def reads_per_second(archive: Archive, seconds: float = SECONDS_OF_READING) -> float:
    """Whole patches read per second, all bands, in random order, files in memory."""
    places = archive.places()
    order = np.random.default_rng(0).permutation(len(places))
    shuffled = [places[i] for i in order]
    for place in shuffled:
        archive.pixels.read(*place)
    start, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        for place in shuffled:
            archive.pixels.read(*place)
        done += len(shuffled)
    return done / spent


def _figures(real: Made, simulated: Made, rows: Sequence[_Row]) -> list[dict[str, str]]:
    labels = {label for record in real.archive.records() for label in record.labels}
    return [
        {"name": "Real patches", "value": rows[0].patches},
        {"name": "Real products", "value": rows[0].scenes},
        {"name": "Classes in them", "value": str(len(labels))},
        {"name": "Simulated patches", "value": rows[1].patches},
        {"name": "Archive built in", "value": rows[1].seconds},
        {"name": "Patches read", "value": rows[1].reads},
        {
            "name": "Both on disk",
            "value": f"{(_bytes(real.archive) + _bytes(simulated.archive)) / 1e6:,.0f} MB",
        },
        {"name": "Checks", "value": "sound" if rows[0].ok and rows[1].ok else "errors"},
    ]
