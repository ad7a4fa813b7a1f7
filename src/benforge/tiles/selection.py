"""Chosen products, how they were chosen, and what could not be had; a STAC ItemCollection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from benforge.core.files import ANEW, storage_errors, write_atomic
from benforge.core.season import SEASONS
from benforge.errors import InputError, MissingError
from benforge.tiles.entry import Entry

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Title, header and rows."""


@dataclass(frozen=True, slots=True)
class Step:
    """A condition, and how many products were left after it."""

    what: str
    left: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A tile and season without a product, and why."""

    tile: str
    season: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen products.

    Args:
        entries: by tile and time.
        steps: how many were left after each condition.
        gaps: what could not be had.
        catalogue: where they come from: a profile's name, an address or a file; "" for a list
            of names alone.
        rule: how duplicates and seasons were decided, in words.
        unread: items of the catalogue that name no Sentinel-2 product.
    """

    entries: tuple[Entry, ...]
    steps: tuple[Step, ...] = ()
    gaps: tuple[Gap, ...] = ()
    catalogue: str = ""
    rule: str = ""
    unread: int = 0

    @property
    def seasons(self) -> Mapping[str, int]:
        """Products of each season, spring first."""
        counts = Counter(entry.season for entry in self.entries)
        return {season: counts[season] for season in (*SEASONS[1:], SEASONS[0])}

    @property
    def baselines(self) -> Mapping[str, int]:
        """Products of each processing baseline."""
        return dict(sorted(Counter(entry.baseline for entry in self.entries).items()))

    def facts(self) -> dict[str, object]:
        """What a terminal shows of it."""
        sizes = [entry.size for entry in self.entries]
        clouds = [entry.cloud for entry in self.entries if entry.cloud is not None]
        countries = Counter(entry.country for entry in self.entries if entry.country)
        facts: dict[str, object] = {
            "products": len(self.entries),
            "tiles": len({entry.product.tile for entry in self.entries}),
            "seasons": _counted(self.seasons),
            "levels": sorted({entry.product.level for entry in self.entries}),
            "baselines": _counted(self.baselines),
        }
        if countries:
            facts["countries"] = _counted(dict(sorted(countries.items())))
        if clouds:
            facts["cloud cover"] = f"{min(clouds):g} to {max(clouds):g} %"
        if sizes and None not in sizes:
            facts["bytes"] = f"{sum(s or 0 for s in sizes):,}"
        if self.unread:
            facts["passed over"] = f"{self.unread:,} items that name no Sentinel-2 product"
        if any(entry.simulated for entry in self.entries):
            facts["simulated"] = "yes, the data of these products are made up"
        return facts

    def tables(self) -> Iterator[Table]:
        """Products by tile and season, what was left after each condition, what is missing."""
        cells: dict[str, dict[str, str]] = {}
        for entry in self.entries:
            cloud = "" if entry.cloud is None else f" {entry.cloud:.1f} %"
            row = cells.setdefault(entry.product.tile, {})
            more = f"{row[entry.season]}, " if entry.season in row else ""
            row[entry.season] = f"{more}{entry.time:%Y-%m-%d}{cloud}"
        rows = [[tile, *(row.get(s, "-") for s in SEASONS)] for tile, row in cells.items()]
        yield "Dates and clouds", ["tile", *SEASONS], rows
        if self.steps:
            steps = [[f"{step.left:,}", step.what] for step in self.steps]
            yield "Left after each condition", ["products", "condition"], steps
        if self.gaps:
            alike: dict[tuple[str, str], list[str]] = {}
            for gap in self.gaps:
                alike.setdefault((gap.tile, gap.why), []).append(gap.season)
            gaps = [[tile, ", ".join(seasons), why] for (tile, why), seasons in alike.items()]
            yield "Could not be had", ["tile", "season", "why"], gaps

    def as_stac(self) -> dict[str, Any]:
        """A STAC ItemCollection; what GeoJSON has no word for stands under `benforge`."""
        return {
            "type": "FeatureCollection",
            "features": [entry.as_stac() for entry in self.entries],
            "benforge": {
                "catalogue": self.catalogue,
                "rule": self.rule,
                "unread": self.unread,
                "steps": [asdict(step) for step in self.steps],
                "gaps": [asdict(gap) for gap in self.gaps],
            },
        }

    def write(self, path: Path) -> None:
        """Write the ItemCollection.

        Raises:
            StorageError: the file cannot be written.
        """
        data = msgspec.json.format(msgspec.json.encode(self.as_stac()), indent=1)
        with storage_errors(path, ANEW):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data, ANEW)

    @classmethod
    def read(cls, path: Path) -> Selection:
        """Read what `write` wrote, or any STAC ItemCollection of Sentinel-2 products.

        Raises:
            MissingError: there is no such file.
            InputError: it is no ItemCollection, or names no product.
        """
        document = read_json(path)
        features = document.get("features")
        if not isinstance(features, list):
            raise InputError("not a selection", where=path, do=_HOW)
        found = [Entry.parse(f) for f in features if isinstance(f, dict)]
        entries = {entry.name: entry for entry in found if entry}
        if not entries or None in found:
            what = "an item names no Sentinel-2 product" if found else "a selection of no products"
            raise InputError(what, where=path, do=_HOW)
        return cls(tuple(entries.values()), **_told(document.get("benforge"), path))


_HOW = "Make one with ben tiles --out"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        MissingError: there is no such file.
        InputError: it is not JSON, or no object.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError as error:
        raise MissingError("there is no such file", where=path) from error
    except (msgspec.DecodeError, IsADirectoryError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"not a JSON object, {reason}", where=path) from error


class _Told(msgspec.Struct, frozen=True):
    catalogue: str = ""
    rule: str = ""
    unread: int = 0
    steps: tuple[Step, ...] = ()
    gaps: tuple[Gap, ...] = ()


def _told(part: object, path: Path) -> dict[str, Any]:
    try:
        told = msgspec.convert(part or {}, _Told)
    except msgspec.ValidationError as error:
        raise InputError(f"not a selection, {error}", where=path, do=_HOW) from error
    return msgspec.structs.asdict(told)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items())
