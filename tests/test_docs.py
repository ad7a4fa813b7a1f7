"""What the documentation shows is executed, in a fresh folder, in the order of the page.

Of a page's blocks `console` are commands, `python` is run, `pycon` is run and its answers compared,
`toml` and `python` that begin with a comment of a file's name are that file. Other blocks (`py`,
`sh`, none) show what needs the network, a GPU or days.
"""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from benforge.cli.main import run

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("tutorials/*.md"))]
BLOCK = re.compile(r"^```(console|toml|python|pycon)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.\w+)\n")
HERE = "PYTHONPATH=."
SLOW = {
    "table-4.md",
    "map.md",
    "published.md",
    "region.md",
    "nomenclature.md",
    "python.md",
    "explain.md",
}
"""Pages that take ten seconds or more."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Kind and text of what is executed."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def words_of(command: str) -> list[str]:
    """The words as a shell gives them: file patterns become the files that match."""
    words = shlex.split(command, comments=True)
    return [
        name
        for word in words
        for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]


def run_commands(text: str, patch: pytest.MonkeyPatch) -> None:
    for command in (line[2:] for line in text.splitlines() if line.startswith("$ ")):
        words = words_of(command)
        if words[0] == HERE:
            patch.syspath_prepend(Path.cwd())
            del words[0]
        assert words[0] == "ben", f"another program: {command}"
        assert run(words[1:]) == 0, command


def run_session(text: str, room: dict[str, object]) -> None:
    """Compare every answer with that on the page."""
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(text, room, "page", None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert not runner.run(test, out=said.append, clear_globs=False).failed, "".join(said)
    room.update(test.globs)


SHOWN = [
    pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.name in SLOW else [])
    for page in PAGES
    if blocks(page)
]


@pytest.mark.parametrize("page", SHOWN)
def test_a_page_works_as_written(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if any("s3://" in text for _, text in blocks(page)):
        request.getfixturevalue("address")  # the environment of a storage whose bucket is "bucket"
    monkeypatch.chdir(tmp_path)
    before, room = set(sys.modules), dict[str, object]()
    try:
        for kind, text in blocks(page):
            if named := FILE.match(text):
                Path(named[1]).write_text(text, encoding="utf-8")
            elif kind == "console":
                run_commands(text, monkeypatch)
            elif kind == "python":
                exec(compile(text, page.name, "exec"), room)
            elif kind == "pycon":
                run_session(text, room)
    finally:
        for name in set(sys.modules) - before:
            if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def test_every_link_leads_somewhere() -> None:
    made = {"reference.md"}
    for page in [*PAGES, *sorted(DOCS.glob("decisions/*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                there = (page.parent / target).exists() or target in made
                assert there, f"{page.name} links to {target}"


def test_every_page_is_in_the_contents() -> None:
    contents = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [*DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md")]
    missing = [str(page.relative_to(DOCS)) for page in pages]
    assert not [page for page in missing if f": {page}\n" not in contents]


def test_the_site_builds(tmp_path: Path) -> None:
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    for name in ("docs", "tools"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "mkdocs.yml", tmp_path)
    build(load_config(str(tmp_path / "mkdocs.yml"), strict=True))
    page = (tmp_path / "site/reference.html").read_text(encoding="utf-8")
    assert 'id="archiveto_torch"' in page
    assert "DataLoader" in page
