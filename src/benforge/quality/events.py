"""The events of a review: a decision on flags or on a label, or the undoing of one; a line each."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from benforge.errors import InputError
from benforge.quality.screening import FLAGS

LONGEST_NAME = 60


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reviewer gave patches flags, or none.

    Args:
        id: of this event alone.
        time: UTC.
        reviewer: who decided.
        flags: in the order of `FLAGS`; empty for patches found clear.
        patches: their ids.
        action: shared by decisions that were taken with one key and are undone as one; empty
            where the decision stands alone.
    """

    id: str
    time: datetime
    reviewer: str
    flags: tuple[str, ...]
    patches: tuple[str, ...]
    action: str = ""


class LabelDecision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reviewer found that patches have a class, or that they have it not.

    Nothing in the archive follows by itself: whether its label is wrong is seen beside its labels.

    Args:
        id: of this event alone.
        time: UTC.
        reviewer: who decided.
        label: name of the class.
        present: whether the class is there.
        patches: their ids.
        action: as of `Decision`.
    """

    id: str
    time: datetime
    reviewer: str
    label: str
    present: bool
    patches: tuple[str, ...]
    action: str = ""


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer took a decision of theirs back.

    Args:
        id: of this event alone.
        time: UTC.
        reviewer: who decided.
        undo: the id of the decision, or of the action that several share.
    """

    id: str
    time: datetime
    reviewer: str
    undo: str


Taken = Decision | LabelDecision
"""What may be undone."""
Event = Taken | Undo
Group = tuple[Sequence[str], Sequence[str]]
"""Flags, and the ids of the patches that are given them."""


class _Line(msgspec.Struct, kw_only=True):
    """A line as it stands in a log."""

    id: str
    time: datetime
    reviewer: str
    flags: tuple[str, ...] | None = None
    label: str | None = None
    present: bool | None = None
    patches: tuple[str, ...] | None = None
    action: str = ""
    undo: str | None = None


def make_decision(
    reviewer: str,
    flags: Sequence[str],
    patches: Sequence[str],
    *,
    named: str = "",
    action: str = "",
) -> Decision:
    """A decision taken now.

    Args:
        reviewer: who decides.
        flags: in any order; none for clear.
        patches: their ids.
        named: the id of the event; a new one if empty.
        action: what it is a part of; empty where it stands alone.

    Raises:
        InputError: a name that is none, an unknown flag, or no patches.
    """
    if unknown := [flag for flag in flags if flag not in FLAGS]:
        raise InputError(f"there is no flag {unknown[0][:40]!r}", do=f"Use {', '.join(FLAGS)}")
    if not patches:
        raise InputError("a decision is about at least one patch")
    return Decision(
        id=named or uuid4().hex,
        time=datetime.now(UTC),
        reviewer=parse_reviewer(reviewer),
        flags=tuple(flag for flag in FLAGS if flag in flags),
        patches=tuple(dict.fromkeys(patches)),
        action=action,
    )


def make_action(reviewer: str, groups: Sequence[Group], *, named: str = "") -> tuple[Decision, ...]:
    """The decisions of one action, taken now, which are undone as one.

    Args:
        reviewer: who decides.
        groups: what is decided of which patches; a decision each.
        named: the id of the action; a new one if empty. The same id gives the same ids of events,
            so that what broke off half way can be added to.

    Raises:
        InputError: a name that is none, an unknown flag, or no patches.
    """
    if len(groups) == 1:
        ((flags, patches),) = groups
        return (make_decision(reviewer, flags, patches, named=named),)
    if not groups:
        raise InputError("a decision is about at least one patch")
    action = named or uuid4().hex
    return tuple(
        make_decision(reviewer, flags, patches, named=f"{action}-{n}", action=action)
        for n, (flags, patches) in enumerate(groups)
    )


def make_label_decision(
    reviewer: str, label: str, patches: Sequence[str], *, present: bool, named: str = ""
) -> LabelDecision:
    """A decision on a label taken now.

    Args:
        reviewer: who decides.
        label: name of the class.
        patches: their ids.
        present: whether the class is there.
        named: the id of the event; a new one if empty.

    Raises:
        InputError: a name that is none, no label, or no patches.
    """
    if not label or not patches:
        raise InputError("a decision on a label is about a label and at least one patch")
    return LabelDecision(
        id=named or uuid4().hex,
        time=datetime.now(UTC),
        reviewer=parse_reviewer(reviewer),
        label=label,
        present=present,
        patches=tuple(dict.fromkeys(patches)),
    )


def make_undo(decision: Taken, *, named: str = "") -> Undo:
    """The undoing of a decision, now, by who took it, with all of the action that it is part of.

    Args:
        decision: what is undone.
        named: the id of the event; a new one if empty.
    """
    now, which = datetime.now(UTC), decision.action or decision.id
    return Undo(id=named or uuid4().hex, time=now, reviewer=decision.reviewer, undo=which)


def parse_reviewer(name: str) -> str:
    """The name of a reviewer without space around it.

    Raises:
        InputError: it is empty, too long, or holds characters that do not show.
    """
    stripped = name.strip()
    hidden = any(unicodedata.category(letter)[0] == "C" for letter in stripped)
    if not 0 < len(stripped) <= LONGEST_NAME or hidden:
        raise InputError(
            "that is no name for a reviewer", do=f"Use 1 to {LONGEST_NAME} characters that show"
        )
    return stripped


def encode_event(event: Event) -> bytes:
    """One line, with its end."""
    return msgspec.json.encode(event) + b"\n"


def decode_event(line: bytes) -> Event | None:
    """The event of a line; None where it is none that this benforge reads."""
    try:
        told = msgspec.json.decode(line, type=_Line)
        reviewer = parse_reviewer(told.reviewer)
    except (msgspec.MsgspecError, InputError, UnicodeDecodeError):
        return None
    kinds = [kind for kind in ("flags", "label", "undo") if getattr(told, kind) is not None]
    if kinds == ["undo"] and told.undo is not None:
        return Undo(id=told.id, time=told.time, reviewer=reviewer, undo=told.undo)
    if kinds == ["label"]:
        return _label_decision(told, reviewer)
    if kinds != ["flags"] or told.flags is None or not told.patches:
        return None
    if not set(told.flags) <= set(FLAGS):  # of a later benforge, or a slip: not clear
        return None
    flags = tuple(flag for flag in FLAGS if flag in told.flags)
    return Decision(
        id=told.id,
        time=told.time,
        reviewer=reviewer,
        flags=flags,
        patches=told.patches,
        action=told.action,
    )


def _label_decision(told: _Line, reviewer: str) -> LabelDecision | None:
    if not told.label or told.present is None or not told.patches:
        return None
    return LabelDecision(
        id=told.id,
        time=told.time,
        reviewer=reviewer,
        label=told.label,
        present=told.present,
        patches=told.patches,
        action=told.action,
    )
