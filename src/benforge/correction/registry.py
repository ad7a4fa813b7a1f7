"""The atmospheric processors, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benforge.correction.none import NoCorrection
from benforge.correction.port import CorrectOptions, Processor
from benforge.correction.sen2cor import Sen2Cor
from benforge.correction.sen2cor_find import find_sen2cor
from benforge.correction.sixs import SixS
from benforge.errors import InputError

PROCESSORS: Mapping[str, Callable[[CorrectOptions], Processor]] = {
    "sen2cor": Sen2Cor,
    "sixs": SixS,
    "none": lambda _: NoCorrection(),
}
"""Name to what makes the processor; a further one adds itself here."""


def make_processor(name: str | None, options: CorrectOptions) -> Processor:
    """The processor of that name; for None sen2cor where it is found, else 6S.

    Raises:
        InputError: there is none of that name, what it runs is not installed, or sen2cor's place
            is told to another.
        MissingError: sen2cor is asked for and not found.
    """
    if name is None:
        name = "sen2cor" if find_sen2cor(options.sen2cor) is not None else "sixs"
    if name not in PROCESSORS:
        raise InputError(
            f"no processor is called {name!r}",
            where="--processor",
            do=f"Use {', '.join(PROCESSORS)}",
        )
    if options.sen2cor is not None and name != "sen2cor":
        raise InputError(
            f"sen2cor is named, and {name} is to correct", where=options.sen2cor, do="Leave out one"
        )
    return PROCESSORS[name](options)
