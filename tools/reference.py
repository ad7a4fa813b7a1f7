"""A hook of mkdocs: the page reference.md, made of the docstrings of every public name."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "<!-- every public name -->"
_SECTION = re.compile(r"^(Args|Returns|Raises|Example):$\n((?:^(?:    .*)?$\n?)+)", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What mkdocs calls with each page."""
    return markdown.replace(MARK, "\n".join(_pages())) if MARK in markdown else markdown


def _pages() -> Iterator[str]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
    import benforge as ben

    for name in ben.__all__:
        found = getattr(ben, name)
        yield from _page(name, found)
        if name == "Archive":
            added = [key for key in vars(found) if not key.startswith("_")]
            for key in added:
                yield from _page(f"archive.{key}", getattr(found, key))


def _page(name: str, found: Any) -> Iterator[str]:
    yield f"## {name}\n"
    if not inspect.isclass(found):
        yield f"```python\n{_signature(name, found)}\n```\n"
    text = _SECTION.sub(_section, f"{inspect.getdoc(found)}\n")
    yield re.sub(r"\n{3,}", "\n\n", text) + "\n"


def _signature(name: str, found: Any) -> str:
    """As it is called: a line, or a line an argument where that is too long."""
    given = [p for p in inspect.signature(found).parameters.values() if p.name != "self"]
    words = [str(p.replace(annotation=inspect.Parameter.empty)).replace("'", '"') for p in given]
    first = next((i for i, p in enumerate(given) if p.kind is p.KEYWORD_ONLY), len(given))
    if first < len(given):
        words.insert(first, "*")
    called = name if name.startswith("archive.") else f"ben.{name}"
    words = [re.sub(r"<function (\w+) at \w+>", r"\1", word) for word in words]
    line = f"{called}({', '.join(words)})"
    if len(line) <= 88:
        return line
    return "\n".join([f"{called}(", *(f"    {word}," for word in words), ")"])


def _section(match: re.Match[str]) -> str:
    title, body = match.groups()
    if title == "Example":
        return f"\n```python\n{inspect.cleandoc(body)}\n```\n"
    if title == "Returns":
        return f"\n**Returns** {inspect.cleandoc(body)}\n"
    entries = _ENTRY.sub(r"- `\1`: ", body).replace("\n        ", "\n  ")
    return f"\n**{'Arguments' if title == 'Args' else title}**\n\n{entries}"
