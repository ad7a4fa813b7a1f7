"""What the server says: JSON, pictures, and errors in one line."""

from __future__ import annotations

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from benforge.errors import BenError, InputError

_UNKNOWN_PLACE = "there is nothing at this address"


class Refused(HTTPException):
    """A request that is understood and not done."""


def json_answer(value: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def error_answer(line: str, status: int) -> Response:
    """An error as the page reads it."""
    return json_answer({"error": line}, status)


def answer_error(request: Request, error: Exception) -> Response:
    """One line for whatever went wrong, with the status that fits; never a traceback."""
    if isinstance(error, HTTPException):
        known = isinstance(error, Refused)
        line = error.detail if known or error.status_code != 404 else _UNKNOWN_PLACE
        return error_answer(line, error.status_code)
    if isinstance(error, BenError):
        return error_answer(str(error), 400 if isinstance(error, InputError) else 500)
    return error_answer("the viewer failed here; its terminal says more", 500)
