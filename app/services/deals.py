"""One deal with its timeline: every change, activity and flag, as people read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.errors import NotFound
from app.services.evidence import change_text, instant, money
from app.services.flags import FlagView, view
from app.store import deals, flags, ledger
from app.store.activities import ACTIVITIES
from app.store.database import Database
from app.store.deals import DEALS, DealView
from app.store.flags import FLAGS
from app.store.ids import deal_ref, parse_deal_ref
from app.store.people import PEOPLE
from rules.tables import ACTIVITY_KINDS, FORECASTS, SEGMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class DealDetail:
    """A deal, its flags (closed ones too) and its timeline, oldest first."""

    deal: DealView
    flags: Sequence[FlagView]
    timeline: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The answer of the API."""
        return {
            **deal_json(self.deal),
            "flags": [flag.as_json() for flag in self.flags],
            "timeline": list(self.timeline),
        }


def get_deal(db: Database, ref: str, *, connection_id: int | None = None) -> DealDetail:
    """A deal by our outside id, or by the CRM's id within a connection. NotFound."""
    with db.read() as conn:
        connection_id, deal = find(conn, ref, connection_id=connection_id)
        query = flags.with_deals(connection_id).where(
            FLAGS.c.subject_kind == "deal", FLAGS.c.subject_id == deal.id
        )
        found = conn.execute(query.order_by(FLAGS.c.rank.desc(), FLAGS.c.id)).all()
        return DealDetail(
            deal=deal,
            flags=[view(row) for row in found],
            timeline=timeline(conn, connection_id, deal),
        )


def find(
    conn: sa.Connection, ref: str, *, connection_id: int | None = None
) -> tuple[int, DealView]:
    """(connection_id, deal) of an outside id, or of a CRM's id, or of a name that only one
    deal of the connection has. NotFound.
    """
    deal_id = parse_deal_ref(ref)
    if deal_id is not None:
        query = sa.select(DEALS.c.connection_id).where(DEALS.c.id == deal_id)
        owner = conn.scalar(query)
        if owner is not None and connection_id in {None, owner}:
            return owner, deals.view(conn, owner, deal_id=deal_id)
    elif connection_id is not None:
        for where in (DEALS.c.crm_id == ref, sa.func.lower(DEALS.c.name) == ref.lower()):
            found = deals.views(conn, connection_id, where)
            if len(found) == 1:
                return connection_id, found[0]
            if found:
                ids = ", ".join(deal.crm_id for deal in found)
                raise NotFound(f"{len(found)} deals are called {ref!r}: give the CRM id ({ids})")
    raise NotFound(f"there is no deal {ref!r}: give its CRM id, our id, or its whole name")


def timeline(conn: sa.Connection, connection_id: int, deal: DealView) -> list[dict[str, Any]]:
    """`{kind, field, ref, at, old, new, by, source}` of every change and activity."""
    rows = [
        {
            "kind": "change",
            "field": row.field,
            "ref": row.ref,
            "at": instant(row.at),
            "old": change_text(row.field, row.old),
            "new": change_text(row.field, row.new),
            "by": row.by,
            "source": row.source,
        }
        for row in ledger.timeline(conn, connection_id, deal.id)
    ]
    rows += _activities(conn, connection_id, deal.crm_id)
    return sorted(rows, key=lambda row: datetime.fromisoformat(str(row["at"])))


def deal_json(deal: DealView) -> dict[str, Any]:
    """A deal as it is now."""
    owner = {"crm_id": deal.owner_crm_id, "name": deal.owner}
    return {
        "id": deal_ref(deal.id),
        "crm_id": deal.crm_id,
        "name": deal.name,
        "pipeline": deal.pipeline,
        "stage": deal.stage,
        "company": deal.company,
        "owner": None if deal.owner_crm_id is None else owner,
        "amount": None if deal.amount is None else money(deal.amount),
        "currency": deal.currency,
        "close_date": None if deal.close_on is None else deal.close_on.isoformat(),
        "segment": SEGMENTS[deal.segment or 0],
        "forecast": None if deal.forecast is None else FORECASTS[deal.forecast],
        "next_step": deal.next_step,
        "is_closed": deal.is_closed,
        "is_won": deal.is_won,
        "created_at": instant(deal.created_at),
        "modified_at": instant(deal.modified_at),
        "deleted_at": None if deal.deleted_at is None else instant(deal.deleted_at),
    }


def _activities(conn: sa.Connection, connection_id: int, deal_crm_id: str) -> list[dict[str, Any]]:
    rows = conn.execute(
        sa.select(ACTIVITIES.c.crm_id, ACTIVITIES.c.at, ACTIVITIES.c.kind, PEOPLE.c.name)
        .select_from(ACTIVITIES)
        .outerjoin(PEOPLE, PEOPLE.c.id == ACTIVITIES.c.owner_id)
        .where(
            ACTIVITIES.c.connection_id == connection_id,
            ACTIVITIES.c.deal_crm_id == deal_crm_id,
            ACTIVITIES.c.deleted_at.is_(None),
            ACTIVITIES.c.key.is_(None),
        )
    )
    return [
        {
            "kind": "activity",
            "field": None,
            "ref": row.crm_id,
            "at": instant(row.at),
            "old": None,
            "new": ACTIVITY_KINDS[row.kind],
            "by": row.name,
            "source": "unknown",
        }
        for row in rows
    ]
