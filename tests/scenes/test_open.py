from __future__ import annotations

from pathlib import Path

import pytest

from benforge.errors import InputError, MissingError
from benforge.scenes.open import READERS, open_scene
from tests.scenes.safe_products import write_product


def test_a_sentinel_2_product_is_opened(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    assert open_scene(written.folder).metadata.product == written.product.id


def test_the_registry_is_what_open_scene_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setitem(READERS, "other", lambda path, tile: asked.append((path, tile)))
    open_scene(Path("x"), "33UUP", sensor="other")
    assert asked == [(Path("x"), "33UUP")]


def test_an_unknown_sensor_is_refused() -> None:
    with pytest.raises(InputError, match="sentinel-2"):
        open_scene(Path("x"), sensor="landsat")


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nothing-here"):
        open_scene(tmp_path / "nothing-here")
