"""What every file of a map tells of where it comes from."""

from __future__ import annotations

from typing import Literal

import msgspec

from benforge.core.nomenclature import LandCoverClass, Nomenclature, load_nomenclature
from benforge.errors import InputError

VectorFormat = Literal["gpkg", "parquet"]
FORMAT = 1
"""Of a map's folder; a higher one was written by a newer benforge."""
_UNKNOWN = (128, 128, 128)


class MapChoices(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may choose of a map.

    Args:
        stride: pixels of 10 m from one window to the next; None for the edge of a patch.
        threshold: score from which on a class is a label, 0 to 1.
        keep_clouds: whether windows under cloud and shadow are asked about too.
        vector: "gpkg" (GeoPackage) or "parquet" (GeoParquet).

    Raises:
        InputError: a threshold outside 0 to 1.
    """

    stride: int | None = None
    threshold: float = 0.5
    keep_clouds: bool = False
    vector: VectorFormat = "gpkg"

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise InputError(
                f"a threshold of {self.threshold}", do="Scores are probabilities: name 0 to 1"
            )


class MapFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a map comes from.

    Args:
        format: of the folder.
        product: full id.
        fingerprint: of the product; see `SceneMetadata`.
        corrected_by: what took the atmosphere off; "" where the product was L2A.
        model: its title.
        weights: SHA-256 of the checkpoint.
        nomenclature: of the classes.
        classes: in the order of the bands.
        own: their nomenclature, where it is a user's.
        threshold: score from which on a class is a label.
        stride: pixels of 10 m from one window to the next.
        edge: of a window, likewise.
        keep_clouds: whether windows under cloud were asked about.
        vector: form of the patches.
        clouds_by: what told clouds.
        simulated: what of it is simulated: "", "model", "product" or "model and product".
    """

    format: int = FORMAT
    product: str
    fingerprint: str
    corrected_by: str = ""
    model: str
    weights: str
    nomenclature: str
    classes: tuple[str, ...]
    own: Nomenclature | None = None
    threshold: float
    stride: int
    edge: int
    keep_clouds: bool
    vector: VectorFormat
    clouds_by: str = ""
    simulated: str = ""

    def tags(self) -> dict[str, str]:
        """For the metadata of files; all but the classes."""
        found = msgspec.to_builtins(self)
        del found["format"], found["classes"], found["own"]
        return {name: _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    """As a tag says it: GDAL keeps no empty one."""
    return str(value).lower() if isinstance(value, bool) else str(value) or "no"


def name_simulated(*, model: bool, product: bool) -> str:
    """What of a map is simulated, in words."""
    return " and ".join(name for name, is_so in (("model", model), ("product", product)) if is_so)


def find_classes(facts: MapFacts) -> tuple[LandCoverClass, ...]:
    """The classes with codes and colours; grey and counted from 1 where they are not known."""
    names = facts.classes
    try:
        known = facts.own or load_nomenclature(facts.nomenclature)
        return tuple(known.by_name(name) for name in names)
    except InputError:
        return tuple(LandCoverClass(i, name, _UNKNOWN) for i, name in enumerate(names, start=1))
