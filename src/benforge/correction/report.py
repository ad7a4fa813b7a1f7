"""What a correction says of itself, in the product that it made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPORT = "correction.json"
"""What the correction assumed and found, in the granule's QI_DATA."""


def write_report(product: Path, report: Mapping[str, object]) -> None:
    """Write it; without a clock or a path, so that the same gives the same."""
    [granule] = product.glob("GRANULE/*/")
    place = granule / "QI_DATA"
    place.mkdir(exist_ok=True)
    (place / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def read_report(product: Path) -> dict[str, Any]:
    """What is told; nothing where there is no report or no readable one."""
    for file in product.glob(f"GRANULE/*/QI_DATA/{REPORT}"):
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}
    return {}
