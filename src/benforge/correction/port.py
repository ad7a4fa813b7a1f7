"""What takes the atmosphere off a product: the port of atmospheric processors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

from benforge.core.identity import ProductId
from benforge.core.progress import Progress
from benforge.scenes.port import SceneMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectOptions:
    """How to correct.

    Args:
        sen2cor: sen2cor's program L2A_Process or the folder it is installed in; None looks into
            SEN2COR_HOME, SEN2COR_BIN and PATH.
        patience: minutes that sen2cor may print nothing before it counts as hung.
        longest: minutes that sen2cor may take for a product.
        elevation: mean of the ground above the sea, m; for 6S.
        threads: bands that 6S corrects at once.
    """

    sen2cor: Path | None = None
    patience: float = 45.0
    longest: float = 360.0
    elevation: float = 0.0
    threads: int = 2


class Processor(Protocol):
    """Makes an L2A product from a product; may be used by several threads at once."""

    @property
    def name(self) -> str:
        """As the registry has it, "sixs"."""
        ...

    @property
    def version(self) -> str:
        """Of the program that does the work, "6S 1.1"."""
        ...

    @property
    def memory(self) -> float:
        """GiB that one product takes while it is worked on."""
        ...

    def room(self, product: Path, metadata: SceneMetadata) -> int:
        """Bytes on disk that the work takes at most, the result included."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """What the result depends on beside the product, as its `correction.json` has it.

        Empty where products are taken over as they are.
        """
        ...

    def check(self, product: Path, metadata: SceneMetadata) -> None:
        """Look, without decoding a band, whether the product is one to work on.

        Raises:
            ProductError: it is not.
        """
        ...

    def made(self, found: ProductId) -> bool:
        """Whether a product of this id may have been made by this processor."""
        ...

    def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
        """Make the L2A product.

        Args:
            product: a path that `open_scene` takes; only read.
            folder: an empty folder to write into.
            stop: set when the work is to end early.
            progress: told what is being done, with percent.

        Returns:
            The product's folder, in `folder`.

        Raises:
            StoppedError: `stop` was set.
            BenError: it cannot be made.
        """
        ...
