from __future__ import annotations

import multiprocessing
import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zarr

from benforge.archive import mapped, pixels
from benforge.archive.layout import scene_path
from benforge.archive.pixels import PixelReader
from benforge.archive.storage import COMPRESSIONS, StorageRecipe
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, InputError
from benforge.testing.archives import PRODUCT, SmallScene, make_scene, small_frame, write_scene

SENSOR = load_sensor()
OTHER = PRODUCT.replace("20170613", "20180508")


@pytest.fixture(scope="module", params=COMPRESSIONS)
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[SmallScene]]:
    root = tmp_path_factory.mktemp(request.param)
    scenes = [make_scene(small_frame(16, 5)), make_scene(product=OTHER, seed=1)]
    for scene in scenes:
        write_scene(root, scene, StorageRecipe(compression=request.param))
    return root, scenes


def test_many_patches_of_several_scenes(archive: tuple[Path, list[SmallScene]]) -> None:
    root, scenes = archive
    places = [(PRODUCT, 15, 4), (OTHER, 0, 1), (PRODUCT, 0, 0), (OTHER, 2, 0)]
    reader = PixelReader(root, SENSOR)
    found = reader.read_many(places)
    by_name = {scene.product: scene for scene in scenes}
    for size in SENSOR.pixel_sizes:
        expected = [by_name[s].patch(f"r{size}m", c, r) for s, c, r in places]
        assert np.array_equal(found[size], np.stack(expected))
    only = {20: np.empty((4, 6, 6, 6), np.uint16)}
    assert reader.read_many(places, only) is only
    assert np.array_equal(only[20], found[20])
    assert reader.read_many([]) == {}


@pytest.mark.parametrize("cold", [True, False])
def test_reading_ahead_changes_nothing_that_is_read(
    archive: tuple[Path, list[SmallScene]], monkeypatch: pytest.MonkeyPatch, cold: bool
) -> None:
    root, scenes = archive
    monkeypatch.setattr(pixels, "LOOKS", 99 if cold else 0)
    by_name = {scene.product: scene for scene in scenes}
    reader = PixelReader(root, SENSOR, max_maps=1)
    for places in ([(PRODUCT, 15, 4), (OTHER, 0, 1)], [(OTHER, 2, 0), (PRODUCT, 0, 0)]):
        found = reader.read_many(places)
        for position, (scene, column, row) in enumerate(places):
            one = reader.read(scene, column, row)
            for size in SENSOR.pixel_sizes:
                expected = by_name[scene].patch(f"r{size}m", column, row)
                assert np.array_equal(found[size][position], expected)
                assert np.array_equal(one[size], expected)


class Disk:
    """A stand-in for what the system tells: how many blocks were read, and what was announced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocks, self.told = 0, list[int]()
        monkeypatch.setattr(mapped, "read_ahead", lambda _, length: self.told.append(length))
        monkeypatch.setattr(pixels, "getrusage", lambda _: SimpleNamespace(ru_inblock=self.blocks))
        monkeypatch.setattr(pixels, "SLOW", -1.0)
        monkeypatch.setattr(pixels, "LOOKS", 2)


def test_reads_are_announced_while_pixels_come_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scene(tmp_path, make_scene(small_frame(16, 5)), StorageRecipe())
    disk, reader = Disk(monkeypatch), PixelReader(tmp_path, SENSOR)
    sizes = [array.nbytes for array in reader.read(PRODUCT, 5, 1).values()]
    reader.read(PRODUCT, 1, 1)
    assert disk.told == 2 * sizes
    reader.read(PRODUCT, 9, 2)  # twice nothing came from the disk
    assert disk.told == 2 * sizes
    disk.blocks += 8
    reader.read(PRODUCT, 3, 3)  # this did
    assert disk.told == 2 * sizes
    reader.read(PRODUCT, 7, 3)
    assert disk.told == 3 * sizes


def test_patches_in_a_row_and_other_pixel_sizes_are_not_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scene(tmp_path, make_scene(small_frame(16, 5)), StorageRecipe())
    disk, reader = Disk(monkeypatch), PixelReader(tmp_path, SENSOR)
    first = reader.read(PRODUCT, 5, 1)
    disk.told.clear()
    reader.read(PRODUCT, 6, 1)
    assert disk.told == []
    disk.blocks += 8
    reader.read(PRODUCT, 7, 1)
    ten = {10: np.empty((3, *first[10].shape), np.uint16)}
    reader.read_many([(PRODUCT, 11, 3), (PRODUCT, 1, 0), (PRODUCT, 2, 0)], ten)
    assert disk.told == [first[10].nbytes] * 2


def test_one_pixel_size(archive: tuple[Path, list[SmallScene]]) -> None:
    root, (scene, _) = archive
    reader = PixelReader(root, SENSOR)
    array = reader.read_array(PRODUCT, 60, 3, 2)
    assert np.array_equal(array, scene.patch("r60m", 3, 2))
    with pytest.raises(ArchiveError, match="no band has pixels of 30 m"):
        reader.read_array(PRODUCT, 30, 3, 2)


def test_what_is_read_is_the_callers(archive: tuple[Path, list[SmallScene]]) -> None:
    root, (scene, _) = archive
    reader = PixelReader(root, SENSOR)
    for array in reader.read(PRODUCT, 1, 1).values():
        array[...] = 0
    assert np.array_equal(reader.read(PRODUCT, 1, 1)[10], scene.patch("r10m", 1, 1))


def test_few_maps_are_enough(archive: tuple[Path, list[SmallScene]]) -> None:
    root, scenes = archive
    reader = PixelReader(root, SENSOR, max_maps=1)
    for _ in range(3):
        for scene in scenes:
            arrays = reader.read(scene.product, 2, 1)
            assert np.array_equal(arrays[20], scene.patch("r20m", 2, 1))
    assert len(reader._scenes) == 1


def test_no_file_stays_open(archive: tuple[Path, list[SmallScene]]) -> None:
    root, _ = archive
    reader = PixelReader(root, SENSOR)
    before = len(list(Path("/proc/self/fd").iterdir()))
    reader.read(PRODUCT, 0, 0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    reader.close()
    assert reader.read(PRODUCT, 0, 0)[10].any()


def _read(reader: PixelReader) -> dict[int, np.ndarray]:
    return reader.read(PRODUCT, 4, 4)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_reader_goes_to_other_processes(
    archive: tuple[Path, list[SmallScene]], method: str
) -> None:
    root, (scene, _) = archive
    reader = PixelReader(root, SENSOR)
    reader.read(PRODUCT, 4, 4)
    again = pickle.loads(pickle.dumps(reader))
    assert np.array_equal(again.read(PRODUCT, 4, 4)[10], scene.patch("r10m", 4, 4))
    if root.name.startswith("none"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            found = pool.apply(_read, (reader,))
        assert np.array_equal(found[10], scene.patch("r10m", 4, 4))


@pytest.mark.parametrize("place", [(16, 0), (0, 5), (-1, 0), (0, -1)])
def test_there_is_nothing_outside(
    archive: tuple[Path, list[SmallScene]], place: tuple[int, int]
) -> None:
    reader = PixelReader(archive[0], SENSOR)
    with pytest.raises(InputError, match="there is no patch at column"):
        reader.read(PRODUCT, *place)


def test_a_scene_that_is_not_there(archive: tuple[Path, list[SmallScene]]) -> None:
    with pytest.raises(ArchiveError, match=r"scene's folder is missing.*ben check"):
        PixelReader(archive[0], SENSOR).read("absent", 0, 0)


def test_a_map_that_a_scene_lacks_is_none(
    archive: tuple[Path, list[SmallScene]], tmp_path: Path
) -> None:
    shutil.copytree(archive[0], tmp_path, dirs_exist_ok=True)
    shutil.rmtree(scene_path(tmp_path, PRODUCT) / "scene_classification")
    reader = PixelReader(tmp_path, SENSOR)
    assert reader.read_map(PRODUCT, "scene_classification", 0, 0) is None
    assert reader.read_map(PRODUCT, "land_cover", 0, 0) is not None


def test_damage_is_named(archive: tuple[Path, list[SmallScene]], tmp_path: Path) -> None:
    shutil.copytree(archive[0], tmp_path, dirs_exist_ok=True)
    r10m = scene_path(tmp_path, PRODUCT) / "r10m"
    shard = r10m / "c" / "0" / "0" / "0"
    whole = shard.read_bytes()
    for damaged in (b"", whole[:100], whole[:-7]):
        shard.write_bytes(damaged)
        with pytest.raises(ArchiveError, match=r"r10m/c/0/0/0: .*ben check"):
            PixelReader(tmp_path, SENSOR).read(PRODUCT, 0, 0)
    shard.unlink()
    with pytest.raises(ArchiveError, match="r10m/c/0/0/0: the shard is missing"):
        PixelReader(tmp_path, SENSOR).read(PRODUCT, 0, 0)
    (r10m / "zarr.json").write_text("{}")
    with pytest.raises(ArchiveError, match=r"r10m/zarr\.json: the array's metadata"):
        PixelReader(tmp_path, SENSOR).read(PRODUCT, 0, 0)


def test_a_damaged_chunk_is_named(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe(compression="zstd"))
    shard = scene_path(tmp_path, PRODUCT) / "r10m" / "c" / "0" / "0" / "0"
    data = bytearray(shard.read_bytes())
    data[:8] = bytes(8)
    shard.write_bytes(data)
    with pytest.raises(ArchiveError, match="r10m/c/0/0/0: a chunk cannot be decoded"):
        PixelReader(tmp_path, SENSOR).read(PRODUCT, 0, 0)


@pytest.mark.parametrize(
    "layout", [{"compressors": {"name": "gzip", "configuration": {"level": 1}}}, {"shards": None}]
)
def test_other_layouts_are_read_through_zarr(tmp_path: Path, layout: dict[str, object]) -> None:
    scene = make_scene()
    write_scene(tmp_path, scene, StorageRecipe())
    folder, pixels = scene_path(tmp_path, PRODUCT), scene.mosaics["r10m"]
    shutil.rmtree(folder / "r10m")
    options = {"shards": (4, 24, 36), "compressors": (), **layout}
    array = zarr.create_array(
        folder / "r10m", shape=pixels.shape, chunks=(4, 12, 12), dtype="uint16", fill_value=0,
        **options,
    )  # fmt: skip
    array[:] = pixels
    reader = PixelReader(tmp_path, SENSOR)
    assert np.array_equal(reader.read(PRODUCT, 2, 1)[10], scene.patch("r10m", 2, 1))
    found = reader.read_many([(PRODUCT, 1, 0), (PRODUCT, 0, 1)])[10]
    assert np.array_equal(found[1], scene.patch("r10m", 0, 1))
    for file in (folder / "r10m" / "c").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    with pytest.raises(ArchiveError, match="r10m: cannot be read"):
        PixelReader(tmp_path, SENSOR).read(PRODUCT, 2, 1)
