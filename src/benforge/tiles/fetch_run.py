"""Fetch products side by side: what fails alone is told in the end, what fails all ends it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait

from benforge.core.progress import Progress
from benforge.errors import BenError, CredentialsError, FetchError, StorageError
from benforge.tiles.fetch_manifest import NAME, Manifest
from benforge.tiles.fetch_plan import Order, Plan
from benforge.tiles.fetch_product import fetch_product
from benforge.tiles.fetch_sources import Sources
from benforge.tiles.patience import Pace

SECONDS_BETWEEN_LOOKS = 0.5
TOLD = 6
"""Failed products that a message names."""


def fetch_orders(
    plan: Plan,
    manifest: Manifest,
    sources: Sources,
    pace: Pace,
    catalogue: str,
    width: int,
    progress: Progress,
) -> None:
    """Fetch products, so many at a time, and note each.

    Raises:
        CredentialsError: at once, since no other product would fare better.
        StorageError: likewise.
        FetchError: in the end, when all others are there; the manifest tells of each.
    """
    count = _Count(sum(order.left for order in plan.orders), progress)
    failed = dict(plan.failed)

    def fetch(order: Order) -> None:
        fetched = fetch_product(order, sources, pace, catalogue, count)
        manifest.add(order.entry.name, fetched)

    with sources.threads(width, "fetch") as pool:
        names = {pool.submit(fetch, order): order.entry.name for order in plan.orders}
        waiting = set(names)
        while waiting:
            done, waiting = wait(waiting, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
            failed |= {names[f]: error for f in done if (error := _failure(f))}
            count.show(pace.trouble)
    if failed:
        manifest.note_failed({name: str(error) for name, error in failed.items()})
        raise _all_told(failed, len(failed.keys() | {o.entry.name for o in plan.orders}))


def _failure(future: Future[None]) -> BenError | None:
    """What went wrong with one product, if all others may still come."""
    try:
        future.result()
    except (CredentialsError, StorageError):
        raise
    except BenError as error:
        return error
    return None


def _all_told(failed: Mapping[str, BenError], total: int) -> BenError:
    """One error for all: the first few by name, and each advice once."""
    if total == 1:
        return next(iter(failed.values()))
    told = [f"{name}: {error.what}" for name, error in sorted(failed.items())]
    more = len(told) - TOLD
    rest = f"; and {more} more" if more > 0 else ""
    advice = dict.fromkeys(error.do for error in failed.values() if error.do)
    return FetchError(
        f"{len(failed)} of {total} products did not arrive: {'; '.join(told[:TOLD])}{rest}",
        do=". ".join([*advice, f"{NAME} tells why of each"]),
    )


class _Count:
    """Bytes that came, of all; any thread may add."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._lock = threading.Lock()
        self.done, self.total, self.progress = 0, total, progress

    def __call__(self, count: int) -> None:
        """Add bytes, or take some back."""
        with self._lock:
            self.done += count

    def show(self, trouble: str) -> None:
        """Tell the progress, and what holds it up."""
        told = f"{self.done / 1e6:,.0f} of {self.total / 1e6:,.0f} MB"
        self.progress(f"{told}; {trouble}" if trouble else told, self.done, self.total)
