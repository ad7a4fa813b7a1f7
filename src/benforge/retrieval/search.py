"""Queries: a patch of the index, an image, or labels."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from benforge.errors import InputError
from benforge.retrieval.band_statistics import describe_bands
from benforge.retrieval.embed import join_kinds
from benforge.retrieval.image import Pixels, read_image
from benforge.retrieval.index import AXES, MODEL, SearchIndex
from benforge.retrieval.nearest import Metric, Nearest, Vectors
from benforge.retrieval.scaling import turn_to_axes

Floats = npt.NDArray[np.float32]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; exactly one of the first three.

    Args:
        patch: id or v1 name of a patch of the index.
        image: files of a patch.
        labels: that a patch must have, all of them.
        k: how many patches are wanted.
        metric: None takes the index's own.
        other_tiles: whether patches of the query's own tile are left out.

    Raises:
        InputError: none or several of them, or a number below 1.
    """

    patch: str = ""
    image: Path | None = None
    labels: tuple[str, ...] = ()
    k: int = 10
    metric: Metric | None = None
    other_tiles: bool = False

    def __post_init__(self) -> None:
        if bool(self.patch) + bool(self.image) + bool(self.labels) != 1:
            raise InputError("one query at a time", do="Name a patch, an image or labels")
        if self.k < 1:
            raise InputError(f"{self.k} patches are none", do="Ask for 1 or more")


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that was found.

    Args:
        rank: 1 is the nearest.
        patch: its id.
        distance: to the query.
        labels: of it.
        shared: labels that the query has too.
        tile: MGRS tile.
        date: day of sensing.
        country: None where it is not known.
        longitude: of its centre, degrees.
        latitude: likewise.
    """

    rank: int
    patch: str
    distance: float
    labels: list[str]
    shared: list[str]
    tile: str
    date: date
    country: str | None
    longitude: float
    latitude: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a query.

    Args:
        query: the patch, the image, or the labels.
        labels: of the query; none are known of an image.
        metric: of the distances.
        index: what was searched.
        results: nearest first.
    """

    query: str
    labels: list[str]
    metric: Metric
    index: dict[str, Any]
    results: list[Match]


def search(index: SearchIndex, query: Query) -> Found:
    """The patches of an index that are nearest to a query.

    A patch never finds itself. With labels, patches that have all of them are ranked by their
    distance to the mean of the vectors of all such patches: the most typical first.

    Raises:
        InputError: no such patch or label, no patch with all the labels, no other tile; an image
            that is no patch.
        MissingError: there is no such image.
    """
    metric = query.metric or index.facts.metric
    if query.labels:
        labels, rows = list(query.labels), rows_with(index, query.labels)
        middle = index.vectors[rows].mean(axis=0, dtype=np.float64).astype(np.float32)
        near = next(
            Vectors.of(np.asarray(index.vectors[rows]), metric).nearest(middle[None], query.k)
        )
        return _answer(index, query, labels, Nearest(rows[near.rows], near.distances))
    vectors = vectors_of(index, metric)
    if query.image:
        vector = embed_image(index, read_image(query.image))
        return _answer(index, query, [], next(vectors.nearest(vector[None], query.k)))
    row = index.find(query.patch)
    near = _others(index, row, vectors, query)
    return _answer(index, query, index.patches["labels"][row].as_py(), near)


def _others(index: SearchIndex, row: int, vectors: Vectors, query: Query) -> Nearest:
    """The patches nearest to one of the index, without itself or without its tile."""
    vector = np.asarray(index.vectors[[row]])
    if query.other_tiles:
        tiles = tiles_of(index)
        if (tiles == tiles[row]).all():
            raise InputError(
                "all of its patches are of one tile",
                where=index.root,
                do="Leave out --other-tiles, or take an archive of several tiles",
            )
        return next(vectors.nearest(vector, query.k, tiles, tiles[[row]]))
    near = next(vectors.nearest(vector, query.k + 1))
    others = near.rows != row
    return Nearest(near.rows[others][: query.k], near.distances[others][: query.k])


@lru_cache(maxsize=2)
def vectors_of(index: SearchIndex, metric: Metric) -> Vectors:
    """The vectors of an index with their lengths, which are computed once."""
    return Vectors.of(index.vectors, metric)


def tiles_of(index: SearchIndex) -> npt.NDArray[np.int64]:
    """The tile of each patch, as a number."""
    codes = index.patches["tile"].combine_chunks().dictionary_encode().indices
    return np.asarray(codes, np.int64)


def rows_with(index: SearchIndex, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """The rows of the patches that have all of these labels.

    Raises:
        InputError: no class of the index is called so, or no patch has all of them.
    """
    column = index.patches["labels"].combine_chunks()
    parents, flat = np.asarray(pc.list_parent_indices(column)), pc.list_flatten(column)
    has_all = np.ones(len(column), np.bool_)
    for label in labels:
        has = np.zeros(len(column), np.bool_)
        has[parents[np.asarray(pc.equal(flat, label))]] = True
        if not has.any():
            raise _unknown_label(index, label)
        has_all &= has
    if not has_all.any():
        raise InputError("no patch of the index has all of these labels", where=", ".join(labels))
    return np.flatnonzero(has_all)


def _unknown_label(index: SearchIndex, label: str) -> InputError:
    known = pc.unique(pc.list_flatten(index.patches["labels"].combine_chunks())).to_pylist()
    (nearest,) = difflib.get_close_matches(label, known, n=1, cutoff=0) or [""]
    return InputError(
        f"no patch of the index has the label {label!r}",
        do=f"The nearest that is there: {nearest!r}" if nearest else "Its patches have no labels",
    )


def embed_image(index: SearchIndex, pixels: Pixels) -> Floats:
    """The vector of a patch that is not in an index, made as the index's own were, `feature`.

    Raises:
        InputError: the index's checkpoint is damaged.
    """
    batch = {size: bands[None] for size, bands in pixels.items()}
    found = describe_bands(batch)
    if index.facts.kind == "model":
        from benforge.inference.embed import embed_pixels

        found = join_kinds((found, embed_pixels(index.root / MODEL, pixels)[None]))
    axes = np.load(index.root / AXES, allow_pickle=False)
    vector: Floats = turn_to_axes(found, index.facts.shift, axes)[0]
    return vector


def _answer(index: SearchIndex, query: Query, labels: list[str], near: Nearest) -> Found:
    rows = index.patches.take(near.rows).to_pylist()
    results = [
        Match(
            rank=rank,
            patch=row["patch_id"],
            distance=round(float(distance), 6),
            labels=row["labels"],
            shared=[label for label in row["labels"] if label in labels],
            tile=row["tile"],
            date=row["date"],
            country=row["country"],
            longitude=row["longitude"],
            latitude=row["latitude"],
        )
        for rank, (row, distance) in enumerate(zip(rows, near.distances, strict=True), start=1)
    ]
    return Found(
        query=query.patch or ", ".join(query.labels) or str(query.image),
        labels=labels,
        metric=query.metric or index.facts.metric,
        index=index.facts.told(),
        results=results,
    )
