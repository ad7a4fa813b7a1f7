from __future__ import annotations

from pathlib import Path

import pytest

from benforge.correction.sen2cor_find import find_sen2cor, need_sen2cor, read_version
from benforge.errors import InputError, MissingError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return write_program(tmp_path / "Sen2Cor", "Sen2Cor. Version: 2.11.0, created: 2022.09.30")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SEN2COR_HOME", "SEN2COR_BIN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def write_program(folder: Path, text: str, status: int = 0) -> Path:
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "L2A_Process"
    program.write_text(f"#!/bin/sh\necho '{text}'\nexit {status}\n")
    program.chmod(0o755)
    return program


def test_it_is_found_by_path_folder_variable_and_search(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_sen2cor() is None
    home = program.parents[1]
    assert find_sen2cor(program) == find_sen2cor(home) == find_sen2cor(program.parent) == program
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_sen2cor() == program
    for name in ("SEN2COR_BIN", "SEN2COR_HOME"):
        monkeypatch.setenv("PATH", "")
        monkeypatch.setenv(name, str(home))
        assert find_sen2cor() == program
        monkeypatch.delenv(name)


def test_what_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError, match="--sen2cor names it, but there is no L2A_Process"):
        find_sen2cor(tmp_path)
    monkeypatch.setenv("SEN2COR_HOME", str(tmp_path / "gone"))
    with pytest.raises(MissingError, match="gone: SEN2COR_HOME names it"):
        find_sen2cor()


def test_without_it_there_is_another_way() -> None:
    with pytest.raises(MissingError, match="or use --processor sixs"):
        need_sen2cor()


def test_its_version_is_read(program: Path) -> None:
    assert read_version(program) == (2, 11, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Sen2Cor. Version: 2.4.0", r"sen2cor 2\.4\.0 is not supported\. Use 2\.5 to 3\.x"),
        ("Sen2Cor. Version: 4.0.1", r"sen2cor 4\.0\.1 is not supported"),
        ("hello", "does not tell a version as sen2cor does"),
    ],
)
def test_other_programs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_version(write_program(tmp_path / "other", text))


def test_a_program_that_cannot_start_is_named(tmp_path: Path) -> None:
    program = write_program(tmp_path / "locked", "")
    program.write_text("#!/no/such/interpreter\n")
    with pytest.raises(InputError, match="cannot be started"):
        read_version(program)
