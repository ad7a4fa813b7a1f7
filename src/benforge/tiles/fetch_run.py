"""Fetch products side by side: what fails alone is told in the end, what fails all ends it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from benforge.core.progress import Progress
from benforge.errors import BenError, CredentialsError, FetchError, StorageError
from benforge.tiles.download import AGAIN
from benforge.tiles.fetch_manifest import Manifest
from benforge.tiles.fetch_plan import Order
from benforge.tiles.fetch_product import fetch_product
from benforge.tiles.fetch_sources import Sources
from benforge.tiles.patience import Pace

SECONDS_BETWEEN_LOOKS = 0.5


def fetch_orders(
    orders: Sequence[Order],
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
        FetchError: in the end, when all others are there.
    """
    count = _Count(sum(order.left for order in orders), progress)
    failed: list[BenError] = []

    def fetch(order: Order) -> None:
        fetched = fetch_product(order, sources, pace, catalogue, count)
        manifest.add(order.entry.name, fetched)

    with ThreadPoolExecutor(width, "fetch") as pool:
        waiting = {pool.submit(fetch, order) for order in orders}
        try:
            while waiting:
                done, waiting = wait(waiting, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
                failed += [error for future in done if (error := _failure(future))]
                count.show()
        except BaseException:
            pace.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise _all_told(failed, len(orders))


def _failure(future: Future[None]) -> BenError | None:
    """What went wrong with one product, if all others may still come."""
    try:
        future.result()
    except (CredentialsError, StorageError):
        raise
    except BenError as error:
        return error
    return None


def _all_told(failed: Sequence[BenError], total: int) -> BenError:
    """One error for all."""
    if total == 1:
        return failed[0]
    first = failed[0]
    return FetchError(
        f"{len(failed)} of {total} products did not arrive; one of them, "
        f"{first.where}: {first.what}",
        do=AGAIN,
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

    def show(self) -> None:
        """Tell the progress."""
        told = f"{self.done / 1e6:,.0f} of {self.total / 1e6:,.0f} MB"
        self.progress(told, self.done, self.total)
