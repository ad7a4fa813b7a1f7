"""Pixels from object storage: what was written is the oracle; xarray reads it through others."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.copy import copy_archive
from benforge.archive.remote import RemotePixelReader
from benforge.archive.storage import StorageRecipe
from benforge.core.object_path import ObjectPath
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, InputError, MissingError, ObjectStorageError
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive
from tests.s3 import BUCKET, FAULTS, Fault, Proxy, Storage, drop, slow, status, use

SENSOR = load_sensor()
OTHER = PRODUCT.replace("20170613", "20180508")
EMPTY = PRODUCT.replace("20170613", "20180620")
SCENES = {
    scene.product: scene
    for scene in (
        make_scene(small_frame(16, 5), kept=0.7),
        make_scene(product=OTHER, seed=1),
        make_scene(small_frame(15, 2), product=EMPTY, kept=0.0),
    )
}


@pytest.fixture(scope="module", params=["none", "zstd", "blosc"])
def root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, storage: Storage
) -> ObjectPath:
    """An archive in object storage that tests only read from."""
    folder = tmp_path_factory.mktemp("archive")
    write_archive(folder, *SCENES.values(), storage=StorageRecipe(compression=request.param))
    place = ObjectPath(f"s3://{BUCKET}/remote-{request.param}/archive")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, storage.url)
        copy_archive(folder, place)
    return place


@pytest.fixture
def archive(root: ObjectPath, proxy: Proxy) -> Iterator[Archive]:
    found = Archive.open(str(root))
    proxy.told.clear()
    yield found
    found.pixels.close()


def expected(places: list[tuple[str, int, int]], size: int) -> np.ndarray:
    return np.stack([SCENES[s].patch(f"r{size}m", c, r) for s, c, r in places])


def test_patches_are_those_that_were_written(archive: Archive) -> None:
    assert len(archive) == sum(int(scene.kept.sum()) for scene in SCENES.values())
    places = [
        *archive.places(),
        (EMPTY, 14, 1),
        (PRODUCT, *np.argwhere(~SCENES[PRODUCT].kept)[0][::-1].tolist()),
    ]
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(len(places)), 2))
    wanted = [places[i] for i in order]
    found = archive.pixels.read_many(wanted)
    for size in SENSOR.pixel_sizes:
        assert np.array_equal(found[size], expected(wanted, size))
    only = {20: np.ones((len(wanted), 6, 6, 6), np.uint16)}
    assert archive.pixels.read_many(wanted, only) is only
    assert np.array_equal(only[20], found[20])
    assert archive.pixels.read_many([]) == {}


def test_one_patch_and_its_maps(archive: Archive) -> None:
    for position in (0, len(archive) - 1):
        record, patch = archive.record(position), archive[position]
        scene = SCENES[record.scene]
        for size, array in patch.arrays.items():
            assert np.array_equal(array, scene.patch(f"r{size}m", record.column, record.row))
        place = (record.scene, record.column, record.row)
        assert np.array_equal(
            archive.pixels.read_array(record.scene, 60, *place[1:]), patch.arrays[60]
        )
        for name in ("land_cover", "scene_classification"):
            found = archive.pixels.read_map(record.scene, name, *place[1:])
            assert found is not None
            assert found.dtype == scene.mosaics[name].dtype
            assert np.array_equal(found, scene.patch(name, *place[1:]))
    assert archive.pixels.read_map(PRODUCT, "absent", 0, 0) is None
    zeros = archive.pixels.read_map(EMPTY, "land_cover", 14, 1)
    assert zeros is not None
    assert not zeros.any()
    with pytest.raises(ArchiveError, match="no band has pixels of 30 m"):
        archive.pixels.read_array(PRODUCT, 30, 0, 0)


def test_requests_are_few(archive: Archive, proxy: Proxy) -> None:
    """A shard costs one request for its index, once, and one for the patches of a batch in it."""
    places = archive.places()
    shards = 3 * (2 + 1)  # pixel sizes, of which one scene has two shards and one has one
    archive.pixels.read_many(places)
    assert len(proxy.told) == 2 + 2 * shards
    assert sum(span.startswith("bytes=-") for _, _, span in proxy.told) == shards
    proxy.told.clear()
    archive.pixels.read_many(places, {10: np.empty((len(places), 4, 12, 12), np.uint16)})
    assert len(proxy.told) == shards // 3
    assert all(span.startswith("bytes=") for _, _, span in proxy.told)


def test_requests_run_side_by_side(archive: Archive, proxy: Proxy) -> None:
    shards = 3 * (2 + 1)
    proxy.fail("GET", "/c/", *[slow] * 2 * shards)
    archive.pixels.read_many(archive.places())
    assert proxy.most >= shards - 1
    assert not proxy.left()


def test_only_the_bytes_of_a_patch_come(archive: Archive, proxy: Proxy) -> None:
    position = archive.find(f"{OTHER}_01_00")
    archive.pixels.read_many([archive.places()[position]])
    spans = [span.removeprefix("bytes=").split("-") for _, _, span in proxy.told]
    fetched = sum(int(b) - int(a) + 1 for a, b in spans[1:] if a)
    assert fetched <= 1.1 * sum(array.nbytes for array in archive[position].arrays.values())


def test_threads_and_other_processes(archive: Archive) -> None:
    places = archive.places()
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(archive.pixels.read_many, [places[i::4] for i in range(4)]))
    for i, part in enumerate(parts):
        assert np.array_equal(part[20], expected(places[i::4], 20))
    again = pickle.loads(pickle.dumps(archive))
    assert isinstance(again.pixels, RemotePixelReader)
    assert again.root == archive.root
    assert np.array_equal(again.pixels.read_many(places[:3])[10], expected(places[:3], 10))
    again.pixels.close()
    archive.pixels.close()
    assert archive.pixels.read(*places[0])[10].any()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_in_the_middle_change_nothing(archive: Archive, proxy: Proxy, fault: Fault) -> None:
    places = archive.places()
    for part in ("zarr.json", "/c/", "r10m", "r60m/c/0/0/0"):
        proxy.fail("GET", part, fault, fault)
    found = archive.pixels.read_many(places)
    for size in SENSOR.pixel_sizes:
        assert np.array_equal(found[size], expected(places, size))
    assert proxy.left() < 8


def test_a_storage_that_is_gone_is_told_and_comes_back(archive: Archive, proxy: Proxy) -> None:
    places = archive.places()
    proxy.fail("GET", "r20m", *[drop] * 50)
    with pytest.raises(ObjectStorageError, match=r"r20m/c/0/0/.* fails or cannot be reached"):
        archive.pixels.read_many(places)
    proxy.recover()
    assert np.array_equal(archive.pixels.read_many(places)[20], expected(places, 20))


def test_there_is_nothing_outside(archive: Archive) -> None:
    for column, row in ((16, 0), (0, 5), (-1, 0), (0, -1)):
        with pytest.raises(InputError, match="there is no patch at column"):
            archive.pixels.read(PRODUCT, column, row)
        with pytest.raises(InputError, match="there is no patch at column"):
            archive.pixels.read_map(PRODUCT, "land_cover", column, row)
    with pytest.raises(ArchiveError, match=r"the scene is missing.*ben check"):
        archive.pixels.read("absent", 0, 0)
    with pytest.raises(InputError, match=r"\(1, 4, 9, 9\) cannot take 1 patches of 10 m"):
        archive.pixels.read_many([(OTHER, 0, 0)], {10: np.empty((1, 4, 9, 9), np.uint16)})


@pytest.mark.parametrize("address", ["s3://bucket", "s3://bucket/nothing/here"])
def test_no_archive_there(address: str, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, storage.url)
    with pytest.raises((MissingError, ArchiveError), match=r"no such folder|not an archive"):
        Archive.open(address)


@pytest.fixture
def damaged(address: str, tmp_path: Path) -> ObjectPath:
    """A copy of an archive that a test may damage."""
    folder = write_archive(tmp_path / "archive", SCENES[PRODUCT], SCENES[OTHER])
    copy_archive(folder, ObjectPath(address))
    return ObjectPath(address)


def test_damage_is_told_by_readers_and_by_the_check(damaged: ObjectPath) -> None:
    scene = damaged / "scenes" / f"{PRODUCT}.zarr"
    shard = scene / "r10m/c/0/0/0"
    data = bytearray(shard.read_bytes())
    data[-10] ^= 1
    shard.write_bytes(data)
    (scene / "r20m/c/0/0/1").unlink()
    (scene / "stray").write_bytes(b"")
    place = next(p for p in Archive.open(damaged).places() if p[0] == PRODUCT and p[1] > 12)
    for size, column, told in (
        (10, 0, "does not match its checksum"),
        (20, place[1], "is missing"),
    ):
        with pytest.raises(ArchiveError, match=f"the shard.* {told}.*ben check"):
            Archive.open(damaged).pixels.read_array(PRODUCT, size, column, place[2])
    found = {
        Path(f.where).name + ": " + f.what for f in check_archive(damaged) if f.severity == "error"
    }
    assert {
        "0: damaged, its checksum differs",
        "1: missing",
        "stray: not of this scene, no checksum names it",
    } <= found
    assert all(str(damaged) in f.where for f in check_archive(damaged))


def test_a_scene_without_checksums_is_mended_by_a_copy(damaged: ObjectPath, tmp_path: Path) -> None:
    (damaged / "scenes" / f"{PRODUCT}.zarr/manifest.sha256").unlink()
    with pytest.raises(ArchiveError, match="Copy the archive there again: ben copy"):
        copy_archive(damaged, tmp_path / "back")
    copy_archive(tmp_path / "archive", damaged)
    copy_archive(damaged, tmp_path / "back")


def test_an_outage_is_not_damage(damaged: ObjectPath, proxy: Proxy) -> None:
    for part in ("manifest.sha256", "patches.parquet", "r10m/c/0/0/0", "splits"):
        proxy.recover()
        proxy.fail("GET", part, *[status(503)] * 100)
        with pytest.raises(ObjectStorageError, match="fails or cannot be reached"):
            check_archive(damaged)


def test_other_metadata_than_ours(damaged: ObjectPath) -> None:
    path = damaged / "scenes" / f"{OTHER}.zarr/zarr.json"
    group = json.loads(path.read_bytes())
    group["consolidated_metadata"]["metadata"]["r20m"]["codecs"][0]["configuration"][
        "codecs"
    ].append({"name": "gzip", "configuration": {"level": 1}})
    for told, text in (
        (r"read from folders alone.*ben copy", json.dumps(group)),
        ("the scene's metadata cannot be read", "{}"),
        ("the scene's metadata cannot be read", "no json"),
    ):
        path.write_bytes(text.encode())
        with pytest.raises(ArchiveError, match=told):
            Archive.open(damaged).pixels.read(OTHER, 0, 0)


def test_xarray_opens_a_scene_as_an_object_store(
    root: ObjectPath, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    import xarray
    from obstore.store import S3Store
    from zarr.storage import ObjectStore

    use(monkeypatch, storage.url)
    prefix = (root / "scenes" / f"{PRODUCT}.zarr").key
    options = {"client_options": {"allow_http": True}, "region": "us-east-1"}
    store = ObjectStore(S3Store(BUCKET, prefix=prefix, **options), read_only=True)
    scene = xarray.open_zarr(store)
    for name, mosaic in SCENES[PRODUCT].mosaics.items():
        assert np.array_equal(scene[name].to_numpy(), mosaic), name


def test_xarray_opens_a_scene_by_its_address(
    root: ObjectPath, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("s3fs", reason="no s3fs, which fsspec needs for addresses of S3")
    import xarray

    use(monkeypatch, storage.url)
    scene = xarray.open_zarr(str(root / "scenes" / f"{PRODUCT}.zarr"))
    for name, mosaic in SCENES[PRODUCT].mosaics.items():
        assert np.array_equal(scene[name].to_numpy(), mosaic), name
