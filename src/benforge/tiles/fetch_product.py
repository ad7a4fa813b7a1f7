"""One product: a zip, or its files in a draft of its folder that is moved into place when whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from benforge.core.files import storage_errors
from benforge.errors import ConflictError
from benforge.tiles.checksums import checksum_of
from benforge.tiles.download import Arrived, Got, Wanted, download
from benforge.tiles.fetch_manifest import Fetched, changed_at, state_of
from benforge.tiles.fetch_plan import Order
from benforge.tiles.fetch_sources import Sources
from benforge.tiles.patience import Pace
from benforge.tiles.profile import plain_url
from benforge.tiles.zips import flaw_of


def fetch_product(
    order: Order, sources: Sources, pace: Pace, catalogue: str, arrived: Arrived
) -> Fetched:
    """Fetch a product until it is whole and in its place.

    Raises:
        FetchError: it does not arrive whole.
        CredentialsError: the server does not let one in.
        StorageError: it cannot be written.
        ConflictError: another file or folder stands in its place.
        Stopped: the fetch is being ended.
    """
    if not order.zipped and order.path.exists() and not order.anew:
        _check_same(order)
        got = [_held(_placed(file, order)) for file in order.files]
    else:
        got = [_fetch_file(file, order, sources, pace, arrived) for file in order.files]
        if not order.zipped:
            _place(order)
    return Fetched(
        path=order.path.name,
        size=sum(one.size for one in got),
        files=len(got),
        href=plain_url(order.files[0].href),
        catalogue=catalogue,
        checksum=str(got[0].checksum) if order.zipped else state_of(order.path),
        changed=changed_at(order.path),
        verified=all(one.verified for one in got),
        simulated=order.entry.simulated,
    )


def _place(order: Order) -> None:
    """Move a folder that is whole into its place; a damaged one of the same product gives way."""
    with storage_errors(order.path):
        if order.anew and order.path.exists():
            shutil.rmtree(order.path)
        order.draft.replace(order.path)


def _fetch_file(
    wanted: Wanted, order: Order, sources: Sources, pace: Pace, arrived: Arrived
) -> Got:
    """One file, unless it is there: then it is held to size and checksum."""
    if wanted.path.is_file() and not (order.zipped and order.anew):
        return _held(wanted)
    return download(sources.of(wanted.href), wanted, pace, arrived)


def _held(wanted: Wanted) -> Got:
    """A file that is there, as if it had come now.

    Raises:
        ConflictError: it is another.
    """
    size = wanted.path.stat().st_size
    found = checksum_of(wanted.path, wanted.checksum.algorithm if wanted.checksum else "sha256")
    same = wanted.size in {None, size} and wanted.checksum in {None, found}
    if not same or (wanted.root and flaw_of(wanted.path, wanted.root)):
        raise _in_the_way(wanted.path)
    return Got(size, found, wanted.checksum is not None)


def _check_same(order: Order) -> None:
    """Raise unless a folder that is there has exactly the product's files.

    Raises:
        ConflictError: it has others.
    """
    there = {path for path in order.path.rglob("*") if path.is_file()}
    if there != {_placed(file, order).path for file in order.files}:
        raise _in_the_way(order.path)


def _placed(file: Wanted, order: Order) -> Wanted:
    """A file of a folder where it is in the end."""
    path = order.path / file.path.relative_to(order.draft)
    return Wanted(file.href, path, file.size, file.checksum, file.root)


def _in_the_way(path: Path) -> ConflictError:
    return ConflictError(
        "what is there under this name is not this product",
        where=path,
        do="Move it away, or fetch into another folder",
    )
