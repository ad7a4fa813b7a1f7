"""The published layouts that archives are made from and written to, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benforge.archive.archive import Archive
from benforge.core.progress import Progress, silent
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
    ),
    "v2": Layout(
        name="v2",
        about="BigEarthNet v2: BigEarthNet-S2/<product>/<patch> with _B01.tif to _B12.tif, "
        "metadata.parquet beside",
        detect=is_v2,
        exporter=export_v2,
        importer=import_v2,
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


def load_layout(name: str) -> Layout:
    """The layout of this name.

    Raises:
        InputError: there is none.
    """
    if name not in LAYOUTS:
        raise InputError(f"no layout is called {name!r}", do=f"Use {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def detect_layout(path: Path) -> Layout:
    """The layout that a folder or file is in.

    Raises:
        MissingError: there is nothing.
        InputError: it is in no layout known.
    """
    if not path.exists():
        raise MissingError("there is no such folder", where=path, do="Unpack the archive first")
    for layout in LAYOUTS.values():
        if layout.importer and layout.detect(path):
            return layout
    expected = "; ".join(layout.about for layout in LAYOUTS.values() if layout.importer)
    raise InputError("not a published layout", where=path, do=f"Expected {expected}")


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
    found = load_layout(layout) if layout else detect_layout(source)
    if found.importer is None:
        raise InputError(
            f"the layout {found.name} is only written",
            where=source,
            do=f"Import one of {', '.join(n for n, one in LAYOUTS.items() if one.importer)}",
        )
    return found.importer(source, out, options or ImportOptions(), progress)


def export_layout(
    archive: Archive,
    out: Path,
    layout: str,
    options: ExportOptions | None = None,
    progress: Progress = silent,
) -> ExportSummary:
    """Write an archive in a published layout.

    Raises:
        BenError: an unknown layout, or an archive that the layout cannot hold.
    """
    return load_layout(layout).exporter(archive, out, options or ExportOptions(), progress)
