"""The deals that coaching is about: flagged, open, with what an agenda says of them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.services.agenda import AgendaDeal, AgendaFlag
from app.services.evidence import money
from app.services.flags import questions
from app.services.outgoing import evidence_line
from app.store import deals, flags
from app.store.activities import CONTACT_ROLES, CONTACTS
from app.store.deals import DEALS, STAGE_PERIODS
from app.store.flags import FLAGS
from rules.tables import ROLES

_DEALS_A_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedDeal:
    """A deal with a visible flag; `top_key` and `opened_at` are of its highest ranked one."""

    deal_id: int
    owner_id: int
    rank: int
    top_key: str
    opened_at: datetime
    settles_at: datetime | None  # when the last of its flags may be told to the CRM
    is_early: bool  # in a stage whose role is `early`
    flag_ids: Sequence[int]
    words: AgendaDeal


def load(conn: sa.Connection, connection_id: int) -> list[FlaggedDeal]:
    """Open deals with an owner and a visible open flag that is no hygiene, best rank first.

    Their other open flags come along, held ones too: a deal is talked about as a whole.
    """
    query = flags.with_deals(connection_id).where(
        FLAGS.c.status == "open",
        FLAGS.c.rule_class != "hygiene",
        DEALS.c.owner_id.is_not(None),
        ~DEALS.c.is_closed,
        DEALS.c.deleted_at.is_(None),
    )
    by_deal: dict[int, list[sa.Row[Any]]] = defaultdict(list)
    for row in conn.execute(query.order_by(FLAGS.c.rank.desc(), FLAGS.c.id)):
        by_deal[row.subject_id].append(row)
    shown = {deal_id: rows for deal_id, rows in by_deal.items() if _visible(rows)}
    views = _views(conn, connection_id, shown)
    contacts = _contacts(conn, connection_id, [view.crm_id for view in views.values()])
    early = _early(conn, connection_id)
    found = [
        _flagged(
            rows,
            views[deal_id],
            contact=contacts.get(views[deal_id].crm_id),
            is_early=deal_id in early,
        )
        for deal_id, rows in shown.items()
    ]
    return sorted(found, key=lambda deal: (-deal.rank, deal.deal_id))


def focus(ranked: Sequence[FlaggedDeal], at_most: int) -> list[FlaggedDeal]:
    """The deals of one agenda, in their order: at least half of them early while there are
    any, as those can still be shaped; else the best ranked.
    """
    size = min(at_most, len(ranked))
    first = [deal for deal in ranked if deal.is_early][: (size + 1) // 2]
    rest = [deal for deal in ranked if deal not in first][: size - len(first)]
    return [deal for deal in ranked if deal in first or deal in rest]


def owners(conn: sa.Connection, connection_id: int) -> dict[int, tuple[int, str]]:
    """(owner, name) of the open deals that have an owner and are not private."""
    rows = conn.execute(
        sa.select(DEALS.c.id, DEALS.c.owner_id, DEALS.c.name).where(
            DEALS.c.connection_id == connection_id,
            DEALS.c.owner_id.is_not(None),
            ~DEALS.c.is_closed,
            ~DEALS.c.is_private,
            DEALS.c.deleted_at.is_(None),
        )
    )
    return {row.id: (row.owner_id, row.name) for row in rows}


def hygiene(conn: sa.Connection, connection_id: int) -> Sequence[Any]:
    """Open hygiene flags as lines of a rep's list: `deal_id, rule_class, sentence`."""
    query = sa.select(
        FLAGS.c.subject_id.label("deal_id"), FLAGS.c.rule_class, FLAGS.c.sentence
    ).where(
        FLAGS.c.connection_id == connection_id,
        FLAGS.c.subject_kind == "deal",
        FLAGS.c.rule_class == "hygiene",
        FLAGS.c.status == "open",
    )
    return conn.execute(query.order_by(FLAGS.c.id)).all()


def _early(conn: sa.Connection, connection_id: int) -> set[int]:
    """Open deals whose stage is an early one today."""
    query = (
        sa.select(DEALS.c.id)
        .join(STAGE_PERIODS, STAGE_PERIODS.c.stage_id == DEALS.c.stage_id)
        .where(
            DEALS.c.connection_id == connection_id,
            ~DEALS.c.is_closed,
            STAGE_PERIODS.c.valid_to.is_(None),
            STAGE_PERIODS.c.role == ROLES.index("early"),
        )
    )
    return set(conn.scalars(query))


def _visible(rows: Sequence[sa.Row[Any]]) -> list[sa.Row[Any]]:
    return [row for row in rows if row.held is None]


def _flagged(
    rows: Sequence[sa.Row[Any]], view: deals.DealView, *, contact: str | None, is_early: bool
) -> FlaggedDeal:
    top = _visible(rows)[0]
    amount = None
    if view.amount is not None:
        amount = f"{Decimal(money(view.amount)):,} {view.currency or ''}".strip()
    return FlaggedDeal(
        deal_id=view.id,
        owner_id=top.owner_id,
        rank=top.rank,
        top_key=top.key,
        opened_at=top.opened_at,
        settles_at=max((row.settles_at for row in rows if row.settles_at), default=None),
        is_early=is_early,
        flag_ids=[row.id for row in rows],
        words=AgendaDeal(
            name=view.name,
            crm_id=view.crm_id,
            company=view.company,
            stage=view.stage,
            amount=amount,
            close_on=view.close_on,
            has_next_step=bool(view.next_step),
            contact=contact,
            flags=[_words(row) for row in rows],
        ),
    )


def _words(row: sa.Row[Any]) -> AgendaFlag:
    return AgendaFlag(
        sentence=row.sentence,
        questions=questions(row.rule),
        history=[evidence_line(item) for item in row.evidence],
    )


def _views(
    conn: sa.Connection, connection_id: int, deal_ids: Collection[int]
) -> dict[int, deals.DealView]:
    ordered = sorted(deal_ids)
    return {
        view.id: view
        for start in range(0, len(ordered), _DEALS_A_QUERY)
        for view in deals.views(
            conn, connection_id, DEALS.c.id.in_(ordered[start : start + _DEALS_A_QUERY])
        )
    }


def _contacts(
    conn: sa.Connection, connection_id: int, deal_crm_ids: Sequence[str]
) -> dict[str, str]:
    """The main contact of each deal by title, else by role; the primary one before others."""
    roles = (
        sa.select(CONTACT_ROLES.c.deal_crm_id, CONTACTS.c.title, CONTACT_ROLES.c.role)
        .join_from(CONTACT_ROLES, CONTACTS, CONTACTS.c.id == CONTACT_ROLES.c.contact_id)
        .where(CONTACT_ROLES.c.connection_id == connection_id, CONTACT_ROLES.c.valid_to.is_(None))
        .order_by(CONTACT_ROLES.c.is_primary, CONTACT_ROLES.c.id.desc())
    )
    found: dict[str, str] = {}
    for start in range(0, len(deal_crm_ids), _DEALS_A_QUERY):
        part = deal_crm_ids[start : start + _DEALS_A_QUERY]
        for row in conn.execute(roles.where(CONTACT_ROLES.c.deal_crm_id.in_(part))):
            if name := row.title or row.role:
                found[row.deal_crm_id] = name
    return found
