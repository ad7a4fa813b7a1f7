from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from benforge.archive.archive import Archive
from benforge.core.grid import Grid
from benforge.core.identity import PatchId
from benforge.errors import ArchiveError, InputError
from benforge.testing.archives import PRODUCT, SmallScene, make_scene, small_frame, write_archive

WINTER = PRODUCT.replace("20170613", "20180108")


@pytest.fixture(scope="module")
def scenes() -> dict[str, SmallScene]:
    frame = small_frame(4, 3)
    found = (make_scene(frame, kept=0.7), make_scene(frame, product=WINTER, kept=0.5, seed=2))
    return {scene.product: scene for scene in found}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, scenes: dict[str, SmallScene]) -> Archive:
    return Archive.open(write_archive(tmp_path_factory.mktemp("archive"), *scenes.values()))


def test_every_kept_patch_is_there_once(archive: Archive, scenes: dict[str, SmallScene]) -> None:
    expected = {(s.product, c, r) for s in scenes.values() for r, c in np.argwhere(s.kept)}
    found = [(patch.id.product, patch.id.column, patch.id.row) for patch in archive]
    assert len(archive) == len(found) == len(expected)
    assert set(found) == expected
    assert archive.places() == found


def test_places_scene_by_scene_are_all_places_in_any_order_of_rows(archive: Archive) -> None:
    order = np.random.default_rng(1).permutation(len(archive))
    for one in (archive, replace(archive, index=archive.index.take(order))):
        told = one.places()
        parts = list(one.places_by_scene())
        assert sorted(np.concatenate([rows for rows, _ in parts])) == list(range(len(one)))
        for rows, places in parts:
            assert (np.diff(rows) > 0).all()
            assert places == [told[row] for row in rows]
            assert len({scene for scene, _, _ in places}) == 1


def test_a_patch_has_its_pixels_and_ground(archive: Archive, scenes: dict[str, SmallScene]) -> None:
    for position, record in enumerate(archive.records()):
        patch, scene = archive[position], scenes[record.scene]
        assert patch.id == record.id
        ulx, uly = 300000 + 120 * record.column, 5400000 - 120 * record.row
        assert patch.grid == Grid("EPSG:32633", ulx, uly, 10, 12, 12)
        red = scene.patch("r10m", record.column, record.row)[2]
        assert np.array_equal(patch.band("B04"), red)
        cover = archive.land_cover(position)
        assert np.array_equal(cover, scene.patch("land_cover", record.column, record.row))


def test_positions_count_from_both_ends(archive: Archive) -> None:
    assert archive.record(-1) == list(archive.records())[-1]
    for position in (len(archive), -len(archive) - 1):
        with pytest.raises(IndexError):
            archive[position]


def test_patches_are_chosen_by_expression_or_mask(archive: Archive) -> None:
    winter = archive.filter(pc.field("season") == "winter")
    mask = np.array([record.season == "winter" for record in archive.records()])
    assert 0 < len(winter) < len(archive)
    assert list(winter.records()) == list(archive.filter(mask).records())
    assert {patch.id.product for patch in winter} == {WINTER}
    with pytest.raises(InputError, match="cannot be chosen"):
        archive.filter(pc.field("absent") == 1)
    with pytest.raises(InputError, match="cannot be chosen"):
        archive.filter(mask[:-1])


def test_positions_are_not_taken_for_truth_values(archive: Archive) -> None:
    with pytest.raises(InputError, match="cannot be chosen by values of int64"):
        archive.filter(np.arange(len(archive)))


@pytest.mark.parametrize("several", [slice(0, 2), np.array([0, 1]), [0]])
def test_several_patches_are_not_taken_by_brackets(archive: Archive, several: object) -> None:
    with pytest.raises(TypeError, match="take several with filter"):
        archive[several]  # type: ignore[index]


def test_an_archive_is_told_in_short(archive: Archive) -> None:
    assert repr(archive) == f"Archive('{archive.root}', {len(archive)} patches, profile custom)"


def test_a_patch_is_found_by_its_id(archive: Archive) -> None:
    for position, record in enumerate(archive.records()):
        assert archive.find(record.patch_id) == archive.find(record.id) == position
    with pytest.raises(InputError, match="holds no such patch"):
        archive.find(PatchId(PRODUCT, 90, 90))


def test_an_archive_goes_to_other_processes(archive: Archive) -> None:
    again = pickle.loads(pickle.dumps(archive.filter(pc.field("row") > 0)))
    assert again[0].id.row > 0


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    root = write_archive(tmp_path, make_scene())
    (root / "patches.parquet").unlink()
    with pytest.raises(ArchiveError, match=r"patches\.parquet.*ben check"):
        Archive.open(root)
