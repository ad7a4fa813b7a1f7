"""Catalogues that were saved: STAC items in JSON, one a line, or product names one a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benforge.errors import InputError, MissingError
from benforge.tiles.entry import ID_FIELDS, Entry, Listed

_FORMS = (
    "Save an ItemCollection (.json, .geojson), items one a line (.ndjson), or product ids one a "
    "line (.txt)"
)


def read_catalogue(path: Path) -> Listed:
    """The Sentinel-2 products of a saved catalogue; items of other kinds are counted.

    A file whose name ends in .txt holds product ids, one a line; `.SAFE` and blank lines do not
    matter. Clouds and files are unknown then.

    Raises:
        MissingError: there is no such file.
        InputError: it is of another form, or lists no Sentinel-2 product.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingError("there is no such catalogue", where=path) from error
    except IsADirectoryError as error:
        raise InputError("a folder, not a catalogue", where=path, do=_FORMS) from error
    if path.suffix == ".txt":
        return Listed(_names(data, path))
    found = [Entry.parse(item, ID_FIELDS) for item in _items(data, path)]
    entries = [entry for entry in found if entry]
    if not entries:
        raise InputError("it lists no Sentinel-2 product", where=path, do=_FORMS)
    return Listed(entries, len(found) - len(entries))


def _names(data: bytes, path: Path) -> list[Entry]:
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
        entries = [Entry.named(line) for line in lines if line]
    except (UnicodeDecodeError, InputError) as error:
        raise InputError(f"not a list of product ids, {error}", where=path, do=_FORMS) from error
    if not entries:
        raise InputError("it lists no product", where=path, do=_FORMS)
    return entries


def _items(data: bytes, path: Path) -> Iterator[dict[str, Any]]:
    """The items of a collection, or those that stand one a line."""
    try:
        if path.suffix in {".ndjson", ".jsonl"}:
            documents = [msgspec.json.decode(line) for line in data.splitlines() if line.strip()]
        else:
            whole = msgspec.json.decode(data)
            documents = whole.get("features", [whole]) if isinstance(whole, dict) else whole
    except msgspec.DecodeError as error:
        raise InputError(f"not JSON, {error}", where=path, do=_FORMS) from error
    if not isinstance(documents, list):
        raise InputError("not a list of STAC items", where=path, do=_FORMS)
    return (document for document in documents if isinstance(document, dict))
