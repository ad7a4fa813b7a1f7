from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from benforge.quality.events import Decision, Event, Undo
from benforge.quality.ledger import Ledger, Verdict
from benforge.quality.screening import FLAGS

NOW = datetime(2026, 11, 26, tzinfo=UTC)
REVIEWERS, PATCHES = ("Ada", "Bob", "Cy"), ("p", "q", "r")


def decision(
    event: str, reviewer: str, patches: list[str], flags: tuple[str, ...], action: str = ""
) -> Decision:
    return Decision(
        id=event, time=NOW, reviewer=reviewer, flags=flags, patches=tuple(patches), action=action
    )


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Decisions and undos in any order, undos of what is not there and repeated ids among them."""
    events: list[Event] = []
    for place in range(draw(st.integers(0, 14))):
        reviewer = draw(st.sampled_from(REVIEWERS))
        if draw(st.booleans()):
            which = draw(st.sampled_from(["a", "b", *map(str, range(15))]))
            events.append(Undo(id=f"u{place}", time=NOW, reviewer=reviewer, undo=which))
        else:
            patches = draw(st.lists(st.sampled_from(PATCHES), min_size=1, max_size=4))
            flags = tuple(draw(st.lists(st.sampled_from(FLAGS), unique=True)))
            event = str(draw(st.sampled_from([place, max(0, place - 1)])))
            action = draw(st.sampled_from(["", "", "a", "b"]))
            events.append(decision(event, reviewer, patches, flags, action))
    return events


def standing_by_rule(events: list[Event]) -> list[Decision]:
    """The oracle: strike out what its own reviewer undid later, keep the rest in order."""
    kept: list[Decision] = []
    seen: set[str] = set()
    for event in events:
        if isinstance(event, Undo):
            kept = [
                k
                for k in kept
                if k.reviewer != event.reviewer or event.undo not in (k.id, k.action)
            ]
        elif event.id not in seen:
            seen.add(event.id)
            kept.append(event)
    return kept


def verdict_by_rule(kept: list[Decision], patch: str) -> Verdict | None:
    last: dict[str, Decision] = {}
    for one in kept:
        if patch in one.patches:
            last.pop(one.reviewer, None)
            last[one.reviewer] = one
    if not last:
        return None
    *_, final = last.values()
    answers = {frozenset(one.flags) for one in last.values()}
    return Verdict(final.flags, final.reviewer, len(answers) > 1)


@given(logs())
def test_what_holds_is_what_the_rule_says(events: list[Event]) -> None:
    ledger = Ledger()
    for place, event in enumerate(events):
        before = {patch: ledger.verdict(patch) for patch in PATCHES}
        touched = ledger.apply(event)
        kept = standing_by_rule(events[: place + 1])
        now = {patch: verdict_by_rule(kept, patch) for patch in PATCHES}
        assert {patch: ledger.verdict(patch) for patch in PATCHES} == now
        assert {patch for patch in PATCHES if now[patch] != before[patch]} <= set(touched)
        assert ledger.decided() == {patch for one in kept for patch in one.patches}
        for reviewer in REVIEWERS:
            own = [one for one in kept if one.reviewer == reviewer]
            assert list(ledger.decisions(reviewer)) == own[::-1]
            assert ledger.last(reviewer) == (own[-1] if own else None)
            patches = {patch for one in own for patch in one.patches}
            assert ledger.count_of(reviewer) == len(patches)
            assert set(ledger.standing_of(reviewer)) == patches
            answers = {patch: ledger.answer_of(reviewer, patch) for patch in patches}
            assert answers == ledger.standing_of(reviewer)
        assert ledger.reviewers == tuple(sorted({one.reviewer for one in kept}))


def test_nobody_undoes_what_another_decided() -> None:
    ledger = Ledger()
    ledger.apply(decision("1", "Ada", ["p"], ()))
    assert ledger.apply(Undo(id="2", time=NOW, reviewer="Bob", undo="1")) == ()
    assert ledger.verdict("p") == Verdict((), "Ada", False)
