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
    if not is_whole(archive):
        raise InputError(
            "some patches were filtered out, and this takes a whole archive",
            where=archive.root,
            do="Open it again, and name patches by a split and its part",
        )
    return archive.root


def is_whole(archive: Archive) -> bool:
    """Whether nothing was filtered out."""
    return len(archive) == sum(scene.patches for scene in archive.meta.scenes)


def run_of(run: AnyRun) -> Path:
    """The folder, or checkpoint, of a training."""
    return Path(run.run if isinstance(run, TrainSummary) else run)


def paths_of(paths: AnyPaths) -> list[Path]:
    """One path or several.

    Raises:
        InputError: something else than a path.
    """
    if isinstance(paths, str | os.PathLike):
        return [Path(paths)]
    found = []
    for path in paths:
        if not isinstance(path, str | os.PathLike):
            raise InputError(f"a {type(path).__name__} is no path", do="Name files or folders")
        found.append(Path(path))
    return found
