from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive import mapped, pixels, pools
from benforge.archive.layout import scene_path
from benforge.archive.pixels import AT_ONCE, PixelReader, Place
from benforge.archive.pools import ShardPool
from benforge.archive.storage import StorageRecipe
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, InputError
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


def counted_takes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many patches each call of `numpy.take` copies, from now on."""
    calls, take = list[int](), np.take

    def count(array: np.ndarray, which: np.ndarray, **options: object) -> object:
        calls.append(len(which))
        return take(array, which, **options)

    monkeypatch.setattr(np, "take", count)
    return calls


def maps_of(folder: Path) -> int:
    """Files of a folder that this process has mapped, each as often as it is."""
    return Path("/proc/self/maps").read_text().count(str(folder))


def test_a_batch_is_one_call_for_each_pixel_size(
    archive: tuple[Path, Scenes], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, scenes = archive
    calls, reader = counted_takes(monkeypatch), PixelReader(root, SENSOR)
    places = [p for p in all_places(scenes) if p[0] == NAMES[0]][:AT_ONCE]
    reader.read_many(places)
    assert calls == [AT_ONCE] * 3
    ten = {10: np.empty((AT_ONCE, 4, 12, 12), np.uint16)}
    reader.read_many(places, ten)
    assert calls == [AT_ONCE] * 4
    assert np.array_equal(ten[10], expected(scenes, places, 10))


def test_scenes_that_are_cut_into_other_shards_share_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = [make_scene(), make_scene(small_frame(5, 13), product=NAMES[1])]
    for scene in scenes:
        write_scene(tmp_path, scene, StorageRecipe())
    calls = counted_takes(monkeypatch)
    PixelReader(tmp_path, SENSOR).read_many([(PRODUCT, 1, 1), (NAMES[1], 4, 12)])
    assert calls == [2, 2, 2]


@pytest.mark.parametrize("cold", [True, False])
def test_a_shard_is_mapped_once_and_given_back(
    archive: tuple[Path, Scenes], monkeypatch: pytest.MonkeyPatch, cold: bool
) -> None:
    root, scenes = archive
    monkeypatch.setattr(pixels, "LOOKS", 9 if cold else 0)
    reader = PixelReader(root, SENSOR)
    reader.read_many(all_places(scenes))
    shards = [p for p in root.glob("scenes/*/r*/c/**/*") if p.is_file()]
    assert maps_of(root) == len(shards)
    reader.close()
    assert maps_of(root) == 0


def test_a_damaged_shard_takes_no_place(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    shard = scene_path(tmp_path, PRODUCT) / "r20m" / "c" / "0" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[:-3])
    reader = PixelReader(tmp_path, SENSOR)
    for _ in range(30):
        with pytest.raises(ArchiveError, match="r20m/c/0/0/0: the shard's index"):
            reader.read_many([(PRODUCT, 0, 0)])
    assert maps_of(tmp_path) <= 2


def test_one_large_batch_keeps_few_scenes_open(tmp_path: Path) -> None:
    names = [PRODUCT.replace("20170613T", f"201706{day:02}T") for day in range(1, 25)]
    scenes = {name: make_scene(product=name, seed=seed) for seed, name in enumerate(names)}
    for scene in scenes.values():
        write_scene(tmp_path, scene, StorageRecipe())
    most, reader = 0, PixelReader(tmp_path, SENSOR, max_maps=1)
    open_scene = reader._open

    def watched(name: str) -> object:
        nonlocal most
        most = max(most, maps_of(tmp_path))
        return open_scene(name)

    reader._open = watched  # type: ignore[method-assign, assignment]
    places = [(name, column, row) for row in (0, 1) for name in names for column in range(3)]
    found = reader.read_many(places)
    assert np.array_equal(found[10], expected(scenes, places, 10))
    assert most <= 3 * (AT_ONCE // 3 + 2)


@pytest.mark.parametrize(
    "room",
    [
        np.empty((2, 2, 2, 2), np.float32),
        np.empty((2, 2, 2, 2), np.int16),
        np.empty((1, 2, 2, 2), np.uint16),
        np.empty((2, 2, 3, 3), np.uint16),
        np.broadcast_to(np.uint16(0), (2, 2, 2, 2)),
    ],
)
def test_room_that_does_not_fit_is_refused(archive: tuple[Path, Scenes], room: np.ndarray) -> None:
    root, _ = archive
    for name in (NAMES[0], NAMES[2]):  # plain, and compressed
        with pytest.raises(InputError, match=r"cannot take 2 patches of 60 m.*uint16 of \(2, 2,"):
            PixelReader(root, SENSOR).read_many([(name, 0, 0), (name, 1, 1)], {60: room})


def test_room_that_is_larger_keeps_what_lies_behind(archive: tuple[Path, Scenes]) -> None:
    root, scenes = archive
    room = {60: np.full((5, 2, 2, 2), 77, np.uint16)}
    places = [(NAMES[0], 1, 2), (NAMES[0], 15, 14)]
    PixelReader(root, SENSOR).read_many(places, room)
    assert np.array_equal(room[60][:2], expected(scenes, places, 60))
    assert (room[60][2:] == 77).all()


@pytest.mark.parametrize("shards", [1, 3])
def test_shards_that_find_no_place_are_read_too(
    archive: tuple[Path, Scenes], monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    root, scenes = archive
    small: dict[tuple[int, ...], ShardPool] = {}

    def find(shape: tuple[int, ...], _: object) -> ShardPool | None:
        return small.setdefault(shape, ShardPool(shape, shards)) if len(shape) == 3 else None

    monkeypatch.setattr(mapped, "find_pool", find)
    places, reader = all_places(scenes), PixelReader(root, SENSOR)
    for _ in range(2):
        found = reader.read_many(places)
        assert np.array_equal(found[20], expected(scenes, places, 20))


def in_a_process(code: str, *words: object) -> list[int]:
    """The numbers that a script prints in a process of its own."""
    start = (
        "import resource, sys; from pathlib import Path; import numpy as np\n"
        "from benforge.archive.pixels import PixelReader\n"
        "from benforge.core.sensor import load_sensor\n"
        "from benforge.errors import ArchiveError\n"
        "root, names = Path(sys.argv[1]), sys.argv[2:]\n"
        "reader = PixelReader(root, load_sensor())\n"
    )
    command = [sys.executable, "-c", start + code, *map(str, words)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(word) for word in told.stdout.split()]


def test_where_addresses_are_scarce_nothing_is_reserved(archive: tuple[Path, Scenes]) -> None:
    root, scenes = archive
    code = (
        "resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))\n"
        "print(reader.read_many([(names[0], 3, 4), (names[0], 0, 0)])[10].sum())\n"
        "print(Path('/proc/self/status').read_text().split('VmSize:')[1].split()[0])\n"
    )
    total, kib = in_a_process(code, root, NAMES[0])
    assert total == expected(scenes, [(NAMES[0], 3, 4), (NAMES[0], 0, 0)], 10).sum()
    assert kib < 8 << 20


def test_a_file_that_cannot_be_mapped_leaves_no_hole(tmp_path: Path) -> None:
    strange = Path("/sys/kernel/cpu_byteorder")
    if not strange.is_file():
        pytest.skip("this system has no file that refuses to be mapped")
    write_scene(tmp_path, make_scene(), StorageRecipe())
    shard = scene_path(tmp_path, PRODUCT) / "r10m" / "c" / "0" / "0" / "0"
    shard.unlink()
    shard.symlink_to(strange)
    code = (
        "try: reader.read_many([(names[0], 0, 0)])\n"
        "except ArchiveError: print(1)\n"
        "arrays = [np.ones(17 << 20, np.uint8) for _ in range(40)]; reader.close(); del reader\n"
        "print(sum(int(array.sum()) for array in arrays))\n"
    )
    assert in_a_process(code, tmp_path, PRODUCT) == [1, 40 * (17 << 20)]


def test_threads_read_while_scenes_are_closed(archive: tuple[Path, Scenes]) -> None:
    root, scenes = archive
    reader = PixelReader(root, SENSOR, max_maps=1)
    random = np.random.default_rng(0)
    places = all_places(scenes)
    batches = [[places[n] for n in random.choice(len(places), 30)] for _ in range(60)]

    def check(batch: list[Place]) -> bool:
        reader.close()
        return np.array_equal(reader.read_many(batch)[10], expected(scenes, batch, 10))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(check, batches))


def test_a_place_is_used_again(tmp_path: Path) -> None:
    pool = ShardPool((1, 4, 4), 2)
    (tmp_path / "small").write_bytes(bytes(range(1, 101)))
    (tmp_path / "large").write_bytes(bytes(9 << 20))
    (tmp_path / "empty").write_bytes(b"")
    (large, one), (empty, none) = (pool.map_file(tmp_path / n) for n in ("large", "empty"))
    assert (len(large), one, bytes(empty), none) == (9 << 20, None, b"", None)
    small, first = pool.map_file(tmp_path / "small")
    again, second = pool.map_file(tmp_path / "small")
    assert first is not None
    assert second is not None
    assert {first, second} == {0, second + first}
    for place in (first, second):
        assert pool.patches[place].tobytes() == bytes(range(1, 33))
    assert pool.map_file(tmp_path / "small")[1] is None
    del small
    assert pool.map_file(tmp_path / "small")[1] == first
    assert bytes(again) == bytes(range(1, 101))
    with pytest.raises(FileNotFoundError):
        pool.map_file(tmp_path / "absent")


def test_no_place_lies_beyond_what_is_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MOST", 5 << 20)  # two shards of two MiB, and half of one
    (tmp_path / "shard").write_bytes(bytes(range(1, 101)))
    pool = ShardPool((1, 4, 4), 9)
    assert pool.patches.nbytes == 4 << 20
    held = [pool.map_file(tmp_path / "shard") for _ in range(3)]
    assert [first is None for _, first in held] == [False, False, True]


def test_patches_of_two_sizes_are_refused(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    write_scene(tmp_path, make_scene(small_frame(3, 2, 24), product=NAMES[2]), StorageRecipe())
    with pytest.raises(ValueError, match="broadcast"):
        PixelReader(tmp_path, SENSOR).read_many([(PRODUCT, 0, 0), (NAMES[2], 0, 0)])
