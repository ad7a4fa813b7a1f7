"""What is told of an epoch while it runs: loss and sample F, summed where they are computed."""

from __future__ import annotations

import torch

from benforge.errors import BenError, InputError

LOSS, F1, PATCHES = 0, 1, 2


class Figures:
    """Sums over the patches of an epoch, on the device, in float64.

    Args:
        device: where they lie.
        sums: those of an epoch that was cut off: loss, F1, patches.
    """

    def __init__(self, device: torch.device, sums: tuple[float, ...] = (0.0, 0.0, 0.0)) -> None:
        kind = torch.float64 if device.type != "mps" else torch.float32
        self.sums = torch.tensor(sums, dtype=kind, device=device)

    def add(self, loss: torch.Tensor, logits: torch.Tensor, hot: torch.Tensor) -> None:
        """Add some patches.

        Args:
            loss: summed over patches, mean over labels.
            logits: `patch label`.
            hot: `patch label`, 0 and 1.
        """
        said = logits >= 0
        both = (said & (hot > 0)).sum(dim=1)
        either = said.sum(dim=1) + (hot > 0).sum(dim=1)
        f1 = torch.where(either > 0, 2 * both / either.clamp(min=1), 0.0)
        # filled on the device: a number that comes from the host would wait for all work before it
        count = torch.full_like(loss, len(hot), dtype=torch.float64)
        new = torch.stack([loss.double(), f1.sum().double(), count])
        self.sums += new.to(self.sums)

    def check(self, where: str) -> None:
        """Raise where the loss is no number.

        Raises:
            BenError: it is not.
        """
        if not bool(torch.isfinite(self.sums[LOSS])):
            raise diverged(where)


def diverged(where: str) -> BenError:
    """The error of a loss that is no number."""
    return InputError(
        "the loss is no number any more",
        where=where,
        do="Lower learning_rate (by ten, say), set clip=1, or use precision=fp32",
    )
