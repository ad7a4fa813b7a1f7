from __future__ import annotations

from pathlib import Path

import pytest

from benforge.errors import InputError, MissingError, ProductError
from benforge.scenes.open import READERS, open_scene
from tests.scenes.safe_products import as_old, write_product


def test_a_sentinel_2_product_is_opened(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    assert open_scene(written.folder).metadata.product == written.product.id


def test_of_several_tiles_one_is_named_after_the_path(tmp_path: Path) -> None:
    old = as_old(write_product(tmp_path / "new"), tmp_path / "old", ("33UUP", "33UUQ"))
    with pytest.raises(ProductError, match=r"more than one granule.*PATH#TILE: 33UUP, 33UUQ"):
        open_scene(old)
    with pytest.raises(ProductError, match=r"no tile 33UVP.*PATH#TILE: 33UUP, 33UUQ"):
        open_scene(Path(f"{old}#33UVP"))
    assert open_scene(Path(f"{old}#33UUQ")).metadata.tile == "33UUQ"
    [xml] = old.glob("*.xml")
    assert open_scene(Path(f"{xml}#33UUP")).metadata.tile == "33UUP"


def test_the_registry_is_what_open_scene_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setitem(READERS, "other", lambda path, tile, verify: asked.append((path, tile)))
    open_scene(Path("x"), "33UUP", sensor="other")
    assert asked == [(Path("x"), "33UUP")]


def test_an_unknown_sensor_is_refused() -> None:
    with pytest.raises(InputError, match="sentinel-2"):
        open_scene(Path("x"), sensor="landsat")


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nothing-here"):
        open_scene(tmp_path / "nothing-here")
