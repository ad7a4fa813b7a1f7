"""What to say when memory is short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from benforge.errors import MemoryShortError
from benforge.training.recipe import TrainRecipe


@contextmanager
def enough_memory(recipe: TrainRecipe) -> Iterator[None]:
    """Turn what torch and Python raise without memory into a line that says what to lower.

    Raises:
        MemoryShortError: there was too little.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _short(recipe) from error
    except RuntimeError as error:
        if "not enough memory" not in str(error) and "can't allocate memory" not in str(error):
            raise
        raise _short(recipe) from error


def _short(recipe: TrainRecipe) -> MemoryShortError:
    return MemoryShortError(
        f"too little memory for {recipe.batch_size // recipe.accumulate} patches at once",
        where="train",
        do=f"Raise accumulate above {recipe.accumulate}, which changes no result, "
        f"or lower batch_size below {recipe.batch_size}",
    )
