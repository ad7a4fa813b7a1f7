from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.errors import ProductError
from benforge.scenes.safe_files import open_files
from benforge.scenes.safe_xml import (
    XML_LIMIT,
    find_text,
    need_text,
    parse_number,
    parse_whole,
    parse_xml,
    read_xml,
)

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

UNSAFE = {
    "billion laughs": f'<!DOCTYPE l [<!ENTITY l0 "lol">{LAUGHS}]><l>&l9;</l>',
    "quadratic": f'<!DOCTYPE l [<!ENTITY a "{"a" * 1000}">]><l>{"&a;" * 1000}</l>',
    "external file": '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><l>&a;</l>',
    "external host": '<!DOCTYPE l [<!ENTITY a SYSTEM "http://localhost:1/">]><l>&a;</l>',
    "parameter": '<!DOCTYPE l [<!ENTITY % p SYSTEM "http://localhost:1/"> %p;]><l/>',
    "document type": '<!DOCTYPE l SYSTEM "http://localhost:1/l.dtd"><l/>',
}


@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_xml_is_refused(case: str) -> None:
    with pytest.raises(ProductError, match=r"m\.xml: the XML declares a document type"):
        parse_xml(UNSAFE[case].encode(), "m.xml")


@pytest.mark.parametrize("text", [b"", b"<a>", b"<a></b>", b"&x;", b"\xff", b"<a>\0</a>"])
def test_broken_xml_is_told(text: bytes) -> None:
    with pytest.raises(ProductError, match="not well-formed"):
        parse_xml(text, "m.xml")


def test_an_unknown_encoding_is_told() -> None:
    with pytest.raises(ProductError, match="not well-formed"):
        parse_xml(b'<?xml version="1.0" encoding="klingon"?><a/>', "m.xml")


def test_a_document_of_too_many_bytes_is_not_parsed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MTD_MSIL2A.xml", b" " * (XML_LIMIT + 1))
    assert (tmp_path / "a.zip").stat().st_size < 100_000
    with pytest.raises(ProductError, match="larger than 64 MiB"):
        read_xml(open_files(tmp_path / "a.zip"), "MTD_MSIL2A.xml")


def test_texts_are_found_in_any_namespace_and_empty_ones_passed_over() -> None:
    root = parse_xml(b'<n:r xmlns:n="urn:n"><n:a/><b><a> x </a></b></n:r>', "m.xml")
    assert find_text(root, "a") == "x"
    assert find_text(root, "none", "a") == "x"
    assert find_text(root, "none") is None
    with pytest.raises(ProductError, match=r"m\.xml: the metadata have no c or d"):
        need_text(root, "m.xml", "c", "d")


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_are_read_with_and_without_a_point(number: int) -> None:
    assert parse_whole(str(number), "T", "m.xml") == number
    assert parse_whole(f"{number}.0", "T", "m.xml") == number


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1e999", "ten", "1,5"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(ProductError, match=r"m\.xml: T is .*not a number"):
        parse_number(text, "T", "m.xml")


def test_a_fraction_is_no_whole_number() -> None:
    with pytest.raises(ProductError, match="not a whole number"):
        parse_whole("1.5", "T", "m.xml")
