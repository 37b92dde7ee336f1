"""A small sales team's CRM for refresh tests, and the store told without our ids."""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.clock import FixedClock
from app.services.refresh import SyncReport, refresh
from app.store import connections, deals, ledger
from app.store.activities import ACTIVITIES, ACTIVITY_CONTACTS, CONTACT_ROLES, CONTACTS
from app.store.database import Database
from app.store.deals import DEALS, PIPELINES, STAGE_PERIODS, STAGES
from app.store.people import MANAGEMENT_PERIODS, PEOPLE
from connectors.records import (
    ActivityRecord,
    ChangeRecord,
    CompanyRecord,
    ContactRecord,
    DealRecord,
    PersonRecord,
    StageRecord,
)
from tests.app.fakes import FakeCrm, FakeReader
from tests.conftest import NOON

DAY = timedelta(days=1)
STAGE_NAMES = ("Qualify", "Prove", "Propose", "Won", "Lost")


def connect(db: Database) -> int:
    with db.write() as conn:
        return connections.create(conn, name="acme", crm="files", config={}, secret=None, at=NOON)


def stage(name: str, **values: Any) -> StageRecord:
    plain = {
        "pipeline_crm_id": "p1",
        "pipeline_name": "New business",
        "crm_id": name.lower(),
        "label": name,
        "sort_order": STAGE_NAMES.index(name) if name in STAGE_NAMES else 9,
        "is_closed": name in {"Won", "Lost"},
        "is_won": name == "Won",
    }
    return StageRecord(**{**plain, **values})


def deal(crm_id: str, **values: Any) -> DealRecord:
    plain = {
        "crm_id": crm_id,
        "name": f"Deal {crm_id}",
        "pipeline_crm_id": "p1",
        "stage_crm_id": "prove",
        "created_at": NOON - 40 * DAY,
        "modified_at": NOON - 5 * DAY,
        "amount": 50_000_0000,
        "currency": "EUR",
        "close_on": date(2026, 5, 31),
        "owner_crm_id": "u1",
        "created_by_crm_id": "u1",
        "modified_by_crm_id": "u1",
        "company_crm_id": "c1",
        "forecast": "pipeline",
        "next_step": "Call back",
    }
    return DealRecord(**{**plain, **values})


def change(crm_id: str, field: Any, at: datetime, *, old: Any, new: Any) -> ChangeRecord:
    return ChangeRecord(
        deal_crm_id=crm_id,
        field=field,
        at=at,
        old=old,
        new=new,
        source_ref=f"h-{crm_id}-{field}-{at:%Y%m%d%H%M}-{new}",
        by_crm_id="u1",
        source="user",
    )


def history(crm_id: str) -> list[ChangeRecord]:
    """Created in Qualify, moved to Prove ten days ago, its close date pushed five days ago."""
    created = NOON - 40 * DAY
    return [
        change(crm_id, "stage", created, old=None, new="qualify"),
        change(crm_id, "close_date", created, old=None, new=date(2026, 4, 30)),
        change(crm_id, "amount", created, old=None, new=50_000_0000),
        change(crm_id, "forecast", created, old=None, new="pipeline"),
        change(crm_id, "stage", NOON - 10 * DAY, old="qualify", new="prove"),
        change(crm_id, "close_date", NOON - 5 * DAY, old=date(2026, 4, 30), new=date(2026, 5, 31)),
    ]


def activity(crm_id: str, **values: Any) -> ActivityRecord:
    plain = {
        "crm_id": crm_id,
        "kind": "meeting",
        "at": NOON - 20 * DAY,
        "logged_at": NOON - 20 * DAY,
        "deal_crm_id": "d1",
        "owner_crm_id": "u1",
        "contact_crm_ids": ("k1",),
        "is_held": True,
    }
    return ActivityRecord(**{**plain, **values})


def role(crm_id: str, deal_crm_id: str, **values: Any) -> ContactRecord:
    plain = {"crm_id": crm_id, "deal_crm_id": deal_crm_id, "contact_crm_id": "k1", "role": "Buyer"}
    return ContactRecord(**{**plain, **values})


def small_crm(deals_count: int = 7) -> FakeCrm:
    names = [f"d{number}" for number in range(1, deals_count + 1)]
    return FakeCrm(
        now=NOON,
        companies=[CompanyRecord(crm_id="c1", name="Beta"), CompanyRecord(crm_id="c2", name="Co")],
        deals=[deal(name) for name in names],
        changes=[row for name in names for row in history(name)],
        activities=[
            activity("a1"),
            activity("a2", kind="call", contact_crm_ids=("k1", "k2")),
            activity("a3", deal_crm_id=None, company_crm_id="c1"),
            activity("a4", kind="task", key="OURS", deal_crm_id=None),
        ],
        contacts=[role("r1", "d1"), role("r2", "d2", contact_crm_id="k2", title="CFO")],
        stages=[stage(name) for name in STAGE_NAMES],
        people=[
            PersonRecord(crm_id="m1", name="Mia Manager"),
            PersonRecord(crm_id="u1", name="Rob Rep", manager_crm_id="m1"),
        ],
    )


def told(db: Database, connection_id: int) -> dict[str, list[Any]]:
    """Everything a refresh stored, by the CRM's ids and names, in a fixed order."""
    with db.read() as conn:
        views = deals.views(conn, connection_id)
        rows = {view.crm_id: ledger.timeline(conn, connection_id, view.id) for view in views}
        return {
            "deals": sorted(
                (view.crm_id, view.stage, view.owner, view.close_on, view.amount, view.deleted_at)
                for view in views
            ),
            "ledger": sorted(
                (crm_id, row.field, row.at, row.ref, repr(row.old), repr(row.new),
                 row.by, row.source, row.seen_at)
                for crm_id, timeline in rows.items()
                for row in timeline
            ),
            "stages": _all(conn, _stages()),
            "people": _all(conn, _management()),
            "activities": _all(conn, _activities()),
            "roles": _all(conn, _roles()),
        }  # fmt: skip


def _all(conn: sa.Connection, query: sa.Select[Any]) -> list[Any]:
    return sorted(map(repr, conn.execute(query)))


def _stages() -> sa.Select[Any]:
    return (
        sa.select(
            PIPELINES.c.crm_id,
            STAGES.c.crm_id,
            STAGES.c.label,
            *(STAGE_PERIODS.c[name] for name in ("position", "role", "basis")),
            *(STAGE_PERIODS.c[name] for name in ("valid_from", "valid_to")),
        )
        .join(STAGES, STAGES.c.id == STAGE_PERIODS.c.stage_id)
        .join(PIPELINES, PIPELINES.c.id == STAGES.c.pipeline_id)
    )


def _management() -> sa.Select[Any]:
    manager = PEOPLE.alias()
    return (
        sa.select(
            PEOPLE.c.crm_id,
            manager.c.crm_id,
            MANAGEMENT_PERIODS.c.basis,
            MANAGEMENT_PERIODS.c.valid_from,
            MANAGEMENT_PERIODS.c.valid_to,
        )
        .join(PEOPLE, PEOPLE.c.id == MANAGEMENT_PERIODS.c.person_id)
        .join(manager, manager.c.id == MANAGEMENT_PERIODS.c.manager_id)
    )


def _activities() -> sa.Select[Any]:
    return (
        sa.select(
            ACTIVITIES.c.crm_id,
            ACTIVITIES.c.kind,
            ACTIVITIES.c.deal_crm_id,
            CONTACTS.c.crm_id,
            ACTIVITIES.c.deleted_at,
        )
        .outerjoin(ACTIVITY_CONTACTS, ACTIVITY_CONTACTS.c.activity_id == ACTIVITIES.c.id)
        .outerjoin(CONTACTS, CONTACTS.c.id == ACTIVITY_CONTACTS.c.contact_id)
    )


def _roles() -> sa.Select[Any]:
    return sa.select(
        CONTACT_ROLES.c.crm_id,
        CONTACTS.c.crm_id,
        CONTACT_ROLES.c.role,
        CONTACT_ROLES.c.valid_from,
        CONTACT_ROLES.c.valid_to,
    ).join(CONTACTS, CONTACTS.c.id == CONTACT_ROLES.c.contact_id)


def sync(db: Database, connection_id: int, crm: FakeCrm, **reader: int) -> SyncReport:
    return refresh(db, connection_id, FakeReader(crm, **reader), clock=FixedClock(crm.now))


def generations_of(db: Database) -> dict[str, int]:
    with db.read() as conn:
        return dict(conn.execute(sa.select(DEALS.c.crm_id, DEALS.c.generation)).all())


def ledger_of(db: Database, connection_id: int, crm_id: str, field: str) -> list[ledger.ChangeView]:
    with db.read() as conn:
        deal_id = deals.view(conn, connection_id, crm_id=crm_id).id
        return [row for row in ledger.timeline(conn, connection_id, deal_id) if row.field == field]
