"""An explanation on disk: which bands a model leans on, and where in patches it looks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from benforge.core.files import read_json
from benforge.errors import InputError, MissingError

FORMAT = 1
"""Of `explain.json`; a higher one was written by a newer benforge."""
FOLDER, NOTE, CHART, MAPS = "explanation", "explain.json", "importance.png", "maps"
"""Folder in that of a run, and what is in it."""

Kind = Literal["right", "missed", "wrong"]
KINDS: tuple[Kind, ...] = ("right", "missed", "wrong")
"""What a model says of a label: given and true, true and not given, given and not true."""


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """How much lower a figure is when bands are permuted.

    Args:
        mean: over the repeats.
        deviation: standard deviation of the repeats, with n in the denominator.
        values: of each repeat.
    """

    mean: float
    deviation: float
    values: tuple[float, ...]


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """What permuting bands among patches, all of them together, costs.

    Args:
        name: of the band or group.
        bands: that were permuted.
        f1: drop of the F1 of samples.
        average_precision: drop of the mean over the classes that occur.
        per_class: drop of each class's average precision; None for a class that no patch has.
    """

    name: str
    bands: tuple[str, ...]
    f1: Drop
    average_precision: Drop
    per_class: tuple[Drop | None, ...]


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The figures before anything is permuted; names as in `Importance`."""

    f1: float
    average_precision: float
    per_class: tuple[float | None, ...]


class MapFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One activation map that was drawn.

    Args:
        file: of its picture, below the explanation's folder.
        patch_id: of the patch.
        taken: day and country.
        label: the class whose map it is.
        kind: what the model says of it here.
        score: of the class.
        true: labels of the patch.
        predicted: labels that the model gives it.
        share: of the patch that the class covers; None where the archive has no map.
        share_of_map: of the map's weight that lies on the class; None likewise, or where nothing
            speaks for the class.
    """

    file: str
    patch_id: str
    taken: str
    label: str
    kind: Kind
    score: float
    true: tuple[str, ...]
    predicted: tuple[str, ...]
    share: float | None = None
    share_of_map: float | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a model looks at, in a part of a split.

    Args:
        format: of the file.
        model: its title.
        run: name of the run's folder.
        weights: SHA-256 of its checkpoint.
        archive: name of the archive's folder.
        simulated: whether the archive, or what the model was trained on, is simulated.
        nomenclature: of the classes.
        classes: names, in order.
        split: name of the split.
        part: of the split.
        split_digest: SHA-256 of the split.
        patches: that were looked at.
        patches_of_part: that there are.
        threshold: from which score on a class is predicted.
        repeats: of each permutation.
        seed: of patches and permutations.
        grids: `feature row col` of the grids that the maps were taken at.
        base: the figures as they are.
        bands: each band of the model, in its order.
        groups: of bands; the last one is all of them.
        maps: that were drawn.
    """

    format: int = FORMAT
    model: str
    run: str
    weights: str
    archive: str
    simulated: bool
    nomenclature: str
    classes: tuple[str, ...]
    split: str
    part: str
    split_digest: str
    patches: int
    patches_of_part: int
    threshold: float
    repeats: int
    seed: int
    grids: tuple[tuple[int, int, int], ...]
    base: Base
    bands: tuple[Importance, ...]
    groups: tuple[Importance, ...]
    maps: tuple[MapFacts, ...]

    def of_what(self) -> str:
        """The model, the archive and the part, for titles; says what is simulated."""
        kind = "simulated archive" if self.simulated else "archive"
        return f"{self.model}, {kind} {self.archive}, {self.part} of {self.split}"


def read_explanation(folder: Path) -> Explanation:
    """The explanation in a folder.

    Raises:
        MissingError: there is none.
        InputError: it is damaged, or of a newer benforge.
    """
    path = folder / NOTE
    if not path.is_file():
        raise MissingError("holds no explanation", where=folder, do="Make one: ben explain")
    found = read_json(path, Explanation, do="Make it again: ben explain")
    if found.format > FORMAT:
        raise InputError(
            f"of format {found.format}, this benforge reads {FORMAT}",
            where=path,
            do="Update benforge",
        )
    return found
