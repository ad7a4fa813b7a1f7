"""Two predictions of the same patches, put side by side, and the tiles that patches lie in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.identity import PatchId
from benforge.core.predictions import Predictions
from benforge.errors import InputError
from benforge.evaluation.counts import Decisions
from benforge.evaluation.threshold import Threshold


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """What two methods decided of the same patches; arrays bool `patch label`.

    Args:
        patch_ids: one a row.
        a: what the first predicted.
        b: what the second predicted.
        targets: what is true.
    """

    patch_ids: pa.StringArray
    a: Decisions
    b: Decisions
    targets: Decisions

    @classmethod
    def of(
        cls,
        a: Predictions,
        b: Predictions,
        threshold_a: Threshold | None = None,
        threshold_b: Threshold | None = None,
    ) -> Pair:
        """Put two predictions side by side, in the first's order.

        Args:
            a: the first.
            b: the second; its patches may stand in another order.
            threshold_a: default the one that `a` brings along.
            threshold_b: likewise of `b`.

        Raises:
            InputError: classes, patches or targets differ; names the first that does.
        """
        _check_classes(a.classes, b.classes)
        _check_patches(a.patch_ids, b.patch_ids)
        order = pc.index_in(a.patch_ids, b.patch_ids).to_numpy(zero_copy_only=False)
        _check_targets(a, b.targets[order])
        decided_a = (threshold_a or Threshold.of(a)).decide(a.scores)
        decided_b = (threshold_b or Threshold.of(b)).decide(b.scores[order])
        return cls(a.patch_ids, decided_a, decided_b, a.targets)

    def tiles(self) -> npt.NDArray[np.int64]:
        """The number of each patch's tile, counted from 0.

        Raises:
            InputError: an id that names no tile, or fewer than two tiles.
        """
        try:
            names = [PatchId.parse(text).tile for text in self.patch_ids.to_pylist()]
        except InputError as error:
            raise InputError(
                "clustered tests need benforge's patch ids, which name a tile",
                where=error.where,
                do="Rename the patches, or resample patches alone: --plain",
            ) from error
        tiles, number = np.unique(names, return_inverse=True)
        if len(tiles) < 2:
            raise InputError(
                f"clustered tests need two tiles or more, all patches lie in {tiles[0]}",
                do="Resample patches alone: --plain",
            )
        return number.astype(np.int64)


def _check_classes(a: tuple[str, ...], b: tuple[str, ...]) -> None:
    if a == b:
        return
    if len(a) != len(b):
        raise InputError(f"{len(a)} classes against {len(b)}", do=_ADVICE)
    i = next(i for i in range(len(a)) if a[i] != b[i])
    raise InputError(f"class {i + 1} is {a[i]!r} in one and {b[i]!r} in the other", do=_ADVICE)


def _check_patches(a: pa.StringArray, b: pa.StringArray) -> None:
    for name, these, those in (("first", a, b), ("second", b, a)):
        alone = these.filter(pc.invert(pc.is_in(these, those)))
        if len(alone):
            raise InputError(
                f"{len(alone):,} patches are in the {name} predictions alone",
                where=alone[0].as_py(),
                do=_ADVICE,
            )


def _check_targets(a: Predictions, targets: Decisions) -> None:
    differs = a.targets != targets
    if differs.any():
        row, column = np.argwhere(differs)[0]
        raise InputError(
            f"the targets of {differs.any(1).sum():,} patches differ, first {a.classes[column]}",
            where=a.patch_ids[row].as_py(),
            do=_ADVICE,
        )


_ADVICE = "Compare predictions of the same part of the same split"
