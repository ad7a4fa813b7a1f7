from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.sidecars import write_flags
from benforge.cli.main import run
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.split import Split
from benforge.errors import BenError, ConflictError, InputError
from benforge.layouts.port import ExportOptions
from benforge.layouts.registry import IMPORTED, LAYOUTS, export_layout, import_layout
from benforge.layouts.v1_import import import_v1
from benforge.testing.layouts import bytes_of
from benforge.testing.products import write_small_map, write_small_product
from tests.layouts.v1_patches import make_patch


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exporting")
    for column in range(2):
        make_patch(folder / "layout", f"S2A_MSIL2A_20190613T101031_{column}_0", seed=column)
    import_v1(folder / "layout", folder / "archive")
    archive = Archive.open(folder / "archive")
    ids = archive.index["patch_id"]
    marks = {SEASONAL_SNOW: np.array([True, False]), CLOUD_OR_SHADOW: np.zeros(2, np.bool_)}
    write_flags(archive.root, Flags.of("published", "a test", ids, marks))
    return archive


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_export_killed_in_its_first_instant_goes_on(archive, tmp_path, layout):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".export.json.4711").write_text("{")
    (tmp_path / "out" / ".train.csv.4711").write_text("S2")
    export_layout(archive, tmp_path / "out", layout)
    export_layout(archive, tmp_path / "whole", layout)
    ours, whole = (bytes_of(tmp_path / name) for name in ("out", "whole"))
    assert ours.keys() == whole.keys()
    assert all(ours[name] == whole[name] for name in ours if not name.endswith(".mdb"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_exported_among_other_things(archive, tmp_path, layout):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(ConflictError, match=r"photos: the folder holds other things, such as cat"):
        export_layout(archive, tmp_path / "photos", layout)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def test_one_layout_is_not_exported_into_another(archive, tmp_path):
    for layout in LAYOUTS:
        export_layout(archive, tmp_path / layout, layout)
    for layout in LAYOUTS:
        for other in LAYOUTS.keys() - {layout}:
            before = bytes_of(tmp_path / other)
            with pytest.raises(ConflictError):
                export_layout(archive, tmp_path / other, layout)
            assert bytes_of(tmp_path / other) == before


def test_an_empty_list_of_flags_comes_back(archive, tmp_path):
    export_layout(archive, tmp_path / "v1", "v1")
    summary = import_layout(tmp_path / "v1", tmp_path / "again")
    assert summary.flags == ("published",)
    assert not check_archive(tmp_path / "again")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_patches_that_a_split_leaves_out_are_told(archive, tmp_path, layout):
    ids = archive.index["patch_id"]
    split = Split.of("half", "by-hand", ids, pa.array(["train", None]))
    summary = export_layout(archive, tmp_path / "out", layout, ExportOptions(split=split))
    assert summary.notes[-1] == "1 of 2 patches are not of the split and were left out."
    stranger = Split.of("none", "by-hand", pa.array(["x"]), pa.array(["train"]))
    with pytest.raises(InputError, match="the split none names no patch of it"):
        export_layout(archive, tmp_path / "none", layout, ExportOptions(split=stranger))


def test_an_option_that_a_layout_does_not_take_is_refused(archive, tmp_path):
    with pytest.raises(InputError, match="lmdb does not take --geotiff"):
        export_layout(archive, tmp_path / "a", "lmdb", ExportOptions(compression="deflate"))
    with pytest.raises(InputError, match="v2 does not take --count-up"):
        export_layout(archive, tmp_path / "b", "v2", ExportOptions(count_up=True))
    assert not list(tmp_path.iterdir())


def test_a_built_archive_is_whole_after_every_way_out_and_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    product, land_cover = write_small_product(tmp_path), write_small_map(tmp_path / "map.gpkg")
    assert run(["build", str(product), "--land-cover", str(land_cover), "--out", "archive"]) == 0
    archive = Archive.open("archive")
    for layout in IMPORTED:
        export_layout(archive, tmp_path / layout, layout)
        import_layout(tmp_path / layout, tmp_path / f"from-{layout}")
        again = Archive.open(tmp_path / f"from-{layout}")
        assert not check_archive(again.root)
        pairs = zip(archive, again, strict=True)
        assert all(np.array_equal(a.arrays[s], b.arrays[s]) for a, b in pairs for s in a.arrays)


def test_a_patch_without_label_does_not_go_to_v1(archive, tmp_path):
    index = archive.index
    labels = pa.array([[], ["Pastures"]], index.schema.field("labels").type)
    place = index.schema.get_field_index("labels")
    bare = type(archive)(
        archive.root, archive.meta, index.set_column(place, "labels", labels), archive.pixels
    )
    with pytest.raises(BenError, match="1 patches have no label"):
        export_layout(bare, tmp_path / "out", "v1")
