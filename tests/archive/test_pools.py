from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive import pixels, pools
from benforge.archive.layout import scene_path
from benforge.archive.pixels import PixelReader, Place
from benforge.archive.pools import ShardPool, make_pools
from benforge.archive.storage import StorageRecipe
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError
from benforge.testing.archives import PRODUCT, SmallScene, make_scene, small_frame, write_scene

SENSOR = load_sensor()
NAMES = [PRODUCT.replace("20170613", day) for day in ("20170613", "20170801", "20180508")]
Scenes = dict[str, SmallScene]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scenes]:
    """Two plain scenes of several shards, of which one lacks patches, and a compressed one."""
    root = tmp_path_factory.mktemp("pools")
    scenes = [
        make_scene(small_frame(16, 15), product=NAMES[0]),
        make_scene(small_frame(15, 14), product=NAMES[1], seed=1, kept=0.6),
        make_scene(small_frame(), product=NAMES[2], seed=2),
    ]
    for scene, compression in zip(scenes, ("none", "none", "lz4"), strict=True):
        write_scene(root, scene, StorageRecipe(compression=compression))
    return root, {scene.product: scene for scene in scenes}


def all_places(scenes: Scenes) -> list[Place]:
    return [
        (name, column, row)
        for name, scene in scenes.items()
        for column in range(scene.frame.columns)
        for row in range(scene.frame.rows)
    ]


def expected(scenes: Scenes, places: list[Place], size: int) -> np.ndarray:
    return np.stack([scenes[s].patch(f"r{size}m", c, r) for s, c, r in places])


@given(data=st.data())
def test_any_patches_in_any_order(archive: tuple[Path, Scenes], data: st.DataObject) -> None:
    root, scenes = archive
    places = data.draw(st.lists(st.sampled_from(all_places(scenes)), min_size=1, max_size=20))
    found = PixelReader(root, SENSOR).read_many(places)
    for size in SENSOR.pixel_sizes:
        assert np.array_equal(found[size], expected(scenes, places, size))


def test_a_batch_is_one_call_for_each_pixel_size(
    archive: tuple[Path, Scenes], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, scenes = archive
    reader, calls, take = PixelReader(root, SENSOR), list[int](), np.take

    def count(array: np.ndarray, which: np.ndarray, **options: object) -> object:
        calls.append(len(which))
        return take(array, which, **options)

    monkeypatch.setattr(pools.np, "take", count)
    places = [p for p in all_places(scenes) if p[0] == NAMES[0]]
    reader.read_many(places)
    assert calls == [len(places)] * 3
    ten = {10: np.empty((len(places), 4, 12, 12), np.uint16)}
    reader.read_many(places, ten)
    assert calls == [len(places)] * 4
    assert np.array_equal(ten[10], expected(scenes, places, 10))


def test_room_that_is_larger_keeps_what_lies_behind(archive: tuple[Path, Scenes]) -> None:
    root, scenes = archive
    room = {60: np.full((5, 2, 2, 2), 77, np.uint16)}
    places = [(NAMES[0], 1, 2), (NAMES[0], 15, 14)]
    PixelReader(root, SENSOR).read_many(places, room)
    assert np.array_equal(room[60][:2], expected(scenes, places, 60))
    assert (room[60][2:] == 77).all()
    with pytest.raises(ValueError, match="match"):
        PixelReader(root, SENSOR).read_many(places, {60: np.empty((2, 2, 3, 3), np.uint16)})


@pytest.mark.parametrize("shards", [0, 1, 3])
def test_shards_that_find_no_place_are_read_too(
    archive: tuple[Path, Scenes], monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    root, scenes = archive
    monkeypatch.setattr(pixels, "make_pools", lambda kinds: make_pools(kinds, shards))
    places = all_places(scenes)
    found = PixelReader(root, SENSOR).read_many(places)
    assert np.array_equal(found[20], expected(scenes, places, 20))


def test_where_addresses_are_scarce_nothing_is_reserved(archive: tuple[Path, Scenes]) -> None:
    root, scenes = archive
    code = (
        "import resource, sys; from pathlib import Path; import numpy as np\n"
        "from benforge.archive.pixels import PixelReader\n"
        "from benforge.core.sensor import load_sensor\n"
        "resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))\n"
        "reader = PixelReader(Path(sys.argv[1]), load_sensor())\n"
        "print(reader.read_many([(sys.argv[2], 3, 4), (sys.argv[2], 0, 0)])[10].sum())\n"
        "print(Path('/proc/self/status').read_text().split('VmSize:')[1].split()[0])"
    )
    command = [sys.executable, "-c", code, str(root), NAMES[0]]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    total = expected(scenes, [(NAMES[0], 3, 4), (NAMES[0], 0, 0)], 10).sum()
    read, size = map(int, told.stdout.split())
    assert read == total
    assert size < 8 << 20  # KiB


def test_threads_read_while_scenes_are_closed(archive: tuple[Path, Scenes]) -> None:
    root, scenes = archive
    reader = PixelReader(root, SENSOR, max_maps=1)
    random = np.random.default_rng(0)
    places = all_places(scenes)
    batches = [[places[n] for n in random.choice(len(places), 30)] for _ in range(60)]

    def check(batch: list[Place]) -> bool:
        return np.array_equal(reader.read_many(batch)[10], expected(scenes, batch, 10))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(check, batches))


def test_a_file_that_is_too_large_lies_elsewhere(tmp_path: Path) -> None:
    pool = ShardPool((1, 4, 4), np.dtype("<u2"), 2, 3)
    (tmp_path / "small").write_bytes(bytes(range(1, 101)))
    (tmp_path / "large").write_bytes(bytes(3 << 20))
    (tmp_path / "empty").write_bytes(b"")
    small, large, empty = (pool.map_file(tmp_path / n) for n in ("small", "large", "empty"))
    assert (pool.first(small), pool.first(large), pool.first(empty)) == (0, None, None)
    assert bytes(small) == bytes(range(1, 101))
    assert len(large) == 3 << 20
    again = pool.map_file(tmp_path / "small")
    first = pool.first(again)
    assert first is not None
    assert first > 0
    assert pool.patches[first].tobytes() == bytes(range(1, 33))
    pool.map_file(tmp_path / "small")
    assert pool.first(pool.map_file(tmp_path / "small")) is None


def test_patches_of_two_sizes_are_refused(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    write_scene(tmp_path, make_scene(small_frame(3, 2, 24), product=NAMES[2]), StorageRecipe())
    with pytest.raises(ValueError, match="broadcast"):
        PixelReader(tmp_path, SENSOR).read_many([(PRODUCT, 0, 0), (NAMES[2], 0, 0)])


def test_damage_is_named_in_a_batch_too(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    shard = scene_path(tmp_path, PRODUCT) / "r20m" / "c" / "0" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[:-3])
    with pytest.raises(ArchiveError, match="r20m/c/0/0/0: the shard's index"):
        PixelReader(tmp_path, SENSOR).read_many([(PRODUCT, 0, 0)])
