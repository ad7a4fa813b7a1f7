"""ESA's sen2cor, 2.5 to 3.x, run on a copy of the product and believed only by its result."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from benforge.core.identity import ProductId
from benforge.core.progress import Progress
from benforge.correction.l1c import already_corrected, open_l1c
from benforge.correction.none import copy_product
from benforge.correction.port import CorrectOptions
from benforge.correction.report import write_report
from benforge.correction.sen2cor_find import need_sen2cor, read_version
from benforge.correction.sen2cor_log import read_failure
from benforge.correction.sen2cor_run import Ended, run_watched
from benforge.correction.sixs import BASELINE, raw_bytes
from benforge.errors import BenError, HungError, ProductError
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_files import open_files, split_tile
from benforge.scenes.safe_metadata import read_metadata

_TAKES_OUTPUT_DIR = (2, 8)
"""From this version on; before, the result lies beside the product."""

_EMPTY = ("AUX_DATA", "HTML", "rep_info")
_EMPTY_BELOW = {"GRANULE": ("AUX_DATA", "QI_DATA"), "DATASTRIP": ("QI_DATA",)}
"""Folders that may be empty, that zips and mirrors drop, and without which sen2cor fails."""


@dataclass(frozen=True, slots=True)
class Sen2Cor:
    """Atmospheric correction by sen2cor; see `Processor`.

    Args:
        options: where sen2cor is and how long it may take.
    """

    options: CorrectOptions

    @property
    def name(self) -> str:
        """Of the processor."""
        return "sen2cor"

    @property
    def program(self) -> Path:
        """The program.

        Raises:
            MissingError: it is not found.
        """
        return need_sen2cor(self.options.sen2cor).absolute()

    @property
    def version(self) -> str:
        """As the program tells it.

        Raises:
            MissingError: it is not found.
            InputError: it tells no version, or one that is not supported.
        """
        return "sen2cor " + ".".join(map(str, read_version(self.program)))

    @property
    def memory(self) -> float:
        """GiB a product; ESA asks for 8 GiB, of which a tile takes about 5."""
        return 5.0

    @property
    def settings(self) -> Mapping[str, object]:
        """The program's version."""
        return {"processor": self.version}

    def room(self, product: Path, metadata: SceneMetadata) -> int:
        """The product's copy, the result's bands at three pixel sizes and sen2cor's own tables."""
        copied = sum(open_files(split_tile(product)[0]).sizes.values())
        return copied + 4 * raw_bytes(metadata)

    def check(self, product: Path, metadata: SceneMetadata) -> None:
        """An L1C product with all bands, B10 too."""
        if metadata.level != "L1C":
            raise already_corrected(product)
        if metadata.simulated:
            raise ProductError(
                "a simulated product, which sen2cor would not call simulated",
                where=product,
                do="Use --processor sixs, which does",
            )
        open_l1c(product)

    def made(self, found: ProductId) -> bool:
        """Any L2A product without the mark of 6S."""
        return found.baseline != BASELINE.replace(".", "")

    def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
        """Make the L2A product; see `Processor.correct`."""
        program, version = self.program, read_version(self.program)
        folder = folder.absolute()  # the program runs in it
        progress("copying the product", 0, 100)
        given = _copy(product, folder / "l1c", stop)
        made = folder / "l2a" if version[:2] >= _TAKES_OUTPUT_DIR else given.parent
        made.mkdir(exist_ok=True)
        output = ["--output_dir", str(made)] if made != given.parent else []
        try:
            ended = run_watched(
                [str(program), *output, str(given)],
                folder,
                patience=60 * self.options.patience,
                longest=60 * self.options.longest,
                stop=stop,
                progress=progress,
            )
        except HungError as error:
            raise HungError(error.what, where=product, do=error.do) from error
        result = _result(product, made, ended)
        source = read_metadata(product).source
        write_report(result, {"processor": self.version, "source": source})
        return result


def _copy(product: Path, folder: Path, stop: Event) -> Path:
    """The product in a folder of its own, with the empty folders that sen2cor wants.

    sen2cor writes beside and into what it is given, so every file is copied: another name of the
    same bytes would let it change the user's.
    """
    given = folder / f"{read_metadata(product).source}.SAFE"
    copy_product(product, given, stop, _copy_file)
    _make_empty_folders(given)
    return given


def _copy_file(source: str, target: str) -> None:
    shutil.copyfile(source, target)


def _make_empty_folders(product: Path) -> None:
    for name in _EMPTY:
        (product / name).mkdir(exist_ok=True)
    for above, names in _EMPTY_BELOW.items():
        for place in product.glob(f"{above}/*/"):
            for name in names:
                (place / name).mkdir(exist_ok=True)


def _result(product: Path, folder: Path, ended: Ended) -> Path:
    """The L2A product that a run left, opened and so found whole.

    Raises:
        ProductError: there is none, or it does not open.
    """
    found = [path for path in folder.glob("S2?_MSIL2A_*.SAFE") if path.is_dir()]
    failure = read_failure(ended.lines)
    if ended.status or len(found) != 1:
        what, do = failure or (_silent(ended, len(found)), "Correct it with --processor sixs")
        raise ProductError(f"sen2cor failed: {what}", where=product, do=do)
    try:
        open_scene(found[0])
    except BenError as error:
        told = f" ({failure[0]})" if failure else ""
        raise ProductError(
            f"sen2cor ended well{told}, but its product does not open: {error.what}",
            where=product,
            do=failure[1] if failure else _advice(error.what),
        ) from error
    return found[0]


def _advice(what: str) -> str:
    if re.search(r"no file of band .*B0[19]", what):
        return "Set Downsample_20_to_60 to TRUE in sen2cor's L2A_GIPP.xml: archives need 60 m bands"
    return "Run it again, or use --processor sixs"


def _silent(ended: Ended, products: int) -> str:
    last = f"; its last line: {ended.lines[-1][:120]}" if ended.lines else ""
    if ended.status:
        return f"exit status {ended.status}{last}"
    return f"exit status 0, but it left {products or 'no'} L2A product{'s' * (products > 1)}{last}"
