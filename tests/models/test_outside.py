"""A model of a user's module does all that those of the registry do."""

from __future__ import annotations

from pathlib import Path

import pytest

from benforge.errors import BenError, InputError, MissingError
from benforge.models.checkpoint import load_model
from benforge.models.registry import build_model, find_model
from benforge.testing.models import ModelContract
from benforge.training.train import train
from tests.models.outside import TINY
from tests.training.conftest import few, request  # noqa: F401  a fixture

NAME = "tests.models.outside:TINY"


class TestTiny(ModelContract):
    @pytest.fixture
    def name(self) -> str:
        return NAME


def test_it_bears_the_name_it_is_found_by() -> None:
    assert find_model(NAME).name == NAME
    assert find_model(NAME).build is TINY.build
    wide = build_model(NAME, ("B04",), 5, {"width": 16})
    assert sum(weight.numel() for weight in wide.parameters()) == 16 * 9 + 16 + 5 * 16 + 5


def test_it_is_trained_and_loaded_again(few: Path, tmp_path: Path) -> None:  # noqa: F811
    train(few, request(NAME, epochs=1, options={"width": 4}), tmp_path)
    model, contract = load_model(tmp_path)
    assert (contract.model, contract.title, contract.options) == (NAME, "Tiny", {"width": 4})
    assert sum(weight.numel() for weight in model.parameters()) == 4 * 27 + 4 + 5 * 4 + 5


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("no_such:TINY", MissingError, "no_such:TINY: there is no such module. Install its"),
        ("tests.models.nowhere:TINY", MissingError, "there is no such module"),
        ("tests.models.outside:HUGE", InputError, "holds no ModelSpec of the name 'HUGE'"),
        ("os:system", InputError, "os holds no ModelSpec of the name 'system'"),
        ("needing:A", MissingError, "needing:A: needs nowhere_to_be_found"),
        ("failing:A", InputError, "failing:A: the module fails, ZeroDivisionError: division by"),
        ("no-module:A", InputError, "no model is called 'no-module:A'"),
        ("os.path:", InputError, "no model is called"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(
    name: str, kind: type[BenError], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needing.py").write_text("import nowhere_to_be_found\n")
    (tmp_path / "failing.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(kind, match=message):
        find_model(name)
