"""What sen2cor's output means: how far it is, and why it failed."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PROGRESS = re.compile(r"Progress\[%\]:\s*(\d+(?:\.\d+)?)")
_ERRORS = (
    re.compile(r"\[(?:CRITICAL|ERROR)\]\s*(.+)"),
    re.compile(r"<error>\s*(.+?)\s*(?:</error>|$)", re.IGNORECASE),
    re.compile(r"\b(?:Error|Exception|ERROR|FATAL)\b[:!]?\s+(.+)"),
    re.compile(r"^(\w*(?:Error|Exception): .+)"),
    re.compile(r"(.*[Tt]erminated with errors.*)"),
)
_MODULE = re.compile(r"^\w+:\s*\d+\s+")
"""The module and line that sen2cor puts first: `L2A_Config: 3181   `."""

_ADVICE = (
    (r"creat\w+ L2A User Product|AUX_DATA", "Download the product again: parts of it are missing"),
    (r"No space left|disk full", "Make room and run again"),
    (r"MemoryError|allocate|Killed|out of memory", "Run again with fewer --workers"),
    (r"DEM|srtm", "Check the elevation model in L2A_GIPP.xml, or leave it out there"),
    (r"GIPP|schema", "Check L2A_GIPP.xml: it must be of the version that is installed"),
    (r"Permission denied", "Check that sen2cor may write its log and its folder"),
)
_LONGEST = 200


def read_progress(line: str) -> float | None:
    """Percent done, where the line tells it."""
    match = _PROGRESS.search(line)
    return min(100.0, float(match[1])) if match else None


def read_failure(lines: Sequence[str]) -> tuple[str, str] | None:
    """The first error that the output tells and what to do about it, or None.

    sen2cor's own marks ([CRITICAL], [ERROR]) count before what merely reads like an error.
    """
    for pattern in _ERRORS:
        for line in lines:
            if _PROGRESS.search(line):
                continue
            match = pattern.search(line.strip())
            if match:
                what = _MODULE.sub("", match[1]).strip()[:_LONGEST]
                return what, advice_for(what)
    return None


def advice_for(what: str) -> str:
    """What to do about an error."""
    for pattern, advice in _ADVICE:
        if re.search(pattern, what, re.IGNORECASE):
            return advice
    return "Look into sen2cor's own log, or correct it with --processor sixs"
