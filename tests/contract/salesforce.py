"""The contract suite's door to a practice Salesforce."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from connectors.base import Reader, Writer
from connectors.salesforce import connect
from connectors.salesforce.auth import ClientCredentials
from connectors.salesforce.client import Client
from connectors.salesforce.reader import SalesforceReader
from connectors.salesforce.session import CrmSession
from connectors.salesforce.writer import SalesforceWriter
from connectors.sandbox import acts
from connectors.sandbox.loopback import LoopbackServer
from connectors.sandbox.salesforce.api import Api
from connectors.sandbox.salesforce.load import Loader
from connectors.sandbox.salesforce.practice import Practice
from tests.connectors.salesforce.practice import CREDENTIALS
from tests.contract.door import Crowd, Wall

TOKEN_PATH = "/services/oauth2/token"
_NAMES = {
    "stage": "StageName",
    "amount": "Amount",
    "close_on": "CloseDate",
    "owner": "OwnerId",
    "next_step": "NextStep",
}
_WITH_DEAL = (
    ("OpportunityHistory", "OpportunityId"),
    ("OpportunityContactRole", "OpportunityId"),
    ("Task", "WhatId"),
    ("Event", "WhatId"),
)


class SalesforceDoor:
    def __init__(self, practice: Practice, base_url: str, wall: Wall) -> None:
        self.wall = wall
        self.base_url = base_url
        self._practice = practice
        self._crowd = Crowd(practice.store, practice.clock.now)
        self._gone: set[str] = set()

    def reader(self) -> Reader:
        return SalesforceReader(self._client())

    def writer(self) -> Writer | None:
        return SalesforceWriter(self._client(), pause=lambda _: None)

    def set_up(self) -> None:
        connect({"base_url": self.base_url}, CREDENTIALS).setup().install()

    def _client(self) -> Client:
        session = CrmSession(waiter=lambda _: None, timeout_s=(5.0, 5.0))
        tokens = ClientCredentials(session, base_url=self.base_url, **CREDENTIALS)
        return Client(tokens, session, "66.0")

    def deals(self) -> list[str]:
        return [key for key in self._crowd.deals("006") if key not in self._gone]

    def stages(self, deal: str) -> list[str]:
        rows = self._practice.store.select(
            'SELECT p.stage FROM _process p JOIN "Opportunity" o ON o."RecordTypeId" = '
            'p.record_type WHERE o."Id" = ? ORDER BY p.position',
            (self.crm_id(deal),),
        )
        return [row[0] for row in rows]

    def crm_id(self, deal: str) -> str:
        return self._crowd.id_of(deal)

    def edit(self, deal: str, *, by: str, late_s: float = 0, **fields: Any) -> None:
        if late_s and self._is_newer(deal, late_s):
            late_s = 0  # its row is locked by the earlier save: this one can't be older
        self._play(self._crowd.edit(deal, by=by, late_s=late_s, **fields))

    def edit_by_program(self, deal: str, **fields: Any) -> None:
        if "owner" in fields:
            fields["owner"] = self._crowd.id_of(fields["owner"])
        if "close_on" in fields:
            fields["close_on"] = fields["close_on"].isoformat()
        body = {_NAMES[name]: value for name, value in fields.items()}
        self._client().send("PATCH", f"sobjects/Opportunity/{self.crm_id(deal)}", body)

    def call(self, deal: str, *, by: str) -> None:
        self._play(self._crowd.call(deal, by=by))

    def delete(self, deal: str, *, by: str) -> None:
        self._play(self._crowd.delete(deal, by=by))
        self._gone.add(deal)

    def undelete(self, deal: str) -> None:
        """From the recycle bin: Salesforce offers it to people and by SOAP alone."""
        store, now, crm_id = self._practice.store, self._practice.now(), self.crm_id(deal)
        deleted_at = (store.get("Opportunity", crm_id) or {})["SystemModstamp"]
        with store.transaction():
            store.update("Opportunity", crm_id, {"IsDeleted": 0, "SystemModstamp": now})
            for name, parent in _WITH_DEAL:
                store.execute(
                    f'UPDATE "{name}" SET "IsDeleted" = 0, "SystemModstamp" = ? '
                    f'WHERE "{parent}" = ? AND "SystemModstamp" = ?',
                    (now, crm_id, deleted_at),
                )
            store.execute(
                'UPDATE "OpportunityFieldHistory" SET "IsDeleted" = 0 WHERE "OpportunityId" = ?',
                (crm_id,),
            )
        self._gone.discard(deal)

    def merge(self, deal: str, other: str) -> None:
        raise NotImplementedError(
            "Salesforce merges accounts, contacts and leads, no opportunities"
        )

    def faults(self, *told: dict[str, Any]) -> None:
        httpx.post(f"{self.base_url}/_sandbox/faults", json=list(told)).raise_for_status()

    def calls_by_path(self) -> dict[str, int]:
        state = httpx.get(f"{self.base_url}/_sandbox/state").json()
        found: dict[str, int] = state["calls_by_path"]
        return found

    def _is_newer(self, deal: str, late_s: float) -> bool:
        row = self._practice.store.get("Opportunity", self.crm_id(deal)) or {}
        at = self._crowd.edit(deal, by="", late_s=late_s).at
        return str(row["SystemModstamp"])[:19] > at.isoformat()[:19]

    def _play(self, *told: acts.Act) -> None:
        practice = self._practice
        Loader(practice.store, practice.context(), lambda at: at).play(told)


@contextmanager
def salesforce(
    directory: Path, *, deals: int, seed: int = 1, tracked_days: int | None = None
) -> Iterator[SalesforceDoor]:
    wall = Wall()
    practice = Practice(directory, seed=seed, deals=deals, wall=wall, tracked_days=tracked_days)
    api = Api(practice, lambda: None)
    server = LoopbackServer(api.handle, practice.clock, 0)
    api.base_url = server.base_url
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        yield SalesforceDoor(practice, server.base_url, wall)
    finally:
        stop.set()
        thread.join()
        practice.store.close()
