from __future__ import annotations

import json
import zipfile
from collections import Counter
from importlib.resources import files

import rasterio

from benforge.demo.sample import NOTICE, pack_sample, unpack_sample


def test_66_whole_patches_of_22_classes_and_their_notice(tmp_path):
    root = unpack_sample(tmp_path)
    assert root == tmp_path / "bigearthnet-v1-sample"
    patches = [path for path in root.iterdir() if path.is_dir()]
    assert len(patches) == 66
    assert all(len(list(patch.iterdir())) == 13 for patch in patches)
    labels = {label for p in root.glob("*/*.json") for label in json.loads(p.read_text())["labels"]}
    assert len(labels) == 22
    assert (root / "NOTICE").read_text() == NOTICE
    assert "CDLA-Permissive-1.0" in NOTICE
    assert [path.name for path in tmp_path.iterdir()] == [root.name]


def test_14_patches_are_wholly_as_published(tmp_path):
    """Those with uncompressed GeoTIFFs, as the notice says."""
    forms = Counter()
    for path in unpack_sample(tmp_path).glob("*/*_B02.tif"):
        with rasterio.open(path) as source:
            forms[source.compression] += 1
    assert forms[None] == 14


def test_what_is_unpacked_is_left_alone(tmp_path):
    root = unpack_sample(tmp_path)
    (root / "mine").touch()
    assert unpack_sample(tmp_path) == root
    assert (root / "mine").exists()


def test_the_shipped_zip_is_what_the_real_folder_packs_to(shared_data, tmp_path):
    pack_sample(shared_data / "bigearthnet" / "v1-sample", tmp_path / "made.zip")
    with (
        zipfile.ZipFile(tmp_path / "made.zip") as made,
        (files("benforge.demo") / "bigearthnet-v1-sample.zip").open("rb") as file,
        zipfile.ZipFile(file) as shipped,
    ):
        assert made.namelist() == shipped.namelist()
        assert all(made.read(name) == shipped.read(name) for name in made.namelist())
        assert {info.date_time for info in shipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_shipped_zip_is_small():
    shipped = files("benforge.demo") / "bigearthnet-v1-sample.zip"
    assert len(shipped.read_bytes()) < 10_000_000
