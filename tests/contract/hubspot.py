"""The contract suite's door to a practice HubSpot."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from connectors.base import Reader, Writer
from connectors.hubspot import connect
from connectors.hubspot.auth import RefreshedTokens
from connectors.hubspot.client import Client, transport_for
from connectors.hubspot.limiter import Limiter
from connectors.hubspot.reader import HubSpotReader
from connectors.hubspot.structure import Portal
from connectors.hubspot.writer import HubSpotWriter
from connectors.keeping import Unshared
from connectors.sandbox import acts
from connectors.sandbox.hubspot import catalog, values
from connectors.sandbox.hubspot.api import Api
from connectors.sandbox.hubspot.load import Loader
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.loopback import LoopbackServer
from tests.connectors.hubspot.practice import OAUTH, TOKEN
from tests.contract.door import Crowd, Wall

TOKEN_PATH = "/oauth/2026-09/token"
LAG_S = 240
_DEALS = "/crm/objects/2026-09/deals"
_NAMES = {
    "stage": "dealstage",
    "amount": "amount",
    "close_on": "closedate",
    "owner": "hubspot_owner_id",
    "next_step": "hs_next_step",
}


class HubSpotDoor:
    def __init__(self, practice: Practice, base_url: str, wall: Wall) -> None:
        self.wall = wall
        self.base_url = base_url
        self._practice = practice
        self._crowd = Crowd(practice.store, practice.clock.precisely)
        self._gone: set[str] = set()
        self._portal = Portal(managers={}, fiscal_year_start_month=2)

    def reader(self) -> Reader:
        return HubSpotReader(self._client(), self._portal)

    def writer(self) -> Writer | None:
        return HubSpotWriter(self._client(), self._portal, pause=lambda _: None)

    def set_up(self) -> None:
        connect({"base_url": self.base_url}, {"access_token": TOKEN}).setup().install()

    def _client(self) -> Client:
        return Client(
            RefreshedTokens(self.base_url, Unshared(OAUTH)),
            transport_for(self.base_url, "2026-09"),
            api_version="2026-09",
            limiter=Limiter(waiter=lambda _: None),
            waiter=lambda _: None,
        )

    def deals(self) -> list[str]:
        return [key for key in self._crowd.deals("310") if key not in self._gone]

    def stages(self, deal: str) -> list[str]:
        pipeline = self._crowd.id_of(f"{deal}:pipeline")
        rows = self._practice.store.select(
            "SELECT key FROM _key WHERE key LIKE ?", (f"{pipeline}:%",)
        )
        return sorted(row[0].partition(":")[2] for row in rows)

    def crm_id(self, deal: str) -> str:
        record = self._practice.store.get(catalog.DEAL, int(self._crowd.id_of(deal)))
        return str(record.id if record else None)

    def edit(self, deal: str, *, by: str, late_s: float = 0, **fields: Any) -> None:
        """HubSpot has no late commits; its search index lags instead."""
        del late_s
        self._play(self._crowd.edit(deal, by=by, late_s=0, **fields))

    def edit_by_program(self, deal: str, **fields: Any) -> None:
        if "owner" in fields:
            fields["owner"] = self._crowd.id_of(fields["owner"])
        if "stage" in fields:
            pipeline = self._crowd.id_of(f"{deal}:pipeline")
            fields["stage"] = self._crowd.id_of(f"{pipeline}:{fields['stage']}")
        if "close_on" in fields:
            practice = self._practice
            at = practice.clock.precisely()
            fields["close_on"] = values.picked_day(fields["close_on"], at, practice.time_zone())
        properties = {_NAMES[name]: str(value) for name, value in fields.items()}
        self._send("PATCH", f"{_DEALS}/{self.crm_id(deal)}", {"properties": properties})

    def call(self, deal: str, *, by: str) -> None:
        self._play(self._crowd.call(deal, by=by))

    def delete(self, deal: str, *, by: str) -> None:
        del by
        self._send("DELETE", f"{_DEALS}/{self.crm_id(deal)}")
        self._gone.add(deal)

    def undelete(self, deal: str) -> None:
        """From the bin: HubSpot offers it to people alone."""
        store = self._practice.store
        record = store.get(catalog.DEAL, int(self._crowd.id_of(deal)))
        assert record is not None
        record.archived_at, record.updated_at = None, self._practice.now()
        store.put([record])
        self._gone.discard(deal)

    def merge(self, deal: str, other: str) -> None:
        ids = {"primaryObjectId": self.crm_id(deal), "objectIdToMerge": self.crm_id(other)}
        self._send("POST", f"{_DEALS}/merge", ids)
        self._gone.add(other)

    def unlink(self, deal_id: str, contact_id: str) -> None:
        """Take a contact off a deal."""
        self._send("DELETE", f"{_DEALS}/{deal_id}/associations/contacts/{contact_id}")

    def lag(self, seconds: float) -> None:
        """Let search see what the API writes only so much later."""
        self._post("limits", {"index_lag_seconds": seconds})

    def faults(self, *told: dict[str, Any]) -> None:
        self._post("faults", list(told))

    def calls_by_path(self) -> dict[str, int]:
        state = httpx.get(f"{self.base_url}/_sandbox/state").json()
        found: dict[str, int] = state["calls_by_path"]
        return found

    def _post(self, name: str, body: Any) -> None:
        httpx.post(f"{self.base_url}/_sandbox/{name}", json=body).raise_for_status()

    def _send(self, method: str, path: str, body: Any = None) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.request(method, f"{self.base_url}{path}", json=body, headers=headers)
        assert answer.is_success, answer.text

    def _play(self, *told: acts.Act) -> None:
        Loader(self._practice.store, self._practice.stages, lambda at: at).play(told)


@contextmanager
def hubspot(directory: Path, *, deals: int, seed: int = 1) -> Iterator[HubSpotDoor]:
    wall = Wall()
    practice = Practice(directory, seed=seed, deals=deals, wall=wall)
    api = Api(practice, lambda: None)
    server = LoopbackServer(api.handle, practice.clock, 0)
    api.base_url = server.base_url
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        yield HubSpotDoor(practice, server.base_url, wall)
    finally:
        stop.set()
        thread.join()
        practice.store.close()
