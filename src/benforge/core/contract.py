"""What a trained model was promised: the words that every checkpoint carries with its weights."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from benforge.core.nomenclature import Nomenclature
from benforge.errors import InputError

KERNELS = ("cubic-0.5", "cubic-0.75")
"""Names of the ways to bring 20 and 60 m bands to 10 m; see `loading.upsampling`."""
Normalise = Literal["published", "train", "none"]
"""Where means and deviations come from, as a user names it; see `loading.normalisation`."""
FORMAT = 1
"""Of the contract; a higher one was written by a newer benforge."""


class Normalisation(msgspec.Struct, frozen=True, kw_only=True):
    """How stored numbers become what a model sees: `(clip(x, low, high) - mean) / std`.

    Args:
        source: where mean and std come from: "train", "published", "imagenet" or "none".
        mean: of each band, in stored numbers (reflectance x 10,000).
        std: likewise, above 0.
        low: lowest number that is told apart; None for no bound.
        high: highest likewise.
    """

    source: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: float | None = None
    high: float | None = None


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """All that must agree before a model is asked about a patch, and where it comes from.

    Args:
        model: name in the registry.
        title: name for tables; says 'random weights' where a paper's name would promise others.
        options: the model's, by name.
        bands: those it sees, in order.
        quantification: stored number of reflectance 1.
        offset: what was added to stored numbers; always 0, archives hold none.
        patch_pixels: edge of a patch at 10 m.
        native: whether it takes bands at their own pixel sizes.
        kernel: how 20 and 60 m bands are brought to 10 m, one of `KERNELS`.
        normalisation: of each band.
        nomenclature: name of the classes' nomenclature.
        classes: names, in the order of the scores.
        own: the whole nomenclature, where it is a user's; None for one that ships.
        members: of each of its classes the codes of CLC level 3 that it merges.
        split: name of the split it was trained on.
        split_digest: SHA-256 of that split.
        archive: name of the archive's folder.
        simulated: whether the archive, or a part of it, is simulated.
        epoch: how many epochs its weights were trained.
        recipe: of the training, whole.
        versions: of the programs that made it.
        weights: where weights that were not trained here come from; empty where all were.
    """

    format: int = FORMAT
    model: str
    title: str
    options: dict[str, Any]
    bands: tuple[str, ...]
    quantification: int
    offset: int = 0
    patch_pixels: int = 120
    native: bool = False
    kernel: str
    normalisation: Normalisation
    nomenclature: str
    classes: tuple[str, ...]
    own: Nomenclature | None = None
    members: tuple[tuple[int, ...], ...] = ()
    split: str
    split_digest: str
    archive: str
    simulated: bool
    epoch: int = 0
    recipe: dict[str, Any] = {}
    versions: dict[str, str] = {}
    weights: str = ""

    def __post_init__(self) -> None:
        norm, bands = self.normalisation, len(self.bands)
        if (len(norm.mean), len(norm.std)) != (bands, bands) or not bands:
            raise ValueError(f"{bands} bands, {len(norm.mean)} means, {len(norm.std)} deviations")
        if not all(math.isfinite(x) for x in norm.mean) or not all(
            0 < x < math.inf for x in norm.std
        ):
            raise ValueError("a mean that is no number, or a deviation that is not above 0")
        if len(self.members) != len(self.own or ()):
            raise ValueError(
                f"members of {len(self.members)} classes, not of {len(self.own or ())}"
            )
        if self.kernel not in KERNELS:
            raise ValueError(f"no kernel is called {self.kernel!r}")


def check_agrees(what: str, trained: object, here: object, where: str) -> None:
    """Raise where a checkpoint was trained with something else than is at hand.

    Raises:
        InputError: names both sides.
    """
    if trained != here:
        raise InputError(
            f"{what}: the model was trained with {_show(trained)}, here {_show(here)}",
            where=where,
            do="Take another model, or bring the archive to its form",
        )


def _show(value: object) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(map(str, value[:12]))
        return f"{len(value)} ({shown}{', …' if len(value) > 12 else ''})"
    return str(value)
