"""What the viewer answers in JSON; each answer is given in a thread of its own."""

from __future__ import annotations

from typing import Annotated, TypeVar

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from benforge.errors import InputError
from benforge.quality.events import parse_reviewer
from benforge.viewer.answers import Refused, json_answer
from benforge.viewer.assets import read_page
from benforge.viewer.board import Board
from benforge.viewer.catalogue import Rows
from benforge.viewer.counting import count
from benforge.viewer.desk import Desk
from benforge.viewer.facts import Mode, describe
from benforge.viewer.ground import MOST_PATCHES, patches_on_map, tiles_on_map
from benforge.viewer.neighbours import look_closely
from benforge.viewer.progress import measure
from benforge.viewer.query import parse_number, parse_query
from benforge.viewer.rows import make_rows
from benforge.viewer.select import select
from benforge.viewer.similar import MOST_ALIKE, Similar

MOST_ROWS = 500


EventId = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")]
"""32 hexadecimal digits of the page's own choice, so that the same request sent again, because its
answer was lost, is not a second event; empty for a new one."""


class GroupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Patches, by row number, that are given the same flags; none for clear."""

    patches: list[int]
    flags: list[str]


class DecideRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided with one key, as the page sends it; undone as one.

    Args:
        reviewer: who decides.
        groups: by what they are given.
        patches: row numbers, where there is but one group; so with `flags`.
        flags: none for clear.
        id: of the action.
    """

    reviewer: str
    groups: list[GroupRequest] = []
    patches: list[int] | None = None
    flags: list[str] | None = None
    id: EventId = ""

    def meant(self) -> list[tuple[list[str], list[int]]]:
        """Flags and rows of each group.

        Raises:
            InputError: it is told neither way, or both.
        """
        told = [(group.flags, group.patches) for group in self.groups]
        if self.patches is not None and self.flags is not None:
            told.append((self.flags, self.patches))
        elif self.patches is not None or self.flags is not None or not told:
            raise InputError("a decision has patches and flags")
        return told


class JudgeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on a doubted label, as the page sends it.

    Args:
        reviewer: who decides.
        patch: row number.
        label: name of the class.
        present: whether it is there.
        id: of the event.
    """

    reviewer: str
    patch: int
    label: str
    present: bool
    id: EventId = ""


class UndoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An undo as the page sends it.

    Args:
        reviewer: who takes back what they did last.
        id: of the event.
    """

    reviewer: str
    id: EventId = ""


def reviewer_of(request: Request) -> str:
    """Who asks; empty where no name is given.

    Raises:
        InputError: the name is none.
    """
    name = request.query_params.get("reviewer", "")
    return parse_reviewer(name) if name else ""


_Asked = TypeVar("_Asked", bound=msgspec.Struct)


class Viewer:
    """The answers.

    Args:
        desk: where decisions are taken, and its catalogue.
        mode: "inspect" or "view".
        alike: where patches are found that are alike; None without an index.
    """

    def __init__(self, desk: Desk, mode: Mode, alike: Similar | None = None) -> None:
        self.desk, self.catalogue, self.mode, self.alike = desk, desk.catalogue, mode, alike

    def page(self, request: Request) -> Response:
        """The page."""
        facts = {"name": self.catalogue.archive.root.resolve().name, "mode": self.mode}
        page = jinja2.Environment(autoescape=True).from_string(read_page())
        return HTMLResponse(page.render(**facts))

    def archive(self, request: Request) -> Response:
        """What the archive is."""
        self.desk.refresh()
        return json_answer(describe(self.desk, self.mode, self.alike))

    def patches(self, request: Request) -> Response:
        """Some of the patches that are asked for."""
        asked = request.query_params
        offset = parse_number("offset", asked.get("offset", "0"), 0, 10**9)
        limit = parse_number("limit", asked.get("limit", "40"), 1, MOST_ROWS)
        board, found = self._select(request, "offset", "limit")
        page = found[offset : offset + limit].tolist()
        rows = make_rows(self.desk, board, page, reviewer_of(request))
        return json_answer({"total": len(found), "offset": offset, "rows": rows})

    def patch(self, request: Request) -> Response:
        """One patch and what is known around it."""
        row: int = request.path_params["i"]
        if row >= len(self.catalogue):
            raise Refused(404, f"there is no patch {row}")
        return json_answer(look_closely(self.desk, row, reviewer_of(request)))

    def similar(self, request: Request) -> Response:
        """The patches that are most like one."""
        row: int = request.path_params["i"]
        if row >= len(self.catalogue):
            raise Refused(404, f"there is no patch {row}")
        if self.alike is None:
            raise Refused(
                400,
                "no index was given to find patches in that are alike. Make one with ben embed, "
                "and start again with --index INDEX",
            )
        k = parse_number("k", request.query_params.get("k", "12"), 1, MOST_ALIKE)
        return json_answer(self.alike.find(row, k))

    def statistics(self, request: Request) -> Response:
        """What is asked for, counted."""
        board, found = self._select(request)
        return json_answer(count(self.catalogue, board, found))

    def map(self, request: Request) -> Response:
        """What is asked for, on the map."""
        board, found = self._select(request, "zoom")
        if len(found) > MOST_PATCHES:
            return json_answer({"kind": "tiles", "rows": tiles_on_map(self.catalogue, found)})
        rows = patches_on_map(self.catalogue, board, found)
        return json_answer({"kind": "patches", "rows": rows})

    def progress(self, request: Request) -> Response:
        """How far the review is; a name that no reviewer can have is refused."""
        return json_answer(measure(self.desk, reviewer_of(request)))

    def decide(self, body: bytes) -> Response:
        """Take a decision; it is on the disk when this answers."""
        asked = self._asked(body, DecideRequest)
        groups = asked.meant()
        first = self.desk.decide(asked.reviewer, groups, asked.id)[0]
        places = [row for _, rows in groups for row in rows][:MOST_ROWS]
        rows = make_rows(self.desk, self.desk.refresh(), places, first.reviewer)
        answer = {"saved": first.action or first.id, "rows": rows}
        return json_answer(answer | {"progress": measure(self.desk, first.reviewer)})

    def judge(self, body: bytes) -> Response:
        """Take a decision on a doubted label; it is on the disk when this answers."""
        asked = self._asked(body, JudgeRequest)
        taken = self.desk.judge(
            asked.reviewer, asked.label, asked.patch, present=asked.present, named=asked.id
        )
        rows = make_rows(self.desk, self.desk.refresh(), [asked.patch], taken.reviewer)
        answer = {"saved": taken.id, "rows": rows}
        return json_answer(answer | {"progress": measure(self.desk, taken.reviewer)})

    def undo(self, body: bytes) -> Response:
        """Take back what a reviewer did last; it is on the disk when this answers."""
        asked = self._asked(body, UndoRequest)
        reviewer = parse_reviewer(asked.reviewer)
        undone = self.desk.undo(reviewer, asked.id)
        if undone is None:
            raise Refused(409, "there is no decision of yours to undo")
        answer = {"undone": undone.event, "patches": undone.rows}
        return json_answer(answer | {"progress": measure(self.desk, reviewer)})

    def _select(self, request: Request, *also: str) -> tuple[Board, Rows]:
        query = parse_query(request.query_params.multi_items(), also=also)
        board = self.desk.refresh()
        return board, select(self.desk, board, query)

    def _asked(self, body: bytes, kind: type[_Asked]) -> _Asked:
        if self.mode != "inspect":
            raise Refused(403, "this viewer changes nothing. Start ben inspect to decide")
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InputError(f"the request cannot be read, {error}") from error
