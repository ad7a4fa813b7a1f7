"""What a split leaks: test and validation footprints that meet a footprint of training."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.bigearthnet import EDGE
from benforge.core.split import PARTS
from benforge.errors import InputError
from benforge.splits.contacts import KINDS, TOLERANCE, TOUCH, Footprints, Found, find_contacts


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """Patches, and the distinct footprints they stand on (several dates share one)."""

    patches: int
    footprints: int


class Contacts(msgspec.Struct, frozen=True, kw_only=True):
    """How many meet a footprint of training; one that meets several counts in each kind.

    Args:
        equal: stand on the footprint of a training patch.
        overlap: share a part of their ground with one.
        touch: have a common edge or corner with one.
        ground: equal or overlap: ground that training has seen.
        any: any of these.
    """

    equal: Count
    overlap: Count
    touch: Count
    ground: Count
    any: Count


class PartLeakage(msgspec.Struct, frozen=True, kw_only=True):
    """What one part shares with training.

    Args:
        total: the whole part.
        all: contacts with any training patch.
        same_tile: with those of the same tile.
        other_tile: with those of other tiles in the same CRS.
        other_zone: with those in another CRS, within a tolerance.
    """

    total: Count
    all: Contacts
    same_tile: Contacts
    other_tile: Contacts
    other_zone: Contacts


class Leakage(msgspec.Struct, frozen=True, kw_only=True):
    """What a split leaks; JSON-able.

    Args:
        split: its name.
        train: size of training.
        validation: what validation shares with training.
        test: what test shares with training.
        tolerance: metres, of contacts between two CRSs.
        simulated: whether any of the archive is simulated.
    """

    split: str
    train: Count
    validation: PartLeakage
    test: PartLeakage
    tolerance: float = TOLERANCE
    simulated: bool = False

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        lines: dict[str, object] = {"simulated": "yes"} if self.simulated else {}
        lines["train"] = f"{self.train.footprints:,} footprints"
        for part in PARTS[1:]:
            found: PartLeakage = getattr(self, part)
            lines[part] = f"{found.total.footprints:,} footprints, of which"
            for name, words in _WORDS.items():
                counts = {kind: getattr(getattr(found, kind), name) for kind in ("all", *KINDS)}
                lines[f"{part} {words}"] = _say(counts, found.total)
        return lines


_WORDS = {"equal": "equal train", "overlap": "overlap it", "touch": "touch it", "any": "any"}


def _say(counts: dict[str, Count], total: Count) -> str:
    part, whole = counts["all"].footprints, total.footprints
    head = f"{part:,} ({100 * part / whole:.2f} %)" if whole else "0"
    kinds = [f"{c.footprints:,} {k.replace('_', ' ')}" for k, c in counts.items() if k != "all"]
    return f"{head}: {', '.join(kinds)}" if part else head


@dataclass(frozen=True, slots=True, eq=False)
class LeakageMap:
    """The footprints of a split and their contacts with training.

    Args:
        name: the split's name.
        footprints: every footprint that has a part.
        patches: `part footprint`: how many patches of each part stand on it, parts as in `PARTS`.
        found: the contacts of validation and test with training, `kind relation footprint`.
        simulated: whether any of the archive is simulated.
    """

    name: str
    footprints: Footprints
    patches: npt.NDArray[np.int64]
    found: Found
    simulated: bool = False

    @property
    def ground(self) -> npt.NDArray[np.bool_]:
        """`footprint`: whether it shares ground with training."""
        return np.asarray(self.found[:, :TOUCH].any(axis=(0, 1)))

    @property
    def touched(self) -> npt.NDArray[np.bool_]:
        """`footprint`: whether it meets training in any way."""
        return np.asarray(self.found.any(axis=(0, 1)))


def find_leakage(
    index: pa.Table,
    parts: pa.ChunkedArray,
    name: str,
    *,
    edges: npt.ArrayLike = EDGE,
    simulated: bool = False,
) -> LeakageMap:
    """The contacts of a split's validation and test patches with its training patches.

    Args:
        index: rows with `crs`, `tile`, `ulx` and `uly`, as an archive's index or the published.
        parts: the part of each row, null where it has none; `Split.assign` gives it.
        name: the split's name, for the report.
        edges: edge of each patch, or of all, m.
        simulated: whether any of the archive is simulated; the report and the picture say so.

    Raises:
        InputError: no row has a part.
    """
    chosen = pc.is_valid(parts)
    if not pc.any(chosen).as_py():
        raise InputError(
            f"the split {name} names none of its patches", do="Name another split: --name"
        )
    edges = np.broadcast_to(np.asarray(edges, np.float64), len(index))[np.asarray(chosen)]
    footprints, place = Footprints.of(index.filter(chosen), edges)
    number = np.asarray(pc.index_in(parts.filter(chosen), pa.array(PARTS)))
    patches = np.zeros((len(PARTS), len(footprints)), np.int64)
    np.add.at(patches, (number, place), 1)
    found = find_contacts(footprints, np.asarray(patches[1:].any(axis=0)), patches[0] > 0)
    return LeakageMap(name, footprints, patches, found, simulated)


def report_leakage(found: LeakageMap) -> Leakage:
    """The figures of a map of leakage."""
    train, validation, test = found.patches
    return Leakage(
        split=found.name,
        train=_count(train, train > 0),
        validation=_part(validation, found.found),
        test=_part(test, found.found),
        simulated=found.simulated,
    )


def _part(patches: npt.NDArray[np.int64], found: Found) -> PartLeakage:
    kinds = {kind: _contacts(patches, found[n]) for n, kind in enumerate(KINDS)}
    everywhere = _contacts(patches, np.asarray(found.any(axis=0)))
    return PartLeakage(total=_count(patches, patches > 0), all=everywhere, **kinds)


def _contacts(patches: npt.NDArray[np.int64], relations: npt.NDArray[np.bool_]) -> Contacts:
    equal, overlap, touch = (_count(patches, relation) for relation in relations)
    return Contacts(
        equal=equal,
        overlap=overlap,
        touch=touch,
        ground=_count(patches, np.asarray(relations[:TOUCH].any(axis=0))),
        any=_count(patches, np.asarray(relations.any(axis=0))),
    )


def _count(patches: npt.NDArray[np.int64], which: npt.NDArray[np.bool_]) -> Count:
    counted = patches[which]
    return Count(patches=int(counted.sum()), footprints=int(np.count_nonzero(counted)))
