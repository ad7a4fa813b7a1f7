"""The one pass of `kernels` as `prepare` calls it, where there is a GPU and Triton."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch

from benforge.loading.upsampling import KERNELS, Kernel

LEAST = 24
"""Edge of the smallest patch that the pass takes."""
WARPS = 4
"""Groups of 32 threads to a program."""


@dataclass(frozen=True, slots=True, eq=False)
class FusedGroup:
    """The bands of one pixel size, as the pass takes them, all on the device.

    Args:
        stored: where they stand among the stored ones, int32.
        seen: where they stand among the model's bands, int32.
        means: float32.
        scales: 1 / std, float32.
    """

    stored: torch.Tensor
    seen: torch.Tensor
    means: torch.Tensor
    scales: torch.Tensor

    @classmethod
    def of(
        cls, stored: Sequence[int], seen: Sequence[int], mean: torch.Tensor, std: torch.Tensor
    ) -> FusedGroup:
        """From positions and from tensors of any shape."""
        at, to = (torch.tensor(p, dtype=torch.int32, device=mean.device) for p in (stored, seen))
        return cls(at, to, mean.flatten().float(), 1 / std.flatten().float())


class Fused:
    """The pass.

    Args:
        kernels: the module that has it.
        warps: see `WARPS`.
    """

    def __init__(self, kernels: Any, warps: int = WARPS) -> None:
        self._kernels, self.warps = kernels, warps

    def fits(self, edge: int, edges: Sequence[int]) -> bool:
        """Whether patches of these edges, in pixels, can be brought to `edge`."""
        lines = self._kernels.LINES
        times = [edge // one for one in edges]
        whole = all(t * one == edge for t, one in zip(times, edges, strict=True))
        even = all(t == 1 or (t % 2 == 0 and lines % (4 * t) == 0) for t in times)
        return whole and even and edge % lines == 0

    def run(
        self,
        pixels: torch.Tensor,
        rows: torch.Tensor | None,
        turns: torch.Tensor | None,
        group: FusedGroup,
        kernel: Kernel,
        bounds: tuple[float | None, float | None],
        out: torch.Tensor,
    ) -> None:
        """Write the bands of one pixel size into `out`, `patch band row col`.

        Args:
            pixels: `stored_patch band row col`, int16 with the bits of uint16, contiguous.
            rows: `patch`, int64, which stored patch each is; all in order if None.
            turns: `patch`, uint8, 0 to 7; None leaves them as they lie.
            group: the bands.
            kernel: of the interpolation.
            bounds: lowest and highest stored value, None for no bound.
            out: contiguous.
        """
        if rows is None:
            rows = torch.arange(len(out), device=out.device)
        edge, lines = out.shape[-1], self._kernels.LINES
        programs = len(out) * len(group.stored) * (edge // lines)
        if not programs:
            return
        low, high = bounds
        with _on(out.device):
            self._kernels.prepare_patches[(programs,)](
                pixels,
                rows,
                rows if turns is None else turns,
                group.stored,
                group.seen,
                group.means,
                group.scales,
                out,
                0.0 if low is None else float(low),
                65535.0 if high is None else float(high),
                pixels[0].numel(),
                bands=len(group.stored),
                out_bands=out.shape[1],
                edge=edge,
                times=edge // pixels.shape[-1],
                a=KERNELS[kernel],
                clamp=low is not None or high is not None,
                turned=turns is not None,
                lines=lines,
                wide=1 << (edge - 1).bit_length(),
                num_warps=self.warps,
            )


def _on(device: torch.device) -> Any:
    """Triton launches on torch's current GPU."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


@cache
def find_fused(device: torch.device) -> Fused | None:
    """The pass, None where there is no GPU, no Triton, or one that does not work here."""
    if device.type != "cuda" or find_spec("triton") is None:
        return None
    try:
        from benforge.loading import kernels

        fused = Fused(kernels)
        pixels = torch.zeros((1, 1, LEAST, LEAST), dtype=torch.int16, device=device)
        one = torch.ones(1, device=device)
        out = torch.empty((1, 1, LEAST, LEAST), device=device)
        group = FusedGroup.of([0], [0], one, one)
        fused.run(pixels, None, None, group, "cubic-0.5", (None, None), out)
        works = bool((out == -1).all())
    except Exception:  # noqa: BLE001  Triton has many: no compiler, an old GPU, an old Triton
        return None
    return fused if works else None
