from __future__ import annotations

import pytest

from benforge.core.sensor import load_sensor
from benforge.scenes.safe_layout import find_band, find_classification, tile_of

L1C = "GRANULE/L1C_T31TDH_A013204_20180101T105435"
L2A = "GRANULE/L2A_T34UCF_A033753_20230823T095553"
PILOT = "GRANULE/L2A_T34VFJ_A011330_20170823T094252"
OLD = "GRANULE/S2A_USER_MSI_L2A_TL_SGS__20160105T201503_A002822_T32TQR_N02.01"

# Names as real products of each time have them.
NAMES = {
    f"{L1C}/IMG_DATA/T31TDH_20180101T105441_B02.jp2",
    f"{L1C}/IMG_DATA/T31TDH_20180101T105441_TCI.jp2",
    f"{L1C}/QI_DATA/MSK_CLASSI_B02.jp2",
    f"{L2A}/IMG_DATA/R10m/T34UCF_20230823T095559_B02_10m.jp2",
    f"{L2A}/IMG_DATA/R20m/T34UCF_20230823T095559_B02_20m.jp2",
    f"{L2A}/IMG_DATA/R20m/T34UCF_20230823T095559_SCL_20m.jp2",
    f"{L2A}/IMG_DATA/R60m/T34UCF_20230823T095559_SCL_60m.jp2",
    f"{PILOT}/IMG_DATA/R10m/L2A_T34VFJ_20170823T094031_B02_10m.jp2",
    f"{PILOT}/IMG_DATA/R20m/L2A_T34VFJ_20170823T094031_SCL_20m.jp2",
    f"{OLD}/IMG_DATA/R10m/S2A_USER_MSI_L2A_TL_SGS__20160105T201503_A002822_T32TQR_B02_10m.jp2",
    f"{OLD}/IMG_DATA/S2A_USER_SCL_L2A_TL_SGS__20160105T201503_A002822_T32TQR_20m.jp2",
    f"{OLD}/IMG_DATA/S2A_USER_SCL_L2A_TL_SGS__20160105T201503_A002822_T32TQR_60m.jp2",
}


@pytest.mark.parametrize(
    ("granule", "tile"),
    [(L1C, "31TDH"), (L2A, "34UCF"), (PILOT, "34VFJ"), (OLD, "32TQR"), ("GRANULE/x", None)],
)
def test_the_tile_of_a_granule(granule: str, tile: str | None) -> None:
    assert tile_of(granule) == tile


@pytest.mark.parametrize(
    ("granule", "level", "ending"),
    [
        (L1C, "L1C", "_B02.jp2"),
        (L2A, "L2A", "_B02_10m.jp2"),
        (PILOT, "L2A", "_B02_10m.jp2"),
        (OLD, "L2A", "_B02_10m.jp2"),
    ],
)
def test_a_band_is_found_at_its_native_size(granule: str, level: str, ending: str) -> None:
    [found] = find_band(NAMES, granule, load_sensor().band("B02"), level, [])
    assert found.startswith(f"{granule}/IMG_DATA/")
    assert found.endswith(ending)


@pytest.mark.parametrize("granule", [L2A, PILOT, OLD])
def test_the_classification_is_found_at_20_m(granule: str) -> None:
    [found] = find_classification(NAMES, granule, [])
    assert "SCL" in found
    assert found.endswith("_20m.jp2")


def test_there_is_none_in_l1c() -> None:
    assert find_classification(NAMES, L1C, []) == []


def test_of_two_files_the_one_that_the_metadata_name_is_taken() -> None:
    names = {f"{L1C}/IMG_DATA/{stem}_B02.jp2" for stem in ("T31TDH_20180101T105441", "copy")}
    band = load_sensor().band("B02")
    listed = [f"{L1C}/IMG_DATA/T31TDH_20180101T105441_B02"]
    assert len(find_band(names, L1C, band, "L1C", [])) == 2
    assert find_band(names, L1C, band, "L1C", listed) == [f"{listed[0]}.jp2"]


def test_an_entry_leads_nowhere_else() -> None:
    names = {"../../secret_B02.jp2", "/etc/x_B02.jp2"}
    band = load_sensor().band("B02")
    assert find_band(names, L1C, band, "L1C", ["../../secret_B02", "/etc/x_B02"]) == []
