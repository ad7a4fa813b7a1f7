"""Files of predictions: written and read back, of other tools, and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.core.predictions import TUNED, PredictionFacts, Predictions
from benforge.errors import BenError, InputError, MissingError
from benforge.evaluation.files import read_predictions, write_predictions

FACTS = PredictionFacts(
    nomenclature="ben-19",
    model="S-CNN-All",
    simulated=True,
    threshold=0.25,
    threshold_from=TUNED,
    extra={"epochs": [1, 2], "more": {"a": None}},
)
COLUMNS = {"patch_id": ["p", "q"], "scores": [[0.1, 0.7], [0.5, 1.0]], "targets": [[0, 1], [1, 1]]}


def test_written_then_read_is_the_same(tmp_path: Path) -> None:
    scores = np.random.default_rng(1).random((7, 3), np.float32)
    given = Predictions.of([f"é{i}" for i in range(7)], scores, scores > 0.4, "äbc", FACTS)
    found = read_predictions(write_predictions(tmp_path / "new" / "test.parquet", given))
    assert found.patch_ids.equals(given.patch_ids)
    assert np.array_equal(found.scores, scores)
    assert np.array_equal(found.targets, given.targets)
    assert (found.classes, found.facts) == (given.classes, FACTS)


def test_equal_predictions_are_equal_bytes_in_the_form_that_is_documented(tmp_path: Path) -> None:
    given = Predictions.of(["p", "q"], COLUMNS["scores"], COLUMNS["targets"], "ab", FACTS)
    one, two = (write_predictions(tmp_path / name, given) for name in "12")
    assert one.read_bytes() == two.read_bytes()
    schema = pq.read_schema(one)
    assert [str(schema.field(name).type) for name in schema.names] == [
        "string",
        "fixed_size_list<element: float>[2]",
        "fixed_size_list<element: uint8>[2]",
    ]
    assert json.loads(schema.metadata[b"classes"]) == ["a", "b"]
    assert json.loads(schema.metadata[b"benforge"])["threshold_from"] == TUNED


def _foreign(path: Path, metadata: dict[str, str] | None = None, **changed: Any) -> Path:
    table = pa.table({k: v for k, v in (COLUMNS | changed).items() if v is not None})
    pq.write_table(table.replace_schema_metadata(metadata or {"classes": '["a", "b"]'}), path)
    return path


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"scores": pa.array(COLUMNS["scores"], pa.large_list(pa.float64()))},
        {"targets": pa.array([[False, True], [True, True]])},
        {"more": [1, 2]},
        {"patch_id": pa.array(["p", "q"], pa.large_string())},
    ],
)
def test_other_tools_files(tmp_path: Path, changed: dict[str, Any]) -> None:
    found = read_predictions(_foreign(tmp_path / "x", **changed))
    assert found.scores.tolist() == np.array(COLUMNS["scores"], np.float32).tolist()
    assert found.targets.tolist() == [[False, True], [True, True]]
    assert found.facts == PredictionFacts()


@pytest.mark.parametrize(
    ("metadata", "changed", "line"),
    [
        ({"other": "x"}, {}, "does not say the order of its classes"),
        ({"classes": "no json"}, {}, "no JSON list of names"),
        ({"classes": "[1]"}, {}, "no JSON list of names"),
        ({"classes": '["a"]'}, {}, "scores are not 1 numbers a patch"),
        (None, {"targets": None}, "no column targets"),
        (None, {"scores": [0.1, 0.2]}, "scores are double, not lists"),
        (None, {"scores": [[0.1], [0.2, 0.3]]}, "not 2 numbers a patch"),
        (None, {"scores": [[0.1, None], [0.2, 0.3]]}, "not 2 numbers a patch"),
        (None, {"scores": [None, [0.2, 0.3]]}, "not 2 numbers a patch"),
        (None, {"scores": [["a", "b"], ["c", "d"]]}, "lists of string, not of numbers"),
        (None, {"scores": [[0.1, 0.2], [3.0, 0]]}, "x, q: the score of a is 3.0"),
        (None, {"targets": [[0, 1], [4, 0]]}, "neither 0 nor 1"),
        (None, {"patch_id": ["p", "p"]}, "x, p: predicted twice"),
        (None, {"patch_id": ["p", None]}, "patch ids are strings"),
        ({"classes": '["a", "b"]', "benforge": '{"format": 9}'}, {}, "of format 9.*Update"),
        ({"classes": '["a", "b"]', "benforge": '{"threshold": "x"}'}, {}, "facts cannot be read"),
        ({"classes": '["a", "b"]', "benforge": '{"threshold": 7}'}, {}, "facts cannot be read"),
    ],
)
def test_files_that_are_none(
    tmp_path: Path, metadata: dict[str, str] | None, changed: dict[str, Any], line: str
) -> None:
    path = _foreign(tmp_path / "x", metadata, **changed)
    with pytest.raises(InputError, match=line) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


def test_cut_off_anywhere(tmp_path: Path) -> None:
    whole = _foreign(tmp_path / "whole").read_bytes()
    for length in range(0, len(whole), 97):
        path = tmp_path / "cut"
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="cut off"):
            read_predictions(path)


def test_a_flipped_byte_is_no_other_error(tmp_path: Path) -> None:
    whole, refused = bytearray(_foreign(tmp_path / "whole").read_bytes()), 0
    for place in range(0, len(whole), 31):
        flipped = whole.copy()
        flipped[place] ^= 0xFF
        (tmp_path / "flipped").write_bytes(flipped)
        try:
            read_predictions(tmp_path / "flipped")
        except BenError:
            refused += 1
    assert refused


def test_no_file_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such file"):
        read_predictions(tmp_path / "none")
    with pytest.raises(InputError, match=r"is a folder\. Name a Parquet file of predictions$"):
        read_predictions(tmp_path)
    (tmp_path / "test.parquet").touch()
    with pytest.raises(InputError, match=r"Name the file in it: .*/test\.parquet$"):
        read_predictions(tmp_path)
    (tmp_path / "validation.parquet").touch()
    with pytest.raises(InputError, match=r"is a folder.*such as .*/test\.parquet$"):
        read_predictions(tmp_path)


def test_extra_facts_that_json_cannot_hold(tmp_path: Path) -> None:
    facts = PredictionFacts(extra={"x": object()})
    given = Predictions.of(["p"], [[0.5]], [[1]], "a", facts)
    with pytest.raises(InputError, match="JSON cannot hold"):
        write_predictions(tmp_path / "x", given)
