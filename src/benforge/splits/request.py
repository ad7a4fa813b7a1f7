"""What `ben split` is asked and tells: make a split, list those there, say what one leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.archive.archive import Archive
from benforge.archive.files import storage_errors, write_atomic
from benforge.archive.index import read_attributes
from benforge.archive.layout import FLAGS, SPLITS, parse_frame, scene_path
from benforge.archive.sidecars import read_flags, read_split, sidecar_names, write_split
from benforge.core.bigearthnet import EDGE
from benforge.core.flags import Flags
from benforge.core.progress import Progress, silent
from benforge.core.split import Split
from benforge.errors import InputError
from benforge.published.index import read_index
from benforge.published.lists import find_lists
from benforge.splits.leakage import Leakage, LeakageMap, find_leakage, report_leakage
from benforge.splits.make import RULES, make_split
from benforge.splits.published import choose_edition, published_parts

NO_FLAGS = "none"
"""As the name of flags: respect none."""


class SplitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A split in figures; JSON-able.

    Args:
        name: as in `splits/<name>.parquet`.
        rule: what made it.
        seed: of a rule that draws.
        sizes: part to number of patches.
        digest: equal for equal splits anywhere.
        parameters: what the rule was told, and what it left out.
        notes: what a reader should know, a sentence each.
    """

    name: str
    rule: str
    seed: int | None
    sizes: Mapping[str, int]
    digest: str
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        return {
            "rule": self.rule + (f", seed {self.seed}" if self.seed is not None else ""),
            "patches": ", ".join(f"{part} {n:,}" for part, n in self.sizes.items()),
            "digest": self.digest,
            **({"note": "; ".join(self.notes)} if self.notes else {}),
        }


class SplitReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that one command tells.

    Args:
        splits: the split that was made or looked at; every one of the archive where it was only
            asked what there is.
        leakage: what the split leaks, if that was asked.
        files: what was written.
    """

    splits: tuple[SplitSummary, ...] = ()
    leakage: Leakage | None = None
    files: tuple[str, ...] = ()

    def pages(self) -> list[tuple[str, Mapping[str, object]]]:
        """Titles with lines to print under each."""
        pages: list[tuple[str, Mapping[str, object]]] = [
            (f"Split {split.name}", split.facts()) for split in self.splits
        ]
        if self.leakage:
            pages.append((f"What {self.leakage.split} leaks", self.leakage.facts()))
        if self.files:
            pages.append(("Written", {Path(file).name: file for file in self.files}))
        return pages or [("No split yet", {"make one with": "ben split ARCHIVE --rule RULE"})]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRequest:
    """What to make and what to tell.

    Args:
        rule: make a split by this rule; None makes none.
        name: of the split to make or to look at; left out, that of the rule, or the only split.
        seed: of rules that draw.
        flags: names of the flags to respect; none named means all of the archive, "none" none.
        labelled: see `make_split`.
        lists: folder of the published lists.
        leakage: whether to tell what the split leaks.
        out: folder for the report and map of the leakage; None writes neither.
    """

    rule: str | None = None
    name: str = ""
    seed: int = 1
    flags: Sequence[str] = ()
    labelled: str | None = None
    lists: Path | None = None
    leakage: bool = False
    out: Path | None = None


def answer(
    archive: Path | None,
    metadata: Path | None,
    request: SplitRequest,
    progress: Progress = silent,
) -> SplitReport:
    """What is asked of an archive, or of the published lists in the folder `metadata`.

    Raises:
        BenError: neither or both are named, a request that contradicts itself, or whatever
            `answer_archive` and `answer_published` raise.
    """
    if request.out and not request.leakage:
        raise InputError("nothing goes to --out", where=request.out, do="Ask for it: --leakage")
    if archive and not metadata:
        return answer_archive(archive, request, progress)
    if metadata and not archive:
        return answer_published(metadata, request, progress)
    raise InputError(
        "name an archive, or the published lists with --metadata, not both",
        do="A published split of an archive is made with: --rule published --lists DIR",
    )


def answer_archive(
    archive: Path, request: SplitRequest, progress: Progress = silent
) -> SplitReport:
    """Make a split of an archive, tell what a split of it leaks, or list its splits.

    Raises:
        BenError: no archive, an unknown rule, a part that would be empty, another split of that
            name, no split to look at.
    """
    opened = Archive.open(archive)
    if not request.rule and not request.leakage:
        names = sidecar_names(archive, SPLITS)
        return SplitReport(splits=tuple(summarise(read_split(archive, name)) for name in names))
    if request.rule:
        progress("dividing")
        split = divide(opened, request)
        files: tuple[str, ...] = (str(write_split(archive, split)),)
    else:
        split, files = read_split(archive, request.name or _only_split(archive)), ()
    if not request.leakage:
        return SplitReport(splits=(summarise(split),), files=files)
    progress("comparing footprints")
    parts = split.assign(opened.index["patch_id"])
    found = find_leakage(opened.index, parts, split.name, edges=patch_edges(opened))
    drawn = write_leakage(found, request.out, progress) if request.out else ()
    told = report_leakage(found)
    return SplitReport(splits=(summarise(split),), leakage=told, files=files + drawn)


def answer_published(
    metadata: Path, request: SplitRequest, progress: Progress = silent
) -> SplitReport:
    """Tell what a published split leaks, from the lists alone.

    Raises:
        BenError: a list is missing or damaged, two splits are there and none is named, or
            something else than their leakage is asked.
    """
    if request.rule or not request.leakage:
        raise InputError("the published lists are not divided", do="Ask --leakage, and no --rule")
    lists = find_lists(metadata)
    edition = choose_edition(lists, request.name)
    progress("reading the lists")
    index = read_index(lists)
    parts = pa.chunked_array([pa.array(published_parts(index, lists, edition), pa.string())])
    progress("comparing footprints")
    found = find_leakage(index, parts, edition, edges=EDGE)
    files = write_leakage(found, request.out, progress) if request.out else ()
    return SplitReport(leakage=report_leakage(found), files=files)


def divide(archive: Archive, request: SplitRequest) -> Split:
    """The split that is asked for; nothing is written.

    Raises:
        BenError: an unknown rule, flags that are not there, or a part that would be empty.
    """
    return make_split(
        archive.index,
        request.rule or "",
        name=request.name,
        seed=request.seed,
        flags=read_respected(archive.root, request.flags),
        labelled=request.labelled,
        lists=find_lists(request.lists) if request.lists else None,
    )


def read_respected(root: Path, names: Sequence[str]) -> list[Flags]:
    """The flags of these names; all of the archive where none is named, none for "none"."""
    if tuple(names) == (NO_FLAGS,):
        return []
    return [read_flags(root, name) for name in names or sidecar_names(root, FLAGS)]


def patch_edges(archive: Archive) -> npt.NDArray[np.float64]:
    """`patch`: the edge of each patch of the index, m, as its scene's frame tells.

    Raises:
        ArchiveError: a scene's metadata are damaged.
    """
    scenes = archive.index["scene"].cast(pa.string()).combine_chunks().dictionary_encode()
    edges = []
    for scene in scenes.dictionary.to_pylist():
        folder = scene_path(archive.root, scene)
        frame = parse_frame(read_attributes(folder), folder)
        edges.append(frame.patch_pixels * frame.grid.pixel_size)
    found: npt.NDArray[np.float64] = np.array(edges, np.float64)[np.asarray(scenes.indices)]
    return found


def write_leakage(found: LeakageMap, out: Path, progress: Progress = silent) -> tuple[str, ...]:
    """Write `leakage.json` and `leakage.png` into a folder, and return their paths.

    Raises:
        StorageError: the disk is full.
    """
    from benforge.splits.leakage_map import draw_leakage

    progress("drawing the map")
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    report = msgspec.json.format(msgspec.json.encode(report_leakage(found)), indent=2)
    contents = {"leakage.json": report + b"\n", "leakage.png": draw_leakage(found)}
    for name, data in contents.items():
        write_atomic(out / name, data)
    return tuple(str(out / name) for name in contents)


def summarise(split: Split) -> SplitSummary:
    """A split in figures."""
    return SplitSummary(
        name=split.name,
        rule=split.rule,
        seed=split.seed,
        sizes=split.sizes,
        digest=split.digest,
        parameters=split.parameters,
        notes=tuple(_notes(split)),
    )


def _notes(split: Split) -> list[str]:
    told = split.parameters
    if split.rule not in RULES or "flags" not in told or not RULES[split.rule].respects_flags:
        return []
    notes = []
    if not told["flags"]:
        notes.append("no flags were at hand or respected: snow and clouds are not left out")
    elif told["flagged"]:
        notes.append(f"left out for snow or clouds: {told['flagged']:,}")
    if told["unlabelled"]:
        notes.append(f"left out without a label: {told['unlabelled']:,}")
    return notes


def _only_split(archive: Path) -> str:
    names = sidecar_names(archive, SPLITS)
    if len(names) != 1:
        known = f"Say which: --name {' or '.join(names)}"
        raise InputError(
            "the archive has several splits" if names else "the archive has no split yet",
            where=archive,
            do=known if names else "Make one: --rule paper-random",
        )
    return names[0]
