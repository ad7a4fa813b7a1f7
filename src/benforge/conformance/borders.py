"""Countries as published, which at a border are not always the nearest polygon (fidelity 17)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benforge.archive.footprints import centres, footprints
from benforge.conformance.fact import Mask
from benforge.labels.countries import degrees_from

BORDER = 0.2
"""Degrees from the polygon of its country that a patch lies at most. Of v1's 590,326 patches 496
are listed in another country than the nearest, by no rule that is published: all of Belgium and
Luxembourg or of Serbia and Kosovo, and within 0.18 degrees of the one that is listed."""


def hold_borders(
    told: npt.NDArray[np.object_],
    nearest: npt.NDArray[np.object_],
    crs: npt.NDArray[np.object_],
    corners: npt.NDArray[np.float64],
    edge: float,
) -> Mask:
    """Patch: whether its country is the nearest, or lies within `BORDER` of it.

    Args:
        told: the country of each patch.
        nearest: the country of each patch by our rule.
        crs: of each patch.
        corners: `2 patch`, easting and northing of their upper-left corners, m.
        edge: of a patch, m.
    """
    held = np.asarray(told == nearest, np.bool_)
    others = np.flatnonzero(~held)
    for zone in set(crs[others]):
        here = others[crs[others] == zone]
        shapes = footprints(str(zone), corners[0, here], corners[1, here], edge)
        held[here] = degrees_from(*centres(shapes), told[here]) <= BORDER
    return held
