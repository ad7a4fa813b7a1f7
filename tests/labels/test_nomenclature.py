"""Nomenclatures of yours."""

from __future__ import annotations

from pathlib import Path

import pytest

from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.errors import InputError, MissingError, RecipeError
from benforge.labels.nomenclature import read_crosswalk, read_nomenclature

FORESTS = """
name = "forests"
[[class]]
code = 1
name = "Forest"
color = [0, 128, 0]
members = [311, 312, 313]
[[class]]
code = 512
name = "Water bodies"
color = [0, 0, 255]
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_shipped() -> None:
    assert read_nomenclature("ben-19") is load_nomenclature("ben-19")
    assert read_crosswalk("ben-19") is load_crosswalk("ben-19")
    assert read_crosswalk("clc-44").dropped == ()
    with pytest.raises(InputError, match="no nomenclature is called 'ben-20'"):
        read_crosswalk("ben-20")


def test_own(tmp_path: Path) -> None:
    crosswalk = read_crosswalk(write(tmp_path, FORESTS))
    assert crosswalk.target.names == ("Forest", "Water bodies")
    assert (crosswalk(311), crosswalk(512), crosswalk(111)) == (1, 512, None)


def test_own_source(tmp_path: Path) -> None:
    mine = write(tmp_path, FORESTS)
    crosswalk = read_crosswalk(mine, source=mine)
    assert crosswalk.mapping == {1: 1, 512: 512}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[311, 312, 313]", "[311, 312, 512]", "a member stands in two classes"),
        ("[311, 312, 313]", "[311, 777]", r"clc-44.*\[777\] are not of the source"),
        ("[311, 312, 313]", "[311, 312", "not a TOML file"),
        ('name = "Forest"', "", r"not a nomenclature: .*`name`"),
        ("[311, 312, 313]", "311", r"not a nomenclature: .*members"),
        ("members =", "member =", r"not a nomenclature: .*`member`"),
        ("[0, 0, 255]", "[0, 0, 256]", r"not a nomenclature: .*255"),
        ("code = 512", "code = 1", "two classes share a code"),
    ],
)
def test_wrong_files(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises((RecipeError, InputError), match=message):
        read_crosswalk(write(tmp_path, FORESTS.replace(old, new)))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no nomenclature"):
        read_nomenclature(str(tmp_path / "mine.toml"))
