"""The published layouts that archives are made from and written to, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from benforge.archive.archive import Archive
from benforge.archive.layout import META
from benforge.core.progress import Progress, silent
from benforge.core.sensor import load_sensor
from benforge.errors import InputError, MissingError
from benforge.layouts.lmdb_export import export_lmdb
from benforge.layouts.lmdb_read import is_lmdb
from benforge.layouts.lmdb_source import import_lmdb
from benforge.layouts.parquet_export import export_parquet
from benforge.layouts.port import (
    ExportOptions,
    ExportSummary,
    ImportOptions,
    ImportSummary,
    Layout,
)
from benforge.layouts.v1_export import export_v1
from benforge.layouts.v1_import import import_v1
from benforge.layouts.v1_read import is_v1
from benforge.layouts.v2_export import export_v2
from benforge.layouts.v2_layout import is_v2
from benforge.layouts.v2_source import import_v2
from benforge.layouts.webdataset_export import export_webdataset

LAYOUTS: Mapping[str, Layout] = {
    "v1": Layout(
        name="v1",
        about="BigEarthNet v1: folders such as S2A_MSIL2A_20170613T101031_26_57 with _B01.tif "
        "to _B12.tif and _labels_metadata.json",
        detect=is_v1,
        exporter=export_v1,
        importer=import_v1,
        options=frozenset({"compression", "count_up"}),
    ),
    "v2": Layout(
        name="v2",
        about="BigEarthNet v2: BigEarthNet-S2/<product>/<patch> with _B01.tif to _B12.tif, "
        "metadata.parquet beside",
        detect=is_v2,
        exporter=export_v2,
        importer=import_v2,
        options=frozenset({"compression"}),
    ),
    "lmdb": Layout(
        name="lmdb",
        about="LMDB of safetensors as rico-hdl writes it: a folder with data.mdb, or one file",
        detect=is_lmdb,
        exporter=export_lmdb,
        importer=import_lmdb,
    ),
    "webdataset": Layout(
        name="webdataset",
        about="tar shards that the library webdataset streams",
        detect=lambda path: False,
        exporter=export_webdataset,
    ),
    "parquet": Layout(
        name="parquet",
        about="Parquet that the library datasets loads",
        detect=lambda path: False,
        exporter=export_parquet,
    ),
}


IMPORTED = tuple(name for name, layout in LAYOUTS.items() if layout.importer)
"""The layouts that an archive is made from."""


def load_layout(name: str, among: Collection[str] = tuple(LAYOUTS)) -> Layout:
    """The layout of this name.

    Raises:
        InputError: it is none of these.
    """
    if name not in among:
        what = "is only written" if name in LAYOUTS else "is not known"
        raise InputError(f"the layout {name!r} {what}", do=f"Use {', '.join(among)}")
    return LAYOUTS[name]


def detect_layout(path: Path) -> Layout:
    """The layout that a folder or file is in.

    Raises:
        MissingError: there is nothing.
        InputError: it is in no layout known.
    """
    if not path.exists():
        raise MissingError("there is no such folder", where=path, do="Unpack the archive first")
    if layout := _find_layout(path):
        return layout
    if (path / META).is_file():
        raise InputError("an archive already", where=path, do="Use it as it is, or export it")
    raise InputError("not a published layout", where=path, do=_instead(path))


def _find_layout(path: Path) -> Layout | None:
    return next((LAYOUTS[name] for name in IMPORTED if LAYOUTS[name].detect(path)), None)


def _instead(path: Path) -> str:
    """What was meant perhaps: a folder inside it, else all that would do."""
    if path.is_dir():
        for folder in sorted(entry for entry in path.iterdir() if entry.is_dir()):
            if layout := _find_layout(folder):
                return f"Did you mean {folder}, which is in the layout {layout.name}?"
    return "Expected " + "; ".join(LAYOUTS[name].about for name in IMPORTED)


def import_layout(
    source: Path,
    out: Path,
    options: ImportOptions | None = None,
    *,
    layout: str | None = None,
    progress: Progress = silent,
) -> ImportSummary:
    """Make an archive from a folder in a published layout.

    Args:
        source: the folder.
        out: the archive's folder.
        options: how.
        layout: which layout; told from the folder where None.
        progress: told what is being done.

    Raises:
        BenError: an unknown layout, or whatever is wrong with the input.
    """
    options = options or ImportOptions()
    if isinstance(options.workers, str):  # those of a cluster stand in other folders
        metadata = options.metadata and options.metadata.absolute()
        source, options = source.absolute(), replace(options, metadata=metadata)
    found = load_layout(layout, IMPORTED) if layout else detect_layout(source)
    seen = _find_layout(source) if source.exists() else None
    if seen and seen is not found:
        raise InputError(
            f"in the layout {seen.name}, not {found.name}", where=source, do="Leave --layout out"
        )
    assert found.importer, "IMPORTED holds only those that have one"
    return found.importer(source, out, options, progress)


def export_layout(
    archive: Archive,
    out: Path,
    layout: str,
    options: ExportOptions | None = None,
    progress: Progress = silent,
) -> ExportSummary:
    """Write an archive in a published layout.

    Raises:
        BenError: an unknown layout, an option that it does not take, or an archive that the
            layout cannot hold.
    """
    found, options = load_layout(layout), options or ExportOptions()
    plain = ExportOptions()
    for name, word in (("compression", "--geotiff"), ("count_up", "--count-up")):
        if getattr(options, name) != getattr(plain, name) and name not in found.options:
            raise InputError(f"the layout {layout} does not take {word}", do="Leave it out")
    _check_sensor(archive)
    summary = found.exporter(archive, out, options, progress)
    left = len(archive) - summary.new_patches - summary.held_patches
    if not left:
        return summary
    note = f"{left:,} of {len(archive):,} patches are not of the split and were left out."
    return msgspec.structs.replace(summary, notes=(*summary.notes, note))


def _check_sensor(archive: Archive) -> None:
    ours, theirs = archive.meta.sensor, load_sensor()
    if [band.name for band in ours.patch_bands] != [band.name for band in theirs.patch_bands]:
        raise InputError(
            f"holds bands of {ours.name}, published layouts those of {theirs.name}",
            where=archive.root,
            do="Read the archive as it is: any Zarr reader opens it",
        )
