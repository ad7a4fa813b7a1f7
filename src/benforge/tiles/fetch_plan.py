"""What a fetch will do: which files, of what size, where to; what is there already."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from benforge.errors import BenError, CredentialsError, FetchError, InputError
from benforge.tiles.checksums import Checksum
from benforge.tiles.download import Wanted
from benforge.tiles.entry import Asset, Entry
from benforge.tiles.profile import Profile, plain_url
from benforge.tiles.source import scheme_of

Via = Literal["http", "s3"]

USUAL = 800_000_000
"""Bytes of a product whose size nobody tells."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)*")


@dataclass(frozen=True, slots=True)
class Order:
    """A product to fetch.

    Args:
        entry: which.
        path: its zip or folder.
        files: what it is made of: one zip, which is `path` itself, or files below `draft`.
        anew: whether what stands in its place was fetched before and is damaged since.
    """

    entry: Entry
    path: Path
    files: tuple[Wanted, ...]
    anew: bool = False

    @property
    def zipped(self) -> bool:
        """Whether it is one zip."""
        return len(self.files) == 1 and self.files[0].path == self.path

    @property
    def is_product(self) -> bool:
        """Whether it is a product as delivered, and not single bands of it."""
        return self.zipped or self.path.suffix == ".SAFE"

    @property
    def draft(self) -> Path:
        """Where the files of a folder gather until all are there."""
        return draft_of(self.path)

    @property
    def size(self) -> int | None:
        """Bytes of it all, None where that is not known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def left(self) -> int:
        """Bytes still to come; a guess where the size is not known."""
        size = USUAL if self.size is None else self.size
        anew = self.zipped and self.anew
        return max(0, size - sum(f.begun if anew else _held(f) for f in self.files))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a fetch will do.

    Args:
        orders: products to fetch.
        failed: product id to why it cannot be fetched.
    """

    orders: tuple[Order, ...]
    failed: Mapping[str, BenError]


def plan_orders(
    entries: Iterable[Entry],
    out: Path,
    profile: Profile,
    via: Via,
    below: Callable[[str], dict[str, int]],
) -> Plan:
    """How products will be fetched; one that cannot be does not keep the others from coming.

    Raises:
        CredentialsError: at once, since no other product would fare better.
        BenError: none can be fetched, all for one reason.
    """
    orders, failed = [], {}
    for entry in entries:
        try:
            orders.append(plan_order(entry, out, profile, via, below))
        except CredentialsError:
            raise
        except BenError as error:
            failed[entry.name] = error
    reasons = list(failed.values())
    if not orders and reasons and all(error.what == reasons[0].what for error in reasons):
        raise reasons[0]
    return Plan(tuple(orders), failed)


def draft_of(path: Path) -> Path:
    """Where the files of a product's folder gather."""
    return path.with_name(f".{path.name}.part")


def plan_order(
    entry: Entry, out: Path, profile: Profile, via: Via, below: Callable[[str], dict[str, int]]
) -> Order:
    """How a product will be fetched: as a zip where the catalogue has one, else file by file.

    Args:
        entry: which product.
        out: the folder of products.
        profile: what its catalogue calls things.
        via: how files are reached, where there is a choice.
        below: what lies below an address of a store of objects, name to size.

    Raises:
        InputError: the selection does not tell where the product lies, or names no store of
            objects that was asked for.
        FetchError: an address that leads out of the product's folder.
    """
    assets = {name: place for name, a in entry.assets.items() if (place := _place(a, via))}
    if not assets:
        raise InputError(
            "the selection does not tell where this product lies",
            where=entry.name,
            do="Choose it from a catalogue, as in ben tiles --selection bigearthnet-2019 "
            "--api cdse --out F.json",
        )
    if via == "s3":
        assets = {name: a for name, a in assets.items() if scheme_of(a.href) == "s3"}
        _check_store(assets, entry)
    whole = next((assets[name] for name in profile.product_assets if name in assets), None)
    if whole and not _is_folder(whole.href, entry):
        path = out / f"{entry.name}.zip"
        checksum = Checksum.parse(whole.checksum)
        wanted = Wanted(whole.href, path, whole.size, checksum, f"{entry.name}.SAFE")
        return Order(entry, path, (wanted,))
    if whole:
        root = f"{whole.href.rstrip('/')}/"
        return _listed(entry, out, root, below)
    return _folder(entry, out, list(assets.values()), via, below)


def _check_store(assets: Mapping[str, Asset], entry: Entry) -> None:
    """Raise where a product lies in no store of objects.

    Raises:
        InputError: it does not.
    """
    if not assets:
        raise InputError(
            "the selection names no store of objects for this product",
            where=entry.name,
            do="Leave out --via s3",
        )


def _is_folder(href: str, entry: Entry) -> bool:
    """Whether an address is the product's folder in a store of objects, and no zip of it."""
    return scheme_of(href) == "s3" and href.rstrip("/").endswith(f"/{entry.name}.SAFE")


def _place(asset: Asset, via: Via) -> Asset | None:
    """The asset at the place that suits; None where it has none."""
    places = [href for href in (asset.href, *asset.others) if scheme_of(href)]
    best = next((href for href in places if scheme_of(href) == via), None)
    href = best or next(iter(places), None)
    return replace(asset, href=href) if href else None


def _folder(
    entry: Entry,
    out: Path,
    assets: Sequence[Asset],
    via: Via,
    below: Callable[[str], dict[str, int]],
) -> Order:
    """A product file by file; below `X.SAFE/` as it was delivered where addresses tell that."""
    safe = f"{entry.name}.SAFE"
    inside = [asset for asset in assets if f"/{safe}/" in asset.href]
    if not inside:
        path = out / entry.name
        return Order(entry, path, _files(path, ((_last(a.href), a) for a in assets)))
    href = inside[0].href
    if via == "s3":
        return _listed(entry, out, href[: href.index(f"/{safe}/") + len(safe) + 2], below)
    named = ((_plain(a.href).partition(f"/{safe}/")[2], a) for a in inside)
    return Order(entry, out / safe, _files(out / safe, named))


def _listed(entry: Entry, out: Path, root: str, below: Callable[[str], dict[str, int]]) -> Order:
    """A product as all objects that lie below its folder in a store."""
    path = out / f"{entry.name}.SAFE"
    found = (
        (name, Asset(root + name, size))
        for name, size in below(root).items()
        if name and not name.endswith("/")
    )
    return Order(entry, path, _files(path, found))


def _files(folder: Path, named: Iterable[tuple[str, Asset]]) -> tuple[Wanted, ...]:
    """One file a name, the first that has it."""
    draft = draft_of(folder)
    found: dict[str, Wanted] = {}
    for name, asset in named:
        if not _SAFE_NAME.fullmatch(name) or ".." in name.split("/"):
            where = plain_url(asset.href)
            raise FetchError(
                "an address names no file of the product",
                where=where,
                do="Choose from another catalogue",
            )
        found.setdefault(
            name,
            Wanted(asset.href, draft / name, asset.size, Checksum.parse(asset.checksum)),
        )
    return tuple(found.values())


def _plain(href: str) -> str:
    return unquote(urlsplit(href).path)


def _last(href: str) -> str:
    return _plain(href).rstrip("/").rpartition("/")[2]


def _held(wanted: Wanted) -> int:
    """Bytes that are there: the file itself, or what has arrived of it."""
    return wanted.path.stat().st_size if wanted.path.is_file() else wanted.begun
