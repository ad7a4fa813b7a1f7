from __future__ import annotations

import re

import pytest

from benforge.cli.main import run

LISTS = ["--metadata", "x", "--leakage"]
RANDOM = ["a", "--rule", "paper-random"]
SPLIT = [
    ([], "and only one of them"),
    (["a", "--metadata", "x"], "and only one of them"),
    (["a", "--rule", "random"], "no rule is called 'random'"),
    (["a", "--rule", "published"], "--lists DIR"),
    ([*RANDOM, "--lists", "x"], "--lists is for --rule published"),
    ([*RANDOM, "--labelled", "x"], "no nomenclature is called 'x'"),
    ([*RANDOM, "--name", "../x"], "is no name for splits"),
    ([*RANDOM, "--out", "x"], "--out is for the report of --leakage"),
    (["a", "--rule", "published", "--lists", "x", "--flags", "f"], "--flags means nothing"),
    (["a", "--lists", "x"], "--lists is for a split that --rule makes"),
    (["a", "--seed", "1"], "--seed is for a split that --rule makes"),
    (["a", "--flags", "none", "--leakage"], "--flags is for a split that --rule makes"),
    (["a", "--labelled", "ben-19"], "--labelled is for a split that --rule makes"),
    (["a", "--name", "x"], "--name needs --rule"),
    (["a", "--out", "x"], "--out is for the report of --leakage"),
    (["--metadata", "x"], "ask for --leakage"),
    ([*LISTS, "--rule", "by-tile"], "--rule does not go with --metadata"),
    ([*LISTS, "--lists", "x"], "--lists does not go with --metadata"),
    ([*LISTS, "--seed", "2"], "--seed does not go with --metadata"),
    ([*LISTS, "--name", "mine"], "--name names a split: v1 or v2"),
]
STATS = [
    ([], "and only one of them"),
    (["a", "--metadata", "x"], "and only one of them"),
    (["--metadata", "x", "--pixels"], "--pixels does not go with --metadata"),
    (["--metadata", "x", "--workers", "2"], "--workers does not go with --metadata"),
    (["a", "--no-pixels", "--workers", "2"], "leave out --workers or --no-pixels"),
    (["a", "--no-pixels", "--cluster", "x"], "leave out --cluster or --no-pixels"),
    (["a", "--workers", "2", "--cluster", "x"], "leave out --workers or --cluster"),
]


def told(text: str) -> str:
    """What an error's box holds, in one line."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


@pytest.mark.parametrize(("words", "said"), SPLIT, ids=[" ".join(words) for words, _ in SPLIT])
def test_split_takes_no_options_in_vain(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["split", *words]) == 2
    assert said in told(capsys.readouterr().err)


@pytest.mark.parametrize(("words", "said"), STATS, ids=[" ".join(words) for words, _ in STATS])
def test_stats_takes_no_options_in_vain(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", *words, "--out", "never"]) == 2
    assert said in told(capsys.readouterr().err)
