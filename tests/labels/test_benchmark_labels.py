"""The benchmark's ways agree with each other; nothing is timed here."""

from __future__ import annotations

from benchmarks.labels import run


def test_ways_agree() -> None:
    found = run("toy")
    assert found["reference maps are equal"]
    # exactextract keeps coverage in float32.
    assert found["difference"]["geopandas.overlay"] < 1e-9
    assert found["difference"]["exactextract"] < 1e-5
