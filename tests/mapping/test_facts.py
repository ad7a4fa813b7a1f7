"""Classes of a map: of a nomenclature that ships, of a user's, or of none that is known."""

from __future__ import annotations

from typing import Any

import msgspec

from benforge.core.nomenclature import LandCoverClass, Nomenclature
from benforge.mapping.facts import MapFacts, find_classes


def facts(**changes: Any) -> MapFacts:
    told: dict[str, Any] = {
        "product": "p", "fingerprint": "f", "model": "m", "weights": "w", "threshold": 0.5,
        "stride": 120, "edge": 120, "keep_clouds": False, "vector": "gpkg",
    }  # fmt: skip
    return MapFacts(**told | changes)


def test_classes_of_each_kind() -> None:
    known = facts(nomenclature="ben-19", classes=("Pastures",))
    assert find_classes(known)[0].color == (230, 230, 77)
    mine = Nomenclature("mine", (LandCoverClass(7, "Trees", (1, 2, 3)),))
    yours = facts(nomenclature="mine", classes=("Trees",), own=mine)
    assert find_classes(yours) == mine.classes
    strange = facts(nomenclature="mine", classes=("Trees",))
    assert find_classes(strange) == (LandCoverClass(1, "Trees", (128, 128, 128)),)


def test_a_note_keeps_the_classes_and_tags_do_not() -> None:
    mine = Nomenclature("mine", (LandCoverClass(7, "Trees", (1, 2, 3)),))
    told = facts(nomenclature="mine", classes=("Trees",), own=mine)
    assert msgspec.json.decode(msgspec.json.encode(told), type=MapFacts) == told
    assert {"own", "classes", "format"}.isdisjoint(told.tags())
