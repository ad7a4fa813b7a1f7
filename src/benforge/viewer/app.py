"""The routes of the viewer: what each address answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from benforge.errors import BenError
from benforge.quality.screening_files import DEFAULT_NAME as SCREENING
from benforge.viewer import pictures
from benforge.viewer.answers import Refused, answer_error, json_answer
from benforge.viewer.assets import load_assets, read_page
from benforge.viewer.board import Board
from benforge.viewer.catalogue import Catalogue
from benforge.viewer.facts import Mode, describe
from benforge.viewer.query import parse_number, parse_query
from benforge.viewer.rows import make_row, make_rows
from benforge.viewer.select import select

MOST_ROWS = 500
MOST_IN_SHEET = 100
MOST_COLUMNS = 20

_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">'
    b'<path fill="#3c7d4f" d="M0 0h2v2H0z"/><path fill="#d8b25c" d="M2 0h2v2H2z"/>'
    b'<path fill="#7fb2d9" d="M0 2h2v2H0z"/><path fill="#e9eef2" d="M2 2h2v2H2z"/></svg>'
)


def create_app(
    archive: Path, *, mode: Mode = "inspect", screening: str = SCREENING, review: str = "review"
) -> ASGIApp:
    """The viewer of an archive.

    Raises:
        MissingError: there is no such folder.
        ArchiveError: it is no archive, or a file of it is damaged.
    """
    catalogue = Catalogue.open(archive, screening)
    viewer = Viewer(catalogue, Board(len(catalogue)), mode)
    gets: dict[str, Callable[[Request], Response]] = {
        "/": viewer.page,
        "/favicon.ico": viewer.icon,
        "/assets/{name:path}": viewer.asset,
        "/api/archive": viewer.archive,
        "/api/patches": viewer.patches,
        "/api/patch/{i:int}": viewer.patch,
        "/sheet.jpg": viewer.sheet,
        "/patch/{i:int}.png": viewer.picture,
    }
    routes = [Route(path, endpoint) for path, endpoint in gets.items()]
    kinds = (HTTPException, BenError, Exception)
    return Starlette(routes=routes, exception_handlers=dict.fromkeys(kinds, answer_error))


class Viewer:
    """The answers; each is given in a thread of its own.

    Args:
        catalogue: what the archive holds.
        board: what reviewers decided.
        mode: "inspect" or "view".
    """

    def __init__(self, catalogue: Catalogue, board: Board, mode: Mode) -> None:
        self.catalogue, self.board, self.mode = catalogue, board, mode

    def page(self, request: Request) -> Response:
        """The page."""
        facts = {"name": self.catalogue.archive.root.resolve().name, "mode": self.mode}
        page = jinja2.Environment(autoescape=True).from_string(read_page())
        return HTMLResponse(page.render(**facts))

    def icon(self, request: Request) -> Response:
        """Four patches."""
        return Response(_ICON, media_type="image/svg+xml")

    def asset(self, request: Request) -> Response:
        """A file of the page."""
        found = load_assets().get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return Response(found.body, media_type=found.media_type)

    def archive(self, request: Request) -> Response:
        """What the archive is."""
        return json_answer(describe(self.catalogue, self.mode, (), 0))

    def patches(self, request: Request) -> Response:
        """Some of the patches that are asked for."""
        asked = request.query_params
        query = parse_query(asked.multi_items(), also=("offset", "limit"))
        offset = parse_number("offset", asked.get("offset", "0"), 0, 10**9)
        limit = parse_number("limit", asked.get("limit", "40"), 1, MOST_ROWS)
        found = select(self.catalogue, self.board, query)
        rows = make_rows(self.catalogue, self.board, found[offset : offset + limit].tolist())
        return json_answer({"total": len(found), "offset": offset, "rows": rows})

    def patch(self, request: Request) -> Response:
        """One patch."""
        return json_answer(make_row(self.catalogue, self.board, self._row(request)))

    def sheet(self, request: Request) -> Response:
        """Many patches as one JPEG."""
        asked = request.query_params
        words = asked.get("i", "").split(",")
        if len(words) > MOST_IN_SHEET:
            raise Refused(400, f"a sheet holds at most {MOST_IN_SHEET} patches")
        rows = [parse_number("i", word, 0, len(self.catalogue) - 1) for word in words]
        columns = parse_number("columns", asked.get("columns", "8"), 1, MOST_COLUMNS)
        view, stretch = asked.get("view", "true"), asked.get("stretch", "percentile")
        body = pictures.sheet(self.catalogue.archive, rows, view, stretch, columns)
        return Response(body, media_type="image/jpeg")

    def picture(self, request: Request) -> Response:
        """One patch, lossless."""
        asked = request.query_params
        view, stretch = asked.get("view", "true"), asked.get("stretch", "percentile")
        body = pictures.png(self.catalogue.archive, self._row(request), view, stretch)
        return Response(body, media_type="image/png")

    def _row(self, request: Request) -> int:
        row: int = request.path_params["i"]
        if row >= len(self.catalogue):
            raise Refused(404, f"there is no patch {row}")
        return row
