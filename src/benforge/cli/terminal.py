"""What the terminal shows: progress on standard error, results on standard output."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from benforge.archive.finding import Finding
from benforge.core.progress import Progress

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def showing_progress(title: str) -> Iterator[Progress]:
    """A live bar on a terminal; elsewhere a line now and then, so that logs stay short."""
    if not err.is_terminal:
        yield _Lines(title)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[message]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None, message="")

        def show(message: str, done: float = 0, total: float = 0) -> None:
            bar.update(task, message=message, completed=done, total=total or None)

        yield show


class _Lines:
    """Progress as lines, at most one in `SECONDS_BETWEEN_LINES`."""

    def __init__(self, title: str) -> None:
        self.title, self.last = title, time.monotonic()

    def __call__(self, message: str, done: float = 0, total: float = 0) -> None:
        now = time.monotonic()
        if now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        share = f" ({done:g} of {total:g})" if total else ""
        err.print(f"{self.title}: {message}{share}", markup=False)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON document on standard output, for programs."""
    out.print(json.dumps(value, indent=2, ensure_ascii=False), markup=False)


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """A title and aligned lines on standard output, for people; nothing is cut off."""
    out.print(title, style="bold", markup=False)
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        out.print(f"  {name.replace('_', ' '):<{width}}  {_told(value)}", markup=False)


def _told(value: object) -> object:
    if isinstance(value, tuple | list):
        return _listed(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return round(value, 4) if isinstance(value, float) else value


def _listed(values: Sequence[object]) -> str:
    """Words behind commas, sentences one after the other."""
    words = [str(value) for value in values]
    sentences = all(word.endswith(".") for word in words)
    return (" " if sentences else ", ").join(words) or "none"


def print_counts(title: str, counts: Mapping[str, int]) -> None:
    """A title, then each name that counts for something behind its number, most first."""
    out.print(title, style="bold", markup=False)
    most = max(counts.values(), default=0)
    for name, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        if count:
            out.print(f"  {count:>{len(f'{most:,}')},}  {name}", markup=False)


def print_findings(archive: Path, findings: Sequence[Finding], *, ok: bool) -> None:
    """What a check found, a line each on standard output, and the verdict."""
    for finding in findings:
        out.print(f"{finding.severity}: {finding.where}: {finding.what}", markup=False)
    verdict = "whole, every checksum holds" if ok else "damaged"
    out.print(f"{archive}: {verdict}", markup=False)


def print_left_out(lines: Sequence[str]) -> None:
    """What was left out and why, a line each on standard error; the first hundred."""
    for line in lines[:100]:
        err.print(f"left out {line}", markup=False)
    if len(lines) > 100:
        err.print(f"and {len(lines) - 100} more; --json lists them all", markup=False)


def print_error(line: str) -> None:
    """One line on standard error."""
    err.print(f"ben: {line}", markup=False)
