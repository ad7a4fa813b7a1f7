"""The command line: one verb a stage."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `ben`, also when it is interrupted while it is still being loaded."""
    try:
        from benforge.cli.main import run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run())
