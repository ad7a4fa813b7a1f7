from __future__ import annotations

import datetime
import io
import re
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.statistics.formats import FORMATS, as_csv, as_latex, as_markdown, escape_latex
from benforge.statistics.sheet import MISSING, Sheet, format_value

SHEET = Sheet(
    "Patches · 50 % & more",
    pa.table(
        {
            "code": [3112, 2],
            "class_name": ["Land | mine_d", "Sand " * 12],
            "patches": pa.array([590_326, None], pa.int64()),
            "share_of_all": [0.123456789, 1.0],
        }
    ),
    "A note.",
)


def test_csv_keeps_every_digit_and_pandas_reads_it():
    found = pd.read_csv(io.BytesIO(as_csv(SHEET, "x")))
    assert found.columns.tolist() == SHEET.table.column_names
    assert found.share_of_all[0] == 0.123456789
    assert found.patches.isna().tolist() == [False, True]


def test_csv_of_a_simulated_archive_says_so_in_every_row():
    found = pd.read_csv(io.BytesIO(as_csv(replace(SHEET, simulated=True), "x")))
    assert found.columns.tolist() == [*SHEET.table.column_names, "simulated_archive"]
    assert found.simulated_archive.tolist() == [True, True]


def test_markdown_has_as_many_cells_in_every_line():
    text = as_markdown(SHEET, "x").decode()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {5}
    assert "590,326" in text
    assert "12.3 %" in text
    assert MISSING in text
    assert "3112" in text, "a code is a name, not a number"


def test_latex_has_as_many_cells_in_every_row():
    text = as_latex(SHEET, "classes").decode()
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {3}
    for rule in ("toprule", "midrule", "bottomrule", r"\label{tab:classes}", r"50 \% \& more"):
        assert rule in text
    assert r"{rp{0.45\linewidth}rr}" in text


@given(st.text(alphabet="&%$#_{}\\~^<>ab "))
def test_latex_has_no_bare_sign_left(text):
    left = re.sub(r"\\(?:text[a-z]+\{\}|[&%$#_{}])", "", escape_latex(text))
    assert not set(left) & set("&%$#_{}\\~^<>")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, MISSING),
        (590_326, "590,326"),
        (1234.567, "1,234.57"),
        (datetime.date(2017, 6, 13), "2017-06-13"),
        (datetime.datetime(2017, 6, 13, 10, 10), "2017-06-13"),
        ("winter", "winter"),
    ],
)
def test_values_as_a_reader_wants_them(value, shown):
    assert format_value(value) == shown


def test_every_format_writes_an_empty_table():
    empty = Sheet("Nothing", pa.table({"class": pa.array([], pa.string())}))
    assert all(encode(empty, "x") for encode in FORMATS.values())
