"""The baseline that has learnt nothing but how frequent classes are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benforge.errors import InputError


def prior_scores(train_targets: npt.NDArray[np.bool_], n: int) -> npt.NDArray[np.float32]:
    """The share of training patches that have each class, for every patch alike.

    Args:
        train_targets: bool `patch label`.
        n: patches to predict.

    Returns:
        float32 `patch label`, n rows that are equal.

    Raises:
        InputError: no training patch.
    """
    if not len(train_targets):
        raise InputError("no training patch to take the frequency of classes from")
    share = train_targets.mean(0, dtype=np.float64).astype(np.float32)
    return np.tile(share, (n, 1))
