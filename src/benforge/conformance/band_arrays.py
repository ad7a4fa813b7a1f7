"""The bands and patch sizes of an archive, read from the arrays of its scenes (fidelity 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benforge.archive.index import read_attributes
from benforge.archive.layout import array_name
from benforge.archive.mapped import open_array


class BandArray(NamedTuple):
    """One array of a scene.

    Args:
        bands: their names, along its band axis.
        patch_shape: `band row col` of the chunk that is a patch.
    """

    bands: tuple[str, ...]
    patch_shape: tuple[int, ...]


def read_band_arrays(
    scenes: Iterable[Path], pixel_sizes: Sequence[int]
) -> Mapping[int, frozenset[BandArray]]:
    """Pixel size to the arrays of all scenes, equal ones once.

    Raises:
        ArchiveError: an array is missing or damaged.
    """
    found: dict[int, set[BandArray]] = {size: set() for size in pixel_sizes}
    for scene in scenes:
        for size, arrays in found.items():
            arrays.add(_read_band_array(scene / array_name(size)))
    return {size: frozenset(arrays) for size, arrays in found.items()}


def _read_band_array(folder: Path) -> BandArray:
    bands = read_attributes(folder).get("bands", ())
    return BandArray(tuple(map(str, bands)), open_array(folder).facts.patch_shape)
