"""The v1 names of an archive's patches: their own, and new ones where they have none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from benforge.core.identity import ProductId
from benforge.errors import ConflictError, InputError
from benforge.layouts.v1_names import V1Name


@dataclass(frozen=True, slots=True)
class V1Naming:
    """The name of each patch.

    Args:
        names: in the order of the rows.
        counted: by how many seconds the time of a name that is new was counted up, mostly 0; the
            patch's JSON is counted up with it.
        shifted: whether a name, new or not, tells another time than its product.
    """

    names: list[str]
    counted: list[int]
    shifted: bool


@dataclass(slots=True)
class _Row:
    """What is needed of a row of the index."""

    patch_id: str
    product: str
    column: int
    row: int
    v1_name: str | None


def name_patches(index: pa.Table, *, count_up: bool = False) -> V1Naming:
    """The v1 name of every row: its own, else one from its product's sensing time.

    A v1 name holds no tile. Where the place of a patch is taken by another tile of the same
    time, one second is added until the name is free, tile after tile in the order of their ids;
    so did the published archive, in an order that is not told (fidelity 4). The time is counted
    as an integer: after 94159 comes 94160.

    Args:
        index: rows with at least patch_id, product, tile, column, row and v1_name.
        count_up: do so; else such a patch is refused.

    Raises:
        InputError: a name that is none of v1, or a patch without one that is not of L2A.
        ConflictError: two patches have the same name, or get it and `count_up` is false.
    """
    columns = ("patch_id", "product", "column", "row", "v1_name")
    rows = [
        _Row(*parts) for parts in zip(*(index[name].to_pylist() for name in columns), strict=True)
    ]
    names: list[str] = [""] * len(rows)
    counted = [0] * len(rows)
    taken: dict[str, str] = {}
    shifted = False
    for at, row in enumerate(rows):
        if row.v1_name:
            name = V1Name.parse(row.v1_name)
            shifted |= bool(name.counted(_product(row.product)))
            names[at] = _take(str(name), row, taken)
    new = (at for at, row in enumerate(rows) if not row.v1_name)
    for at in sorted(new, key=lambda at: (rows[at].product[-5:], rows[at].product)):
        row = rows[at]
        if count_up:
            counted[at] = _free(row, taken)
        names[at] = _take(str(_new_name(row, counted[at])), row, taken)
    return V1Naming(names, counted, shifted or any(counted))


def _take(name: str, row: _Row, taken: dict[str, str]) -> str:
    if name in taken:
        raise ConflictError(
            f"{taken[name]} and {row.patch_id} would both be named {name}: a v1 name "
            "holds no tile, and theirs were sensed at the same time",
            do="Count one up as the published archive did, with --count-up, or export the tiles "
            "into different folders",
        )
    taken[name] = row.patch_id
    return name


def _free(row: _Row, taken: dict[str, str]) -> int:
    counted = 0
    while str(_new_name(row, counted)) in taken:
        counted += 1
    return counted


def _new_name(row: _Row, counted: int) -> V1Name:
    product = _product(row.product)
    if product.level != "L2A":
        raise InputError(
            f"the v1 layout publishes L2A, and this is {product.level}",
            where=row.patch_id,
            do="Build the archive from L2A products",
        )
    return V1Name.of(product, row.column, row.row, counted)


@cache
def _product(text: str) -> ProductId:
    return ProductId.parse(text)
