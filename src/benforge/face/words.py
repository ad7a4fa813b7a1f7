"""What a call is given, held to what it takes before anything is begun."""

from __future__ import annotations

import functools
import inspect
import numbers
import types
from collections.abc import Callable, Iterator
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np

from benforge.core.progress import Progress
from benforge.errors import InputError

P = ParamSpec("P")
R = TypeVar("R")
_TOLD = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "PathLike": "a path",
    "Archive": "an open archive",
    "TrainSummary": "what ben.train returned",
    "Predictions": "predictions",
    "SearchIndex": "what ben.embed returned",
    "PatchId": "the id of a patch",
    "Sequence": "a list",
    "Iterable": "a list",
    "Mapping": "a dict",
    "dict": "a dict",
    "Progress": "what is called with a message and two numbers",
    "NoneType": "None",
}
"""Types as a user knows them."""


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The same function; an argument that is of none of its annotated types is an `InputError`.

    Numbers of numpy become Python's. What is in a list or a dict is not looked at.
    """
    signature = inspect.signature(function)
    scope = getattr(function, "__globals__", {})
    takes = {
        name: list(_alternatives(eval(one.annotation, scope)))  # noqa: S307  text of this source
        for name, one in signature.parameters.items()
        if one.annotation is not one.empty and one.kind is not one.VAR_KEYWORD
    }

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # Python's own words name the function
            return function(*args, **kwargs)
        for name, value in bound.arguments.items():
            if name in takes and not any(_fits(value, one) for one in takes[name]):
                told = ", ".join(dict.fromkeys(_tell(one) for one in takes[name]))
                raise InputError(f"{name} is {_shown(value)}", do=f"Give one of these: {told}")
            bound.arguments[name] = value.item() if isinstance(value, np.generic) else value
        return function(*bound.args, **bound.kwargs)

    return call


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The types of a union, the words of a `Literal`, or the one type."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from _alternatives(one)
    elif origin is Literal:
        yield annotation
    else:
        yield origin or (types.NoneType if annotation is None else annotation)


def _fits(value: object, wanted: Any) -> bool:
    if get_origin(wanted) is Literal:
        return isinstance(value, str) and value in get_args(wanted)
    if wanted in (int, float):
        kind = numbers.Integral if wanted is int else numbers.Real
        return isinstance(value, kind) and not isinstance(value, bool)
    if wanted is Progress:
        return callable(value)
    return isinstance(value, wanted) and (wanted is str or not isinstance(value, str | bytes))


def _tell(wanted: Any) -> str:
    if get_origin(wanted) is Literal:
        return ", ".join(repr(word) for word in get_args(wanted))
    name = getattr(wanted, "__name__", str(wanted))
    return _TOLD.get(name, name)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"of the type {type(value).__name__}"
