"""A browser's part in tests: requests to an app that no socket is bound for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp

ORIGIN = "http://127.0.0.1:8000"


class Client:
    """Asks an app as its own page does."""

    def __init__(self, app: ASGIApp, base: str = ORIGIN) -> None:
        self.app, self.base = app, base

    def send(self, method: str, url: str, **rest: Any) -> httpx.Response:
        """One request, as it stands."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
                return await client.request(method, url, **rest)

        return asyncio.run(ask())

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.send("GET", url, headers=dict(headers or {}))

    def json(self, url: str) -> Any:
        """What is answered with 200."""
        answer = self.get(url)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, url: str, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """As the page sends it; `headers` replace what it says."""
        said = {"origin": self.base, "sec-fetch-site": "same-origin"} | dict(headers or {})
        return self.send("POST", url, json=body, headers={k: v for k, v in said.items() if v})
