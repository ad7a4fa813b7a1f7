"""The folder that an archive grows in: begun, held to its rules, ended, or given up."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import msgspec

from benforge.archive.build_plan import Held
from benforge.archive.build_recipe import BuildRecipe
from benforge.archive.index import read_provenance, write_index
from benforge.archive.layout import BUILD, INDEX, META, SCENES, SIDECARS, scene_names, scene_path
from benforge.archive.meta import ArchiveMeta, read_meta, write_meta
from benforge.core.files import clear_drafts, is_draft
from benforge.core.nomenclature import Nomenclature
from benforge.core.sensor import Sensor
from benforge.errors import ArchiveError, ConflictError


def check_target(out: Path) -> None:
    """Raise unless `out` is new, empty, or an archive.

    Raises:
        ArchiveError: it is a file, or a folder of other things.
    """
    if out.exists() and not out.is_dir():
        raise ArchiveError("not a folder", where=out, do="Name a new folder with --out")
    if out.is_dir() and not (out / META).is_file() and any(map(_is_strange, out.iterdir())):
        raise ArchiveError(
            "the folder holds other things and is not an archive",
            where=out,
            do="Name a new folder with --out",
        )


def _is_strange(path: Path) -> bool:
    """Whether this is no draft, of a build that was killed or of a worker that was cut off."""
    empty = path.name == SCENES and path.is_dir() and not any(path.iterdir())
    return not (empty or path.name.startswith(BUILD) or is_draft(path))


def open_meta(
    out: Path, recipe: BuildRecipe, nomenclature: Nomenclature, sensor: Sensor
) -> ArchiveMeta:
    """The meta to go on with: that of the archive there if it holds scenes, else a new one.

    Nothing is written. An archive without a scene binds nobody to its rules.

    Raises:
        ArchiveError: `archive.json` is damaged or newer.
        ConflictError: the archive was imported, or built by other rules.
    """
    rules = msgspec.to_builtins(recipe)
    if (out / META).is_file():
        meta = read_meta(out)
        if meta.scenes or scene_names(out):
            _check_rules(out, meta.recipe, rules)
            _check_sensor(out, meta.sensor, sensor)
            return meta
    return ArchiveMeta(
        profile=recipe.profile,
        recipe=rules,
        sensor=sensor,
        nomenclature=nomenclature,
    )


def _check_rules(out: Path, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    if "imported" in old:
        raise ConflictError(
            f"this archive was imported from layout {old['imported']}",
            where=out,
            do="Build into another folder",
        )
    if differing := _differing(_with_defaults(old), new):
        raise ConflictError(
            f"the archive was built by other rules: {', '.join(differing)}",
            where=out,
            do="Use the same profile, recipe and --set, or another folder",
        )


def _with_defaults(recipe: Mapping[str, object]) -> Mapping[str, object]:
    """A recipe of an older benforge, with the rules that came later as they were then."""
    try:
        told: Mapping[str, object] = msgspec.to_builtins(msgspec.convert(recipe, BuildRecipe))
    except msgspec.ValidationError:
        return recipe
    return told


def _check_sensor(out: Path, old: Sensor, new: Sensor) -> None:
    if old != new:
        raise ConflictError(
            f"the archive holds {old.name} and not these bands of {new.name}",
            where=out,
            do="Build into another folder",
        )


def _differing(old: Mapping[str, object], new: Mapping[str, object], path: str = "") -> list[str]:
    """Dotted names of the rules that are not equal."""
    found: list[str] = []
    for key in sorted({*old, *new}):
        a, b = old.get(key), new.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += _differing(a, b, f"{path}{key}.")
        elif _plain(a) != _plain(b):
            found.append(f"{path}{key} was {a}, is {b}")
    return found


def _plain(value: object) -> object:
    """The value as JSON knows it: a tuple is a list."""
    return msgspec.json.decode(msgspec.json.encode(value))


def read_held(out: Path) -> dict[str, Held]:
    """The scenes that are there, and what they were built from.

    Raises:
        ArchiveError: a scene is damaged.
    """
    found = {}
    for name in scene_names(out):
        provenance = read_provenance(scene_path(out, name))
        inputs = provenance.get("inputs")
        found[name] = Held(
            str(provenance.get("level", "")),
            str(provenance.get("baseline", "")),
            inputs if isinstance(inputs, Mapping) else {},
            str(provenance.get("origin_baseline", "")),
        )
    return found


def clear_leavings(root: Path) -> None:
    """Remove what killed builds left behind; call it while `locking.writing` is held.

    A worker of a cluster that was cut off may still write there: the folder is set aside in one
    step, so that the worker finds its draft whole or gone.
    """
    with suppress(FileNotFoundError):
        (root / BUILD).rename(root / f"{BUILD}-{secrets.token_hex(8)}")
    for folder in root.glob(f"{BUILD}*"):
        rmtree(folder, ignore_errors=True)
    for folder in (root, *(root / name for name in SIDECARS)):
        clear_drafts(folder)


def begin(out: Path, meta: ArchiveMeta) -> None:
    """Clear up after a build that was killed, and make the folder an archive.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    clear_leavings(out)
    write_meta(out, meta)


def end(out: Path, meta: ArchiveMeta, anew: Collection[str]) -> ArchiveMeta:
    """Clear up and list the scenes that are whole; the old checksums of those `anew` are void.

    Raises:
        ArchiveError: a scene is damaged.
        StorageError: the disk is full.
    """
    clear_leavings(out)
    return write_index(out, meta, anew)


def give_up(out: Path, meta: ArchiveMeta, anew: Collection[str]) -> None:
    """After a failure: list the scenes that are whole; where there is none, leave nothing."""
    if meta.scenes or scene_names(out):
        end(out, meta, anew)
        return
    clear_leavings(out)
    for name in (META, INDEX):
        (out / name).unlink(missing_ok=True)
    for folder in (out / SCENES, out):
        with suppress(OSError):  # not empty, or not there
            folder.rmdir()
