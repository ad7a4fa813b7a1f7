"""From an archive to the published v1 layout: one folder a patch, whole or not there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.executors import run_tasks, workers_for
from benforge.archive.index import read_provenance
from benforge.archive.layout import scene_path
from benforge.archive.locking import writing
from benforge.core.nomenclature import load_nomenclature
from benforge.core.progress import Progress, silent
from benforge.errors import InputError
from benforge.layouts.exporting import CHUNK, check_contents, check_target, choose_patches
from benforge.layouts.port import ExportOptions, ExportSummary
from benforge.layouts.scene_import import SIMULATED
from benforge.layouts.v1_lists import LISTS, PRODUCTS, write_lists
from benforge.layouts.v1_names import V1Name
from benforge.layouts.v1_naming import V1Naming, name_patches
from benforge.layouts.v1_write import V1Item, V1Job, write_patches


def export_v1(
    archive: Archive,
    out: Path,
    options: ExportOptions | None = None,
    progress: Progress = silent,
) -> ExportSummary:
    """Write the patches of an archive in the published v1 layout.

    What was imported comes back with equal pixels, geometry and JSON content. The JSON of a
    simulated patch has one key more than the published five, "simulated". A patch that never
    had a v1 name gets one from its sensing time. Patches that are there are left alone, so the
    same call goes on where one was cut off. Published quality marks, and the split that the
    options name, are written beside the patches as the published lists; so is the list of names
    and products where a name tells another time than its product.

    Args:
        archive: labels of `clc-43`, patches of 1,200 m.
        out: the folder for the patch folders.
        options: how.
        progress: told how many patches are done.

    Raises:
        InputError: the archive's labels or products are not what v1 publishes, or the split
            names none of its patches.
        GridError: patches of another size.
        ConflictError: two patches get one name, `out` holds another patch of a name, or `out`
            is an archive or lies in this one.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
    """
    start = time.monotonic()
    options = options or ExportOptions()
    _check_labels(archive)
    check_target(archive, out)
    chosen, naming = _choose(archive, options)
    workers, written = workers_for(options.workers, len(chosen)), 0
    with writing(out):
        check_contents(out, lambda name: V1Name.matches(name) or name in LISTS)
        jobs = _jobs(chosen, out, options, naming)
        for new, held in run_tasks(write_patches, jobs, workers):
            written += new
            progress("exporting", written + held, len(chosen))
        write_lists(chosen, out, naming.names, options.split, products=naming.shifted)
    return ExportSummary(
        new_patches=written,
        held_patches=len(chosen) - written,
        notes=_notes(naming),
        seconds=round(time.monotonic() - start, 3),
    )


def _choose(archive: Archive, options: ExportOptions) -> tuple[Archive, V1Naming]:
    """The patches to export and their names.

    Names are counted up over all patches, so that a patch is named alike whatever the split.
    """
    naming = name_patches(archive.index, count_up=True) if options.count_up else None
    chosen = choose_patches(archive, options.split)
    if naming is None:
        return chosen, name_patches(chosen.index)
    places = pc.index_in(chosen.index["patch_id"], archive.index["patch_id"])
    return chosen, _some(naming, places.to_pylist())


def _some(naming: V1Naming, positions: Sequence[int]) -> V1Naming:
    names = [naming.names[at] for at in positions]
    return V1Naming(names, [naming.counted[at] for at in positions], naming.shifted)


def _jobs(archive: Archive, out: Path, options: ExportOptions, naming: V1Naming) -> Iterator[V1Job]:
    kept = _kept_values(archive)
    items = (
        V1Item(name, record, counted, kept.of(record.scene, name))
        for name, counted, record in zip(
            naming.names, naming.counted, archive.records(), strict=True
        )
    )
    while chunk := tuple(islice(items, CHUNK)):
        yield V1Job(out, archive.pixels, archive.meta.sensor, options.compression, chunk)


@dataclass(frozen=True, slots=True)
class _KeptValues:
    """JSON values that a record does not rebuild: of all patches of a scene, and of single ones."""

    scenes: dict[str, dict[str, Any]]
    patches: dict[str, dict[str, Any]]

    def of(self, scene: str, name: str) -> dict[str, Any]:
        return self.scenes[scene] | self.patches.get(name, {})


def _kept_values(archive: Archive) -> _KeptValues:
    kept = _KeptValues({}, {})
    for scene in archive.index["scene"].unique().to_pylist():
        provenance = read_provenance(scene_path(archive.root, scene))
        # An imported patch has the key, if it has it, among its own values.
        marked = provenance.get("simulated", False) and "imported" not in provenance
        kept.scenes[scene] = {SIMULATED: True} if marked else {}
        for value in provenance.get("kept", ()):
            for name in value["patches"]:
                kept.patches.setdefault(name, {})[value["key"]] = value["value"]
    return kept


def _notes(naming: V1Naming) -> tuple[str, ...]:
    notes = []
    if counted := sum(1 for one in naming.counted if one):
        notes.append(
            f"{counted:,} names were counted up, since other tiles of the same time have them; "
            f"{PRODUCTS} tells their products."
        )
    return tuple(notes)


def _check_labels(archive: Archive) -> None:
    """Raise where labels are not v1's, or a patch has none."""
    nomenclature = archive.meta.nomenclature
    if nomenclature.names != load_nomenclature("clc-43").names:
        raise InputError(
            f"the v1 layout publishes labels of clc-43, these are of {nomenclature.name}",
            where=archive.root,
            do="Build the archive with --profile ben-v1",
        )
    bare = archive.index.filter(pc.equal(pc.list_value_length(archive.index["labels"]), 0))
    if len(bare):
        raise InputError(
            f"{len(bare):,} patches have no label, such as {bare['patch_id'][0]}; v1's have some",
            where=archive.root,
            do="Export them to v2, or build with rules that drop them",
        )
