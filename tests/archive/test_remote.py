from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.copy import copy_archive
from benforge.archive.layout import INDEX, META, scene_path
from benforge.archive.remote import RemotePixelReader
from benforge.archive.storage import StorageRecipe
from benforge.core.object_path import ObjectPath, parse_place
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, InputError, MissingError, ObjectStorageError
from benforge.testing.archives import PRODUCT, SmallScene, make_scene, small_frame, write_archive
from tests.s3 import Proxy, Storage, cut, drop, hang, status, truncate, use

SENSOR = load_sensor()
OTHER = PRODUCT.replace("20170613", "20180508")
SCENES = [make_scene(small_frame(16, 5), kept=0.7), make_scene(product=OTHER, seed=1)]
BY_NAME = {scene.product: scene for scene in SCENES}


@pytest.fixture(scope="module", params=["none", "zstd", "blosc"])
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("archive")
    return write_archive(root, *SCENES, storage=StorageRecipe(compression=request.param))


def test_everything(local, address, proxy) -> None:
    place = parse_place(address)
    print(copy_archive(local, place))
    n = len(proxy.told)
    print("requests to write", n)
    archive = Archive.open(place)
    print("open", len(proxy.told) - n)
    n = len(proxy.told)
    places = archive.places()
    found = archive.pixels.read_many(places)
    print("read", len(proxy.told) - n, len(places))
    n = len(proxy.told)
    for size in SENSOR.pixel_sizes:
        expected = [BY_NAME[s].patch(f"r{size}m", c, r) for s, c, r in places]
        assert np.array_equal(found[size], np.stack(expected))
    archive.pixels.read_many(places)
    print("again", len(proxy.told) - n, len(places))
    n = len(proxy.told)
    for s, c, r in places[::7]:
        assert np.array_equal(
            archive.pixels.read_map(s, "land_cover", c, r), BY_NAME[s].patch("land_cover", c, r)
        )
    print("map", len(proxy.told) - n, len(places))
    n = len(proxy.told)
    assert check_archive(place) == []
    print("check", len(proxy.told) - n, len(places))
    n = len(proxy.told)
    print(copy_archive(local, place))
    print("copy again", len(proxy.told) - n, len(places))
    n = len(proxy.told)
