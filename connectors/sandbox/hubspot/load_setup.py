"""The organisation itself as a portal's settings: account, teams, users, owners, pipelines."""

from collections.abc import Callable
from typing import Any

import orjson

from connectors.sandbox import acts
from connectors.sandbox.hubspot.builtin import DEAL_TYPES, options
from connectors.sandbox.hubspot.catalog import DEAL
from connectors.sandbox.hubspot.stages import Stages
from connectors.sandbox.hubspot.store import Store

PORTAL_ID = 48_120_077
DEFAULT_PIPELINE = "default"
_FIRST_OWNER, _FIRST_USER, _FIRST_TEAM = 1_610_000_001, 64_000_001, 5_100_001
_FIRST_STAGE = 1_230_000_001


class Setup:
    """Stores what an administrator would have set up."""

    def __init__(
        self,
        store: Store,
        stages: Stages,
        id_of: Callable[[str], str],
        keep_key: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self._stages = stages
        self._id_of = id_of
        self._keep_key = keep_key

    def apply(self, act: acts.Act, at: str) -> None:
        """Store one act of setting up."""
        if isinstance(act, acts.FoundCompany):
            self._company(act)
        elif isinstance(act, acts.AddRole):
            self._team(act)
        elif isinstance(act, acts.AddPerson):
            self._person(act, at)
        elif isinstance(act, acts.ChangePerson):
            self._change_person(act, at)
        elif isinstance(act, acts.AddPipeline):
            self._pipeline(act, at)
        else:
            raise TypeError(f"no record for {type(act).__name__}")

    def _company(self, act: acts.FoundCompany) -> None:
        store = self._store
        store.save_meta(
            "account",
            {
                "name": act.name,
                "portalId": PORTAL_ID,
                "timeZone": act.time_zone,
                "companyCurrency": act.home_currency,
                "fiscalYearStartMonth": act.fiscal_year_start_month,
            },
        )
        store.set_choices(
            DEAL, "deal_currency_code", options({act.home_currency: act.home_currency})
        )
        choices = DEAL_TYPES | {"renewal": "Renewal", "expansion": "Expansion"}
        store.set_choices(DEAL, "dealtype", options(choices))

    def _next(self, table: str, first: int) -> int:
        return int(self._store.select(f"SELECT COALESCE(MAX(id) + 1, {first}) FROM {table}")[0][0])

    def _team(self, act: acts.AddRole) -> None:
        team_id = self._next("team", _FIRST_TEAM)
        body = {"id": str(team_id), "name": act.name}
        self._store.execute(
            "INSERT INTO team VALUES (?, ?)", (team_id, orjson.dumps(body).decode())
        )
        self._keep_key(act.key, str(team_id))

    def _person(self, act: acts.AddPerson, at: str) -> None:
        """A user with an owner. An integration is an app here: neither user nor owner."""
        if act.is_integration:
            return
        owner_id = self._next("person", _FIRST_OWNER)
        body = {
            "first_name": act.first_name,
            "last_name": act.last_name,
            "email": act.email,
            "title": act.title,
            "team": self._id_of(act.role) if act.role else None,
            "manager": self._id_of(act.manager) if act.manager else None,
            "created_at": at,
            "updated_at": at,
            "is_active": act.is_active,
        }
        self._save_person(owner_id, owner_id - _FIRST_OWNER + _FIRST_USER, body)
        self._keep_key(act.key, str(owner_id))

    def _save_person(self, owner_id: int, user_id: int, body: dict[str, Any]) -> None:
        self._store.execute(
            "INSERT OR REPLACE INTO person VALUES (?, ?, ?)",
            (owner_id, user_id, orjson.dumps(body).decode()),
        )

    def _change_person(self, act: acts.ChangePerson, at: str) -> None:
        owner_id = int(self._id_of(act.person))
        row = self._store.select("SELECT user_id, body FROM person WHERE id = ?", (owner_id,))[0]
        body = orjson.loads(row[1]) | {"updated_at": at}
        if act.is_active is not None:
            body["is_active"] = act.is_active
        if act.manager is not None:
            body["manager"] = self._id_of(act.manager)
        if act.role is not None:
            body["team"] = self._id_of(act.role)
        self._save_person(owner_id, row[0], body)

    def _pipeline(self, act: acts.AddPipeline, at: str) -> None:
        count = len(self._stages.pipelines)
        pipeline_id = str(_FIRST_STAGE // 10 + count) if count else DEFAULT_PIPELINE
        stages = []
        for order, stage in enumerate(act.stages):
            stage_id = str(_FIRST_STAGE + 100 * count + order)
            if stage.is_closed and not count:
                stage_id = "closedwon" if stage.is_won else "closedlost"
            stages.append(
                {
                    "id": stage_id,
                    "label": stage.label,
                    "displayOrder": order,
                    "metadata": {
                        "isClosed": str(stage.is_closed).lower(),
                        "probability": repr(stage.probability / 100),
                    },
                    "createdAt": at,
                    "updatedAt": at,
                    "archived": False,
                    "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                }
            )
            self._keep_key(f"{act.key}:{stage.label}", stage_id)
        self._keep_key(act.key, pipeline_id)
        self._stages.save(
            {
                "id": pipeline_id,
                "label": act.name,
                "displayOrder": count,
                "stages": stages,
                "createdAt": at,
                "updatedAt": at,
                "archived": False,
            }
        )
        self._audit(pipeline_id, stages, at)

    def _audit(self, pipeline_id: str, stages: list[dict[str, Any]], at: str) -> None:
        rows = [(pipeline_id, None, at), *((pipeline_id, each["id"], at) for each in stages)]
        for row in rows:
            body = {"portalId": PORTAL_ID, "action": "CREATE", "message": None}
            self._store.execute(
                "INSERT INTO audit VALUES (?, ?, ?, ?)", (*row, orjson.dumps(body).decode())
            )
