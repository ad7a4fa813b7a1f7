"""What every export shares: where it may write, which patches, how many processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benforge.archive.archive import Archive
from benforge.archive.layout import LAND_COVER, META, scene_path
from benforge.core.files import clear_drafts
from benforge.core.split import Split
from benforge.errors import ConflictError, InputError

CHUNK = 256
"""Patches that a process writes at a time."""


def check_target(archive: Archive, out: Path) -> None:
    """Raise where an export would lie in an archive, or in the place of a file.

    Raises:
        ConflictError: it would.
    """
    if (out / META).exists() or out.resolve().is_relative_to(archive.root.resolve()):
        raise ConflictError(
            "the folder is an archive or lies in one", where=out, do="Export into a new folder"
        )
    if out.exists() and not out.is_dir():
        raise ConflictError("not a folder", where=out, do="Export into a new folder")


def check_contents(out: Path, known: Callable[[str], bool]) -> None:
    """Clear up after an export that was killed, and raise where other things lie in its folder.

    Call it while `writing` is held. Hidden files are passed over.

    Args:
        out: the folder, which is there.
        known: whether a name is one that the export writes.

    Raises:
        ConflictError: a name is not.
    """
    clear_drafts(out)
    names = (name for name in os.listdir(out) if not name.startswith("."))  # noqa: PTH208
    if stranger := next((name for name in names if not known(name)), None):
        raise ConflictError(
            f"the folder holds other things, such as {stranger}",
            where=out,
            do="Export into a new folder",
        )


def choose_patches(archive: Archive, split: Split | None) -> Archive:
    """The patches to be exported: all, or those that a split names, in the order of the index.

    Raises:
        InputError: there is none.
    """
    if split is None:
        chosen, lacking = archive, "it holds no patch"
    else:
        chosen = archive.filter(np.asarray(split.assign(archive.index["patch_id"]).is_valid()))
        lacking = f"the split {split.name} names no patch of it"
    if not len(chosen):
        raise InputError(lacking, where=archive.root)
    return chosen


def has_land_cover(archive: Archive) -> bool:
    """Whether a scene of its patches has a reference map."""
    scenes = archive.index["scene"].unique().to_pylist()
    return any((scene_path(archive.root, scene) / LAND_COVER).is_dir() for scene in scenes)
