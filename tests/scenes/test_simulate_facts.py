"""The spectra cover every class, and their derivation can be repeated."""

from __future__ import annotations

import csv
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np

from benforge.core.nomenclature import load_nomenclature
from benforge.core.sensor import load_sensor
from benforge.scenes.simulate_facts import load_spectra

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "src" / "benforge" / "core" / "facts" / "spectra.toml"


def test_every_class_has_a_spectrum() -> None:
    spectra = load_spectra()
    assert spectra.bands == tuple(band.name for band in load_sensor().patch_bands)
    assert tuple(spectra.classes) == load_nomenclature("clc-43").codes
    for spectrum in (*spectra.classes.values(), spectra.snow, spectra.cloud):
        assert spectrum.mean.shape == spectrum.texture.shape == (12,)
        assert spectrum.modes.shape == (3, 12)


def test_borrowed_spectra_are_named() -> None:
    classes = tomllib.loads(FACTS.read_text())["class"]
    own = {entry["code"] for entry in classes if "mean" in entry}
    assert all(entry["like"] in own for entry in classes if entry["code"] not in own)


def test_water_is_dark_and_leaves_are_bright() -> None:
    spectra = load_spectra()
    red, near_infrared = spectra.bands.index("B04"), spectra.bands.index("B08")
    for code in (512, 523):
        assert spectra.classes[code].mean[near_infrared] < 100
    for code in (211, 231, 311, 312, 313):
        mean = spectra.classes[code].mean
        assert mean[near_infrared] > 3 * mean[red]


def test_images_are_those_of_the_paper(shared_data: Path) -> None:
    table = shared_data / "bigearthnet" / "metadata" / "table2_class_counts.csv"
    rows = list(csv.reader(table.read_text().splitlines(), skipinitialspace=True))[1:]
    clc = load_nomenclature("clc-43")
    counts = {clc.by_name(name).code: int(count) for name, count in rows}
    assert load_spectra().images == counts


def test_facts_are_what_the_script_derives(shared_data: Path, tmp_path: Path) -> None:
    target = tmp_path / "spectra.toml"
    command = [sys.executable, str(ROOT / "tools" / "spectra.py"), str(shared_data)]
    subprocess.run([*command, "--out", str(target)], check=True, timeout=120)
    ours, derived = (tomllib.loads(file.read_text()) for file in (FACTS, target))
    for here, there in zip(ours["class"], derived["class"], strict=True):
        np.testing.assert_allclose(here.get("mean", []), there.get("mean", []), atol=1)
