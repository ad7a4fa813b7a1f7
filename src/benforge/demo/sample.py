"""66 real patches of BigEarthNet v1, shipped inside the package."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path

from benforge.core.files import storage_errors
from benforge.layouts.v1_read import list_v1_patches

NOTICE = """\
66 patches of BigEarthNet v1 (Sentinel-2), in its published layout.

BigEarthNet: G. Sumbul, M. Charfuelan, B. Demir, V. Markl, "BigEarthNet: A Large-Scale Benchmark
Archive for Remote Sensing Image Understanding", IGARSS 2019. Community Data License Agreement,
Permissive, Version 1.0 (CDLA-Permissive-1.0).
Contains modified Copernicus Sentinel data 2017, 2018. Labels from CORINE Land Cover 2018,
European Union, Copernicus Land Monitoring Service, European Environment Agency (EEA).
Collected from the PyPI packages bigearthnet-common and its kin (Apache License 2.0) and
configilm 0.2.0 (MIT License).

Pixels and labels of all 66 are as published. The 14 patches with uncompressed GeoTIFFs carry the
published metadata too; of the other 52 the georeference and all keys of the metadata but the
labels were rebuilt from the patch's name and its tile.
"""

_NAME = "bigearthnet-v1-sample"


def unpack_sample(folder: Path) -> Path:
    """Write the sample patches into `folder`, unless they are there.

    Returns:
        the layout's root, `folder/bigearthnet-v1-sample`, whole or not there at all.

    Raises:
        StorageError: the folder cannot be made.
    """
    root = folder / _NAME
    if root.is_dir():
        return root
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpack-") as unfinished:
        with (
            (files("benforge.demo") / f"{_NAME}.zip").open("rb") as packed,
            zipfile.ZipFile(packed) as archive,
        ):
            archive.extractall(Path(unfinished) / _NAME)
        shutil.move(Path(unfinished) / _NAME, root)
    return root


def pack_sample(layout: Path, out: Path) -> None:
    """Write the shipped zip from a v1 layout: members by name, no time of day, and the NOTICE."""
    members = {"NOTICE": NOTICE.encode()}
    for patch in list_v1_patches(layout):
        for path in sorted(patch.iterdir()):
            members[f"{patch.name}/{path.name}"] = path.read_bytes()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
