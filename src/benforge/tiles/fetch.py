"""Fetch a selection: plan, see that there is room, download side by side, note what is there."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benforge.core.files import storage_errors
from benforge.core.progress import Progress, silent
from benforge.errors import ConflictError, FetchError, InputError, StorageError
from benforge.tiles.download import Wanted
from benforge.tiles.fetch_manifest import Manifest
from benforge.tiles.fetch_plan import Plan, Via, plan_orders
from benforge.tiles.fetch_run import fetch_orders
from benforge.tiles.fetch_sources import Sources
from benforge.tiles.patience import Pace, Patience
from benforge.tiles.profile import Profile, lasting_name, open_profile, profiles
from benforge.tiles.selection import Selection

SPARE = 50_000_000
"""Bytes of the disk that a fetch leaves free."""


@dataclass(frozen=True, slots=True)
class FetchSummary:
    """What a fetch did, or would do.

    Args:
        paths: every product of the selection that is there, in its order.
        fetched: how many came now.
        held: how many were there already.
        size: bytes that came, or would.
        free: bytes free on the disk before.
        unknown: products whose size nobody tells; they count as 800 MB each.
        sizes: product id to bytes to come, for a dry run.
        failed: product id to why it cannot come, for a dry run; a fetch raises instead.
        dry: whether nothing was fetched.
    """

    paths: tuple[Path, ...]
    fetched: int
    held: int
    size: int
    free: int
    unknown: int = 0
    sizes: tuple[tuple[str, int], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    dry: bool = False

    def facts(self) -> dict[str, object]:
        """What a terminal shows of it."""
        facts: dict[str, object] = {
            "to fetch" if self.dry else "fetched": len(self.sizes) if self.dry else self.fetched,
            "there already": self.held,
            "bytes to come" if self.dry else "bytes": f"{self.size:,}",
            "bytes free": f"{self.free:,}",
        }
        if self.unknown:
            facts["of unknown size"] = f"{self.unknown}, counted as 800 MB each"
        if self.failed:
            facts["cannot come"] = len(self.failed)
        return facts


def fetch_selection(
    selection: Selection,
    out: Path,
    *,
    api: str = "",
    via: Via = "http",
    parallel: int | None = None,
    dry_run: bool = False,
    buildable: bool = False,
    patience: Patience | None = None,
    progress: Progress = silent,
) -> FetchSummary:
    """Fetch the products of a selection into a folder; what is there already is left alone.

    Args:
        selection: what `ben tiles` chose.
        out: the folder of products, with a manifest `fetch.json`.
        api: profile of the catalogue, where the selection does not tell it.
        via: how files are reached, where a catalogue offers both.
        parallel: downloads at a time; never more than the profile says.
        dry_run: tell what would come, write nothing.
        buildable: take zips and SAFE folders alone, from which an archive can be built.
        patience: how long servers are waited for.
        progress: told bytes of all bytes.

    Raises:
        FetchError: products that did not arrive, all others did; the manifest tells why.
        CredentialsError: the server does not let one in.
        StorageError: there is no room, or the folder cannot be written.
        InputError: the selection does not tell where a product lies.
        ConflictError: another fetch writes here.
    """
    profile = _profile(selection, api)
    pace = Pace(patience or Patience())
    with Sources(profile, pace) as sources:
        if dry_run:
            manifest = Manifest(out)
            return _summary(selection, manifest, _plan(selection, manifest, profile, via, sources))
        with _writing(out):
            manifest = Manifest(out)
            plan = _plan(selection, manifest, profile, via, sources, buildable)
            before = _summary(selection, manifest, plan)
            _check_room(before, out)
            width = _width(parallel, profile)
            catalogue = lasting_name(selection.catalogue)
            fetch_orders(plan, manifest, sources, pace, catalogue, width, progress)
            paths = tuple(out / manifest.products[e.name].path for e in selection.entries)
            return replace(before, paths=paths, fetched=len(plan.orders), sizes=(), dry=False)


def _profile(selection: Selection, api: str) -> Profile:
    """The profile of a selection's catalogue, or one without rules where none is known."""
    name = api or selection.catalogue
    known = name in profiles() or name.endswith(".toml") or "://" in name
    return open_profile(name) if api or known else Profile(title=name or "selection", url="")


def _width(parallel: int | None, profile: Profile) -> int:
    if parallel is not None and parallel < 1:
        raise InputError(f"{parallel} downloads at a time fetch nothing", where="--parallel")
    return min(parallel or profile.parallel, profile.parallel)


def _plan(
    selection: Selection,
    manifest: Manifest,
    profile: Profile,
    via: Via,
    sources: Sources,
    buildable: bool = False,
) -> Plan:
    """What is to come, with sizes asked for where the catalogue does not tell."""
    missing = [entry for entry in selection.entries if not manifest.holds(entry.name)]
    plan = plan_orders(missing, manifest.out, profile, via, sources.below)
    orders = [
        replace(order, anew=manifest.fetched_to(order.path, order.entry.name))
        for order in plan.orders
    ]
    if loose := [order for order in orders if not order.is_product] if buildable else []:
        raise InputError(
            "this catalogue has single bands of it, from which no archive can be built",
            where=loose[0].entry.name,
            do="Choose from another, as in --api cdse",
        )
    with sources.threads(profile.parallel, "size") as pool:
        files = [file for order in orders for file in order.files]
        sized = iter(list(pool.map(lambda file: _sized(file, sources), files)))
    orders = [replace(order, files=tuple(next(sized) for _ in order.files)) for order in orders]
    return replace(plan, orders=tuple(orders))


def _sized(wanted: Wanted, sources: Sources) -> Wanted:
    """The file with its size; without where the server does not tell or has it not."""
    if wanted.size is not None or wanted.path.is_file():
        return wanted
    try:
        return replace(wanted, size=sources.size(wanted.href))
    except FetchError:
        return wanted


def _summary(selection: Selection, manifest: Manifest, plan: Plan) -> FetchSummary:
    orders = plan.orders
    place = manifest.out
    while not place.exists():
        place = place.parent
    return FetchSummary(
        paths=(),
        fetched=0,
        held=len(selection.entries) - len(orders) - len(plan.failed),
        size=sum(order.left for order in orders),
        free=shutil.disk_usage(place).free,
        unknown=sum(order.size is None for order in orders),
        sizes=tuple((order.entry.name, order.left) for order in orders),
        failed=tuple((name, str(error)) for name, error in plan.failed.items()),
        dry=True,
    )


def _check_room(planned: FetchSummary, out: Path) -> None:
    if planned.size + SPARE > planned.free and planned.sizes:
        raise StorageError(
            f"{planned.size:,} bytes are to come and {planned.free:,} are free",
            where=out,
            do="Free space, fetch into another folder, or choose fewer with --most",
        )


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Hold a folder for one fetch at a time; the system frees it when the process ends."""
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        folder = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConflictError(
            "another fetch is writing here", where=out, do="Wait until it ends, then run again"
        ) from error
    finally:
        os.close(folder)
