from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.layout import scene_path
from benforge.core.sensor import load_sensor
from benforge.errors import BenError, InputError
from benforge.layouts.port import ImportOptions
from benforge.layouts.v1_import import import_v1
from benforge.layouts.v1_read import read_v1_bands, read_v1_patch
from benforge.testing.layouts import bytes_of
from tests.layouts.v1_patches import json_path, make_patch

AUTUMN = "S2A_MSIL1C_20190913T101031_N0207_R022_T33UUP_20190913T101608.SAFE"
SENSOR = load_sensor()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four patches of two scenes."""
    folder = tmp_path / "layout"
    for column in (0, 1, 40):
        make_patch(folder, f"S2A_MSIL2A_20190613T101031_{column}_0", seed=column)
    make_patch(folder, "S2A_MSIL2A_20190913T101031_0_0", seed=9, tile_source=AUTUMN)
    return folder


def test_processes_and_this_process_give_the_same_bytes(source, tmp_path):
    for workers in (1, 2):
        import_v1(source, tmp_path / f"archive-{workers}", ImportOptions(workers=workers))
    assert bytes_of(tmp_path / "archive-1") == bytes_of(tmp_path / "archive-2")
    assert not check_archive(tmp_path / "archive-2")


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_patches_are_left_out_and_listed_and_the_others_are_there(source, tmp_path, workers):
    json_path(source / "S2A_MSIL2A_20190613T101031_0_0").write_text("{")
    band = source / "S2A_MSIL2A_20190613T101031_1_0" / "S2A_MSIL2A_20190613T101031_1_0_B08.tif"
    band.write_bytes(band.read_bytes()[:1000].ljust(band.stat().st_size)[:-5000])
    make_patch(source, "S2A_MSIL2A_20190613T101032_40_0", seed=3)
    out = tmp_path / "archive"
    with pytest.raises(BenError):
        import_v1(source, out, ImportOptions(workers=workers))
    summary = import_v1(source, out, ImportOptions(workers=workers, skip_bad=True))
    bad = ("T101031_0_0", "T101031_1_0", "T101032_40_0")
    assert [one.patch for one in summary.skipped] == [f"S2A_MSIL2A_20190613{rest}" for rest in bad]
    assert "the same place" in summary.skipped[2].reason
    assert band.name in summary.skipped[1].reason
    names = Archive.open(out).index["v1_name"].to_pylist()
    assert names == ["S2A_MSIL2A_20190613T101031_40_0", "S2A_MSIL2A_20190913T101031_0_0"]
    assert not check_archive(out)
    again = import_v1(source, out, ImportOptions(workers=workers, skip_bad=True))
    assert (again.new_patches, again.held_scenes) == (0, 2)
    assert [one.patch for one in again.skipped] == [one.patch for one in summary.skipped]


def test_a_scene_of_bad_patches_alone_is_not_written(source, tmp_path):
    name = "S2A_MSIL2A_20190913T101031_0_0"
    (source / name / f"{name}_B01.tif").write_bytes(b"")
    summary = import_v1(source, tmp_path / "archive", ImportOptions(skip_bad=True))
    assert (summary.new_scenes, summary.new_patches, len(summary.skipped)) == (1, 3, 1)
    assert not check_archive(tmp_path / "archive")


def test_an_import_of_bad_patches_alone_leaves_nothing(source, tmp_path):
    for name in [path.name for path in source.iterdir()]:
        (source / name / f"{name}_B01.tif").write_bytes(b"")
    with pytest.raises(InputError, match=r"none of the 4 patches can be .*The first: .*B01"):
        import_v1(source, tmp_path / "archive", ImportOptions(skip_bad=True))
    assert not (tmp_path / "archive").exists()
    for path in source.glob("*/*.json"):
        path.unlink()
    with pytest.raises(InputError, match="none of the 4 patches"):
        import_v1(source, tmp_path / "archive", ImportOptions(skip_bad=True))


def test_a_link_that_leads_nowhere_is_told(source, tmp_path):
    (source / "S2A_MSIL2A_20190613T101031_7_7").symlink_to(tmp_path / "gone")
    with pytest.raises(BenError, match="T101031_7_7: cannot be read"):
        import_v1(source, tmp_path / "archive")


def test_no_worker_is_an_error(source, tmp_path):
    with pytest.raises(InputError, match="0 workers"):
        import_v1(source, tmp_path / "archive", ImportOptions(workers=0))


def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(source, tmp_path):
    import_v1(source, tmp_path / "whole")
    command = [sys.executable, "-m", "benforge.cli", "import", str(source), "--out"]
    rng = np.random.default_rng(5)
    for seconds in rng.uniform(0.4, 3.0, 4):
        out = tmp_path / f"killed-{seconds:.3f}"
        process = subprocess.Popen(
            [*command, str(out), "--workers", "2"],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        import_v1(source, out)
        assert bytes_of(out) == bytes_of(tmp_path / "whole")


def test_pixels_lie_where_their_names_say(source, tmp_path):
    import_v1(source, tmp_path / "archive", ImportOptions(workers=2))
    archive = Archive.open(tmp_path / "archive")
    for record, patch in zip(archive.records(), archive, strict=True):
        described = read_v1_patch(source / record.v1_name, SENSOR)
        files = read_v1_bands(described, SENSOR)
        assert all(np.array_equal(pixels, patch.band(band.name)) for band, pixels in files)
    assert scene_path(archive.root, archive.record(0).scene).is_dir()
