from __future__ import annotations

from benforge.statistics.sheet import Sheet, table_of


def test_a_column_may_have_digits_of_its_own():
    table = table_of({"F1": [0.70984], "mean": [1234.5], "share": [0.12345], "n": [1200]})
    sheet = Sheet("title", table, decimals={"F1": 4, "share": 2})
    assert sheet.lines() == [["0.7098", "1,234.50", "12.35 %", "1,200"]]
    assert Sheet("title", table).lines() == [["0.71", "1,234.50", "12.3 %", "1,200"]]
