"""How much memory there is to take."""

from __future__ import annotations

from pathlib import Path


def free_memory() -> float | None:
    """GiB that may be taken without swapping, None where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            name, _, rest = line.partition(":")
            if name == "MemAvailable":
                return int(rest.split()[0]) / 2**20
    except (OSError, ValueError, IndexError):
        pass
    return None
