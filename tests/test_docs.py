"""What the documentation shows is executed, in a fresh folder, in the order of the page."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.cli.main import run
from benforge.testing.products import write_small_map, write_small_product

PROJECT = Path(__file__).parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOML = re.compile(r"^```toml\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    blocks = CONSOLE.findall(page.read_text(encoding="utf-8"))
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def words_of(command: str) -> list[str]:
    """The words as a shell gives them: file patterns become the files that match."""
    words = shlex.split(command)
    return [
        name
        for word in words
        for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda p: p.name)
def test_the_commands_of_a_page_work_as_written(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in TOML.findall(page.read_text(encoding="utf-8")):
        Path(name).write_text(text)
    for command in commands(page):
        program, *words = words_of(command)
        assert program == "ben", f"{page.name} shows another program: {command}"
        assert run(words) == 0, command


def test_every_page_is_reached_and_every_link_leads_somewhere() -> None:
    for page in [*PAGES, *sorted((PROJECT / "docs/decisions").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_site_builds(tmp_path: Path) -> None:
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    shutil.copytree(PROJECT / "docs", tmp_path / "docs")
    shutil.copy(PROJECT / "mkdocs.yml", tmp_path)
    build(load_config(str(tmp_path / "mkdocs.yml"), strict=True))
    assert (tmp_path / "site/build.html").is_file()


def test_the_python_of_the_archive_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    product, land_cover = write_small_product(tmp_path), write_small_map(tmp_path / "map.gpkg")
    words = ["build", str(product), "--land-cover", str(land_cover), "--out", "archive"]
    assert run([*words, "--profile", "custom"]) == 0
    page = (PROJECT / "docs/archive.md").read_text(encoding="utf-8")
    space: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(block, space)
    batch = space["batch"]
    assert isinstance(batch, dict)
    assert batch[10].shape == (16, 4, 120, 120)


def test_the_python_of_the_loader_page_runs(
    imported_sample: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("archive").symlink_to(imported_sample.root)
    page = (PROJECT / "docs/loader.md").read_text(encoding="utf-8")
    space: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(block, space)
    assert tuple(space["images"].shape) == (8, 3, 120, 120)  # type: ignore[attr-defined]
