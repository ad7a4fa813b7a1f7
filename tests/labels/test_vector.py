"""Maps of polygons: layers and fields found or named, and one clear line where they cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from benforge.core.grid import Grid
from benforge.errors import LandCoverError, MissingError
from benforge.labels.port import GAP, TileLabels
from benforge.labels.sources import open_land_cover

GRID = Grid("EPSG:32632", 500_000, 5_500_000, 10, 240, 240)
WEST, EAST = (
    shapely.box(500_000, 5_497_600, 501_200, 5_500_000),
    shapely.box(501_200, 5_497_600, 502_400, 5_500_000),
)


def write(
    path: Path,
    fields: dict[str, Sequence[Any]],
    shapes: Sequence[Any] = (WEST, EAST),
    crs: Any = 32632,
    **options: Any,
) -> Path:
    frame = gpd.GeoDataFrame(fields, geometry=list(shapes), crs=crs)
    pyogrio.write_dataframe(frame, path, **options)
    return path


def read(path: Path, **options: Any) -> TileLabels:
    return open_land_cover(path, **options).read_labels(GRID, 120)


@pytest.mark.parametrize(
    "field", ["Code_18", "CODE_18", "code_24", "Code_12", "clc_code", "CODE", "CLC2018", "clc18"]
)
def test_code_field_is_found(tmp_path: Path, field: str) -> None:
    path = write(
        tmp_path / "map.gpkg", {"ID": ["a", "b"], field: ["211", "312"], "Area_Ha": [1, 2]}
    )
    assert open_land_cover(path).provenance["code_field"] == field
    assert read(path).fractions[0].shares == {211: pytest.approx(1)}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["211", "312"], {211, 312}),
        ([" 211", "312 "], {211, 312}),
        ([211, 312], {211, 312}),
        ([211.0, 312.0], {211, 312}),
        ([12, 24], {211, 312}),
        (["12", "48"], {211}),
        (["211", "999"], {211}),
        (["211", "990"], {211}),
        ([44, 1], {523, 111}),
    ],
)
def test_codes_as_maps_write_them(tmp_path: Path, codes: list[Any], expected: set[int]) -> None:
    labels = read(write(tmp_path / "map.gpkg", {"code_18": codes}))
    assert set(np.unique(labels.reference_map)) - {GAP} == expected


def test_named_field_in_any_case(tmp_path: Path) -> None:
    path = write(tmp_path / "map.gpkg", {"Klasse": [211, 312]})
    assert open_land_cover(path, code_field="KLASSE").provenance["code_field"] == "Klasse"


def test_the_layer_with_codes_is_found(shared_data: Path) -> None:
    folder = shared_data / "corine/josesamos_lanjaron_vector2018"
    assert open_land_cover(folder / "clc.gpkg").provenance["layer"] == "clc"


def test_invalid_polygons_are_repaired_and_counted(tmp_path: Path) -> None:
    bow = shapely.Polygon(
        [(501_200, 5_500_000), (502_400, 5_498_800), (502_400, 5_500_000), (501_200, 5_498_800)]
    )
    labels = read(write(tmp_path / "map.gpkg", {"code": [211, 312]}, [WEST, bow]))
    assert labels.repaired == 1
    assert labels.fractions[1].shares == {312: pytest.approx(0.5)}


def test_repaired_polygons_may_overlap(tmp_path: Path) -> None:
    ring = [*WEST.exterior.coords, (500_100, 5_499_000), *WEST.exterior.coords[-1:]]
    path = write(tmp_path / "map.gpkg", {"code": [211, 312]}, [shapely.Polygon(ring), WEST])
    with pytest.raises(LandCoverError, match="overlap"):
        read(path)


def test_gaps_and_shapeless_features_of_no_class(tmp_path: Path) -> None:
    path = write(tmp_path / "map.gpkg", {"code": ["211", "999", None]}, [WEST, None, None])
    labels = read(path)
    assert labels.fractions.gaps == pytest.approx([0, 1, 0, 1])
    assert (labels.reference_map[:, 120:] == GAP).all()


@pytest.mark.parametrize("name", ["map.gpkg", "map.shp", "map.geojson"])
@pytest.mark.parametrize("shape", [None, shapely.Polygon()])
def test_a_class_without_a_shape_is_refused(tmp_path: Path, name: str, shape: Any) -> None:
    path = write(tmp_path / name, {"code": [211, 312, 312]}, [WEST, shape, shape])
    first = {"map.gpkg": 2}.get(name, 1)
    refused(path, f"2 of its features with a class have no shape, the first has id {first}")


def test_a_class_without_a_shape_is_told_wherever_the_tile_lies(tmp_path: Path) -> None:
    """A box that does not hold the whole map makes GDAL leave such features out."""
    far = shapely.box(700_000, 5_400_000, 701_000, 5_401_000)
    for name, options in {"a": {}, "b": {"SPATIAL_INDEX": "NO"}}.items():
        path = tmp_path / f"{name}.gpkg"
        write(path, {"code": [211, 312, 312, 312]}, [WEST, far, far, None], **options)
        refused(path, "1 of its features with a class have no shape, the first has id 4")


@pytest.mark.parametrize("far", [-1e300, 1e12, np.inf, np.nan])
def test_absurd_coordinates_are_refused(tmp_path: Path, far: float) -> None:
    low = (500_000, 5_497_600)
    with np.errstate(invalid="ignore"):
        absurd = shapely.Polygon([low, (far, 5_497_600), (501_200, 5_500_000), low])
    path = write(tmp_path / "map.gpkg", {"code": [211, 312]}, [EAST, absurd])
    refused(path, "1 of its polygons have coordinates that no place has, the first has id 2")


def test_multipolygons_with_height(tmp_path: Path) -> None:
    both = shapely.force_3d(shapely.MultiPolygon([WEST, EAST]), 7)
    labels = read(write(tmp_path / "map.gpkg", {"code": [211]}, [both]))
    assert labels.fractions.shares.sum(axis=1) == pytest.approx(1)


def refused(path: Path, message: str, **options: Any) -> None:
    with pytest.raises(LandCoverError, match=message) as caught:
        read(path, **options)
    line = str(caught.value)
    assert line.startswith(path.name)
    assert "\n" not in line


def test_no_code_field(tmp_path: Path) -> None:
    path = write(tmp_path / "map.gpkg", {"name": ["a", "b"], "size": [1, 2]})
    refused(path, "fields are name, size. Name one with --set labels.code_field=NAME")
    refused(path, "no field holds land-cover codes", code_field="kind")


def test_several_code_fields(tmp_path: Path) -> None:
    path = write(tmp_path / "map.gpkg", {"code_18": [211, 312], "code_24": [211, 312]})
    refused(path, "several fields may hold the codes, code_18, code_24.*code_field=code_18")
    assert read(path, code_field="code_24").repaired == 0


def test_several_layers(shared_data: Path) -> None:
    path = shared_data / "corine/eea_malta_vector/clc2024_mt.gpkg"
    refused(path, "several layers hold land-cover codes: clc24_mt, clc18_mt.*labels.layer=")
    refused(path, "no layer of polygons called 'clc'", layer="clc")


def test_no_polygons(tmp_path: Path) -> None:
    points = [shapely.Point(500_100, 5_499_000)]
    path = write(tmp_path / "map.gpkg", {"code": [211]}, points)
    refused(path, "no layer of polygons")
    mixed = write(
        tmp_path / "mixed.gpkg", {"code": [211, 211]}, [WEST, *points], geometry_type="Unknown"
    )
    refused(mixed, "other shapes than polygons")


def test_unknown_codes(tmp_path: Path) -> None:
    path = write(tmp_path / "map.gpkg", {"code": ["211", "forest"]})
    refused(
        path, r"map.gpkg, field code: 1 unknown land-cover codes: 'forest'\. Use codes of clc-44"
    )
    refused(write(tmp_path / "two.gpkg", {"code": [12, 777]}), "2 unknown.*12, 777")
    refused(write(tmp_path / "half.gpkg", {"code": [211.0, 312.5]}), "1 unknown.*312.5")
    refused(write(tmp_path / "none.gpkg", {"code": ["211", None]}), "a polygon has no code")


def test_wrong_crs(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        metres_as_degrees = write(tmp_path / "a.geojson", {"code": [211, 312]}, crs=None)
    refused(metres_as_degrees, "are not degrees as its CRS says")
    elsewhere = write(tmp_path / "b.gpkg", {"code": [211, 312]}, crs=3035)
    refused(elsewhere, "does not cover the tile")


def test_no_crs(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        path = write(tmp_path / "map.shp", {"code": [211, 312]}, crs=None)
    refused(path, "no CRS")


def test_does_not_cover(tmp_path: Path) -> None:
    far = shapely.box(700_000, 5_400_000, 701_000, 5_401_000)
    refused(write(tmp_path / "map.gpkg", {"code": [211]}, [far]), "does not cover the tile")


def test_damaged_file(tmp_path: Path) -> None:
    path = write(tmp_path / "map.gpkg", {"code": [211, 312]})
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(LandCoverError, match=r"map\.gpkg"):
        read(path)


def test_a_damaged_page_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    col, row = np.arange(2000) % 40, np.arange(2000) // 40
    cells = shapely.box(500_000 + col * 100, 5_495_000 + row * 100, 500_100 + col * 100,
                        5_495_100 + row * 100)  # fmt: skip
    path = write(tmp_path / "map.gpkg", {"code": [211] * 2000}, shapely.segmentize(cells, 10))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes(8000) + data[middle + 8000 :])
    refused(path, "the map is damaged, it cannot be read.*malformed")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_a_missing_part_of_a_shapefile_is_named(tmp_path: Path, part: str) -> None:
    path = write(tmp_path / "map.shp", {"code": [211, 312]})
    path.with_suffix(part).unlink()
    with pytest.raises(MissingError, match=rf"map\{part}: the shapefile map\.shp lacks map"):
        read(path)
