from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from benforge.archive.archive import Archive
from benforge.core.nomenclature import load_nomenclature
from benforge.errors import InputError
from benforge.statistics.pictures import SCL_CLASSES, stretch
from benforge.testing.archives import make_scene, small_frame, write_archive
from benforge.viewer.pictures import (
    EDGE,
    STRETCHES,
    VIEWS,
    brighten,
    draw,
    fit,
    hatched,
    png,
    sheet,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Six patches of 120 x 120 pixels with land cover and scene classification."""
    scene = make_scene(small_frame(3, 2, patch_pixels=120))
    return Archive.open(write_archive(tmp_path_factory.mktemp("made") / "archive", scene))


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("stretch_by", STRETCHES)
def test_every_view_of_real_and_made_patches_is_a_picture(
    imported_sample: Archive, made: Archive, view: str, stretch_by: str
):
    for archive in (imported_sample, made):
        picture = draw(archive, 1, view, stretch_by)
        assert picture.shape == (EDGE, EDGE, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 5


@pytest.mark.parametrize(
    ("view", "names"), [("true", "B04 B03 B02"), ("false", "B08 B04 B03"), ("swir", "B12 B8A B05")]
)
def test_bands_are_red_green_and_blue(imported_sample: Archive, view: str, names: str):
    patch = imported_sample[7]
    bands = np.stack([patch.band(name) for name in names.split()])
    large = bands.repeat(EDGE // bands.shape[1], axis=1).repeat(EDGE // bands.shape[2], axis=2)
    assert (draw(imported_sample, 7, view, "percentile") == fit(stretch(bands))).all()
    shown = draw(imported_sample, 7, view, "fixed").astype(float) / 255
    expected = np.clip(large / VIEWS[view].white, 0, 1) ** 0.8
    assert np.abs(shown - np.moveaxis(expected, 0, -1)).max() <= 0.5 / 255 + 1e-9


@given(hnp.arrays(np.uint16, (3, 4, 4)))
def test_the_fixed_stretch_keeps_the_order_of_any_pixels(bands: np.ndarray):
    shown = np.moveaxis(brighten(bands, 3000), -1, 0)
    order = np.argsort(bands, axis=None)
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()
    assert (shown[bands >= 3000] == 255).all()
    assert (shown[bands == 0] == 0).all()


def test_the_classification_is_painted_in_its_colours(made: Archive):
    record = made.record(2)
    codes = made.pixels.read_map(record.scene, "scene_classification", record.column, record.row)
    assert codes is not None
    picture = draw(made, 2, "scl", "fixed")[::2, ::2]
    for code in np.unique(codes):
        assert (picture[codes == code] == SCL_CLASSES[int(code)][1]).all()


def test_a_scene_without_classification_is_hatched(imported_sample: Archive):
    assert (draw(imported_sample, 0, "scl", "fixed") == hatched()).all()
    assert len(np.unique(hatched().reshape(-1, 3), axis=0)) == 2


def test_land_cover_has_the_hue_of_its_class_and_gaps_stay_grey(made: Archive):
    codes = made.land_cover(0)
    assert codes is not None
    picture, grey = draw(made, 0, "cover", "fixed"), draw(made, 0, "true", "percentile").mean(2)
    colors = {c.code: c.color for c in load_nomenclature("clc-44").classes}
    known = np.isin(codes, list(colors))
    expected = np.stack([grey] * 3, axis=-1)
    for code, color in colors.items():
        expected[codes == code] = 0.38 * expected[codes == code] + 0.62 * np.array(color)
    assert np.abs(picture - expected).max() <= 0.5 + 1e-9
    assert (np.ptp(picture[~known].astype(int), axis=-1) == 0).all()


def test_without_a_map_the_ground_is_grey(imported_sample: Archive):
    assert (np.ptp(draw(imported_sample, 3, "cover", "fixed").astype(int), axis=-1) == 0).all()


def test_a_png_is_the_picture_itself(imported_sample: Archive):
    shown = read(png(imported_sample, 5, "true", "percentile"))
    assert (shown == draw(imported_sample, 5, "true", "percentile")).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=7), st.integers(1, 9))
def test_a_sheet_holds_its_patches_row_by_row_and_none_runs_into_the_next(
    made: Archive, positions: list[int], columns: int
):
    shown = read(sheet(made, positions, "scl", "fixed", columns))
    wide = min(columns, len(positions))
    assert shown.shape == (-(-len(positions) // wide) * EDGE, wide * EDGE, 3)
    for cell, position in enumerate(positions):
        row, column = divmod(cell, wide)
        part = shown[row * EDGE :, column * EDGE :][:EDGE, :EDGE]
        assert (part == read(sheet(made, [position], "scl", "fixed", 1))).all()
    assert (
        shown.reshape(-1, EDGE, wide, EDGE, 3)[-1, :, (len(positions) - 1) % wide + 1 :] == 0
    ).all()


def test_a_sheet_is_close_to_its_patches(imported_sample: Archive):
    shown = read(sheet(imported_sample, [3, 9], "true", "fixed", 2)).astype(float)
    expected = np.hstack([draw(imported_sample, i, "true", "fixed") for i in (3, 9)])
    assert np.abs(shown - expected).mean() < 4


def test_small_patches_are_enlarged_by_the_nearest_pixel():
    small = np.arange(12 * 12 * 3, dtype=np.uint8).reshape(12, 12, 3)
    assert (fit(small) == small.repeat(10, axis=0).repeat(10, axis=1)).all()
    assert fit(np.zeros((50, 7, 3), np.uint8)).shape == (EDGE, EDGE, 3)


@pytest.mark.parametrize(
    ("view", "stretch_by", "told"), [("x-ray", "fixed", "no view"), ("true", "wide", "no stretch")]
)
def test_unknown_views_and_stretches_are_told(
    imported_sample: Archive, view: str, stretch_by: str, told: str
):
    with pytest.raises(InputError, match=told):
        draw(imported_sample, 0, view, stretch_by)


def test_there_is_no_sheet_of_nothing(made: Archive):
    for positions, columns in (([], 3), ([1], 0)):
        with pytest.raises(InputError, match="a sheet needs"):
            sheet(made, positions, "true", "fixed", columns)
    for position in (-1, 6):
        with pytest.raises(IndexError):
            png(made, position, "true", "fixed")
