from tests.tiles.conftest import login, world

__all__ = ["login", "world"]
