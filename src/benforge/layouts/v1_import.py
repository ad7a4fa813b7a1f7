"""From the published v1 layout to an archive of profile ben-v1."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor, load_sensor
from benforge.layouts.import_lists import find_import_lists
from benforge.layouts.importing import check_apart, import_patches
from benforge.layouts.port import ImportOptions, ImportSummary
from benforge.layouts.source import PatchPixels, SourcePatch
from benforge.layouts.v1_read import list_v1_patches, read_v1_bands, read_v1_patch
from benforge.published.lists import PublishedLists


def import_v1(
    source: Path,
    out: Path,
    options: ImportOptions | None = None,
    progress: Progress = silent,
) -> ImportSummary:
    """Import patches of the published v1 layout; see `importing.import_patches`.

    The product of a patch is the one that the published list of names tells, where that list is
    in `options.metadata`, in the folder or beside it; else the one that its JSON means.

    Args:
        source: the folder that holds the patch folders.
        out: the archive's folder; new, empty, or an archive that was imported alike.
        options: how.
        progress: told how many patches are done.
    """
    options = options or ImportOptions()
    check_apart(source, out)
    lists = find_import_lists(options.metadata, source, source.absolute().parent)
    return import_patches(V1Source(source, lists), out, options, lists, progress)


@dataclass(frozen=True, slots=True)
class V1Source:
    """A folder of v1 patches, as the import sees it.

    Args:
        root: the folder that holds the patch folders.
        lists: the published lists; of them the names' products are used.
    """

    root: Path
    lists: PublishedLists
    layout: str = "v1"
    profile: str = "ben-v1"
    nomenclature: str = "clc-43"

    @property
    def paths(self) -> Sequence[Path]:
        """What a process must see that reads it."""
        return (self.root, *self.lists.files.values())

    def list(self) -> list[str]:
        """The names of the patch folders, sorted."""
        return [folder.name for folder in list_v1_patches(self.root)]

    def describe(self, name: str) -> SourcePatch:
        """What a folder says without its pixels."""
        return read_v1_patch(self.root / name, load_sensor(), listed_product(self.lists, name))

    def read(self, patch: SourcePatch, sensor: Sensor) -> PatchPixels:
        """The pixels of its twelve GeoTIFFs."""
        bands = {band.name: pixels for band, pixels in read_v1_bands(patch, sensor)}
        sizes = sensor.pixel_sizes
        return PatchPixels(
            {size: np.stack([bands[band.name] for band in sensor.bands_at(size)]) for size in sizes}
        )


def listed_product(lists: PublishedLists, name: str) -> str | None:
    """Full id of the product that the published list of names tells of a v1 patch."""
    if not lists.has("products"):
        return None
    path = lists.files["products"]
    return _products(path, path.stat().st_mtime_ns).get(name)


@lru_cache(maxsize=1)
def _products(path: Path, changed: int) -> Mapping[str, str]:
    """The list of names: v1 name to full product id; read once in a process."""
    table = PublishedLists({"products": path}).products()
    source = table["source"].combine_chunks()
    texts = [sys.intern(text) for text in source.dictionary.to_pylist()]
    sources = [texts[i] for i in source.indices.to_pylist()]
    return dict(zip(table["v1_name"].to_pylist(), sources, strict=True))
