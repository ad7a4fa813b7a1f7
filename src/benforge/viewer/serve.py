"""The viewer as a server on this machine: bound, told, and stopped by Ctrl-C."""

from __future__ import annotations

import errno
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from benforge.errors import ConflictError, InputError
from benforge.quality.screening_files import DEFAULT_NAME as SCREENING
from benforge.viewer.app import create_app
from benforge.viewer.facts import Mode

LOOPBACK = "127.0.0.1"


def serve(
    archive: Path,
    *,
    mode: Mode = "inspect",
    host: str = LOOPBACK,
    port: int = 0,
    open_browser: bool = True,
    screening: str = SCREENING,
    review: str = "review",
    tell: Callable[[str], None] = print,
) -> None:
    """Serve the viewer of an archive until Ctrl-C.

    Args:
        archive: its folder.
        mode: "inspect" to decide, "view" to look.
        host: the address to bind.
        port: 0 for a free one.
        open_browser: whether to open the page.
        screening: name of the screening to show.
        review: name of the log of decisions.
        tell: is told the address of the page.

    Raises:
        ConflictError: the port is in use.
        InputError: the address is none of this machine.
        ArchiveError: the folder is no archive, or it is damaged.
    """
    with _bind(host, port) as bound:
        port = bound.getsockname()[1]
        app = create_app(archive, mode=mode, screening=screening, review=review)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        address = f"http://{host}:{port}/"
        tell(address)
        if open_browser:
            webbrowser.open(address)
        uvicorn.Server(config).run(sockets=[bound])


def _bind(host: str, port: int) -> socket.socket:
    """A socket that listens, so that the port is ours before the archive is read."""
    where = f"{host}:{port}"
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConflictError(
                "the port is in use", where=where, do="Choose another with --port, or leave it out"
            ) from error
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot be bound, {reason}", where=where, do="Choose another") from error
