"""Where in a patch a model looks: class activation maps of any network that works on grids.

The maps are those of HiResCAM (R. L. Draelos and L. Carin, 2020): in each cell of a grid, features
times what the logit gains by each of them. Grad-CAM (Selvaraju et al. 2017) takes the mean gain
over the grid in place of the cell's own; where the network averages the grid (ResNet, ConvNeXt)
both are the same but for a factor, and where a fully connected layer weighs every cell by itself
(S-CNN, K-Branch) that mean would show cells that the network does not heed.

Which grids: those that the network makes features of, that is the last ones of its convolutions.
They are found by watching it work, so that no network names its layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from benforge.errors import InputError
from benforge.loading.prepare import ModelInput
from benforge.models.port import EDGE

Maps = npt.NDArray[np.float32]
"""`patch row col`, 120 x 120, 0 or more."""


class _Watch(TorchFunctionMode):
    """Follows what is computed of the inputs, and keeps the grids that end in features.

    A grid is `patch feature row col` of more than one cell. Where an operation is given a grid and
    returns none, that grid has ended; where a grid is made of what came of it after all (as where
    a block weighs its grid by means of it), it has not.
    """

    def __init__(self, inputs: Iterable[Tensor]) -> None:
        super().__init__()
        self.ended: dict[int, Tensor] = {}
        self._from: dict[int, frozenset[int]] = {id(one): frozenset() for one in inputs}
        self._kept: list[Tensor] = []  # so that no two have the same id

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = [one for one in _tensors([args, kwargs]) if id(one) in self._from]
        if given:
            for one in _tensors(result):
                self._take(given, one)
        return result

    def _take(self, given: Sequence[Tensor], result: Tensor) -> None:
        came = frozenset[int]().union(*(self._from[id(one)] for one in given))
        self._kept.append(result)
        if _is_grid(result):
            for grid in came:
                self.ended.pop(grid, None)
            self._from[id(result)] = frozenset()
            return
        grids = {id(one): one for one in given if _is_grid(one)}
        self.ended |= grids
        self._from[id(result)] = came | grids.keys()


def _is_grid(tensor: Tensor) -> bool:
    return tensor.ndim == 4 and tensor.shape[2] * tensor.shape[3] > 1


def _tensors(given: Any) -> Iterator[Tensor]:
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, dict):
        yield from _tensors(list(given.values()))
    elif isinstance(given, list | tuple):
        for one in given:
            yield from _tensors(one)


def activation_maps(
    model: nn.Module, inputs: ModelInput, classes: Sequence[int]
) -> tuple[Maps, tuple[tuple[int, int, int], ...]]:
    """Where the model finds what speaks for one class in each patch.

    Several grids, as of a network with a branch for each pixel size, are brought to 120 x 120 and
    added, each cell's weight spread over its ground. What speaks against the class is left out.

    Args:
        model: in evaluation mode.
        inputs: as the model takes them.
        classes: for each patch, the place of its class.

    Returns:
        The maps, in logits a pixel, and `feature row col` of each grid.

    Raises:
        InputError: the network works on no grid.
    """
    native = isinstance(inputs, tuple)
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    with torch.enable_grad():
        own = tuple(one.detach().requires_grad_() for one in given)
        with _Watch(own) as seen:
            logits: Tensor = model(own if native else own[0])
        pairs = _gains(logits, classes, list(seen.ended.values()))
    if not pairs:
        raise InputError(
            "the network works on no grid of features, so there is no map of what it looks at",
            where=type(model).__name__,
            do="Use a model of ben models",
        )
    spread = torch.stack([_spread((grid * gain).sum(1, keepdim=True)) for grid, gain in pairs])
    maps: Maps = spread.sum(0)[:, 0].clamp(min=0).cpu().numpy()
    shapes = ((int(g.shape[1]), int(g.shape[2]), int(g.shape[3])) for g, _ in pairs)
    return maps, tuple(shapes)


def _gains(
    logits: Tensor, classes: Sequence[int], grids: list[Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """Each grid that the logits hang on, and what the logit of the class gains by its features."""
    grids = [grid for grid in grids if grid.requires_grad]
    if not grids:
        return []
    chosen = logits[torch.arange(len(classes)), torch.as_tensor(classes)].sum()
    gains = torch.autograd.grad(chosen, grids, allow_unused=True)
    pairs = zip(grids, gains, strict=True)
    return [(grid.detach(), gain) for grid, gain in pairs if gain is not None]


def _spread(cells: Tensor) -> Tensor:
    """`patch 1 row col` brought to 120 x 120, the sum of a patch about kept."""
    share = cells.shape[2] * cells.shape[3] / EDGE**2
    return F.interpolate(cells.float(), (EDGE, EDGE), mode="bilinear") * share
