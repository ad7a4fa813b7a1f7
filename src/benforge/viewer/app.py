"""The routes of the viewer: what each address answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from benforge.errors import BenError
from benforge.quality.decisions import DEFAULT_NAME as REVIEW
from benforge.quality.decisions import check_writable, review_path
from benforge.quality.review import Review
from benforge.quality.screening_files import DEFAULT_NAME as SCREENING
from benforge.viewer.answers import answer_error
from benforge.viewer.catalogue import Catalogue
from benforge.viewer.desk import Desk
from benforge.viewer.doubted import Doubted
from benforge.viewer.endpoints import Viewer
from benforge.viewer.facts import Mode
from benforge.viewer.guard import Door, Guard
from benforge.viewer.patience import WholeBodies
from benforge.viewer.shown import Shown
from benforge.viewer.similar import Similar


class _Row(IntegerConvertor):
    """A row number in an address; what has more digits is none."""

    regex = "[0-9]{1,12}"


register_url_convertor("row", _Row())

PORT = 8000
"""Of the door, where none is given."""


def create_app(
    archive: Path,
    *,
    mode: Mode = "inspect",
    screening: str = SCREENING,
    review: str = REVIEW,
    doubt: Path | None = None,
    index: Path | None = None,
    door: Door | None = None,
) -> ASGIApp:
    """The viewer of an archive, behind its guard.

    Args:
        archive: its folder.
        mode: "inspect" to decide, "view" to look.
        screening: name of the screening to show, where the archive has it.
        review: name of the log of decisions.
        doubt: a file of doubts about its labels; None for none.
        index: folder of an index of its patches; None for none.
        door: who may ask; who is on this machine if None.

    Raises:
        InputError: a name that cannot be a file's, or doubts or an index of another archive.
        StorageError: decisions could not be kept here.
        MissingError: there is no such folder or file.
        ArchiveError: it is no archive, or a file of it is damaged.
    """
    catalogue = Catalogue.open(archive, screening)
    if mode == "inspect":
        check_writable(review_path(archive, review))
    doubted = Doubted.open(doubt, catalogue) if doubt else None
    alike = Similar.open(index, catalogue) if index else None
    viewer = Viewer(Desk(catalogue, Review(archive, review), doubted), mode, alike)
    routes = [*_routes(viewer), *_picture_routes(Shown(catalogue))]
    handlers = dict.fromkeys((HTTPException, BenError, Exception), answer_error)
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Guard(WholeBodies(app), door or Door.of(PORT))


def _routes(viewer: Viewer) -> list[Route]:
    gets: dict[str, Callable[[Request], Response]] = {
        "/api/archive": viewer.archive,
        "/api/patches": viewer.patches,
        "/api/patch/{i:row}": viewer.patch,
        "/api/similar/{i:row}": viewer.similar,
        "/api/statistics": viewer.statistics,
        "/api/map": viewer.map,
        "/api/progress": viewer.progress,
    }
    posts: dict[str, Callable[[bytes], Response]] = {
        "/api/decisions": viewer.decide,
        "/api/labels": viewer.judge,
        "/api/undo": viewer.undo,
    }
    return [
        *(Route(path, endpoint) for path, endpoint in gets.items()),
        *(Route(path, _with_body(endpoint), methods=["POST"]) for path, endpoint in posts.items()),
        Route("/", viewer.page),
    ]


def _picture_routes(shown: Shown) -> list[Route]:
    gets: dict[str, Callable[[Request], Response]] = {
        "/favicon.ico": shown.icon,
        "/assets/{name:path}": shown.asset,
        "/sheet.jpg": shown.sheet,
        "/patch/{i:row}.png": shown.picture,
    }
    return [Route(path, endpoint) for path, endpoint in gets.items()]


def _with_body(endpoint: Callable[[bytes], Response]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint in a thread, given the body, which the guard found small enough."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(endpoint, await request.body())

    return answer
