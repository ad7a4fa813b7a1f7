"""The verb that doubts labels, as a user types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.archive.archive import Archive
from benforge.cli.main import run
from benforge.core.predictions import PredictionFacts, Predictions
from benforge.errors import InputError
from benforge.evaluation.doubt_files import read_doubts
from benforge.evaluation.files import write_predictions
from benforge.labels.hot import labels_hot


def predict_badly(archive: Archive, path: Path, rows: slice, **facts: object) -> Predictions:
    """Right about every label of the sample but those of the first row, which are turned."""
    hot = labels_hot(archive.index, archive.meta.nomenclature)[rows]
    scores = np.where(hot, 0.9, 0.1).astype(np.float32)
    scores[0] = 1 - scores[0]
    told = Predictions.of(
        archive.index["patch_id"].slice(rows.start, rows.stop - rows.start),
        scores,
        hot,
        archive.meta.nomenclature.names,
        PredictionFacts(nomenclature=archive.meta.nomenclature.name, model="Turned", **facts),  # type: ignore[arg-type]
    )
    write_predictions(path, told)
    return told


def test_doubts_of_two_files(
    imported_sample: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for file, rows in zip(files, (slice(0, 30), slice(30, 66)), strict=True):
        predict_badly(imported_sample, file, rows, extra={"trained_on": 0})
    before = sorted((p, p.stat().st_mtime_ns) for p in imported_sample.root.rglob("*"))
    out = tmp_path / "new" / "doubt.parquet"
    words = ["doubt", *map(str, files), "--archive", str(imported_sample.root), "--out", str(out)]
    assert run([*words, "--json", "--first", "3"]) == 0
    told, said = capsys.readouterr()
    assert said == ""
    shown = json.loads(told)
    assert (shown["patches"], shown["not_in_archive"], shown["changed"]) == (66, 0, 0)
    assert len(shown["first"]) == 3
    facts, table = read_doubts(out)
    assert facts.trained_on == 0
    assert set(table["patch_id"].to_pylist()) == {
        imported_sample.record(n).patch_id for n in (0, 30)
    }
    given = {
        (p, label)
        for n in (0, 30)
        for p in [imported_sample.record(n).patch_id]
        for label in imported_sample.record(n).labels
    }
    doubted = {
        (r["patch_id"], r["label"]) for r in table.to_pylist() if r["direction"] == "doubted"
    }
    assert doubted == given
    assert facts.doubted == len(given)
    assert sum(one.missing for one in facts.classes) == facts.missing
    assert sorted((p, p.stat().st_mtime_ns) for p in imported_sample.root.rglob("*")) == before
    assert run(words) == 0
    assert "Strongest" in capsys.readouterr().out


def test_patches_that_were_trained_on_are_said(
    imported_sample: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.parquet"
    predict_badly(imported_sample, file, slice(0, 20), part="train")
    words = ["doubt", str(file), "--archive", str(imported_sample.root)]
    assert run([*words, "--out", str(tmp_path / "d.parquet")]) == 0
    assert "20 of the patches were trained on" in capsys.readouterr().err


def test_what_cannot_be_doubted(
    imported_sample: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, root = tmp_path / "a.parquet", str(imported_sample.root)
    told = predict_badly(imported_sample, file, slice(0, 20))
    names = [f"x{n}" for n in range(20)]
    strange = Predictions.of(names, told.scores, told.targets, told.classes)
    write_predictions(tmp_path / "strange.parquet", strange)
    out = str(tmp_path / "d.parquet")
    cases = [
        (
            ["doubt", str(tmp_path / "none.parquet"), "--archive", root, "--out", out],
            "no such file",
        ),
        (
            ["doubt", str(tmp_path / "strange.parquet"), "--archive", root, "--out", out],
            "none of the predicted",
        ),
        (["doubt", str(file), "--archive", root, "--out", str(file)], "something else than doubts"),
        (["doubt", str(file), "--archive", str(tmp_path), "--out", out], ""),
    ]
    for words, what in cases:
        assert run(words) == 1
        error = capsys.readouterr().err
        assert what in error
        assert error.count("\n") == 1
    assert not Path(out).exists()


def test_a_file_of_doubts_that_is_none(imported_sample: Archive, tmp_path: Path) -> None:
    file, out = tmp_path / "a.parquet", tmp_path / "d.parquet"
    predict_badly(imported_sample, file, slice(0, 20))
    assert run(["doubt", str(file), "--archive", str(imported_sample.root), "--out", str(out)]) == 0
    facts, table = read_doubts(out)
    assert facts.trained_on is None
    with pytest.raises(InputError, match="holds no doubts"):
        read_doubts(file)
    (tmp_path / "cut.parquet").write_bytes(out.read_bytes()[:-9])
    with pytest.raises(InputError, match="holds no doubts"):
        read_doubts(tmp_path / "cut.parquet")
    newer = table.replace_schema_metadata(
        {
            b"benforge": pq.read_schema(out)
            .metadata[b"benforge"]
            .replace(b'"format":1', b'"format":7')
        }
    )
    pq.write_table(newer, tmp_path / "newer.parquet")
    with pytest.raises(InputError, match="of format 7"):
        read_doubts(tmp_path / "newer.parquet")
    pq.write_table(pa.table({"rank": [1]}), tmp_path / "other.parquet")
    shutil.copy(tmp_path / "other.parquet", out)
    assert run(["doubt", str(file), "--archive", str(imported_sample.root), "--out", str(out)]) == 1
