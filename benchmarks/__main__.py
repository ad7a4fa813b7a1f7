"""`python -m benchmarks [NAME...] [--size SIZE]`: measure the named, or all, then write the page.

Each is run in a fresh process, and one that fails does not keep the others from being run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks import page
from benchmarks.registry import names


def main(words: list[str] | None = None) -> int:
    """How many failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--size", default="full", help="toy for a quick look; not written down")
    told = parser.parse_args(words)
    chosen = told.names or names()
    if strange := [name for name in chosen if name not in names()]:
        parser.error(f"no benchmark is called {strange[0]}; there are {', '.join(names())}")
    failed = []
    for number, name in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] ", end="", flush=True)
        command = [sys.executable, "-m", "benchmarks.record", name, "--size", told.size]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if told.size != "toy":
        print(f"Page: {page.write()}")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
