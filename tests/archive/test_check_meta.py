from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from benforge.archive.check import check_archive
from benforge.archive.check_meta import check_foreign, check_meta
from benforge.archive.meta import read_meta
from benforge.core.nomenclature import Nomenclature, load_nomenclature
from benforge.testing.archives import make_scene, write_archive

CLASSES = load_nomenclature("clc-43").classes


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive"), make_scene())


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"recipe": {}}, "holds no recipe"),
        ({"recipe": {"profile": "ben-v2"}}, "the recipe is of the profile ben-v2"),
        ({"simulated": False}, "does not say that scenes are simulated"),
        ({"nomenclature": Nomenclature("clc-43", CLASSES[::-1])}, "are not those of clc-43"),
    ],
)
def test_a_contradiction_is_told(root: Path, changes: dict[str, Any], what: str) -> None:
    (finding,) = check_meta(root, msgspec.structs.replace(read_meta(root), **changes))
    assert (finding.severity, Path(finding.where)) == ("error", root / "archive.json")
    assert what in finding.what


def test_classes_of_a_file_of_yours_are_believed(root: Path) -> None:
    meta = msgspec.structs.replace(read_meta(root), nomenclature=Nomenclature("mine", CLASSES[:2]))
    assert check_meta(root, meta) == []


def test_foreign_files_are_notes(tmp_path: Path) -> None:
    root = write_archive(tmp_path, make_scene())
    for sidecars in ("flags", "splits"):
        (root / sidecars).mkdir()
    assert list(check_foreign(root)) == []
    foreign = [root / "notes.txt", root / "scenes" / "README", root / "scenes" / "x.zarr"]
    for path in foreign:
        path.touch()
    found = check_archive(root)
    assert {Path(finding.where) for finding in found} == set(foreign)
    assert {finding.severity for finding in found} == {"note"}
