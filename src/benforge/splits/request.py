"""What `ben split` is asked and tells: make a split, list those there, say what one leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.archive.archive import Archive
from benforge.archive.index import read_attributes
from benforge.archive.layout import FLAGS, SPLITS, parse_frame, scene_path
from benforge.archive.sidecars import read_flags, read_split, sidecar_names, write_split
from benforge.core.bigearthnet import EDGE
from benforge.core.files import storage_errors, write_atomic
from benforge.core.flags import Flags
from benforge.core.progress import Progress, silent
from benforge.core.record import number_texts
from benforge.core.split import Split
from benforge.errors import InputError, MissingError, errors_at
from benforge.published.index import read_index
from benforge.published.lists import PublishedLists, file_name, find_lists
from benforge.splits.leakage import Leakage, LeakageMap, find_leakage, report_leakage
from benforge.splits.make import make_split
from benforge.splits.published import choose_edition, published_parts
from benforge.splits.summary import SplitSummary, summarise

NO_FLAGS = "none"
"""As the name of flags: respect none."""


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
        seed: of rules that draw; None is 1.
        flags: names of the flags to respect; none named means all of the archive, "none" none.
        labelled: see `make_split`.
        lists: folder of the published lists.
        leakage: whether to tell what the split leaks.
        out: folder for the report and map of the leakage; None writes neither.
    """

    rule: str | None = None
    name: str = ""
    seed: int | None = None
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
    """What is asked of an archive, or else of the published lists in the folder `metadata`.

    Raises:
        BenError: neither is named, or whatever `answer_archive` and `answer_published` raise.
    """
    if archive:
        return answer_archive(archive, request, progress)
    if metadata:
        return answer_published(metadata, request, progress)
    raise InputError("nothing to divide", do="Name an archive, or published lists: --metadata")


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
    with errors_at(archive):
        found = find_leakage(
            opened.index,
            parts,
            split.name,
            edges=patch_edges(opened),
            simulated=opened.meta.simulated,
        )
    drawn = write_leakage(found, request.out, progress) if request.out else ()
    told = report_leakage(found)
    return SplitReport(splits=(summarise(split),), leakage=told, files=files + drawn)


def answer_published(
    metadata: Path, request: SplitRequest, progress: Progress = silent
) -> SplitReport:
    """Tell what a published split leaks, from the lists alone.

    Raises:
        BenError: a list is missing or damaged, or two splits are there and none is named.
    """
    lists = _lists_in(metadata, "--metadata")
    edition = choose_edition(lists, request.name, option="--metadata")
    if not lists.has("products"):
        raise MissingError(
            f"the published list {file_name('products')} is not there",
            where=metadata,
            do="Name the folder that holds it: --metadata",
        )
    progress("reading the lists")
    index = read_index(lists)
    parts = pa.chunked_array([pa.array(published_parts(index, lists, edition), pa.string())])
    progress("comparing footprints")
    with errors_at(metadata):
        found = find_leakage(index, parts, edition, edges=EDGE)
    files = write_leakage(found, request.out, progress) if request.out else ()
    return SplitReport(leakage=report_leakage(found), files=files)


def divide(archive: Archive, request: SplitRequest) -> Split:
    """The split that is asked for; nothing is written.

    Raises:
        BenError: an unknown rule, flags that are not there, or a part that would be empty.
    """
    flags = read_respected(archive.root, request.flags)
    lists = _lists_in(request.lists, "--lists") if request.lists else None
    with errors_at(archive.root):
        return make_split(
            archive.index,
            request.rule or "",
            name=request.name,
            seed=1 if request.seed is None else request.seed,
            flags=flags,
            labelled=request.labelled,
            lists=lists,
        )


def _lists_in(folder: Path, option: str) -> PublishedLists:
    """The published lists in a folder that this option named.

    Raises:
        MissingError: none is there.
    """
    if lists := find_lists(folder):
        return lists
    what = "no published list is there" if folder.is_dir() else "there is no such folder"
    raise MissingError(what, where=folder, do=f"Name the folder that holds the lists: {option}")


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
    names, scenes = number_texts(archive.index["scene"])
    edges = []
    for scene in names:
        folder = scene_path(archive.root, scene)
        frame = parse_frame(read_attributes(folder), folder)
        edges.append(frame.patch_pixels * frame.grid.pixel_size)
    found: npt.NDArray[np.float64] = np.array(edges, np.float64)[scenes]
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


def _only_split(archive: Path) -> str:
    names = sidecar_names(archive, SPLITS)
    if len(names) != 1:
        known = f"Say which: {' or '.join(f'--name {name}' for name in names)}"
        raise InputError(
            "the archive has several splits" if names else "the archive has no split yet",
            where=archive,
            do=known if names else "Make one: --rule paper-random",
        )
    return names[0]
