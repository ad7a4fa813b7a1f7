"""What a user's own module adds: found by `module:NAME`, of the kind that is wanted or refused."""

from __future__ import annotations

import importlib
import re
from typing import TypeVar

from benforge.errors import InputError, MissingError

_NAME = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
_ADVICE = "Install its package, or name its folder in PYTHONPATH"

T = TypeVar("T")


def is_outside(name: str) -> bool:
    """Whether a name is of the form `module:NAME`."""
    return bool(_NAME.fullmatch(name))


def load_outside(name: str, kind: type[T]) -> T:
    """What a module holds under a name, if it is of this kind.

    Raises:
        MissingError: there is no such module, or it needs one that is not there.
        InputError: it fails when imported, or what it holds is of another kind.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise MissingError("there is no such module", where=name, do=_ADVICE) from error
        raise MissingError(f"needs {error.name}", where=name, do="Install that first") from error
    except Exception as error:
        what = f"the module fails, {type(error).__name__}: {error}"
        raise InputError(what, where=name, do="Run it by itself to see where") from error
    if not isinstance(found, kind):
        raise InputError(
            f"{module} holds no {kind.__name__} of the name {attribute!r}",
            where=name,
            do="See the tutorials on what can be added",
        )
    return found
