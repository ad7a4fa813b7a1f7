"""From a selection to products that an archive can be built from: choose, fetch, correct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benforge.core.progress import Progress, silent
from benforge.correction.correct import correct_products
from benforge.correction.port import CorrectOptions
from benforge.errors import InputError
from benforge.pipeline.tiles import TilesRequest, select
from benforge.tiles.fetch import fetch_selection
from benforge.tiles.fetch_plan import Via
from benforge.tiles.named import NAMED
from benforge.tiles.selection import Selection


@dataclass(frozen=True, slots=True)
class Beside:
    """Where each stage keeps what it made, beside the archive."""

    archive: Path

    @property
    def selection(self) -> Path:
        """What was chosen."""
        return self.archive.with_name(f"{self.archive.name}.selection.json")

    @property
    def products(self) -> Path:
        """What was fetched."""
        return self.archive.with_name(f"{self.archive.name}.products")

    @property
    def corrected(self) -> Path:
        """What was corrected."""
        return self.archive.with_name(f"{self.archive.name}.l2a")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Products that are ready.

    Args:
        products: their paths.
        stages: what each stage did, in words.
    """

    products: tuple[Path, ...]
    stages: Mapping[str, str]

    def facts(self) -> dict[str, object]:
        """What a terminal shows of it."""
        return dict(self.stages)


def prepare_products(
    source: str,
    out: Path,
    level: str,
    *,
    api: str = "",
    via: Via = "http",
    processor: str | None = None,
    options: CorrectOptions | None = None,
    progress: Progress = silent,
) -> Prepared:
    """The products of a selection, fetched, and corrected where the archive takes L2A.

    Each stage keeps what it made beside the archive and leaves alone what is there, so the same
    call goes on where another was interrupted.

    Args:
        source: file of a selection, or the name of one.
        out: the archive's folder.
        level: "L1C" or "L2A", which the archive takes.
        api: catalogue of a named selection, or profile of a file's where it does not tell.
        via: how files are reached, where a catalogue offers both.
        processor: what corrects the atmosphere; None takes sen2cor where found, else 6S.
        options: how to correct.
        progress: told what is being done.

    Raises:
        BenError: whatever a stage raises; stages before it are kept.
    """
    beside = Beside(out.absolute())
    chosen = _chosen(source, beside, api, progress)
    _check_level(chosen, level, source)
    fetched = fetch_selection(
        chosen, beside.products, api=api, via=via, buildable=True, progress=progress
    )
    stages = {
        "chosen": str(len(chosen.entries)),
        "fetched": f"{fetched.fetched}, {fetched.held} there already",
    }
    if level == "L1C" or _levels(chosen) == {"L2A"}:
        return Prepared(fetched.paths, stages)
    made = correct_products(
        fetched.paths, beside.corrected, processor, options=options, progress=progress
    )
    stages["corrected"] = f"{made.corrected} by {made.processor}, {made.left_alone} there already"
    return Prepared(tuple(map(Path, made.products)), stages)


def _chosen(source: str, beside: Beside, api: str, progress: Progress) -> Selection:
    """The selection of a file; a named one is chosen from a catalogue once and kept."""
    if source not in NAMED:
        return Selection.read(Path(source))
    if not beside.selection.is_file():
        if not api:
            raise InputError(
                "a named selection is fetched from a catalogue",
                where=source,
                do="Name one, as in --api cdse",
            )
        select(TilesRequest(selection=source, api=api), progress).write(beside.selection)
    return Selection.read(beside.selection)


def _levels(selection: Selection) -> set[str]:
    return {entry.product.level for entry in selection.entries}


def _check_level(selection: Selection, level: str, source: str) -> None:
    """Raise where no correction leads from the selection's level to the archive's.

    Raises:
        InputError: levels are mixed, or L2A products for an archive of L1C.
    """
    levels = _levels(selection)
    if len(levels) > 1 or (level == "L1C" and levels != {"L1C"}):
        raise InputError(
            f"it holds {' and '.join(sorted(levels))} products, and the archive takes {level}",
            where=source,
            do="Choose with --level, or build with --set products.level=...",
        )
