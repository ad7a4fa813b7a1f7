"""Decisions on labels: in the same log as those on flags, undone alike, exported beside labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.sidecars import read_flags
from benforge.cli.main import run
from benforge.errors import ConflictError, InputError
from benforge.quality.events import (
    Event,
    LabelDecision,
    Undo,
    decode_event,
    encode_event,
    make_label_decision,
)
from benforge.quality.flag_sources import flags_of_review
from benforge.quality.label_lists import WRONG_LABEL, export_labels
from benforge.quality.ledger import LabelVerdict, Ledger
from benforge.quality.review import Review
from benforge.testing.archives import make_scene, write_archive
from tests.quality.test_ledger import NOW, PATCHES, REVIEWERS, logs, verdict_by_rule
from tests.quality.test_ledger import standing_by_rule as flags_by_rule

LABELS = ("Pastures", "Coniferous forest")


@st.composite
def mixed(draw: st.DrawFn) -> list[Event]:
    """Logs of flags with decisions on labels put between them, and undos of these."""
    events = draw(logs())
    for place in range(draw(st.integers(0, 8))):
        reviewer, at = draw(st.sampled_from(REVIEWERS)), draw(st.integers(0, len(events)))
        if draw(st.booleans()):
            which = draw(st.sampled_from([f"l{n}" for n in range(8)]))
            events.insert(at, Undo(id=f"lu{place}", time=NOW, reviewer=reviewer, undo=which))
            continue
        patches = tuple(draw(st.lists(st.sampled_from(PATCHES), min_size=1, max_size=2)))
        told = LabelDecision(
            id=f"l{place}",
            time=NOW,
            reviewer=reviewer,
            label=draw(st.sampled_from(LABELS)),
            present=draw(st.booleans()),
            patches=patches,
        )
        events.insert(at, told)
    return events


def label_by_rule(events: list[Event], patch: str, label: str) -> LabelVerdict | None:
    last: dict[str, LabelDecision] = {}
    for one in flags_by_rule(events):  # type: ignore[assignment]
        if isinstance(one, LabelDecision) and one.label == label and patch in one.patches:
            last.pop(one.reviewer, None)
            last[one.reviewer] = one
    if not last:
        return None
    *_, final = last.values()
    return LabelVerdict(final.present, final.reviewer, len({o.present for o in last.values()}) > 1)


@given(mixed())
def test_labels_and_flags_do_not_touch_each_other(events: list[Event]) -> None:
    ledger, alone = Ledger(), Ledger()
    for event in events:
        ledger.apply(event)
        if not isinstance(event, LabelDecision):
            alone.apply(event)
    kept = [one for one in flags_by_rule(events) if not isinstance(one, LabelDecision)]
    for patch in PATCHES:
        assert ledger.verdict(patch) == alone.verdict(patch) == verdict_by_rule(kept, patch)
        for label in LABELS:
            assert ledger.label_verdict(patch, label) == label_by_rule(events, patch, label)
    assert ledger.decided() == alone.decided()
    pairs = {(p, label) for p in PATCHES for label in LABELS}
    assert ledger.judged() == {pair for pair in pairs if label_by_rule(events, *pair)}
    for name in REVIEWERS:
        assert ledger.count_of(name) == alone.count_of(name)
        assert ledger.standing_of(name) == alone.standing_of(name)


def test_an_event_comes_back_as_it_was() -> None:
    told = make_label_decision("Ada", "Pastures", ["p", "q", "p"], present=False)
    assert told.patches == ("p", "q")
    assert decode_event(encode_event(told)) == told
    line = json.loads(encode_event(told))
    assert {"label", "present", "patches"} < line.keys()
    broken = [
        line | {"flags": []},
        line | {"undo": "x"},
        line | {"label": ""},
        line | {"patches": []},
        {k: v for k, v in line.items() if k != "present"},
    ]
    assert [decode_event(json.dumps(one).encode()) for one in broken] == [None] * 5
    for label, patches in (("", ["p"]), ("Pastures", [])):
        with pytest.raises(InputError, match="is about a label and at least one patch"):
            make_label_decision("Ada", label, patches, present=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six patches with the labels Coniferous forest, or that and Non-irrigated arable land."""
    return write_archive(tmp_path / "archive", make_scene())


def test_what_is_undone_is_the_last_of_either_kind(root: Path) -> None:
    ids, review = Archive.open(root).index["patch_id"].to_pylist(), Review(root)
    review.decide("Ada", ["seasonal_snow"], ids[:1])
    review.judge("Ada", "Pastures", ids[:1], present=True, named="a" * 32)
    review.judge("Ada", "Pastures", ids[:1], present=True, named="a" * 32)
    assert len(review.log.path.read_bytes().splitlines()) == 2
    assert Review(root).ledger.label_answer_of("Ada", ids[0], "Pastures") is True
    (undone,) = review.undo("Ada")
    assert isinstance(undone, LabelDecision)
    assert review.ledger.label_answer_of("Ada", ids[0], "Pastures") is None
    (undone,) = review.undo("Ada")
    assert undone.patches == (ids[0],)
    assert not review.ledger.decided()
    assert [f for f in check_archive(root) if "reviews" in f.where] == []


def test_who_decided_on_labels_alone_gave_no_flags(root: Path) -> None:
    ids, review = Archive.open(root).index["patch_id"].to_pylist(), Review(root)
    review.judge("Ada", "Pastures", ids[:1], present=True)
    review.decide("Bob", [], ids[1:2])
    told = flags_of_review(review, "last", "x")
    assert told.flags.table["patch_id"].to_pylist() == [ids[1]]
    assert told.flags.source == "the review review by Bob"


def test_the_list_stands_beside_the_labels(root: Path, tmp_path: Path) -> None:
    archive, review = Archive.open(root), Review(root)
    ids = archive.index["patch_id"].to_pylist()
    given = [list(record.labels) for record in archive.records()]
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    has = next(n for n, labels in enumerate(given) if "Coniferous forest" in labels)
    review.judge("Ada", "Coniferous forest", [ids[has]], present=False)
    review.judge("Ada", "Pastures", [ids[1]], present=True)
    review.judge("Ada", "Pastures", [ids[2]], present=False)
    review.judge("Bob", "Pastures", [ids[2]], present=True)
    review.judge("Bob", "Pastures", ["elsewhere"], present=True)
    out = tmp_path / "lists" / "labels.csv"
    done = export_labels(root, out, name="doubted")
    assert (done.labels, done.wrong, done.disputed, done.left_out) == (3, 3, 1, 1)
    with out.open() as file:
        rows = {(r["patch_id"], r["label"]): r for r in csv.DictReader(file)}
    first = rows[ids[has], "Coniferous forest"]
    assert [first[k] for k in ("in_archive", "present", "wrong", "by")] == ["1", "0", "1", "Ada"]
    assert rows[ids[2], "Pastures"]["disputed"] == "1"
    flags = read_flags(root, "doubted")
    assert flags.flags == (WRONG_LABEL,)
    assert flags.table[WRONG_LABEL].to_pylist() == [True] * len(flags.table)
    agreed = export_labels(root, out, agree="all", name="doubted", replace=True)
    assert (agreed.labels, agreed.wrong, agreed.left_out) == (2, 2, 2)
    assert all(p.read_bytes() == data for p, data in before.items())
    assert [f for f in check_archive(root) if f.severity == "error"] == []


def test_lists_that_cannot_be_written(root: Path, tmp_path: Path, capsys) -> None:
    ids = Archive.open(root).index["patch_id"].to_pylist()
    words = ["flags", "labels", str(root), "--out", str(tmp_path / "l.csv")]
    assert run(words) == 1
    assert "nobody decided on a label" in capsys.readouterr().err
    Review(root).judge("Ada", "Pastures", ids[:1], present=True)
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["wrong"] == 1
    (tmp_path / "other.csv").write_text("mine\n")
    with pytest.raises(ConflictError, match="something else than a list"):
        export_labels(root, tmp_path / "other.csv")
    with pytest.raises(InputError, match="published no wrong labels"):
        export_labels(root, tmp_path / "l.csv", name="published")
