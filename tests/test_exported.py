"""What `import benforge as ben` gives is documented, works, and costs nothing until used."""

from __future__ import annotations

import ast
import doctest
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import benforge as ben

PROJECT = Path(__file__).parents[1]


def members() -> Iterator[tuple[str, object]]:
    """Every public name, and the methods that the face adds to an archive."""
    for name in ben.__all__:
        yield name, getattr(ben, name)
        if name == "Archive":
            added = [key for key in vars(ben.Archive) if not key.startswith("_")]
            yield from ((f"Archive.{key}", getattr(ben.Archive, key)) for key in added)


def examples() -> list[doctest.DocTest]:
    """The examples of each name, in the order of `__all__`, in one room of names."""
    finder, room = doctest.DocTestFinder(recurse=False), {"ben": ben}
    return [test for name, found in members() for test in finder.find(found, name, globs=room)]


def test_every_name_is_documented_and_has_an_example() -> None:
    for name, found in members():
        assert inspect.getdoc(found), name
    shown = {test.name for test in examples() if test.examples}
    assert shown == {name for name, _ in members()}
    assert len(set(ben.__all__)) == len(ben.__all__)


def test_every_example_gives_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in one folder: what the first make, the later ones use."""
    monkeypatch.chdir(tmp_path)
    runner, said, room = doctest.DocTestRunner(), list[str](), {"ben": ben}
    for test in examples():
        test.globs = room
        runner.run(test, out=said.append, clear_globs=False)
    assert not runner.summarize(verbose=False).failed, "".join(said)


def test_types_name_what_is_there() -> None:
    """What type checkers are told is what `__getattr__` finds."""
    tree = ast.parse((PROJECT / "src/benforge/__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(told) == set(ben.__all__)
    for name, module in told.items():
        assert getattr(ben, name) is getattr(sys.modules[module], name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'opne'"):
        ben.opne  # noqa: B018
    assert set(ben.__all__) <= set(dir(ben))


def test_importing_brings_no_library() -> None:
    code = "import benforge, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"numpy", "torch", "rasterio", "geopandas", "pyarrow", "zarr", "msgspec"}
    assert not heavy & set(loaded)
    assert not [name for name in loaded if name.startswith("benforge.")]


def test_the_page_tells_every_name() -> None:
    page = (PROJECT / "docs/python.md").read_text(encoding="utf-8")
    missing = [
        name for name, _ in members() if f"`{name.replace('Archive.', 'archive.')}" not in page
    ]
    assert not missing
