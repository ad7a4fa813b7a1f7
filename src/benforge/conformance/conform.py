"""Hold an archive, the published lists, or both against the facts of BigEarthNet."""

from __future__ import annotations

from pathlib import Path

from benforge.archive.archive import Archive
from benforge.conformance import (
    archive_counts,
    archive_lists,
    archive_rules,
    published_choices,
    published_leaks,
    published_places,
    published_second,
)
from benforge.conformance.fact import Check, E, Fact, run_check
from benforge.conformance.holding import Holding
from benforge.conformance.metadata import Metadata
from benforge.core.progress import Progress, silent
from benforge.errors import InputError, MissingError
from benforge.published.lists import find_lists

LISTED: list[Check[Metadata]] = [
    *published_places.CHECKS,
    *published_choices.CHECKS,
    *published_second.CHECKS,
    *published_leaks.CHECKS,
]
"""The facts that published lists are asked for."""


def conform(
    archive: Path | None = None, metadata: Path | None = None, progress: Progress = silent
) -> list[Fact]:
    """Compute every fact that can be computed from what is given, and compare.

    Nothing that is published is read back as our own: products come from names, corners from
    tiles, seasons from dates, parts and ids from rules.

    Args:
        archive: folder of an archive.
        metadata: folder of the published lists.
        progress: told before each fact.

    Returns:
        The facts, those of the lists first, ordered by group and within it as they are told.

    Raises:
        InputError: neither is given, or a list is damaged.
        MissingError: a folder is not there, or holds no published list.
        ArchiveError: the archive is damaged.
    """
    if archive is None and metadata is None:
        raise InputError("there is nothing to hold against the facts", do="Name one: ARCHIVE")
    holding = Archive.open(archive) if archive else None
    lists = _open_lists(metadata) if metadata else None
    facts: list[Fact] = []
    if lists is not None:
        progress("reading the published lists")
        lists.read_ahead()
        facts += _run(_by_group(LISTED), lists, progress)
    if holding is not None:
        held = Holding(holding, lists)
        facts += _run(_archive_checks(held), held, progress)
    return facts


def _open_lists(folder: Path) -> Metadata:
    lists = find_lists(folder)
    if not folder.is_dir():
        raise MissingError("there is no such folder", where=folder)
    if not lists:
        raise MissingError(
            "the folder holds no published list",
            where=folder,
            do="Name the folder of tile_names_and_links.csv.bz2, metadata.parquet and their kin",
        )
    return Metadata(lists)


def _archive_checks(held: Holding) -> list[Check[Holding]]:
    """The facts that an archive of this profile is asked for."""
    rules = {"v1": archive_rules.V1, "v2": archive_rules.V2}.get(held.edition, [])
    checks = [
        *archive_rules.ALWAYS,
        *rules,
        *archive_counts.count_checks(held.edition),
    ]
    if held.metadata is not None:
        v2 = held.edition == "v2"
        own = archive_lists.LIST_CHECKS_V2 if v2 else archive_lists.LIST_CHECKS_V1
        checks += [*archive_lists.LIST_CHECKS, *own]
    return _by_group(checks)


def _by_group(checks: list[Check[E]]) -> list[Check[E]]:
    """The same, those of a group side by side, groups and members in the order they come in."""
    groups = list(dict.fromkeys(check.group for check in checks))
    return sorted(checks, key=lambda check: groups.index(check.group))


def _run(checks: list[Check[E]], evidence: E, progress: Progress) -> list[Fact]:
    facts = []
    for done, check in enumerate(checks):
        progress(check.fact, done, len(checks))
        facts.append(run_check(check, evidence))
    return facts
