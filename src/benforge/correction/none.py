"""No correction: L2A products taken over as they are, so that one command serves both levels."""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from benforge.core.identity import ProductId
from benforge.core.progress import Progress
from benforge.errors import BenError, ProductError, StoppedError
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_files import FolderFiles, ZipFiles, open_files, split_tile
from benforge.scenes.safe_metadata import read_metadata


@dataclass(frozen=True, slots=True)
class NoCorrection:
    """Takes L2A products over; see `Processor`.

    On one disk the files become further names of the same bytes (hard links), elsewhere copies; a
    zip is unpacked.
    """

    @property
    def name(self) -> str:
        """Of the processor."""
        return "none"

    @property
    def version(self) -> str:
        """None is run."""
        return "none"

    @property
    def memory(self) -> float:
        """Next to nothing."""
        return 0.1

    @property
    def settings(self) -> Mapping[str, object]:
        """None."""
        return {}

    def room(self, product: Path, metadata: SceneMetadata) -> int:
        """All files of the product."""
        return sum(open_files(split_tile(product)[0]).sizes.values())

    def check(self, product: Path, metadata: SceneMetadata) -> None:
        """An L2A product with all bands."""
        if metadata.level != "L2A":
            raise ProductError(
                "an L1C product, whose atmosphere is still on",
                where=product,
                do="Give an L2A product, or correct it with --processor sixs or sen2cor",
            )
        open_scene(product)

    def made(self, found: ProductId) -> bool:
        """Any L2A product."""
        return True

    def correct(self, product: Path, folder: Path, *, stop: Event, progress: Progress) -> Path:
        """Take the L2A product over; see `Processor.correct`."""
        made = folder / f"{read_metadata(product).source}.SAFE"
        copy_product(product, made, stop)
        return made


def link_or_copy(source: str, target: str) -> None:
    """A second name of the same file, or a copy where the disk gives none."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)


def copy_product(
    product: Path, target: Path, stop: Event, copy: Callable[[str, str], None] = link_or_copy
) -> None:
    """All files of a product into a folder that is made; a zip is unpacked.

    Args:
        product: its folder, its main metadata file or its zip.
        target: the folder.
        stop: set when the work is to end early.
        copy: what copies a file of a folder.

    Raises:
        StoppedError: `stop` was set.
        ProductError: the zip is damaged.
    """

    def copy_unless_stopped(source: str, to: str) -> None:
        if stop.is_set():
            raise StoppedError("stopped")
        copy(source, to)

    files = open_files(split_tile(product)[0])
    if isinstance(files, ZipFiles):
        _unpack(files, target, stop)
    elif isinstance(files, FolderFiles):
        shutil.copytree(files.root, target, copy_function=copy_unless_stopped)


def _unpack(files: ZipFiles, target: Path, stop: Event) -> None:
    """The members; their names were checked when the zip was opened."""
    try:
        with zipfile.ZipFile(files.path) as archive:
            for name in files.sizes:
                if stop.is_set():
                    raise StoppedError("stopped")
                file = target / name
                file.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(files.prefix + name) as source, file.open("wb") as out:
                    shutil.copyfileobj(source, out, 2**20)
    except BenError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ProductError(
            f"cannot be unpacked ({error})", where=files.path, do="Download the product again"
        ) from error
