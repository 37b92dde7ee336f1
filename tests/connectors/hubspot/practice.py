"""A practice HubSpot for a test module, with what the tests do to it from outside."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from connectors.hubspot import connect
from connectors.hubspot.connection import HubSpotConnection
from connectors.sandbox.hubspot.api import Api
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.loopback import LoopbackServer

TOKEN = "pat-sandbox-forestage"
OAUTH = {
    "client_id": "forestage-sandbox",
    "client_secret": "forestage-sandbox-secret",
    "refresh_token": "forestage-sandbox-refresh",
}
VERSIONS = ("2026-09", "v3")


class PracticePortal:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def connect(
        self, version: str = "2026-09", secret: Mapping[str, str] | None = None, **config: Any
    ) -> HubSpotConnection:
        told = {"base_url": self.base_url, "api_version": version, **config}
        return connect(told, secret or {"access_token": TOKEN})

    def advance(self, days: int) -> None:
        self._post("advance", {"days": days})

    def faults(self, *told: dict[str, Any]) -> None:
        self._post("faults", list(told))

    def limits(self, **told: float) -> None:
        self._post("limits", told)

    def token(self, name: str, *scopes: str) -> dict[str, str]:
        self._post("tokens", {"token": name, "scopes": scopes})
        return {"access_token": name}

    def state(self) -> Any:
        return httpx.get(f"{self.base_url}/_sandbox/state", timeout=60).json()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A call of anyone's, by the date-based paths."""
        answer = httpx.request(
            method,
            f"{self.base_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def _post(self, name: str, body: Any) -> None:
        answer = httpx.post(f"{self.base_url}/_sandbox/{name}", json=body, timeout=120)
        assert answer.is_success, answer.text


@contextmanager
def practising(directory: Path, *, deals: int, seed: int) -> Iterator[PracticePortal]:
    practice = Practice(directory, seed=seed, deals=deals)
    api = Api(practice, lambda: None)
    server = LoopbackServer(api.handle, practice.clock, 0)
    api.base_url = server.base_url
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        yield PracticePortal(server.base_url)
    finally:
        stop.set()
        thread.join()
        practice.store.close()
