"""A store of Forestage filled from a CRM, and what it knows, told without ids of ours."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.clock import FixedClock
from app.services.refresh import SyncReport, refresh
from app.services.setup import accept, propose
from app.store import connections
from app.store.database import Database
from app.store.frames import load_tables
from app.store.ledger import LEDGERS, OBSERVED
from connectors.base import Reader
from rules.deal import DEAL_RULES
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from tests.contract.door import BEGAN

PROVING = ("stage", "close_date", "amount")
"""Fields whose history both CRMs always keep: there nothing is left for a poll to observe."""
_PEOPLE = ("owner_id", "created_by_id", "modified_by_id")


class Entry(NamedTuple):
    """A ledger row. `is_ours`: made by us, not told by the CRM."""

    deal: str
    field: str
    at: int
    ref: str
    old: Any
    new: Any
    by: str | None
    source: int
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Content:
    """Records by the CRM's ids; `roles` of deals that stand: no CRM tells those of others."""

    deals: Mapping[str, Mapping[str, Any]]
    ledger: frozenset[Entry]
    activities: Mapping[str, Any]
    roles: Mapping[str, Any]
    companies: Mapping[str, Any]

    @property
    def told(self) -> frozenset[Entry]:
        return frozenset(entry for entry in self.ledger if not entry.is_ours)

    @property
    def observed(self) -> frozenset[Entry]:
        """Changes that only a poll saw."""
        return frozenset(e for e in self.ledger if e.is_ours and e.ref.startswith("observed:"))


class Copy:
    def __init__(self, db: Database) -> None:
        self.db = db
        with db.write() as conn:
            self.id = connections.create(
                conn, name="acme", crm="files", config={}, secret=None, at=BEGAN
            )

    def sync(self, reader: Reader, *, full: bool = False) -> SyncReport:
        now = reader.account().now
        return refresh(self.db, self.id, reader, clock=FixedClock(now), full=full)

    def findings(self, at: datetime) -> set[tuple[Any, ...]]:
        """What the deal rules find as of `at`: rule, deal, severity, since when, sentence."""
        proposal = propose(self.db, self.id)
        accept(self.db, self.id, proposal, by="admin", clock=FixedClock(at))
        tables = load_tables(self.db, self.id)
        evaluation = evaluate(Facts.cut(tables, at), DEAL_RULES, Limits.load({}))
        assert not evaluation.errors
        with self.db.read() as conn:
            ids = conn.exec_driver_sql("SELECT id, crm_id FROM deals").all()
        crm_ids = {row[0]: row[1] for row in ids}
        columns = ("rule", "subject_id", "severity", "at", "sentence")
        found = evaluation.findings.filter(subject_kind="deal").select(columns).iter_rows()
        return {(row[0], crm_ids[row[1]], *row[2:]) for row in found}

    def content(self) -> Content:
        with self.db.read() as conn:

            def rows(name: str) -> list[dict[str, Any]]:
                return [
                    dict(row)
                    for row in conn.exec_driver_sql(f'SELECT * FROM "{name}"').mappings().all()
                ]

            names = {
                table: {row["id"]: row["crm_id"] for row in rows(table)}
                for table in ("people", "pipelines", "stages", "companies", "contacts", "deals")
            }
            activities = {row["id"]: row for row in rows("activities")}
            standing = {row["crm_id"] for row in rows("deals") if row["deleted_at"] is None}
            takers: dict[int, list[str]] = {}
            for row in rows("activity_contacts"):
                takers.setdefault(row["activity_id"], []).append(
                    names["contacts"][row["contact_id"]]
                )
            return Content(
                deals={row["crm_id"]: _deal(row, names) for row in rows("deals")},
                ledger=frozenset(
                    _entry(field, row, names)
                    for field, table in LEDGERS.items()
                    for row in rows(table.name)
                ),
                activities={
                    row["crm_id"]: _activity(row, names, takers.get(key, []))
                    for key, row in activities.items()
                },
                roles={
                    row["crm_id"]: (row["deal_crm_id"], row["role"], bool(row["is_primary"]))
                    for row in rows("contact_roles")
                    if row["valid_to"] is None and row["deal_crm_id"] in standing
                },
                companies={row["crm_id"]: row["name"] for row in rows("companies")},
            )


def _deal(row: dict[str, Any], names: Mapping[str, Mapping[int, str]]) -> Mapping[str, Any]:
    told = {name: row[name] for name in row if not name.endswith(("generation", "id", "seen_at"))}
    told |= {name: names["people"].get(row[name]) for name in _PEOPLE}
    told["pipeline"] = names["pipelines"][row["pipeline_id"]]
    told["stage"] = names["stages"][row["stage_id"]]
    told["company"] = names["companies"].get(row["company_id"])
    return told


def _entry(field: str, row: dict[str, Any], names: Mapping[str, Mapping[int, str]]) -> Entry:
    table = {"stage": "stages", "owner": "people", "pipeline": "pipelines"}.get(field)
    old, new = (names[table].get(row[n]) if table else row[n] for n in ("old", "new"))
    ref = row["source_ref"]
    is_ours = row["source"] == OBSERVED and ref.startswith(("first:", "observed:"))
    deal, by = names["deals"][row["deal_id"]], names["people"].get(row["by_id"])
    return Entry(deal, field, row["at"], ref, old, new, by, row["source"], is_ours)


def _activity(
    row: dict[str, Any], names: Mapping[str, Mapping[int, str]], takers: list[str]
) -> Mapping[str, Any]:
    told = {name: row[name] for name in row if name not in {"id", "owner_id", "deleted_at"}}
    owner = names["people"].get(row["owner_id"])
    is_deleted = row["deleted_at"] is not None
    return told | {"owner": owner, "is_deleted": is_deleted, "contacts": sorted(takers)}


@contextmanager
def copied(migrated: Path, path: Path) -> Iterator[Copy]:
    """An empty store at `path`."""
    shutil.copyfile(migrated, path)
    with closing(Database(f"sqlite:///{path}")) as db:
        yield Copy(db)
