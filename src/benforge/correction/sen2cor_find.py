"""Where sen2cor is, and which version it says it is."""

from __future__ import annotations

import os
import re
import shutil
from functools import cache
from pathlib import Path

from benforge.correction.programs import run_to_end
from benforge.errors import InputError, MissingError

PROGRAMS = ("L2A_Process", "L2A_Process.bat")
_PLACES = ("", "bin")
_VERSION = re.compile(r"Version:?\s*(\d+)\.(\d+)(?:\.(\d+))?", re.IGNORECASE)
_OLDEST, _NEWEST = (2, 5), (3, 99)
_TIMEOUT = 60


def find_sen2cor(given: Path | None = None) -> Path | None:
    """The program: the one given, else by SEN2COR_HOME, SEN2COR_BIN or PATH, else None.

    Args:
        given: the program, or the folder that sen2cor is installed in.

    Raises:
        MissingError: the one that is given, or that a variable names, is not there.
    """
    if given is not None:
        return _program_in(given, "--sen2cor")
    for variable in ("SEN2COR_HOME", "SEN2COR_BIN"):
        if os.environ.get(variable):
            return _program_in(Path(os.environ[variable]), variable)
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return Path(found) if found else None


def need_sen2cor(given: Path | None = None) -> Path:
    """The program.

    Raises:
        MissingError: it is nowhere.
    """
    found = find_sen2cor(given)
    if found is None:
        raise MissingError(
            "sen2cor is not found: no L2A_Process on PATH",
            do="Install it from step.esa.int and name its folder with --sen2cor or SEN2COR_HOME, "
            "or use --processor sixs",
        )
    return found


@cache
def read_version(program: Path) -> tuple[int, int, int]:
    """The version that the program tells when asked for help.

    Raises:
        InputError: it tells none, or one that is not known to work.
    """
    text = _ask(program, "--help")
    match = _VERSION.search(text) or _VERSION.search(_ask(program, "--version"))
    if match is None:
        raise InputError(
            "does not tell a version as sen2cor does",
            where=program,
            do="Name sen2cor's L2A_Process",
        )
    version = int(match[1]), int(match[2]), int(match[3] or 0)
    if not _OLDEST <= version[:2] <= _NEWEST:
        raise InputError(
            f"sen2cor {'.'.join(map(str, version))} is not supported",
            where=program,
            do="Use 2.5 to 3.x",
        )
    return version


def _program_in(place: Path, named_by: str) -> Path:
    if place.is_file():
        return place
    for name in PROGRAMS:
        for below in _PLACES:
            if (place / below / name).is_file():
                return place / below / name
    raise MissingError(
        f"{named_by} names it, but there is no L2A_Process",
        where=place,
        do="Name the program, or the folder that sen2cor is installed in",
    )


def _ask(program: Path, option: str) -> str:
    """What the program prints."""
    done = run_to_end(
        [program, option],
        seconds=_TIMEOUT,
        mend="Check that it may be executed, or reinstall sen2cor",
    )
    return done.stdout + done.stderr
