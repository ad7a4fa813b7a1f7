"""From shares of patches to the flags that are proposed, and how sure each proposal is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.screening import SCHEMA, SHARES

Floats = npt.NDArray[np.float32]


def propose(
    patch_ids: pa.Array | pa.ChunkedArray, shares: Floats, source: str, recipe: ScreenRecipe
) -> pa.Table:
    """Rows of a screening, of `SCHEMA`, in the order given.

    Args:
        patch_ids: of the patches.
        shares: `patch share`, in the order of `SHARES`.
        source: where the shares are from.
        recipe: the least shares that are proposed.
    """
    by_name = {name: shares[:, place] for place, name in enumerate(SHARES)}
    columns: dict[str, object] = {"patch_id": patch_ids, **by_name}
    for flag, (share, least) in flag_shares(by_name, recipe).items():
        columns[flag] = share >= np.float32(least)
        columns[f"{flag}_confidence"] = confidence(share, least)
    columns["source"] = (
        pa.array([source]).dictionary_encode().take(pa.array(np.zeros(len(shares), np.int8)))
    )
    return pa.table([columns[name] for name in SCHEMA.names], SCHEMA.names).cast(SCHEMA)


def flag_shares(
    shares: Mapping[str, Floats], recipe: ScreenRecipe
) -> dict[str, tuple[Floats, float]]:
    """Flag to the share that decides on it and the least share from which it is proposed."""
    return {
        SEASONAL_SNOW: (shares["snow"], recipe.minimum_snow),
        CLOUD_OR_SHADOW: (shares["cloud"] + shares["shadow"], recipe.minimum_cloud),
    }


def confidence(share: Floats, least: float) -> Floats:
    """How sure a proposal is, 0.5 to 1: it grows with the distance of the share from the least.

    0.5 at the least share, 1 at shares of 0 and of 1, straight lines between. An order to look
    at patches in, not a measured chance.
    """
    room = np.where(share >= least, 1 - least, least)
    away = np.abs(share - np.float32(least)) / np.maximum(room, 1e-6)
    return np.asarray(0.5 + 0.5 * np.clip(away, 0, 1), np.float32)
