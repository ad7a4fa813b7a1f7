"""What there is to know of a catalogue: its address, its words, and how access is granted."""

from __future__ import annotations

import ipaddress
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from benforge.errors import InputError, MissingError
from benforge.tiles.entry import ID_FIELDS


class Access(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a server lets one in.

    Args:
        kind: "oidc" asks for a token with user and password or client and secret, and shows it
            as a bearer; "sas" asks for a token without any, and adds it to the address.
        token_url: where tokens are given.
        client_id: the public client that users and passwords go with.
        variables: beginning of the names of the environment's variables.
        hosts: where the token may be shown, each with the hosts below it.
    """

    kind: Literal["oidc", "sas"]
    token_url: str
    client_id: str = ""
    variables: str = ""
    hosts: tuple[str, ...] = ()


class S3(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store of objects.

    Args:
        endpoint: its address.
        region: as the store calls it.
        variables: beginning of the names of the environment's variables.
        buckets: those that lie there.
        requester_pays: whether reading costs the reader.
    """

    endpoint: str
    region: str = "us-east-1"
    variables: str = "AWS"
    buckets: tuple[str, ...] = ()
    requester_pays: bool = False


def _usual_collections() -> dict[str, str]:
    return {"L1C": "sentinel-2-l1c", "L2A": "sentinel-2-l2a"}


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A catalogue.

    Args:
        title: for people.
        url: of its STAC API.
        collections: level to the collection that holds it.
        id_fields: properties that may hold a product's full id.
        product_assets: assets that are the whole product, zipped, best first.
        parallel: downloads at a time.
        access: how its files are let out; None where they are free.
        s3: where its objects lie.
    """

    title: str
    url: str
    collections: dict[str, str] = msgspec.field(default_factory=_usual_collections)
    id_fields: tuple[str, ...] = ID_FIELDS
    product_assets: tuple[str, ...] = ("Product", "product", "PRODUCT")
    parallel: int = 4
    access: Access | None = None
    s3: S3 | None = None

    def collection(self, level: str) -> str:
        """The collection that holds a level.

        Raises:
            InputError: none does.
        """
        if level not in self.collections:
            raise InputError(
                f"it has no {level} products",
                where=self.title,
                do=f"It has {', '.join(self.collections)}: --level",
            )
        return self.collections[level]


def open_profile(name: str) -> Profile:
    """A profile by its name, by the address of a STAC API, or from a TOML file.

    Raises:
        InputError: none of the three, a file with other keys than `Profile` has, or an address
            with a user or a password in it.
        MissingError: there is no such file.
    """
    if name in profiles():
        return profiles()[name]
    if "://" not in name and name.endswith(".toml"):
        return _read(Path(name))
    if _is_web(name):
        return _without_user(Profile(title=plain_url(name), url=name))
    raise InputError(
        "no catalogue is called so",
        where=plain_url(name) if "://" in name else name,
        do=f"Name {', '.join(profiles())}, the address of a STAC API, or a TOML file",
    )


def lasting_name(name: str) -> str:
    """What a file may keep of a profile's name: no secret, and a path that holds elsewhere too."""
    if "://" in name:
        return plain_url(name)
    return str(Path(name).absolute()) if name.endswith(".toml") else name


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in {"http", "https"} and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _without_user(profile: Profile) -> Profile:
    """The profile, unless its address would carry a password into files and messages.

    Raises:
        InputError: it would.
    """
    if "@" in urlsplit(profile.url).netloc:
        raise InputError(
            "an address with a user in it is not taken",
            where=plain_url(profile.url),
            do="Leave user and password to the environment or a netrc: a TOML file with [access], "
            "see docs/products.md",
        )
    return profile


@cache
def profiles() -> dict[str, Profile]:
    """Name to profile, those that ship."""
    text = (files("benforge.tiles") / "profiles.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Profile])


def _read(path: Path) -> Profile:
    if not path.is_file():
        raise MissingError(
            "there is no such profile", where=path, do="Name one that is there: --api"
        )
    try:
        fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return _without_user(msgspec.convert(fields, Profile))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InputError(
            f"not a profile, {error}", where=path, do="See docs/products.md"
        ) from error


def plain_url(url: str) -> str:
    """An address as a message may show it: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def may_see_secrets(url: str, hosts: tuple[str, ...]) -> bool:
    """Whether credentials may be shown to an address: a listed host, and encrypted or local."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    listed = any(host == known or host.endswith(f".{known}") for known in hosts)
    return listed and (parts.scheme == "https" or _is_local(host))


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
