"""What an archive holds, in figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.layout import FLAGS, REVIEWS, SCREENINGS, SPLITS, array_name, scene_path
from benforge.archive.shards import damaged
from benforge.archive.sidecars import sidecar_names
from benforge.archive.storage import compression_of


class ArchiveInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of an archive; JSON-able.

    Args:
        patches: how many.
        scenes: how many the archive holds.
        tiles: how many distinct tiles.
        profile: "ben-v1", "ben-v2", "custom".
        nomenclature: name of the classes of the labels.
        simulated: whether any scene was simulated.
        bytes: size of all files.
        compression: how the pixels are stored; several names where scenes differ.
        period: first and last day, ISO 8601; empty without patches.
        labels_per_patch: mean.
        labels: class name to patches, in the nomenclature's order, absent classes as 0.
        seasons: season to patches.
        countries: country to patches, most first; patches without one count as "unknown".
        flags: names of the quality marks beside the scenes.
        splits: names of the splits beside the scenes.
        screenings: names of the screenings beside the scenes.
        reviews: names of the reviews beside the scenes.
        format_version: version of the archive's format.
    """

    patches: int
    scenes: int
    tiles: int
    profile: str
    nomenclature: str
    simulated: bool
    bytes: int
    compression: str
    period: tuple[str, ...]
    labels_per_patch: float
    labels: Mapping[str, int]
    seasons: Mapping[str, int]
    countries: Mapping[str, int]
    flags: tuple[str, ...]
    splits: tuple[str, ...]
    screenings: tuple[str, ...]
    reviews: tuple[str, ...]
    format_version: int

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        used = sum(n > 0 for n in self.labels.values())
        return {
            "patches": f"{self.patches:,} in {_number(self.scenes, 'scene')} "
            f"of {_number(self.tiles, 'tile')}",
            "profile": self.profile + (", simulated" if self.simulated else ""),
            "period": " to ".join(self.period) or "none",
            "size": f"{self.bytes / 1e6:,.1f} MB, compression {self.compression}",
            "classes": f"{used} of {len(self.labels)} in {self.nomenclature}",
            "labels a patch": f"{self.labels_per_patch:.2f}",
            "seasons": _counted(self.seasons),
            "countries": _counted(self.countries),
            "flags": ", ".join(self.flags) or "none",
            "splits": ", ".join(self.splits) or "none",
            "screenings": ", ".join(self.screenings) or "none",
            "reviews": ", ".join(self.reviews) or "none",
        }


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def describe_archive(archive: Archive) -> ArchiveInfo:
    """The figures of an archive, or of what `filter` left of it; scenes and bytes are the whole's.

    Raises:
        ArchiveError: a scene's metadata are damaged.
    """
    index, meta = archive.index, archive.meta
    labels = _count(pc.list_flatten(index["labels"]))
    names = [*meta.nomenclature.names, *sorted(set(labels) - set(meta.nomenclature.names))]
    return ArchiveInfo(
        patches=len(index),
        scenes=len(meta.scenes),
        tiles=len(_count(index["tile"])),
        profile=meta.profile,
        nomenclature=meta.nomenclature.name,
        simulated=meta.simulated,
        bytes=sum(p.stat().st_size for p in archive.root.rglob("*") if p.is_file()),
        compression=find_compression(archive),
        period=_period(index["sensing_time"]),
        labels_per_patch=round(sum(labels.values()) / max(1, len(index)), 4),
        labels={name: labels.get(name, 0) for name in names},
        seasons=_count(index["season"]),
        countries=_count(pc.fill_null(index["country"].cast(pa.string()), "unknown")),
        flags=sidecar_names(archive.root, FLAGS),
        splits=sidecar_names(archive.root, SPLITS),
        screenings=sidecar_names(archive.root, SCREENINGS),
        reviews=sidecar_names(archive.root, REVIEWS),
        format_version=meta.version,
    )


def _count(values: pa.ChunkedArray) -> dict[str, int]:
    """Value to how often it occurs, most often first, then by name."""
    pairs = pc.value_counts(values.cast(pa.string())).to_pylist()
    found = ((pair["values"], pair["counts"]) for pair in pairs)
    return dict(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "none"


def _period(times: pa.ChunkedArray) -> tuple[str, ...]:
    ends = pc.min_max(times).as_py()
    found: list[datetime] = [ends[end] for end in ("min", "max") if ends[end] is not None]
    return tuple(time.date().isoformat() for time in found)


def find_compression(archive: Archive) -> str:
    """How an archive's pixels are stored: "none", "zstd", "blosc" or what the metadata name.

    Raises:
        ArchiveError: a scene's metadata cannot be read.
    """
    finest = array_name(archive.meta.sensor.pixel_sizes[0])
    folders = (scene_path(archive.root, scene.name) / finest for scene in archive.meta.scenes)
    return ", ".join(sorted({_array_compression(folder) for folder in folders})) or "none"


def _array_compression(folder: Path) -> str:
    path = folder / "zarr.json"
    try:
        sharding = json.loads(path.read_bytes())["codecs"][0]["configuration"]
        return compression_of(sharding["codecs"][1:])
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise damaged("the array's metadata cannot be read", path) from error
