"""`archive.json`: what an archive is and which scenes it holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from benforge import __version__
from benforge.archive.layout import META
from benforge.core.files import write_atomic
from benforge.core.nomenclature import Nomenclature
from benforge.core.sensor import Sensor
from benforge.errors import ArchiveError, ArchiveVersionError, MissingError

FORMAT = "benforge-archive"
VERSION = 1


def _software() -> dict[str, str]:
    return {"benforge": __version__}


class SceneEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One scene of an archive.

    Args:
        name: `scenes/<name>.zarr`.
        product: product id without generation time.
        source: full id of the product that the pixels come from.
        patches: how many of its patches the archive holds.
        manifest: SHA-256 of the scene's `manifest.sha256`.
    """

    name: str
    product: str
    source: str
    patches: int
    manifest: str


class ArchiveMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What `archive.json` says: no clock, no path, no host, so equal inputs give equal bytes.

    Args:
        format: what kind of folder this is.
        version: of the format.
        software: name to version of what wrote the archive.
        profile: "ben-v1", "ben-v2", "custom".
        recipe: every rule the archive was built by, JSON-able.
        simulated: whether any of its scenes was simulated.
        nomenclature: the classes of the column `labels`.
        sensor: bands and their order.
        scenes: sorted by name.
    """

    format: str = FORMAT
    version: int = VERSION
    software: Mapping[str, str] = msgspec.field(default_factory=_software)
    profile: str
    recipe: Mapping[str, Any]
    simulated: bool = False
    nomenclature: Nomenclature
    sensor: Sensor
    scenes: tuple[SceneEntry, ...] = ()

    def with_scenes(self, scenes: tuple[SceneEntry, ...]) -> ArchiveMeta:
        """The same archive holding other scenes."""
        return msgspec.structs.replace(self, scenes=scenes)


def write_meta(root: Path, meta: ArchiveMeta) -> None:
    """Write `archive.json` atomically.

    Raises:
        StorageError: the disk is full.
    """
    text = msgspec.json.format(msgspec.json.encode(meta, order="deterministic"), indent=2)
    write_atomic(root / META, text + b"\n")


def read_meta(root: Path) -> ArchiveMeta:
    """Read `archive.json`.

    Raises:
        MissingError: there is no such folder.
        ArchiveError: the folder is not an archive, or `archive.json` is damaged.
        ArchiveVersionError: a newer benforge wrote it.
    """
    if not root.is_dir():
        raise MissingError("there is no such folder", where=root, do="Name the archive's folder")
    path = find_meta(root)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _damaged(f"it cannot be read, {error.strerror}", path) from error
    return _parse_meta(data, path)


def find_meta(root: Path) -> Path:
    """Where `archive.json` is.

    Raises:
        ArchiveError: the folder holds none: it was never begun, or its run has given it up.
    """
    path = root / META
    if not path.is_file():
        raise ArchiveError("not an archive, it holds no archive.json", where=root)
    return path


def _parse_meta(data: bytes, path: Path) -> ArchiveMeta:
    try:
        head = msgspec.json.decode(data, type=dict[str, Any])
        _check_version(head, path)
        meta = msgspec.convert(head, ArchiveMeta)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(str(error), path) from error
    if not meta.sensor.pixel_sizes or meta.sensor.pixel_sizes[0] < 1:
        raise _damaged("no band with pixels of 1 m or more", path)
    return meta


def _damaged(what: str, path: Path) -> ArchiveError:
    return ArchiveError(
        f"damaged, {what}", where=path, do="Build again, or restore the file from a copy"
    )


def _check_version(head: Mapping[str, Any], path: Path) -> None:
    if head.get("format") != FORMAT:
        raise ArchiveError("not an archive of benforge", where=path)
    version = head.get("version")
    if isinstance(version, int) and version < 1:
        raise _damaged(f"there is no format {version}", path)
    if isinstance(version, int) and version > VERSION:
        raise ArchiveVersionError(
            f"written in format {version}, this benforge reads up to {VERSION}",
            where=path,
            do="Install a newer benforge: pip install --upgrade benforge",
        )
