from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio

from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, BenError, InputError, MissingError
from benforge.layouts.v1_read import is_v1, list_v1_patches, read_v1_bands, read_v1_patch
from tests.layouts.v1_patches import PIXELS, json_path, make_patch, write_band

NAME = "S2A_MSIL2A_20190613T101031_26_57"
SENSOR = load_sensor()


def test_a_patch_tells_what_its_json_says(tmp_path):
    patch = read_v1_patch(make_patch(tmp_path, NAME), SENSOR)
    assert patch.product == "S2A_MSIL1C_20190613T101031_N0207_R022_T33UUP"
    assert patch.source == f"{patch.product}_20190613T101608"
    assert patch.labels == ("Pastures", "Mixed forest")
    assert patch.classes == (231, 313)
    assert patch.sensing_time == datetime(2019, 6, 13, 10, 10, 31, tzinfo=UTC)
    assert patch.corner == ("EPSG:32633", 300_000, 5_400_000)
    assert patch.ulx == 331_200


def test_bands_are_read_as_rasterio_reads_them(tmp_path):
    folder = make_patch(tmp_path, NAME)
    bands = {
        band.name: pixels for band, pixels in read_v1_bands(read_v1_patch(folder, SENSOR), SENSOR)
    }
    assert {name: pixels.shape[0] for name, pixels in bands.items()} == PIXELS
    for name, pixels in bands.items():
        with rasterio.open(folder / f"{NAME}_{name}.tif") as source:
            assert np.array_equal(pixels, source.read(1))


def test_what_the_record_does_not_rebuild_is_kept(tmp_path):
    folder = make_patch(tmp_path, NAME, remark={"by": "hand"}, labels=["Sea and ocean", "Pastures"])
    patch = read_v1_patch(folder, SENSOR)
    assert patch.labels == ("Sea and ocean", "Pastures")
    assert patch.classes == (231, 523)
    assert set(patch.kept) == {"projection", "remark"}


def test_other_spellings_of_a_class_are_understood_and_kept(tmp_path):
    folder = make_patch(tmp_path, NAME, labels=["Transitional woodland-shrub"])
    patch = read_v1_patch(folder, SENSOR)
    assert patch.classes == (324,)
    assert patch.labels == ("Transitional woodland/shrub",)
    assert patch.kept["labels"] == ["Transitional woodland-shrub"]


def test_folders_are_listed_by_name_and_files_beside_them_passed_over(tmp_path):
    names = ["S2B_MSIL2A_20190613T101031_1_2", NAME]
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "NOTICE").touch()
    (tmp_path / ".unfinished").mkdir()
    assert [path.name for path in list_v1_patches(tmp_path)] == sorted(names)
    assert is_v1(tmp_path)


def test_folders_that_are_no_patches_are_refused(tmp_path):
    with pytest.raises(MissingError, match="no such folder"):
        list_v1_patches(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no BigEarthNet v1 patch"):
        list_v1_patches(tmp_path)
    (tmp_path / "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_26_57").mkdir()
    with pytest.raises(InputError, match="S1A_IW"):
        list_v1_patches(tmp_path)
    assert not is_v1(tmp_path)


def test_strangers_beside_patches_are_listed_and_named(tmp_path):
    strangers = ["S1A_IW_GRDH_1SDV_20170613T165043_33UUP_26_57", f"{NAME}.part", "x.tar.gz.tmp"]
    (tmp_path / NAME).mkdir()
    for name in strangers[:2]:
        (tmp_path / name).mkdir()
    (tmp_path / strangers[2]).touch()
    assert [path.name for path in list_v1_patches(tmp_path)] == sorted([NAME, *strangers])
    for name, words in zip(strangers, ["not the name", *["did not end"] * 2], strict=True):
        with pytest.raises(InputError, match=words) as caught:
            read_v1_patch(tmp_path / name, SENSOR)
        assert name in str(caught.value)


def test_a_name_that_was_counted_up_has_the_time_of_its_product(tmp_path):
    folder = make_patch(
        tmp_path, "S2A_MSIL2A_20190613T101061_26_57", acquisition_date="2019-06-13 10:11:01"
    )
    patch = read_v1_patch(folder, SENSOR)
    assert patch.sensing_time == datetime(2019, 6, 13, 10, 10, 31, tzinfo=UTC)
    assert patch.kept["acquisition_date"] == "2019-06-13 10:11:01"


def _without(band):
    return lambda folder: (folder / f"{NAME}_{band}.tif").unlink()


def _renamed(band, ending):
    def change(folder):
        path = folder / f"{NAME}_{band}.tif"
        path.rename(f"{path}{ending}")

    return change


def _beside(folder):
    (folder / f"{NAME}_B02.tif.aria2").touch()


def _json(text):
    return lambda folder: json_path(folder).write_bytes(text)


def _folder_for_json(folder):
    json_path(folder).unlink()
    json_path(folder).mkdir()


def _changed(**changes):
    def change(folder):
        facts = json.loads(json_path(folder).read_text())
        json_path(folder).write_text(json.dumps(facts | changes))

    return change


def _without_key(folder):
    facts = json.loads(json_path(folder).read_text())
    del facts["labels"]
    json_path(folder).write_text(json.dumps(facts))


def _truncated(folder):
    path = folder / f"{NAME}_B08.tif"
    path.write_bytes(path.read_bytes()[:9_000])


def _no_tiff(folder):
    (folder / f"{NAME}_B08.tif").write_bytes(b"not a TIFF" * 100)


def _other(band="B08", pixels=120, dtype=np.uint16, ulx=331_200):
    def change(folder):
        write_band(folder, band, np.ones((pixels, pixels), dtype), ulx, 5_331_600)

    return change


def _nowhere(folder):
    form = {"driver": "GTiff", "count": 1, "dtype": "uint16", "height": 120, "width": 120}
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(folder / f"{NAME}_B08.tif", "w", **form) as target,
    ):
        target.write(np.ones((120, 120), np.uint16), 1)


BAD = {
    "no band": (_without("B8A"), MissingError, f"{NAME}_B8A.tif: the file is missing"),
    "no JSON": (lambda f: json_path(f).unlink(), MissingError, "_labels_metadata.json: the file"),
    "empty JSON": (_json(b""), InputError, "not the metadata of a v1 patch"),
    "half a JSON": (_json(b'{"labels": ['), InputError, "not the metadata of a v1 patch"),
    "not UTF-8": (_json(b'{"labels": ["\xff"]}'), InputError, "not the metadata of a v1 patch"),
    "a JSON list": (_json(b"[]"), InputError, "not the metadata of a v1 patch"),
    "a deep JSON": (_json(b"[" * 200_000), InputError, "not the metadata of a v1 patch"),
    "a folder for the JSON": (_folder_for_json, InputError, "cannot be read"),
    "no labels key": (_without_key, InputError, "missing required field `labels`"),
    "unknown label": (_changed(labels=["Lawn"]), InputError, "no class is called 'Lawn'"),
    "nearly a label": (
        _changed(labels=["Pastures", "mixed forests"]),
        InputError,
        "no class is called 'mixed forests'. The nearest that is known: 'Mixed forest'",
    ),
    "glaciers": (
        _changed(labels=["Glaciers and perpetual snow"]),
        InputError,
        "no class is called 'Glaciers",
    ),
    "no label": (_changed(labels=[]), InputError, "there is no label"),
    "a label twice": (_changed(labels=["Pastures", "Pastures"]), InputError, "named twice"),
    "labels of text": (_changed(labels="Pastures"), InputError, "Expected `array`"),
    "no time": (_changed(acquisition_date="yesterday"), InputError, "'yesterday' is not a time"),
    "no product": (_changed(tile_source="T33UUP"), InputError, "not a product id"),
    "no WKT": (_changed(projection="UTM"), InputError, "projection is not WKT"),
    "too wide": (
        _changed(coordinates={"ulx": 331200, "uly": 5331600, "lrx": 333600, "lry": 5330400}),
        InputError,
        "not the corners of 1200 m",
    ),
    "a time of a week": (
        _changed(acquisition_date="2019-W24-4 10:10:31"),
        InputError,
        "is not a time",
    ),
    "half a band": (_renamed("B02", ".part"), MissingError, "B02.tif.part is there"),
    "a band beside its half": (_beside, InputError, "B02.tif.aria2: a download that did not end"),
    "truncated TIFF": (_truncated, ArchiveError, f"{NAME}_B08.tif: the GeoTIFF is corrupt"),
    "no TIFF": (_no_tiff, ArchiveError, f"{NAME}_B08.tif: the GeoTIFF is corrupt"),
    "wrong size": (
        _other(pixels=60),
        ArchiveError,
        "60 x 60 pixels, where the layout has 1 of uint16, 120",
    ),
    "wrong type": (_other(dtype=np.uint8), ArchiveError, "1 band(s) of uint8"),
    "elsewhere": (_other(ulx=0), ArchiveError, "lies at EPSG:32633 0 5331600"),
    "nowhere": (_nowhere, ArchiveError, "lies at no CRS"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_that_names_the_patch(tmp_path, case):
    spoil, kind, words = BAD[case]
    folder = make_patch(tmp_path, NAME)
    spoil(folder)
    with pytest.raises(BenError) as caught:
        list(read_v1_bands(read_v1_patch(folder, SENSOR), SENSOR))
    assert isinstance(caught.value, kind)
    assert words in str(caught.value)
    assert NAME in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_outside_the_tile_is_refused(tmp_path):
    folder = make_patch(tmp_path, "S2A_MSIL2A_20190613T101031_91_0")
    with pytest.raises(InputError, match="a tile has 91 x 91 patches"):
        read_v1_patch(folder, SENSOR)
