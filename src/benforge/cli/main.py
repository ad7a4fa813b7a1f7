"""The command `ben`."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benforge import __version__
from benforge.cli.terminal import print_error
from benforge.errors import BenError

INTERRUPTED = 130
"""Exit status after ^C, as shells have it."""

WrongUsage: Any = next(k for k in typer.BadParameter.__mro__ if k.__name__ == "ClickException")
"""What typer raises for wrong usage; it comes from click, which newer typers carry within."""


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"benforge {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="ben",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """Build, check and explore BigEarthNet archives.

    From Sentinel-2 products and a land-cover map to labelled patches. Start with `ben demo`.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run `ben` with these arguments (default: the process's).

    Returns:
        0 fine, 1 one line on an error, 2 wrong usage, 130 after ^C.
    """
    from benforge.cli import (  # noqa: F401  registers the verbs
        bench,
        commands,
        conform,
        copy,
        correct,
        doubt,
        evaluate,
        exchange,
        experiment,
        explain,
        learn,
        maps,
        quality,
        report,
        screen,
        search,
        split,
        stats,
        tiles,
    )
    from benforge.cli.usage import check_outs

    command = typer.main.get_command(app)
    try:
        check_outs(sys.argv[1:] if arguments is None else arguments)
        status = command.main(arguments, prog_name="ben", standalone_mode=False)
    except BenError as error:
        print_error(str(error))
        return 1
    except WrongUsage as error:
        error.show()
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except OSError as error:
        advice = _DISK_ERRORS.get(error.errno or 0, "Look at that file, then run the command again")
        print_error(f"{error.filename or 'a file'}: {error.strerror or error}. {advice}")
        return 1
    if status == INTERRUPTED:
        print_error("stopped. What is whole is kept; run the same command again to go on")
    return status if isinstance(status, int) else 0


_DISK_ERRORS = {
    errno.ENOSPC: "Free some space and run the same command again: it goes on where it was",
    errno.EDQUOT: "Your quota is used up; free some space and run the same command again",
    errno.EACCES: "You may not write there; choose another folder",
    errno.EROFS: "That disk is read-only; choose another folder",
}
