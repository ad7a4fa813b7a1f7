"""Whether a scene's files are the ones that were written, and its arrays have the right shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from benforge.archive.finding import Finding
from benforge.archive.layout import ArrayPlan, SceneFrame, plan_arrays
from benforge.archive.manifest import hash_file, read_manifest, scene_files
from benforge.core.sensor import Sensor
from benforge.errors import ArchiveError


def check_files(folder: Path, pool: Executor) -> list[Finding]:
    """Every file that is damaged, missing or surplus, by the scene's checksums."""
    try:
        expected = read_manifest(folder)
    except ArchiveError as error:
        return [Finding(where=error.where, what=error.what)]
    there = set(scene_files(folder))
    sums = pool.map(lambda name: _hash(folder / name), sorted(there & set(expected)))
    found = dict(zip(sorted(there & set(expected)), sums, strict=True))
    wrong = {name: _verdict(digest, expected[name]) for name, digest in found.items()}
    wrong |= dict.fromkeys(set(expected) - there, "missing")
    wrong |= dict.fromkeys(there - set(expected), "not of this scene, no checksum names it")
    return [
        Finding(where=str(folder / name), what=wrong[name]) for name in sorted(wrong) if wrong[name]
    ]


def _hash(path: Path) -> str | OSError:
    try:
        return hash_file(path)
    except OSError as error:
        return error


def _verdict(digest: str | OSError, expected: str) -> str:
    if isinstance(digest, OSError):
        return f"cannot be read, {digest.strerror or digest}"
    return "" if digest == expected else "damaged, its checksum differs"


def check_structure(folder: Path, frame: SceneFrame, sensor: Sensor) -> Iterator[Finding]:
    """Whether every array of bands is there, and every array is cut as the frame says."""
    for plan in plan_arrays(sensor).values():
        path = folder / plan.name / "zarr.json"
        if path.is_file():
            yield from _check_array(path, plan, frame)
        elif plan.bands:
            yield Finding(where=str(path), what="missing")


def _check_array(path: Path, plan: ArrayPlan, frame: SceneFrame) -> Iterator[Finding]:
    edge = frame.patch_edge(plan.pixel_size)
    try:
        found = _read_shape(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        yield Finding(where=str(path), what=f"cannot be read, {_reason(error)}")
        return
    expected = {
        "data type": plan.dtype,
        "shape": list(plan.shape(frame.rows * edge, frame.columns * edge)),
        "chunk": list(plan.shape(edge, edge)),
    }
    for what, value in expected.items():
        if found[what] != value:
            yield Finding(where=str(path), what=f"{what} {found[what]}, expected {value}")


def _reason(error: Exception) -> str:
    """What is wrong in words; a key or a place that is not there has none."""
    return "its metadata are not an array's" if isinstance(error, LookupError) else str(error)


def _read_shape(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data type": metadata["data_type"],
        "shape": metadata["shape"],
        "chunk": metadata["codecs"][0]["configuration"]["chunk_shape"],
    }
