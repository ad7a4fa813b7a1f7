"""The published lists of BigEarthNet, found by their file names and read as Arrow tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.nomenclature import load_nomenclature
from benforge.errors import InputError, MissingError
from benforge.published.reading import (
    ENDINGS,
    RESTORE,
    check_names,
    check_once,
    damaged,
    read_parquet,
    read_text,
)

TEXT_LISTS = {
    "train": "train",
    "val": "val",
    "test": "test",
    "seasonal_snow": "patches_with_seasonal_snow",
    "cloud_or_shadow": "patches_with_cloud_and_shadow",
    "no_19_class": "patches_with_no_19_class_targets",
    "products": "tile_names_and_links",
    "countries_and_seasons": "s1_s2_name_country_season",
    "class_counts": "table2_class_counts",
}
"""Kind of list to its file name, without the ending: .csv, .csv.bz2 or .csv.gz."""

PARQUET_LISTS = {
    "v2_unflagged": "metadata.parquet",
    "v2_flagged": "metadata_for_patches_with_snow_cloud_or_shadow.parquet",
    "geometry": "patch_geometry.parquet",
}
"""Kind of list to its file name; the first two together are "v2"."""

CROSSWALK = "clc_metadata"
"""Kind of the table of CLC classes and what v2 makes of them; its file is a .json."""

_GLACIERS = "Glaciers and perpetual snow"

UNLABELLED = "UNLABELED"
"""What v2 writes for a class that it drops."""

NAME_LISTS = ("train", "val", "test", "seasonal_snow", "cloud_or_shadow", "no_19_class")
"""The kinds that hold nothing but names of v1 patches."""

V2_SCHEMA = pa.schema(
    [
        pa.field("patch_id", pa.string()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("split", pa.string()),
        pa.field("country", pa.string()),
        pa.field("s1_name", pa.string()),
        pa.field("s2v1_name", pa.string()),
        pa.field("contains_seasonal_snow", pa.bool_()),
        pa.field("contains_cloud_or_shadow", pa.bool_()),
    ]
)
GEOMETRY_SCHEMA = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("tile", pa.string()),
        pa.field("epsg", pa.int64()),
        pa.field("ulx", pa.int64()),
        pa.field("uly", pa.int64()),
        pa.field("country", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class PublishedLists:
    """The lists that are at hand; each is read, and checked, when it is asked for.

    Args:
        files: kind of list to its file; kinds are those of `TEXT_LISTS` and `PARQUET_LISTS`.
    """

    files: Mapping[str, Path]

    def __bool__(self) -> bool:
        return bool(self.files)

    def has(self, kind: str) -> bool:
        """Whether there is a list of this kind; "v2" is either part of v2's metadata."""
        kinds = ("v2_unflagged", "v2_flagged") if kind == "v2" else (kind,)
        return any(kind in self.files for kind in kinds)

    def names(self, kind: str) -> pa.Array:
        """The v1 patch names of one list, in its order.

        Args:
            kind: "train", "val", "test", "seasonal_snow", "cloud_or_shadow" or "no_19_class".

        Raises:
            InputError: no such kind; the file is damaged, holds something else than names, or
                one of them twice.
            MissingError: the list is not at hand.
        """
        if kind not in NAME_LISTS:
            raise InputError(f"no list of names is called {kind!r}", do=f"Use {_or(NAME_LISTS)}")
        path = self._path(kind)
        names = read_text(path, ["v1_name"])["v1_name"].combine_chunks()
        check_names(names, path)
        return names

    def products(self) -> pa.Table:
        """Which product each v1 patch was cut from: v1_name, source (full L1C id, no .SAFE).

        Raises:
            InputError: the file is damaged, or names a patch twice.
            MissingError: the list is not at hand.
        """
        path = self._path("products")
        table = read_text(path, ["v1_name", "source", "link"], ["v1_name", "source"])
        check_names(table["v1_name"].combine_chunks(), path)
        source = table["source"].combine_chunks().dictionary_encode()
        plain = pc.replace_substring_regex(source.dictionary, r"\.SAFE$", "").cast(pa.string())
        decoded = pa.DictionaryArray.from_arrays(source.indices, plain)
        return table.set_column(1, "source", decoded).combine_chunks()

    def countries_and_seasons(self) -> pa.Table:
        """v1_name, s1_name, country, season of every v1 patch, as published.

        438 of the published seasons are not those of the patch's date (fidelity 16).

        Raises:
            InputError: the file is damaged, lacks a column, or names a patch twice.
            MissingError: the list is not at hand.
        """
        path = self._path("countries_and_seasons")
        columns = ["s2_name", "s1_name", "country", "season"]
        table = read_text(path, None, columns).rename_columns(["v1_name", *columns[1:]])
        check_names(table["v1_name"].combine_chunks(), path)
        return table

    def geometry(self) -> pa.Table:
        """v1_name, tile, epsg, ulx, uly (m), country of every v1 patch.

        Raises:
            InputError: the file is damaged, lacks a column, or names a patch twice.
            MissingError: the list is not at hand.
        """
        path = self._path("geometry")
        table = read_parquet(path, GEOMETRY_SCHEMA)
        check_names(table["name"].combine_chunks(), path)
        return table.rename_columns(["v1_name", *table.column_names[1:]])

    def v2(self) -> pa.Table:
        """The metadata of v2, flagged patches included where their file is there: `V2_SCHEMA`.

        Raises:
            InputError: a file is damaged, lacks a column, or a patch stands there twice.
            MissingError: neither file is at hand.
        """
        kinds = [kind for kind in ("v2_unflagged", "v2_flagged") if kind in self.files]
        paths = [self.files[kind] for kind in kinds] or [self._path("v2_unflagged")]
        parts = [read_parquet(path, V2_SCHEMA) for path in paths]
        table = pa.concat_tables(parts)
        for column in ("patch_id", "s2v1_name"):
            for path, part in zip(paths, parts, strict=True):
                check_once(part[column].combine_chunks().drop_null(), path)
            check_once(table[column].combine_chunks().drop_null(), paths[0].parent)
        return table.combine_chunks()

    def class_counts(self) -> dict[str, int]:
        """Table 2 of the paper: class, spelled as in clc-43, to number of patches.

        Glaciers, which that lacks, are read too.

        Raises:
            InputError: the file is damaged, or a class is unknown or counted twice.
            MissingError: the list is not at hand.
        """
        path = self._path("class_counts")
        table = read_text(path, ["name", "count"], skip=1)
        known = load_nomenclature("clc-43")
        texts = [text.strip() for text in table["name"].to_pylist()]
        try:
            names = [text if text == _GLACIERS else known.by_name(text).name for text in texts]
        except InputError as error:
            raise InputError(error.what, where=path, do=error.do) from error
        check_once(pa.array(names), path)
        try:
            counts = [int(text) for text in table["count"].to_pylist()]
        except ValueError as error:
            raise InputError("a count is no number", where=path, do=RESTORE) from error
        return dict(zip(names, counts, strict=True))

    def crosswalk(self) -> dict[int, str | None]:
        """CLC code to the name of one of v2's 19 classes, None for a dropped class.

        Raises:
            InputError: the file is damaged.
            MissingError: the list is not at hand.
        """
        path = self._path(CROSSWALK)
        try:
            told = msgspec.json.decode(path.read_bytes(), type=_CrosswalkFile).clc_data
            pairs = {int(one.code): one.name_19 for one in told}
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error
        return {code: None if name == UNLABELLED else name for code, name in pairs.items()}

    def _path(self, kind: str) -> Path:
        if kind not in self.files:
            raise MissingError(
                "the published list is not there",
                where=file_name(kind),
                do="Name its folder: --metadata",
            )
        return self.files[kind]


def file_name(kind: str) -> str:
    """What the file of a kind of list is called, uncompressed; of "v2" the first of two."""
    other = {"v2": PARQUET_LISTS["v2_unflagged"], CROSSWALK: f"{CROSSWALK}.json"}
    return PARQUET_LISTS.get(kind) or other.get(kind) or f"{TEXT_LISTS.get(kind, kind)}.csv"


class _ClcClass(msgspec.Struct):
    code: str
    name_19: str


class _CrosswalkFile(msgspec.Struct):
    clc_data: list[_ClcClass]


def find_lists(*folders: Path) -> PublishedLists:
    """The published lists that lie in these folders; the first folder that has one wins.

    Compressed (.bz2, .gz) or not, as they are handed around; folders that are not there, and
    files of other names, are passed over.
    """
    names = {kind: [name + end for end in ENDINGS] for kind, name in TEXT_LISTS.items()}
    names |= {kind: [name] for kind, name in PARQUET_LISTS.items()}
    names[CROSSWALK] = [f"{CROSSWALK}.json"]
    found = {}
    for kind, candidates in names.items():
        paths = (folder / name for folder in folders for name in candidates)
        if path := next((path for path in paths if path.is_file()), None):
            found[kind] = path
    return PublishedLists(found)


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
