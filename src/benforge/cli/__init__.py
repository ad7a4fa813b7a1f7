"""The command line: one verb a stage."""

from benforge.cli.main import main

__all__ = ["main"]
