"""A server on loopback for every test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiles.server import USER, WORD, World, serving


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A server, and an environment without credentials, proxies or a netrc."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("TEST_USERNAME", "TEST_PASSWORD", "CDSE_USERNAME", "CDSE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    with serving() as found:
        yield found


@pytest.fixture
def login(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user and password that the server knows."""
    monkeypatch.setenv("TEST_USERNAME", USER)
    monkeypatch.setenv("TEST_PASSWORD", WORD)
