"""Countries beside the nearest polygon: near a border, or far from it."""

from __future__ import annotations

import numpy as np
import pytest

from benforge.conformance.borders import hold_borders

ARLON = (700_000.0, 5_505_000.0)
"""Near Arlon: in Belgium, close to Luxembourg."""


@pytest.mark.parametrize(
    ("told", "nearest", "held"),
    [
        ("Belgium", "Belgium", True),
        ("Luxembourg", "Belgium", True),
        ("Belgium", "Luxembourg", True),
        ("Finland", "Belgium", False),
        ("Atlantis", "Belgium", False),
        (None, "Belgium", False),
    ],
)
def test_one_patch(told: str | None, nearest: str, held: bool) -> None:
    one = (np.array([value], object) for value in (told, nearest, "EPSG:32631"))
    assert hold_borders(*one, np.array([[x] for x in ARLON]), 1200).tolist() == [held]
