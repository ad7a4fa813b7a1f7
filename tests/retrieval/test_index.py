"""An index is whole or refused, and reads back what was written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benforge.errors import InputError, MissingError
from benforge.retrieval.index import (
    AXES,
    FACTS,
    MODEL,
    PATCHES,
    VECTORS,
    IndexFacts,
    SearchIndex,
    open_index,
    write_index,
)

MADE = IndexFacts(
    kind="statistics",
    model="m",
    archive="a",
    simulated=True,
    nomenclature="n",
    metric="euclidean",
)
ROWS = pa.table({"patch_id": ["a", "b", "c"], "v1_name": ["x", None, "z"]})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    made = write_index(tmp_path, MADE, ROWS, [values[:2], values[2:]])
    index = open_index(tmp_path)
    assert index.facts == made
    assert (made.patches, made.features) == (3, 4)
    assert isinstance(index.vectors, np.memmap)
    assert (index.vectors == values).all()
    assert (np.load(tmp_path / VECTORS) == values).all()
    assert index.patches.equals(ROWS)
    assert (index.find("b"), index.find("z")) == (1, 2)
    with pytest.raises(InputError, match="y: the index of a holds no such patch"):
        index.find("y")


def test_vectors_that_cannot_be_searched(tmp_path: Path) -> None:
    wrong = np.array([[1, np.nan]], np.float32)
    with pytest.raises(InputError, match="the vector of patch 2 is not finite"):
        write_index(tmp_path, MADE, ROWS, [np.ones((2, 2), np.float32), wrong])
    with pytest.raises(InputError, match="2 vectors for 3 patches"):
        write_index(tmp_path, MADE, ROWS, [np.ones((2, 2), np.float32)])
    with pytest.raises(InputError, match="0 vectors for 3 patches"):
        write_index(tmp_path, MADE, ROWS, [])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", [VECTORS, PATCHES, AXES, MODEL])
@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
def test_damage_is_told(
    learned: SearchIndex, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    root = tmp_path / "index"
    shutil.copytree(learned.root, root)
    open_index(root)
    harm(root / name)
    with pytest.raises(InputError, match=rf"{name}: .*Make it again with ben embed"):
        open_index(root)


def test_notes_that_cannot_be_read(learned: SearchIndex, tmp_path: Path) -> None:
    root = tmp_path / "index"
    shutil.copytree(learned.root, root)
    text = (root / FACTS).read_text()
    for told, said in (
        (text[:-9], "cannot be read"),
        (text.replace('"format": 2', '"format": 3'), r"of format 3, .* reads 2\. Update benforge"),
        (text.replace('"format": 2', '"format": 1'), r"of format 1, .* Make it again with ben emb"),
        (text.replace('"patches": 66', '"patches": 65'), "do not fit together"),
    ):
        (root / FACTS).write_text(told)
        with pytest.raises(InputError, match=said):
            open_index(root)
    with pytest.raises(MissingError, match="no such folder"):
        open_index(tmp_path / "none")
    with pytest.raises(MissingError, match="not an index of ben embed"):
        open_index(tmp_path)
