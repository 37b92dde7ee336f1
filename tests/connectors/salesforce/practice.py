"""A practice Salesforce for a test module, with what the tests do to it from outside."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from connectors.salesforce import connect
from connectors.salesforce.connection import SalesforceConnection
from connectors.sandbox.loopback import LoopbackServer
from connectors.sandbox.salesforce.api import Api
from connectors.sandbox.salesforce.practice import Practice
from connectors.sandbox.salesforce.store import Store

CREDENTIALS = {
    "consumer_key": "forestage-sandbox",
    "consumer_secret": "forestage-sandbox-secret",
}


class PracticeOrg:
    def __init__(self, base_url: str, store: Store) -> None:
        self.base_url = base_url
        self._store = store

    def connect(self) -> SalesforceConnection:
        return connect({"base_url": self.base_url}, CREDENTIALS)

    def advance(self, days: int) -> None:
        self._post("advance", {"days": days})

    def settings(self, **told: Any) -> None:
        self._post("settings", told)

    def purge(self, sobject: str, crm_ids: Sequence[str]) -> None:
        """Remove records from the bin too, which no call of the API tells."""
        rows = [(crm_id,) for crm_id in crm_ids]
        self._store.execute_many(f'DELETE FROM "{sobject}" WHERE "Id" = ?', rows)

    def faults(self, *told: dict[str, Any]) -> None:
        self._post("faults", list(told))

    def hide(self, *names: str) -> None:
        self._post("permissions", {"hide": list(names)})

    def limit(self, **told: int) -> None:
        self._post("limits", told)

    def _post(self, name: str, body: Any) -> None:
        answer = requests.post(f"{self.base_url}/_sandbox/{name}", json=body, timeout=120)
        assert answer.ok, answer.text


@contextmanager
def practising(
    directory: Path, *, deals: int, seed: int, tracked_days: int | None = None
) -> Iterator[PracticeOrg]:
    practice = Practice(directory, seed=seed, deals=deals, tracked_days=tracked_days)
    api = Api(practice, lambda: None)
    server = LoopbackServer(api.handle, practice.clock, 0)
    api.base_url = server.base_url
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        yield PracticeOrg(server.base_url, practice.store)
    finally:
        stop.set()
        thread.join()
        practice.store.close()
