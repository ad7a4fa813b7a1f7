"""Experiments that the tests of this room tell of; only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from benforge.reports.folder import Folder, read_folder
from benforge.reports.measure import measure
from benforge.reports.measured import Results
from benforge.reports.report import write_report
from tests.reports.made import made_experiment, write_experiment

RESAMPLES = 60


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is planned, simulated."""
    return write_experiment(tmp_path_factory.mktemp("whole") / "experiment", made_experiment())


@pytest.fixture(scope="package")
def folder(whole: Path) -> Folder:
    return read_folder(whole)


@pytest.fixture(scope="package")
def results(folder: Folder) -> Results:
    return measure(folder, RESAMPLES)


@pytest.fixture(scope="package")
def page(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "report.html"
    write_report(whole, out, resamples=RESAMPLES)
    return out.read_text()
