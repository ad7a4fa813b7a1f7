"""What every export shares: where it may write, which patches, how many processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benforge.archive.archive import Archive
from benforge.archive.layout import LAND_COVER, META, scene_path
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
