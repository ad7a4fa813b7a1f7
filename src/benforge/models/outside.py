"""A model of a user's own module: `module:NAME`, where NAME is a `ModelSpec`."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace

from benforge.errors import InputError, MissingError
from benforge.models.port import ModelSpec

_NAME = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
_ADVICE = "Install its package, or name its folder in PYTHONPATH"


def is_outside(name: str) -> bool:
    """Whether a name is of the form `module:NAME`."""
    return bool(_NAME.fullmatch(name))


def outside_spec(name: str) -> ModelSpec:
    """The model that a module holds; its name is then `module:NAME`, also in checkpoints.

    Only a `ModelSpec` is taken, so a checkpoint of others cannot have any function called.

    Raises:
        MissingError: there is no such module.
        InputError: it fails when imported, or holds no `ModelSpec` of this name.
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
    if not isinstance(found, ModelSpec):
        raise InputError(
            f"{module} holds no ModelSpec of the name {attribute!r}",
            where=name,
            do="See the tutorial on adding a model",
        )
    return replace(found, name=name)
