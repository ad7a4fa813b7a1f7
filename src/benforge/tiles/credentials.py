"""Users and passwords, from the environment or a netrc; they are never printed."""

from __future__ import annotations

import logging
import netrc
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from benforge.errors import CredentialsError
from benforge.tiles.profile import S3, Access


@dataclass(frozen=True, slots=True)
class Login:
    """Who one is.

    Args:
        kind: a person, or a program with a client of its own.
        name: user or client.
        word: password or secret.
    """

    kind: Literal["password", "client_credentials"]
    name: str = field(repr=False)
    word: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of a store of objects."""

    access: str = field(repr=False)
    secret: str = field(repr=False)


def find_login(access: Access) -> Login:
    """Who one is to a server: environment first, then netrc.

    Raises:
        CredentialsError: nothing tells, or the netrc cannot be read.
    """
    begin = access.variables
    for kind, names in (
        ("client_credentials", (f"{begin}_CLIENT_ID", f"{begin}_CLIENT_SECRET")),
        ("password", (f"{begin}_USERNAME", f"{begin}_PASSWORD")),
    ):
        name, word = (os.environ.get(variable, "") for variable in names)
        if begin and name and word:
            return Login(kind, name, word)  # type: ignore[arg-type]
    host = urlsplit(access.token_url).hostname or ""
    found = _in_netrc(host)
    if found is None:
        told = f"Set {begin}_USERNAME and {begin}_PASSWORD, or w" if begin else "W"
        raise CredentialsError(
            "no credentials", where=host, do=f"{told}rite a line for machine {host} into ~/.netrc"
        )
    return found


def find_keys(store: S3) -> Keys:
    """The keys of a store, from the environment.

    Raises:
        CredentialsError: nothing tells.
    """
    own = (f"{store.variables}_ACCESS_KEY", f"{store.variables}_SECRET_KEY")
    for names in (own, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")):
        access, secret = (os.environ.get(name, "") for name in names)
        if access and secret:
            return Keys(access, secret)
    raise CredentialsError(
        "no keys for this store of objects",
        where=urlsplit(store.endpoint).hostname or "",
        do=f"Set {own[0]} and {own[1]}",
    )


def _in_netrc(host: str) -> Login | None:
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    if not path.is_file():
        return None
    if path.stat().st_mode & 0o077:
        logging.getLogger(__name__).warning("%s can be read by others: chmod 600 %s", path, path)
    try:
        found = netrc.netrc(str(path)).authenticators(host)
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError):
        # The parser's words may hold a password: neither they nor their error are passed on.
        raise CredentialsError(
            "the netrc cannot be read", where=path, do="Mend it, and let only its owner read it"
        ) from None
    if found is None or not found[0] or not found[2]:
        return None
    return Login("password", found[0], found[2])
