"""Whether `archive.json` agrees with itself and its scenes, and what else lies in the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benforge.archive.finding import Finding
from benforge.archive.index import read_provenance
from benforge.archive.layout import BUILD, INDEX, META, SCENES, SIDECARS, scene_names, scene_path
from benforge.archive.meta import ArchiveMeta
from benforge.core.nomenclature import Nomenclature, load_nomenclature
from benforge.errors import ArchiveError, InputError


def check_meta(root: Path, meta: ArchiveMeta) -> list[Finding]:
    """Every contradiction in `archive.json`.

    Args:
        root: the archive's folder.
        meta: what `archive.json` says.
    """
    faults = (*_recipe_faults(meta), *_class_faults(meta.nomenclature), *_origin_faults(root, meta))
    return [Finding(where=str(root / META), what=what) for what in faults]


def _recipe_faults(meta: ArchiveMeta) -> Iterator[str]:
    named = meta.recipe.get("profile", meta.profile)
    if not meta.recipe:
        yield "holds no recipe"
    if named != meta.profile:
        yield f"the recipe is of the profile {named}, the archive of {meta.profile}"


def _class_faults(nomenclature: Nomenclature) -> Iterator[str]:
    """A nomenclature from a user's file has a name of its own and is believed."""
    try:
        shipped = load_nomenclature(nomenclature.name)
    except InputError:
        return
    if (nomenclature.codes, nomenclature.names) != (shipped.codes, shipped.names):
        yield f"its classes are not those of {nomenclature.name}"


def _origin_faults(root: Path, meta: ArchiveMeta) -> Iterator[str]:
    """Whether the archive says of itself what its scenes say; damaged ones are told elsewhere."""
    try:
        told = [read_provenance(scene_path(root, scene.name)) for scene in meta.scenes]
    except (ArchiveError, InputError):
        return
    simulated = any(one.get("simulated", False) for one in told)
    if told and simulated != meta.simulated:
        says = ("does not say that scenes are", "says that scenes are")[meta.simulated]
        yield f"{says} simulated, which the scenes contradict"


def check_foreign(root: Path) -> Iterator[Finding]:
    """Whatever lies in the folder or in `scenes` and is not of the archive, as notes."""
    known = {root / name for name in (META, INDEX, SCENES, BUILD, *SIDECARS)}
    known |= {root / SCENES / f"{name}.zarr" for name in scene_names(root)}
    for path in sorted({*root.glob("*"), *(root / SCENES).glob("*")} - known):
        yield Finding(where=str(path), what="not of the archive, nothing reads it", severity="note")
