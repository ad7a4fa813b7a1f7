"""The processes of a training: one, or those that torchrun started, one a GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist

from benforge.loading.devices import find_device
from benforge.loading.order import Positions, cut


@dataclass(frozen=True, slots=True)
class Processes:
    """One process among its like; gradients and figures are summed over all of them.

    Args:
        rank: number of this one; 0 writes and speaks.
        count: how many there are.
        device: what this one computes on.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this one writes and speaks."""
        return self.rank == 0

    def share(self, order: Positions, size: int) -> Positions:
        """What is for this process of every batch of `size`, batch after batch."""
        if self.count == 1:
            return order
        parts = [order[part][self.rank :: self.count] for part in cut(len(order), size)]
        return np.concatenate(parts) if parts else order

    def add_up(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, in place."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def add_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Sum the gradients of all processes, in one message; a missing one counts as 0."""
        if self.count == 1:
            return
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        flat = self.add_up(torch.cat([grad.reshape(-1) for grad in grads]))
        start = 0
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = flat[start : start + grad.numel()].view_as(grad)
            start += grad.numel()

    def gather_rows(self, rows: torch.Tensor, size: int, total: int) -> torch.Tensor:
        """Rows that the processes computed of their shares, back in the order of the whole.

        Args:
            rows: of `share(order, size)`, in its order.
            size: patches a batch.
            total: rows of the whole.
        """
        if self.count == 1:
            return rows
        whole = torch.zeros((total, *rows.shape[1:]), dtype=rows.dtype, device=rows.device)
        mine = self.share(np.arange(total), size)
        whole[torch.as_tensor(mine, device=rows.device)] = rows
        return self.add_up(whole)


@contextmanager
def joined_processes(device: str = "") -> Iterator[Processes]:
    """The processes that torchrun started, or this one alone.

    Args:
        device: "cpu", "cuda" or "cuda:1"; the fastest there is if empty.

    Raises:
        InputError: no such device.
    """
    rank, count = (int(os.environ.get(name, d)) for name, d in (("RANK", "0"), ("WORLD_SIZE", "1")))
    chosen = find_device(device)
    if count == 1:
        yield Processes(0, 1, chosen)
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count, chosen)
    finally:
        dist.destroy_process_group()
