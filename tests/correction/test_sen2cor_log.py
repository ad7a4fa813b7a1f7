from __future__ import annotations

import pytest

from benforge.correction.sen2cor_log import read_failure, read_progress


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("Progress[%]: 6.18 : PID-584932, L2A_AtmCorr: end of interpolation LUTs", 6.18),
        ("Progress[%]:  100.00 : Application terminated successfully.", 100.0),
        ("Progress[%]: 104.2 : beyond", 100.0),
        ("L1C_TILE", None),
    ],
)
def test_progress(line: str, percent: float | None) -> None:
    assert read_progress(line) == percent


@pytest.mark.parametrize(
    ("lines", "what", "advice"),
    [
        (
            ["started ...", "[CRITICAL]  L2A_Config: 3181   Error in creating L2A User Product"],
            "Error in creating L2A User Product",
            "Download the product again",
        ),
        (
            ["Traceback (most recent call last):", "IOError: [Errno 28] No space left on device"],
            "[Errno 28] No space left on device",
            "Make room",
        ),
        (["MemoryError: Unable to allocate 241. MiB"], "Unable to allocate 241. MiB", "--workers"),
        (
            ["Error: something mild", "[ERROR] L2A_GIPP: 7  GIPP is not valid against its schema"],
            "GIPP is not valid against its schema",
            "L2A_GIPP.xml",
        ),
        (["Application terminated with errors, see report file"], "terminated with", "own log"),
    ],
)
def test_the_first_of_the_gravest_errors_is_told(lines: list[str], what: str, advice: str) -> None:
    found = read_failure(lines)
    assert found is not None
    assert what in found[0]
    assert advice in found[1]


def test_a_good_log_tells_no_error() -> None:
    good = ["Sentinel-2 Level 2A Processor (Sen2Cor). Version: 2.8.0", "Progress[%]: 100.00 : ok"]
    assert read_failure(good) is None
