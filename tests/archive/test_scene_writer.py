from __future__ import annotations

import errno
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr
from hypothesis import given, settings
from pyproj import CRS

from benforge.archive.build_folder import check_target, clear_leavings, give_up
from benforge.archive.layout import META, scene_path
from benforge.archive.pixels import PixelReader
from benforge.archive.scene_writer import SceneWriter
from benforge.archive.storage import COMPRESSIONS, Compression, StorageRecipe
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, ConflictError, InputError, StorageError
from benforge.testing.archives import (
    PRODUCT,
    SmallScene,
    begin_archive,
    make_scene,
    scene_records,
    small_frame,
    small_meta,
    small_scenes,
    storage_recipes,
    write_scene,
)

SENSOR = load_sensor()
PROVENANCE = {"product": PRODUCT, "source": PRODUCT}


def writer(root: Path, scene: SmallScene) -> SceneWriter:
    return SceneWriter(begin_archive(root), scene.product, scene.frame, SENSOR, StorageRecipe())


def tree(root: Path) -> dict[str, bytes]:
    """Every file but `archive.json`."""
    files = (p for p in root.rglob("*") if p.is_file() and p != root / META)
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


@settings(max_examples=12)
@given(small_scenes(), storage_recipes())
def test_writing_then_reading_is_identity(
    tmp_path_factory: pytest.TempPathFactory, scene: SmallScene, storage: StorageRecipe
) -> None:
    root = tmp_path_factory.mktemp("archive")
    write_scene(root, scene, storage, threads=2)
    reader, group = PixelReader(root, SENSOR), zarr.open_group(scene_path(root, PRODUCT), mode="r")
    for name, mosaic in scene.mosaics.items():
        assert np.array_equal(np.asarray(group[name][:]), mosaic)
    for row, column in np.ndindex(scene.kept.shape):
        arrays = reader.read(PRODUCT, column, row)
        for size, array in arrays.items():
            assert np.array_equal(array, scene.patch(f"r{size}m", column, row))
        for name in ("land_cover", "scene_classification"):
            found = reader.read_map(PRODUCT, name, column, row)
            assert np.array_equal(found, scene.patch(name, column, row))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_bytes_are_the_same_whatever_the_threads(
    tmp_path: Path, compression: Compression
) -> None:
    scene = make_scene(small_frame(20, 14), kept=0.7)
    storage = StorageRecipe(compression=compression)
    write_scene(tmp_path / "one", scene, storage)
    write_scene(tmp_path / "four", scene, storage, threads=4)
    assert tree(tmp_path / "one") == tree(tmp_path / "four")


def test_xarray_sees_a_georeferenced_mosaic(tmp_path: Path) -> None:
    scene = make_scene(small_frame(15, 3))
    write_scene(tmp_path, scene, StorageRecipe(compression="blosc"))
    with xarray.open_zarr(scene_path(tmp_path, PRODUCT), chunks=None) as mosaic:
        for name, array in scene.mosaics.items():
            assert np.array_equal(mosaic[name].values, array)
        assert mosaic.r20m.dims == ("band_20m", "y_20m", "x_20m")
        assert mosaic.x_20m.values[:2].tolist() == [300010, 300030]
        assert mosaic.y_60m.values[:2].tolist() == [5399970, 5399910]
        assert mosaic.r10m.attrs["bands"] == ["B02", "B03", "B04", "B08"]
        assert mosaic.band_10m.values.tolist() == [b.wavelength for b in SENSOR.bands_at(10)]
        mapping = mosaic[mosaic.r10m.attrs["grid_mapping"]]
        assert CRS.from_wkt(mapping.attrs["crs_wkt"]) == CRS.from_epsg(32633)
        corner = mosaic.r60m.sel(x_60m=300030, y_60m=5399970).values
        assert np.array_equal(corner, scene.mosaics["r60m"][:, 0, 0])


def test_blocks_make_the_same_scene_as_mosaics(tmp_path: Path) -> None:
    scene = make_scene(small_frame(20, 14))
    write_scene(tmp_path / "mosaics", scene, StorageRecipe())
    with writer(tmp_path / "blocks", scene) as blocks:
        for name, mosaic in scene.mosaics.items():
            edge = mosaic.shape[-1] // 20
            for shard in scene.frame.shards():
                rows, columns = (
                    slice(s.start * edge, s.stop * edge) for s in scene.frame.shard_patches(*shard)
                )
                blocks.write_block(name, *shard, mosaic[..., rows, columns])
        blocks.finish(scene_records(scene), {**PROVENANCE, "simulated": True})
    assert tree(tmp_path / "mosaics") == tree(tmp_path / "blocks")


def test_a_scene_of_few_patches_takes_few_files(tmp_path: Path) -> None:
    scene = make_scene(small_frame(40, 40), kept=0)
    with writer(tmp_path, scene) as sparse:
        sparse.write_block("r10m", 3, 3, np.ones((4, 12, 12), np.uint16))
        sparse.finish(scene_records(scene), PROVENANCE)
    folder = scene_path(tmp_path, PRODUCT)
    assert [p.name for p in (folder / "r10m" / "c").rglob("*") if p.is_file()] == ["3"]
    assert PixelReader(tmp_path, SENSOR).read(PRODUCT, 39, 39)[10].min() == 1
    assert PixelReader(tmp_path, SENSOR).read(PRODUCT, 0, 39)[20].max() == 0


def test_sha256sum_accepts_the_checksums(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    command = ["sha256sum", "--strict", "--quiet", "-c", "manifest.sha256"]
    subprocess.run(command, cwd=scene_path(tmp_path, PRODUCT), check=True)


def test_an_abandoned_scene_leaves_nothing(tmp_path: Path) -> None:
    with writer(tmp_path, make_scene()) as cut_off:
        cut_off.write_mosaic("r10m", make_scene().mosaics["r10m"])
    assert tree(tmp_path) == {}


def test_leavings_of_a_killed_build_are_cleared(tmp_path: Path) -> None:
    writer(tmp_path, make_scene()).write_mosaic("r10m", make_scene().mosaics["r10m"])
    assert tree(tmp_path)
    clear_leavings(tmp_path)
    assert tree(tmp_path) == {}


def test_a_draft_that_another_run_removed_is_never_published(tmp_path: Path) -> None:
    """A late worker writes on: what it makes anew lacks what was removed."""
    scene = make_scene(small_frame(2, 2))
    first, *others = scene.mosaics
    with writer(tmp_path, scene) as late:
        late.write_mosaic(first, scene.mosaics[first])
        clear_leavings(tmp_path)
        for name in others:
            late.write_mosaic(name, scene.mosaics[name])
        check_target(tmp_path)
        with pytest.raises(ConflictError, match="another run removed this draft"):
            late.finish(scene_records(scene), PROVENANCE)
    assert not tree(tmp_path)


def test_where_the_archive_was_given_up_nothing_is_written_and_another_can_begin(
    tmp_path: Path,
) -> None:
    """A worker that a lost cluster left behind comes late."""
    scene, root = make_scene(), tmp_path / "archive"
    with writer(root, scene) as late:
        for name, mosaic in scene.mosaics.items():
            late.write_mosaic(name, mosaic)
        (root / META).unlink()
        with pytest.raises(ArchiveError, match=r"it holds no archive\.json"):
            late.finish(scene_records(scene), PROVENANCE)
    assert not tree(root)
    check_target(root)
    give_up(begin_archive(root), small_meta(), ())
    with pytest.raises(ArchiveError, match=r"it holds no archive\.json"):
        SceneWriter(root, PRODUCT, scene.frame, SENSOR, StorageRecipe())
    assert not root.exists()


def test_a_scene_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    scene = make_scene()
    with writer(tmp_path, scene) as second:
        write_scene(tmp_path, scene, StorageRecipe())
        with pytest.raises(ConflictError, match="holds this scene already"):
            second.finish(scene_records(scene), PROVENANCE)
    with pytest.raises(ConflictError, match="holds this scene already"):
        writer(tmp_path, scene)


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullFile:
        def __enter__(self) -> FullFile:
            return self

        def __exit__(self, *_: object) -> None: ...

        def writelines(self, _: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda p, *a, **k: FullFile() if "/c/" in str(p) else real(p, *a, **k)
    )
    line = r"r10m.*the disk is full.*same command again"
    with writer(tmp_path, make_scene()) as cut_off, pytest.raises(StorageError, match=line):
        cut_off.write_mosaic("r10m", make_scene().mosaics["r10m"])
    monkeypatch.undo()
    assert tree(tmp_path) == {}


def test_a_full_disk_inside_zarr_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with writer(tmp_path, make_scene()) as cut_off:
        monkeypatch.setattr(zarr.Group, "create_array", full)
        with pytest.raises(StorageError, match="the disk is full"):
            cut_off.write_mosaic("r10m", make_scene().mosaics["r10m"])


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    scene = make_scene()
    records = scene_records(scene)
    with writer(tmp_path, scene) as open_writer:
        with pytest.raises(InputError, match="no array 'r30m'"):
            open_writer.write_mosaic("r30m", scene.mosaics["r10m"])
        with pytest.raises(InputError, match="was expected"):
            open_writer.write_mosaic("r10m", scene.mosaics["r20m"])
        with pytest.raises(InputError, match="was expected"):
            open_writer.write_mosaic("r10m", scene.mosaics["r10m"].astype(np.int32))
        with pytest.raises(InputError, match="two rows"):
            open_writer.finish(records.take([0, 0]), PROVENANCE)
        with pytest.raises(InputError, match="product and source"):
            open_writer.finish(records, {})
        wide = scene_records(make_scene(small_frame(4, 2)))
        with pytest.raises(InputError, match="outside"):
            open_writer.finish(wide, PROVENANCE)
        other = scene_records(make_scene(product=PRODUCT.replace("T33UUP", "T33UVP")))
        with pytest.raises(InputError, match="another scene"):
            open_writer.finish(other, PROVENANCE)
