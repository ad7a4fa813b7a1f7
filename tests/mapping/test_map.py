"""Maps of products: the numbers of ben predict at the right place, whole, left alone, refused."""

from __future__ import annotations

import json
import os
import platform
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import shapely
import torch

from benforge.archive.archive import Archive
from benforge.archive.build import build_archive
from benforge.core.contract import Normalisation
from benforge.core.sensor import load_sensor
from benforge.correction.port import CorrectOptions
from benforge.correction.sixs import SixS
from benforge.errors import (
    BenError,
    ConflictError,
    InputError,
    MemoryShortError,
    MissingError,
    ProductError,
    StorageError,
)
from benforge.inference.deployed import DeployedModel
from benforge.inference.predict import predict
from benforge.inference.windows import HeldWindows, WindowInputs, open_model
from benforge.mapping.facts import MapChoices
from benforge.mapping.map import map_products
from benforge.mapping.plan import plan_map
from benforge.mapping.reading import decode_scene, narrow_sensor
from benforge.mapping.scene import MapWork, ProductMap, name_map
from benforge.models.checkpoint import load_model, write_checkpoint
from benforge.recipe.load import load_recipe
from benforge.scenes.open import open_scene
from benforge.testing.products import noise, write_small_product
from tests.archive.test_build_real import write_product, write_two_classes
from tests.correction.air import plain_air
from tests.correction.products import write_l1c
from tests.mapping.conftest import World

KEEP = MapWork(MapChoices(keep_clouds=True))


def scores_of(found: ProductMap) -> npt.NDArray[np.float32]:
    """`label row col`."""
    with rasterio.open(Path(found.folder) / "scores.tif") as source:
        return source.read()


@pytest.fixture(scope="module")
def kept(world: World, run: Path, tmp_path_factory: pytest.TempPathFactory) -> ProductMap:
    [found] = map_products(run, [world.product], tmp_path_factory.mktemp("kept"), KEEP).maps
    return found


def test_a_map_at_the_stride_of_patches_is_what_predict_says_bit_for_bit(
    world: World, run: Path, kept: ProductMap
) -> None:
    told = predict(run, world.archive.root)
    assert (told.scores == scores_of(kept).reshape(5, -1).T).all()
    patches = gpd.read_file(Path(kept.folder) / "patches.gpkg")
    assert patches["patch_id"].tolist() == told.patch_ids.to_pylist()


def test_clouds_are_left_out_and_change_nothing_else(
    world: World, run: Path, kept: ProductMap, tmp_path: Path
) -> None:
    [found] = map_products(run, [world.product], tmp_path).maps
    scores, whole = scores_of(found), scores_of(kept)
    out = np.isnan(scores)
    assert found.counts.clouded == out[0].sum() > 0
    assert (out == out[0]).all()
    assert np.abs(scores - whole)[~out].max() < 1e-6  # other batches, other rounding
    patches = gpd.read_file(Path(found.folder) / "patches.gpkg")
    assert len(patches) == 36 - found.counts.clouded
    assert patches["cloud"].max() < 0.5
    assert found.clouds_by == "scene classification"


def test_windows_between_patches_are_what_the_exported_model_says(
    world: World, run: Path, kept: ProductMap, tmp_path: Path
) -> None:
    work = MapWork(MapChoices(keep_clouds=True, stride=60, vector="parquet"))
    [found] = map_products(run, [world.product], tmp_path, work).maps
    scores = scores_of(found)
    assert scores.shape == (5, 11, 11)
    assert np.abs(scores[:, ::2, ::2] - scores_of(kept)).max() < 1e-6
    model, contract = load_model(run)
    deployed = DeployedModel(model, contract, load_sensor()).eval()
    scene = open_scene(world.product)
    stored = [
        torch.stack(
            [torch.from_numpy(scene.read_band(band.name).astype(np.float32)) for band in of]
        )
        for of in (load_sensor().bands_at(size) for size in (10, 20, 60))
    ]
    for row, col in ((1, 0), (3, 8), (10, 9)):
        cut = [
            whole[None, :, row * n // 2 : row * n // 2 + n, col * n // 2 : col * n // 2 + n]
            for whole, n in zip(stored, (120, 60, 20), strict=True)
        ]
        with torch.inference_mode():
            asked = deployed(*cut)[0].numpy()
        assert np.abs(asked - scores[:, row, col]).max() < 1e-5


def test_the_georeference_is_that_of_the_product_to_the_pixel(
    world: World, run: Path, kept: ProductMap, tmp_path: Path
) -> None:
    [granule] = world.product.rglob("MTD_TL.xml")
    tree = ElementTree.parse(granule)
    [ulx] = {int(e.text or "") for e in tree.iter("ULX")}
    [uly] = {int(e.text or "") for e in tree.iter("ULY")}
    [code] = [e.text for e in tree.iter("HORIZONTAL_CS_CODE")]
    [band] = world.product.rglob("*_B02_10m.jp2")
    with rasterio.open(band) as jp2, rasterio.open(Path(kept.folder) / "scores.tif") as found:
        assert found.crs == jp2.crs == rasterio.CRS.from_string(code)
        assert (found.transform.c, found.transform.f) == (ulx, uly)
        assert found.bounds == jp2.bounds
        for row, col in ((0, 0), (2, 5), (5, 3)):
            assert found.xy(row, col, offset="ul") == jp2.xy(row * 120, col * 120, offset="ul")
    work = MapWork(MapChoices(keep_clouds=True, stride=42))
    [other] = map_products(run, [world.product], tmp_path, work).maps
    with rasterio.open(band) as jp2, rasterio.open(Path(other.folder) / "scores.tif") as found:
        middle = jp2.xy(3 * 42 + 60, 7 * 42 + 60, offset="ul")
        assert found.xy(3, 7) == middle
        assert found.res == (420, 420)


@pytest.mark.parametrize("vector", ["gpkg", "parquet"])
def test_patches_carry_all_labels_of_the_raster(
    world: World, run: Path, kept: ProductMap, tmp_path: Path, vector: str
) -> None:
    choices = MapChoices(keep_clouds=True, threshold=0.48, vector=vector)
    [found] = map_products(run, [world.product], tmp_path, MapWork(choices)).maps
    scores, names = scores_of(found), load_model(run)[1].classes
    file = Path(found.folder) / f"patches.{vector}"
    patches = gpd.read_parquet(file) if vector == "parquet" else gpd.read_file(file)
    assert patches.crs.to_epsg() == 32633
    read = json.loads if vector == "gpkg" else list
    counts = set()
    for _, patch in patches.iterrows():
        here = scores[:, patch["row"], patch["column"]]
        labels, told = read(patch["labels"]), read(patch["scores"])
        assert set(labels) == {n for n, s in zip(names, here, strict=True) if s >= 0.48}
        assert told == sorted(told, reverse=True)
        assert np.float32(told).tolist() == [here[names.index(name)] for name in labels]
        counts.add(patch["count"])
        corner = (300_000 + 1200 * patch["column"], 5_400_000 - 1200 * (patch["row"] + 1))
        box = shapely.box(*corner, corner[0] + 1200, corner[1] + 1200)
        assert patch.geometry.equals(box)
    assert max(counts) > 1
    assert found.counts.labels == dict(
        zip(names, (scores >= np.float32(0.48)).sum(axis=(1, 2)).tolist(), strict=True)
    )


def test_the_picture_and_the_note(kept: ProductMap) -> None:
    folder = Path(kept.folder)
    assert (folder / "map.png").read_bytes().startswith(b"\x89PNG")
    note = json.loads((folder / "map.json").read_bytes())
    assert set(note["files"]) == {"map.png", "patches.gpkg", "scores.tif"} == set(kept.files)
    assert note["facts"]["simulated"] == kept.simulated == "product"
    assert folder.name == note["facts"]["product"] == kept.product
    assert (kept.keep_clouds, kept.clouds_by) == (True, "scene classification")
    assert gpd.read_file(folder / "patches.gpkg")["cloud"].max() > 0.5


def test_only_the_bands_that_are_needed_are_decoded(
    world: World, rgb_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    kind = type(open_scene(world.product))
    original = kind.read_band

    def counting(self, name, out=None, *, threads=1):
        read.append(name)
        return original(self, name, out, threads=threads)

    monkeypatch.setattr(kind, "read_band", counting)
    [found] = map_products(rgb_run, [world.product], tmp_path, KEEP).maps
    assert sorted(read) == ["B02", "B03", "B04"]
    monkeypatch.undo()
    told = predict(rgb_run, world.archive.root)
    assert (told.scores == scores_of(found).reshape(5, -1).T).all()


def test_a_map_that_is_whole_is_left_alone_and_a_damaged_one_made_again(
    world: World, run: Path, tmp_path: Path
) -> None:
    [first] = map_products(run, [world.product], tmp_path).maps
    file = Path(first.folder) / "scores.tif"
    before, time = file.read_bytes(), file.stat().st_mtime_ns
    [again] = map_products(run, [world.product], tmp_path).maps
    assert (again.left_alone, file.stat().st_mtime_ns) == (True, time)
    assert again.counts == first.counts
    file.write_bytes(before[:100])
    [mended] = map_products(run, [world.product], tmp_path).maps
    assert (mended.left_alone, file.read_bytes()) == (False, before)
    patches = Path(first.folder) / "patches.gpkg"
    written = patches.read_bytes()
    patches.unlink()
    assert not map_products(run, [world.product], tmp_path).maps[0].left_alone
    assert patches.read_bytes() == written  # whenever it is written
    other = MapWork(MapChoices(threshold=0.4))
    with pytest.raises(ConflictError, match=r"another threshold is there, 0\.5 and not 0\.4"):
        map_products(run, [world.product], tmp_path, other)


def test_what_is_not_a_map_stays(world: World, run: Path, tmp_path: Path) -> None:
    place = tmp_path / open_scene(world.product).metadata.source
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    with pytest.raises(ConflictError, match="the folder holds other things"):
        map_products(run, [world.product], tmp_path)
    assert [path.name for path in place.iterdir()] == ["mine.txt"]
    (place / "map.json").write_text("{")
    with pytest.raises(ConflictError, match="the folder holds other things"):
        map_products(run, [world.product], tmp_path)
    assert {path.name for path in place.iterdir()} == {"map.json", "mine.txt"}
    for path in place.iterdir():
        path.rename(place / "scores.tif")  # the last one stays: a map has a note
    with pytest.raises(ConflictError, match="the folder holds other things"):
        map_products(run, [world.product], tmp_path)
    assert [path.name for path in place.iterdir()] == ["scores.tif"]


def test_what_killed_runs_left_is_cleared_and_a_running_ones_not(
    world: World, run: Path, tmp_path: Path
) -> None:
    name = open_scene(world.product).metadata.source
    here, gone = platform.node() or "here", 2**22 + 1
    dead, alive = tmp_path / f".{name}.{here}.{gone}", tmp_path / f".{name}.{here}.{os.getppid()}"
    elsewhere = tmp_path / f".{name}.another-machine.{gone}"
    for draft in (dead, alive, elsewhere):
        draft.mkdir()
        (draft / "scores.tif").write_bytes(b"half")
    map_products(run, [world.product], tmp_path)
    left = {name, alive.name, elsewhere.name}
    assert {path.name for path in tmp_path.iterdir()} == left


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_nothing_half_is_left(
    world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise stop

    monkeypatch.setattr("benforge.mapping.scene.draw_map", fail)
    with pytest.raises((KeyboardInterrupt, StorageError)):
        map_products(run, [world.product], tmp_path)
    assert list(tmp_path.iterdir()) == []


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to let a file grow beyond `size`, as a full disk or a quota does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [100, 20_000, 150_000])
def test_whichever_file_finds_no_room_is_told_in_one_line(
    world: World, run: Path, tmp_path: Path, size: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with files_of_at_most(size), pytest.raises(StorageError) as error:
        map_products(run, [world.product], tmp_path)
    assert "cannot be written, file too large" in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""  # GDAL has nothing to add
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_called_so_and_nothing_is_said_to_go_on(
    world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("benforge.mapping.scene.write_scores", fail)
    with pytest.raises(
        StorageError, match=r"the disk is full\. Free space and run the same command again$"
    ):
        map_products(run, [world.product], tmp_path)


def test_a_place_where_nothing_can_be_written_is_told_before_any_work(
    world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("decoded in vain")

    monkeypatch.setattr("benforge.mapping.scene.decode_scene", work)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="cannot be written"):
        map_products(run, [world.product], tmp_path / "file")
    (tmp_path / open_scene(world.product).metadata.source).write_text("mine")
    with pytest.raises(StorageError, match="cannot be written"):
        map_products(run, [world.product], tmp_path)


def test_a_map_is_not_written_into_a_product(world: World, run: Path) -> None:
    for out in (world.product, world.product / "GRANULE"):
        with pytest.raises(InputError, match="lies inside a product"):
            map_products(run, [world.product], out)


def test_what_corrects_is_looked_for_before_any_work(
    world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    product = write_l1c(tmp_path / "given")
    with pytest.raises(MissingError, match="sen2cor is not found"):
        map_products(run, [world.product, product], tmp_path / "out", MapWork(processor="sen2cor"))
    assert not (tmp_path / "out").exists()


def test_a_device_cuts_the_windows_that_the_cpu_cuts(world: World, run: Path) -> None:
    scene = decode_scene(open_scene(world.product), ["B02", "B05", "B01"], clouds=False)
    plan = plan_map(scene.metadata.grid, 120, 66)
    contract = load_model(run)[1]
    few = msgspec.structs.replace(
        contract,
        bands=("B02", "B05", "B01"),
        normalisation=Normalisation(source="none", mean=(9, 8, 7), std=(3, 2, 1)),
    )
    model = replace(open_model(run, "cpu"), contract=few)
    inputs = WindowInputs(scene.mosaics, plan.corners, 120, model._preparer(scene.sensor))
    held = HeldWindows.of(inputs, torch.device("cpu"))
    order = np.random.default_rng(1).permutation(len(plan))[:20]
    for one, other in zip(inputs.batches(order, 8), held.batches(order, 8), strict=True):
        assert (one.positions == other.positions).all()
        assert torch.equal(one.inputs, other.inputs)


def test_cores_to_spare_decode_the_finest_bands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, int] = {}
    scene = open_scene(world.product)
    original = type(scene).read_band

    def asking(self, name, out=None, *, threads=1):
        asked[name] = threads
        return original(self, name, out, threads=threads)

    monkeypatch.setattr(type(scene), "read_band", asking)
    alone = decode_scene(scene, ["B02", "B03", "B05"], clouds=True)
    assert asked == {"B02": 1, "B03": 1, "B05": 1}
    many = decode_scene(scene, ["B02", "B03", "B05"], clouds=True, threads=6)
    assert asked == {"B02": 3, "B03": 3, "B05": 1}
    for size, mosaic in alone.mosaics.items():
        assert (mosaic == many.mosaics[size]).all()
    assert (alone.codes == many.codes).all()


def test_memory_that_does_not_suffice_is_told(
    world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(WindowInputs, "read", short)
    with pytest.raises(MemoryShortError, match="Lower --batch-size below 128, or use --device cpu"):
        map_products(run, [world.product], tmp_path)


def test_other_bands_numbers_and_choices_are_refused(
    world: World, run: Path, tmp_path: Path
) -> None:
    model, contract = load_model(run)
    with pytest.raises(InputError, match="X: the model needs band B01, the product has B02, B03"):
        open_model(run).check_fits(narrow_sensor(load_sensor(), {"B02", "B03"}), "X")
    other = tmp_path / "other"
    other.mkdir()
    write_checkpoint(other, model, msgspec.structs.replace(contract, quantification=1000))
    with pytest.raises(
        InputError, match="reflectance 1 stored as: the model was trained with 1000"
    ):
        map_products(other, [world.product], tmp_path / "out")
    with pytest.raises(InputError, match="a stride of 50 pixels"):
        map_products(run, [world.product], tmp_path / "out", MapWork(MapChoices(stride=50)))
    with pytest.raises(InputError, match="the same product as"):
        map_products(run, [world.product, world.product], tmp_path / "out")
    with pytest.raises(InputError, match="no product is given"):
        map_products(run, [], tmp_path / "out")
    with pytest.raises(InputError, match=r"a threshold of 1\.5"):
        MapChoices(threshold=1.5)
    with pytest.raises(BenError):
        map_products(run, [other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_product_that_fails_leaves_the_others_mapped(run: Path, tmp_path: Path) -> None:
    good = write_small_product(tmp_path)
    bad = write_small_product(tmp_path, date=open_scene(good).metadata.sensing_time.replace(day=20))
    [file] = bad.rglob("*_B8A_20m.jp2")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(bytes(data))
    with pytest.raises(
        ProductError, match="1 of 2 products failed, the others are mapped"
    ) as error:
        map_products(run, [bad, good], tmp_path / "out", KEEP)
    assert file.name in str(error.value)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [good.stem]
    file.write_bytes(bytes(data[: len(data) // 2]))
    with pytest.raises(ProductError) as error:
        map_products(run, [bad], tmp_path / "out", KEEP)
    assert file.name in str(error.value)
    assert "\n" not in str(error.value)


def test_windows_without_data_are_left_out(run: Path, tmp_path: Path) -> None:
    product = write_small_product(tmp_path, bands=noise(empty=3))
    [found] = map_products(run, [product], tmp_path / "out", KEEP).maps
    assert (found.counts.empty, found.counts.windows) == (4, 16)
    assert np.isnan(scores_of(found)[:, :, 0]).all()
    assert np.isfinite(scores_of(found)[:, :, 1:]).all()


@pytest.mark.parametrize("vector", ["gpkg", "parquet"])
def test_a_product_of_which_nothing_is_seen_gets_an_empty_map(
    run: Path, tmp_path: Path, vector: str
) -> None:
    product = write_small_product(tmp_path, bands=noise(empty=90))
    work = MapWork(MapChoices(vector=vector))
    [found] = map_products(run, [product], tmp_path / "out", work).maps
    assert found.counts.empty == found.counts.windows == 16
    assert np.isnan(scores_of(found)).all()
    file = Path(found.folder) / f"patches.{vector}"
    patches = gpd.read_parquet(file) if vector == "parquet" else gpd.read_file(file)
    assert len(patches) == 0
    assert {"patch_id", "labels", "scores", "geometry"} <= set(patches.columns)


def test_l1c_is_corrected_on_the_way_and_said_so(run: Path, tmp_path: Path) -> None:
    product = write_l1c(tmp_path / "given")
    work = MapWork(MapChoices(keep_clouds=True), SixS(CorrectOptions(), run=plain_air))
    [found] = map_products(run, [product], tmp_path / "out", work).maps
    assert found.corrected_by.startswith("6S")
    [made] = (tmp_path / "out" / "corrected").glob("*.SAFE")
    assert found.product == made.stem
    with rasterio.open(Path(found.folder) / "scores.tif") as source:
        assert source.tags()["corrected_by"] == found.corrected_by
    [plain] = map_products(run, [made], tmp_path / "plain", work).maps
    assert np.array_equal(scores_of(plain), scores_of(found), equal_nan=True)
    assert map_products(run, [product], tmp_path / "out", work).maps[0].left_alone


@pytest.mark.parametrize(
    ("scene", "offset"), [("0U/0U_199R", -1000), ("199U/199U_1099R", 0)], ids=["N0400", "N9999"]
)
def test_a_real_scene(
    shared_data: Path, run: Path, tmp_path: Path, scene: str, offset: int
) -> None:
    [folder] = (shared_data / "sentinel2/majortom_S2L2A" / scene).iterdir()
    product, _ = write_product(folder, tmp_path, offset)
    grid = open_scene(product).metadata.grid
    write_two_classes(grid, tmp_path / "map.gpkg")
    build_archive([product], tmp_path / "map.gpkg", tmp_path / "archive", load_recipe("custom"))
    [found] = map_products(run, [product], tmp_path / "out", KEEP).maps
    told = predict(run, tmp_path / "archive")
    assert len(Archive.open(tmp_path / "archive")) == found.counts.windows == 64
    scores = scores_of(found).reshape(5, -1).T
    seen = np.isfinite(scores[:, 0])
    assert seen.sum() == 64 - found.counts.empty
    assert np.abs(scores - told.scores)[seen].max() < 1e-6
    assert found.simulated == ""
    with rasterio.open(folder / "B02.tif") as real:
        crs, corner = real.crs, (round(real.transform.c), round(real.transform.f))
    with rasterio.open(Path(found.folder) / "scores.tif") as source:
        assert (source.crs, (source.transform.c, source.transform.f)) == (crs, corner)
    bounds = gpd.read_file(Path(found.folder) / "patches.gpkg").to_crs(crs).total_bounds
    assert bounds[0] >= corner[0]
    assert bounds[3] <= corner[1]
    [again] = map_products(run, [product], tmp_path / "clouds").maps
    assert again.clouds_by == "bands"
    # The one lies under clouds from edge to edge, the other under none: seen in its picture.
    assert again.counts.clouded == (64 if offset else 0)


def test_memory_is_that_of_a_few_batches(world: World) -> None:
    scene = decode_scene(open_scene(world.product), ["B02", "B05", "B01"], clouds=False)
    plan = plan_map(scene.metadata.grid, 120, 6)

    class Counts:
        def __call__(self, pixels: dict[int, npt.NDArray[np.uint16]], _: object) -> int:
            return sum(part.nbytes for part in pixels.values())

    inputs = WindowInputs(scene.mosaics, plan.corners, 120, Counts())  # type: ignore[arg-type]
    tracemalloc.start()
    sizes = [batch.inputs for batch in inputs.batches(np.arange(len(plan)), 64)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(plan) == 101**2
    assert sum(sizes) > 200e6  # type: ignore[arg-type]
    assert peak < 5 * max(sizes)  # type: ignore[operator]


def test_tiles_of_one_older_product_get_folders_of_their_own(world: World) -> None:
    about = open_scene(world.product).metadata
    assert name_map(about) == about.source
    old = replace(about, source="S2A_OPER_PRD_MSIL2A_PDMC_20160101T000000")
    assert name_map(old) == f"{old.source}_T33UUP"
