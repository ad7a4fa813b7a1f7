"""Scores on disk: a cloud-optimised GeoTIFF that gives back what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from benforge.core.grid import Grid
from benforge.core.nomenclature import load_nomenclature
from benforge.mapping.facts import MapFacts
from benforge.mapping.raster import write_scores

NAMES = load_nomenclature("clc-43").names


def make_facts(**changes: object) -> MapFacts:
    words: dict[str, object] = {
        "product": "P",
        "fingerprint": "f",
        "model": "M",
        "weights": "w",
        "nomenclature": "clc-43",
        "classes": NAMES,
        "threshold": 0.5,
        "stride": 120,
        "edge": 120,
        "keep_clouds": False,
        "vector": "gpkg",
    }
    return MapFacts(**{**words, **changes})


@pytest.mark.parametrize(("edge", "overviews"), [(91, [2]), (906, [2, 4, 8, 16])])
def test_a_full_tile_is_tiled_and_has_overviews(
    tmp_path: Path, edge: int, overviews: list[int]
) -> None:
    grid = Grid("EPSG:32633", 300_000, 5_400_000, 109_200 // edge, edge, edge)
    names = NAMES[:3] if edge > 500 else NAMES
    scores = np.random.default_rng(1).random((len(names), edge, edge), np.float32)
    scores[:, :5, :7] = np.nan
    write_scores(tmp_path / "scores.tif", grid, scores, make_facts(classes=names))
    with rasterio.open(tmp_path / "scores.tif") as found:
        assert found.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert found.block_shapes[0] == (128, 128)
        assert found.overviews(1) == overviews
        assert np.isnan(found.nodata)
        assert np.array_equal(found.read(), scores, equal_nan=True)
        if edge % 2 == 0:
            half = found.read(1, out_shape=(edge // 2, edge // 2))
            assert abs(half[10, 10] - scores[0, 20:22, 20:22].mean()) < 1e-6
        assert found.transform == rasterio.Affine(*grid.transform)
        assert found.crs.to_epsg() == 32633


def test_bands_and_tags_tell_all(tmp_path: Path) -> None:
    grid = Grid("EPSG:32633", 300_000, 5_400_000, 1200, 2, 3)
    scores = np.zeros((43, 2, 3), np.float32)
    facts = make_facts(simulated="model and product", threshold=0.3)
    write_scores(tmp_path / "scores.tif", grid, scores, facts)
    with rasterio.open(tmp_path / "scores.tif") as found:
        assert found.descriptions == NAMES
        assert found.tags(1) == {"code": "111", "color": "#e6004d"}
        tags = found.tags()
    assert tags["nomenclature"] == "clc-43"
    assert (tags["model"], tags["weights"], tags["threshold"]) == ("M", "w", "0.3")
    assert (tags["simulated"], tags["corrected_by"]) == ("model and product", "no")


def test_classes_of_an_unknown_nomenclature_are_numbered(tmp_path: Path) -> None:
    facts = make_facts(nomenclature="mine", classes=("wet", "dry"))
    grid = Grid("EPSG:32633", 300_000, 5_400_000, 1200, 2, 2)
    write_scores(tmp_path / "scores.tif", grid, np.zeros((2, 2, 2), np.float32), facts)
    with rasterio.open(tmp_path / "scores.tif") as found:
        assert found.descriptions == ("wet", "dry")
        assert found.tags(2) == {"code": "2", "color": "#808080"}
