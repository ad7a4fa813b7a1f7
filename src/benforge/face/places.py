"""What users hand over, as the library takes it: folders."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from benforge.archive.archive import Archive
from benforge.errors import InputError
from benforge.training.train import TrainSummary

AnyPath = str | os.PathLike[str]
AnyArchive = AnyPath | Archive
"""An archive that is open, or its folder."""
AnyRun = AnyPath | TrainSummary
"""What a training returned, its folder, or its `model.safetensors`."""
AnyPaths = AnyPath | Iterable[AnyPath]


def folder_of(archive: AnyArchive) -> Path:
    """The folder of a whole archive.

    Raises:
        InputError: some of its patches were filtered out; the folder would bring them back.
    """
    if not isinstance(archive, Archive):
        return Path(archive)
    if len(archive) != sum(scene.patches for scene in archive.meta.scenes):
        raise InputError(
            "some patches were filtered out, and this takes a whole archive",
            where=archive.root,
            do="Open it again, and name patches by a split and its part",
        )
    return archive.root


def run_of(run: AnyRun) -> Path:
    """The folder, or checkpoint, of a training."""
    return Path(run.run if isinstance(run, TrainSummary) else run)


def paths_of(paths: AnyPaths) -> list[Path]:
    """One path or several."""
    if isinstance(paths, str | os.PathLike):
        return [Path(paths)]
    return [Path(path) for path in paths]
