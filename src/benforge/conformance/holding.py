"""An archive as evidence, with the published lists beside it where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.index import read_attributes
from benforge.archive.layout import SceneFrame, parse_frame, scene_path
from benforge.archive.sidecars import published_flags, published_split
from benforge.conformance.band_arrays import BandArray, read_band_arrays
from benforge.conformance.fact import Found, Mask, Value, every
from benforge.conformance.metadata import Metadata, codes, lengths, positions, texts
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.flags import Flags
from benforge.core.identity import ProductId
from benforge.core.nomenclature import load_crosswalk
from benforge.core.split import Split

Ints = npt.NDArray[np.int64]

WHOLE = 0.99
"""An archive with this share of the published patches claims to be the published archive."""

PART = "a part"
"""Said of counts in an archive that does not claim to be the whole published one."""


@dataclass(frozen=True)
class Holding:
    """What an archive holds; arrays have one value a patch, in the order of its index.

    Args:
        archive: opened.
        metadata: the published lists, or None.
    """

    archive: Archive
    metadata: Metadata | None = None

    def lacking(self, needs: Sequence[str]) -> str:
        """The first thing that is needed and not at hand.

        "flags", "split" and "split v2" are sidecars of the archive, "patches" and "v1 names" are
        in its index; all else is a kind of published list.
        """
        there = {
            "patches": len(self.archive) > 0,
            "v1 names": self.names.null_count < len(self.archive),
            "flags": self.flags is not None,
            "split": self.split is not None,
        }
        words = {"flags": "the flags published", "split": "the split published"}
        for need in needs:
            if need in there:
                if not there[need]:
                    return words.get(need, need)
            elif self.metadata is None:
                return "--metadata"
            elif missing := self.metadata.lacking([need]):
                return missing
        return ""

    @cached_property
    def edition(self) -> Literal["v1", "v2", "custom"]:
        """Which published archive its profile is that of."""
        known: dict[str, Literal["v1", "v2"]] = {"ben-v1": "v1", "ben-v2": "v2"}
        return known.get(self.archive.meta.profile, "custom")

    @cached_property
    def products(self) -> list[ProductId]:
        """The product of each scene that has a patch."""
        return [ProductId.parse(x) for x in pc.unique(self.archive.index["product"]).to_pylist()]

    @cached_property
    def of_published(self) -> bool:
        """Whether all its products are of the 125, and none is simulated."""
        known = {_key(ProductId.parse(text)) for text in load_bigearthnet().products}
        found = {_key(product) for product in self.products}
        return bool(found) and found <= known and not self.archive.meta.simulated

    @cached_property
    def whole(self) -> bool:
        """Whether it claims to be the whole published archive: `WHOLE` of its patches, or more."""
        facts = load_bigearthnet()
        published = {"v1": facts.v1, "v2": facts.v2}.get(self.edition)
        if published is None or not self.of_published:
            return False
        return bool(len(self.archive) >= WHOLE * published["patches"])

    @cached_property
    def frames(self) -> dict[str, SceneFrame]:
        """The ground of each scene."""
        root = self.archive.root
        paths = {s.name: scene_path(root, s.name) for s in self.archive.meta.scenes}
        return {name: parse_frame(read_attributes(path), path) for name, path in paths.items()}

    @cached_property
    def band_arrays(self) -> Mapping[int, frozenset[BandArray]]:
        """Pixel size: what the scenes' arrays of it hold; one where all scenes are alike."""
        root = self.archive.root
        return read_band_arrays(
            [scene_path(root, scene.name) for scene in self.archive.meta.scenes],
            self.archive.meta.sensor.pixel_sizes,
        )

    @cached_property
    def ground(self) -> npt.NDArray[np.float64]:
        """EPSG code and corner of the scene of each patch: `patch 3`."""
        grids = {name: frame.grid for name, frame in self.frames.items()}
        known = {n: (float(g.crs.partition(":")[2]), g.ulx, g.uly) for n, g in grids.items()}
        return np.array([known[name] for name in self.texts("scene")], np.float64).reshape(-1, 3)

    @property
    def imported(self) -> bool:
        """Whether it was imported from a published layout."""
        return "imported" in self.archive.meta.recipe

    @cached_property
    def corners(self) -> npt.NDArray[np.float64]:
        """Easting and northing of the upper-left corner of each patch, m: `2 patch`."""
        return np.stack([np.asarray(self.archive.index[name]) for name in ("ulx", "uly")])

    @cached_property
    def edge(self) -> npt.NDArray[np.float64]:
        """Edge of each patch, m."""
        edges = {n: f.patch_pixels * f.grid.pixel_size for n, f in self.frames.items()}
        return np.array([edges[name] for name in self.texts("scene")], np.float64)

    @cached_property
    def flags(self) -> Flags | None:
        """The published quality marks."""
        return published_flags(self.archive.root)

    @cached_property
    def split(self) -> Split | None:
        """The published split of its own edition."""
        return published_split(self.archive.root)

    @cached_property
    def parts(self) -> npt.NDArray[np.object_]:
        """The part of each patch in the published split, None in none."""
        assert self.split is not None, "asked without the split"
        return texts(self.split.assign(self.archive.index["patch_id"]))

    @cached_property
    def names(self) -> pa.Array:
        """The v1 name of each patch, or null."""
        return self.archive.index["v1_name"].combine_chunks()

    @cached_property
    def tile(self) -> Ints:
        """A number for the tile of each patch."""
        return codes(self.archive.index["tile"])

    @cached_property
    def label_counts(self) -> Ints:
        """Labels of each patch."""
        return lengths(self.archive.index["labels"])

    @cached_property
    def labels_as_19(self) -> list[frozenset[str]]:
        """The labels of each patch, brought to the 19 classes."""
        lists = self.archive.index["labels"].to_pylist()
        names = self.archive.meta.nomenclature
        if names.name == "ben-19":
            return [frozenset(labels) for labels in lists]
        crosswalk = load_crosswalk("ben-19")
        to = {
            name: crosswalk.target.by_code(target).name
            for name in names.names
            if (target := crosswalk(names.by_name(name).code)) is not None
        }
        return [frozenset(to[label] for label in labels if label in to) for labels in lists]

    @cached_property
    def published_rows(self) -> Ints:
        """The row of each patch in the published index, by v1 name or v2's id; -1 in none."""
        assert self.metadata is not None, "asked without the lists"
        by_name = positions(self.names, self.metadata.names)
        by_id = positions(self.archive.index["patch_id"], self.metadata.index["v2_id"])
        return np.where(by_name >= 0, by_name, by_id)

    @cached_property
    def published_index(self) -> pa.Table:
        """The published row of each patch, of any where there is none."""
        assert self.metadata is not None, "asked without the lists"
        return self.metadata.index.take(pa.array(np.maximum(self.published_rows, 0)))

    def numbers(self, column: str) -> Ints:
        """A column of whole numbers of the index."""
        return np.asarray(self.archive.index[column], np.int64)

    def texts(self, column: str) -> npt.NDArray[np.object_]:
        """A column of texts of the index."""
        return texts(self.archive.index[column])

    def counted(self, value: Value, equal: bool) -> Found:
        """A count, which can agree only where the archive claims to be the published one."""
        if self.whole:
            return Found(value, equal)
        shown = f"{value:,}" if isinstance(value, int | float) else value
        return Found(f"{shown}; {PART}", None)

    def ruled(self, holds: Mask) -> Found:
        """A rule of the published profiles, which a profile of the user's own need not keep."""
        found = every(holds)
        if self.edition != "custom":
            return found
        return Found(f"{found.value}; no rule of a profile of your own", None)


def _key(product: ProductId) -> tuple[str, str, str]:
    """What L1C and L2A, and v2's names, say alike of a product."""
    return product.spacecraft, product.time, product.tile
