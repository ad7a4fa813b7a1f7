"""An archive as other libraries take it: the same pixels, labels and places in each."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.compute as pc
import pytest
import torch
from torch.utils.data import DataLoader

import benforge as ben
from benforge.archive.archive import Archive as Whole
from benforge.errors import InputError, MissingError
from benforge.face.places import folder_of, paths_of, run_of
from tests.training.conftest import few, one_thread  # noqa: F401  fixtures

RGB = ["B04", "B03", "B02"]


@pytest.fixture
def archive(few: Path) -> ben.Archive:  # noqa: F811
    return ben.open(few)


def test_the_face_is_the_archive_below_and_stays_so(archive: ben.Archive) -> None:
    summer = archive.filter(pc.field("season") == "summer")
    for one in (archive, summer, pickle.loads(pickle.dumps(summer))):
        assert type(one) is ben.Archive
        assert isinstance(one, Whole)
    assert 0 < len(summer) < len(archive)
    assert repr(summer).startswith("Archive(")


def test_parts_are_those_of_the_split(archive: ben.Archive) -> None:
    train, test = archive.part("few", "train"), archive.part("few", "test")
    assert (len(train), len(test)) == (12, 4)
    assert not set(train.index["patch_id"].to_pylist()) & set(test.index["patch_id"].to_pylist())
    with pytest.raises(InputError, match="has no part 'val'"):
        archive.part("few", "val")
    with pytest.raises(MissingError, match="It has: all, few"):
        archive.part("many", "train")


def test_torch_gives_stored_numbers_normalised_by_hand(archive: ben.Archive) -> None:
    patches = archive.to_torch("few", "validation", RGB, "19", normalise="none")
    chosen = archive.part("few", "validation")
    assert (len(patches), patches.bands) == (4, tuple(RGB))
    assert patches.classes == chosen.targets("19").nomenclature.names
    for i, patch in enumerate(chosen):
        image, hot = patches[i]
        expected = np.stack([patch.band(name) for name in RGB]).astype(np.float32) / 10_000
        assert torch.allclose(image, torch.from_numpy(expected))
        assert np.array_equal(hot.numpy() > 0, chosen.targets("19").hot[i])
    assert torch.equal(patches[-1][0], patches[3][0])
    with pytest.raises(IndexError):
        patches[4]


def test_torch_gives_the_same_one_by_one_in_batches_and_by_workers(archive: ben.Archive) -> None:
    patches = archive.to_torch("few", "validation")
    single = torch.stack([patches[i][0] for i in range(4)])
    assert single.shape == (4, 12, 120, 120)
    for workers in (0, 2):
        loader = DataLoader(patches, batch_size=3, num_workers=workers)
        images = torch.cat([images for images, _ in loader])
        assert torch.allclose(images, single, atol=1e-5)


def test_torch_gives_bands_at_their_own_sizes(archive: ben.Archive) -> None:
    patches = archive.to_torch("few", "test", native=True, normalise="none")
    images, _ = next(iter(DataLoader(patches, batch_size=4)))
    for i, patch in enumerate(archive.part("few", "test")):
        for tensor, stored in zip(images, patch.arrays.values(), strict=True):
            assert torch.allclose(tensor[i] * 10_000, torch.from_numpy(stored.astype(np.float32)))


def test_wrong_words_to_torch_are_refused(archive: ben.Archive) -> None:
    with pytest.raises(InputError, match="no band 'B99'"):
        archive.to_torch(bands=["B99"])
    with pytest.raises(InputError, match="normalise is 'zscore'"):
        archive.to_torch("few", bands=RGB, normalise="zscore")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no labels are called '44'"):
        archive.to_torch("few", bands=RGB, labels="44")


def test_xarray_has_every_patch_where_it_lies(archive: ben.Archive) -> None:
    record, patch = archive.record(3), archive[3]
    scene = archive.to_xarray(str(patch.id))
    assert scene.sizes == archive.to_xarray(record.scene).sizes  # the same, and lazy: 1 GB
    for size, name in ((10, "B08"), (20, "B11"), (60, "B01")):
        window = {
            f"x_{size}m": slice(record.ulx, record.ulx + 1200),
            f"y_{size}m": slice(record.uly, record.uly - 1200),
            f"band_{size}m": name,
        }
        assert np.array_equal(scene[f"r{size}m"].sel(window), patch.band(name))
    assert scene.wavelength_10m.sel(band_10m="B08") == pytest.approx(832.8)
    assert f'EPSG",{record.crs[5:]}]' in scene.spatial_ref.attrs["crs_wkt"]
    with pytest.raises(InputError, match="nowhere: the archive holds no scene or patch"):
        archive.to_xarray("nowhere")


def test_geopandas_has_what_the_file_has(archive: ben.Archive) -> None:
    ours = archive.to_geopandas()
    theirs = geopandas.read_parquet(archive.root / "patches.parquet")
    assert ours.crs == "EPSG:4326"
    assert ours.geometry.geom_equals(
        theirs.geometry.set_crs("EPSG:4326", allow_override=True)
    ).all()
    assert set(ours.columns) == set(theirs.columns)
    assert ours.patch_id.tolist() == theirs.patch_id.tolist()
    assert ours.labels.tolist() == [list(labels) for labels in theirs.labels]
    assert len(archive.part("few", "test").to_geopandas()) == 4


@pytest.mark.parametrize(
    ("library", "call"),
    [("xarray", "to_xarray"), ("torch", "to_torch")],
)
def test_a_library_that_is_not_there_is_named(
    archive: ben.Archive, library: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "benforge.loading.dataset", raising=False)
    words = [archive.record(0).scene] if library == "xarray" else []
    with pytest.raises(MissingError, match=r"is not installed\. Install it: pip install"):
        getattr(archive, call)(*words)


def test_a_filtered_archive_is_no_folder(archive: ben.Archive) -> None:
    assert folder_of(archive) == folder_of(str(archive.root)) == archive.root
    some = archive.filter(np.arange(66) < 3)
    for call in (ben.check, lambda one: ben.train(one, "run", split="few")):
        with pytest.raises(InputError, match="some patches were filtered out"):
            call(some)


def test_runs_and_products_are_taken_as_they_come() -> None:
    assert run_of("run") == run_of(Path("run")) == Path("run")
    assert paths_of("a") == paths_of(Path("a")) == paths_of(["a"]) == [Path("a")]


def test_rules_of_a_build_are_python_values(tmp_path: Path) -> None:
    from benforge.testing.products import write_small_map, write_small_product

    product, land = write_small_product(tmp_path), write_small_map(tmp_path / "map.gpkg")
    changes = {
        "labels.policy": "minimum-share",
        "labels.minimum_share": 0.3,
        "patches.drop_nodata": False,
        "products.same_baselines": [["02.05"]],
    }
    made = ben.build(product, land, tmp_path / "out", profile="custom", changes=changes)
    assert made.meta.recipe["labels"]["minimum_share"] == 0.3
    assert made.meta.recipe["products"]["same_baselines"] == [["02.05"]]
    with pytest.raises(ben.BenError, match="minimal_share"):
        ben.build(product, land, tmp_path / "no", changes={"labels.minimal_share": 1})
    with pytest.raises(ben.BenError, match="colour"):
        ben.simulate(tmp_path / "world", colour="red")
