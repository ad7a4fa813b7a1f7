from __future__ import annotations

import pytest

from benforge.archive.archive import Archive
from benforge.errors import InputError, MissingError
from benforge.layouts.registry import (
    LAYOUTS,
    detect_layout,
    export_layout,
    import_layout,
    load_layout,
)
from benforge.testing.layouts import LayoutContract
from tests.layouts.v1_patches import make_patch


class TestV1(LayoutContract):
    @pytest.fixture
    def layout(self):
        return LAYOUTS["v1"]

    @pytest.fixture
    def source(self, tmp_path):
        folder = tmp_path / "layout"
        make_patch(folder, "S2A_MSIL2A_20190613T101031_26_57", seed=1)
        make_patch(folder, "S2A_MSIL2A_20190613T101031_0_90", seed=2, labels=["Sea and ocean"])
        make_patch(
            folder,
            "S2B_MSIL2A_20180204T94161_57_38",
            seed=3,
            tile_source="S2B_MSIL1C_20180204T94161_N0206_R036_T35VPK_20180204T115809.SAFE",
            remark=[1, 2],
        )
        return folder


def test_import_and_export_by_name_give_figures(tmp_path):
    make_patch(tmp_path / "layout", "S2A_MSIL2A_20190613T101031_26_57")
    imported = import_layout(tmp_path / "layout", tmp_path / "archive")
    assert (imported.new_patches, imported.scenes) == (1, 1)
    exported = export_layout(Archive.open(tmp_path / "archive"), tmp_path / "out", "v1")
    assert exported.new_patches == 1


def test_an_unknown_layout_names_the_known_ones():
    with pytest.raises(InputError, match=r"the layout 'v9' is not known\. Use v1"):
        load_layout("v9")


def test_what_is_no_layout_says_what_was_expected(tmp_path):
    with pytest.raises(MissingError, match="no such folder"):
        detect_layout(tmp_path / "nowhere")
    (tmp_path / "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP.SAFE").mkdir()
    with pytest.raises(InputError, match="Expected BigEarthNet v1: folders such as"):
        detect_layout(tmp_path)


def test_what_was_meant_perhaps_is_told(tmp_path):
    make_patch(tmp_path / "samples" / "v1-sample", "S2A_MSIL2A_20190613T101031_26_57")
    with pytest.raises(InputError, match=r"Did you mean .*/v1-sample, which is in the layout v1\?"):
        detect_layout(tmp_path / "samples")
    import_layout(tmp_path / "samples" / "v1-sample", tmp_path / "archive")
    with pytest.raises(InputError, match="archive: an archive already"):
        detect_layout(tmp_path / "archive")
    with pytest.raises(InputError, match=r"in the layout v1, not v2\. Leave --layout out"):
        import_layout(tmp_path / "samples" / "v1-sample", tmp_path / "b", layout="v2")
    with pytest.raises(InputError, match=r"'parquet' is only written\. Use v1, v2, lmdb"):
        import_layout(tmp_path / "samples" / "v1-sample", tmp_path / "b", layout="parquet")
