"""How long work tells where it is: the port between the work and whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then by long work, from any thread."""

    def __call__(self, message: str, done: float = 0, total: float = 0) -> None:
        """Tell what is being done, and how much of how much where that is known."""
        ...


def silent(message: str, done: float = 0, total: float = 0) -> None:
    """Progress that nobody watches."""
