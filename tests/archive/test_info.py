from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pyarrow.compute as pc
import pytest

from benforge.archive.archive import Archive
from benforge.archive.info import describe_archive
from benforge.archive.meta import read_meta, write_meta
from benforge.archive.storage import StorageRecipe
from benforge.errors import BenError
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive

WINTER = PRODUCT.replace("20170613", "20180108")


def test_the_figures_of_a_small_archive(tmp_path: Path) -> None:
    scenes = make_scene(), make_scene(small_frame(2, 2), product=WINTER)
    root = write_archive(tmp_path, *scenes, storage=StorageRecipe(compression="blosc"))
    archive = Archive.open(root)
    info = json.loads(msgspec.json.encode(describe_archive(archive)))
    assert (info["patches"], info["scenes"], info["tiles"]) == (10, 2, 1)
    assert (info["profile"], info["nomenclature"]) == ("custom", "clc-43")
    assert (info["simulated"], info["compression"]) == (True, "blosc")
    assert info["period"] == ["2017-06-13", "2018-01-08"]
    assert info["seasons"] == {"summer": 6, "winter": 4}
    assert info["countries"] == {"Austria": 10}
    assert info["bytes"] == sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
    assert len(info["labels"]) == 43
    assert {k: n for k, n in info["labels"].items() if n} == {
        "Non-irrigated arable land": 5,
        "Coniferous forest": 10,
    }
    assert info["labels_per_patch"] == 1.5
    winter = describe_archive(archive.filter(pc.field("season") == "winter"))
    assert (winter.patches, winter.seasons) == (4, {"winter": 4})
    assert winter.facts()["patches"] == "4 in 2 scenes of 1 tile"


def test_an_archive_without_patches(tmp_path: Path) -> None:
    info = describe_archive(Archive.open(write_archive(tmp_path, make_scene(kept=0))))
    assert (info.patches, info.labels_per_patch, info.period) == (0, 0, ())
    assert info.facts()["period"] == "none"


def test_one_of_a_thing_is_told_as_one(tmp_path: Path) -> None:
    info = describe_archive(Archive.open(write_archive(tmp_path, make_scene())))
    assert info.facts()["patches"] == "6 in 1 scene of 1 tile"


@pytest.mark.parametrize("name", ["a b é", "../../x"])
def test_a_scene_with_an_odd_name_is_one_line_with_its_path(tmp_path: Path, name: str) -> None:
    root = write_archive(tmp_path, make_scene())
    meta = read_meta(root)
    odd = msgspec.structs.replace(meta.scenes[0], name=name)
    write_meta(root, meta.with_scenes((odd,)))
    with pytest.raises(BenError, match="not a name for a scene") as caught:
        describe_archive(Archive.open(root))
    assert str(root) in str(caught.value)
