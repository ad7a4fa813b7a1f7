"""The viewer as a server on this machine: bound, told, and stopped by Ctrl-C."""

from __future__ import annotations

import errno
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from benforge.errors import ConflictError, InputError
from benforge.quality.decisions import DEFAULT_NAME as REVIEW
from benforge.quality.screening_files import DEFAULT_NAME as SCREENING
from benforge.viewer.app import create_app
from benforge.viewer.facts import Mode
from benforge.viewer.guard import Door
from benforge.viewer.patience import MOST_ACCEPTED, PatientProtocol

LOOPBACK = "127.0.0.1"
_OWN = (LOOPBACK, "localhost", "::1")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  what is asked for on purpose
SECONDS_TO_END = 2
"""What requests that go on are given when the server is stopped."""


def serve(
    archive: Path,
    *,
    mode: Mode = "inspect",
    host: str = LOOPBACK,
    port: int = 0,
    ask_token: bool = False,
    open_browser: bool = True,
    screening: str = SCREENING,
    review: str = REVIEW,
    doubt: Path | None = None,
    index: Path | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve the viewer of an archive until Ctrl-C.

    Args:
        archive: its folder.
        mode: "inspect" to decide, "view" to look.
        host: the address to bind; any but this machine's own asks for a token, which the address
            told brings along.
        port: 0 for a free one.
        ask_token: whether to ask for a token on this machine's own address too, which others who
            work on it can reach.
        open_browser: whether to open the page.
        screening: name of the screening to show.
        review: name of the log of decisions.
        doubt: a file of doubts about the archive's labels; None for none.
        index: folder of an index of its patches; None for none.
        tell: is told the address of the page.

    Raises:
        ConflictError: the port is in use.
        InputError: the address is none of this machine, a name that cannot be a file's, or doubts
            or an index of another archive.
        MissingError: there is no such folder or file.
        StorageError: decisions could not be kept in the archive.
        ArchiveError: the folder is no archive, or it is damaged.
    """
    with bind(host, port) as bound:
        number, port = bound.getsockname()[:2]
        everywhere = number in _EVERYWHERE
        name = _own_name() if everywhere else _in_address(host)
        token = secrets.token_urlsafe(24) if ask_token or host not in _OWN else None
        door = Door.of(port, (name,), token, addresses=everywhere)
        app = create_app(
            archive,
            mode=mode,
            screening=screening,
            review=review,
            doubt=doubt,
            index=index,
            door=door,
        )
        address = f"http://{name}:{port}/" + (f"?token={door.token}" if door.token else "")
        tell(address)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        _run(app, bound)


def _run(app: ASGIApp, bound: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=SECONDS_TO_END,
        http=PatientProtocol,
        backlog=MOST_ACCEPTED,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens, so that the port is ours before the archive is read.

    Raises:
        ConflictError: the port is in use.
        InputError: the address is none of this machine.
    """
    if not host.strip():
        raise InputError("no address is named", where="--host", do="Write 127.0.0.1, or 0.0.0.0")
    where = f"{_in_address(host)}:{port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConflictError(
                "the port is in use", where=where, do="Choose another with --port, or leave it out"
            ) from error
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"cannot be bound, {reason}", where=where, do="Choose another --host or --port"
        ) from error


def _own_name() -> str:
    """A name of this machine that leads to it: its own where that is known, else a number."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return LOOPBACK
    return name


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host
