"""Doctor: what the records that were read say about what rules can see."""

from collections.abc import Iterator

import sqlalchemy as sa

from app.store.activities import ACTIVITIES, CONTACT_ROLES
from app.store.connections import ConnectionRow
from app.store.database import Database
from app.store.deals import DEALS, STAGE_PERIODS
from app.store.people import MANAGEMENT_PERIODS, PEOPLE
from connectors.checks import Check, Part

TELLING = 20
"""Deals from which on a share of them says something."""
SCARCE = 0.2
"""Share of open deals; with fewer than this, activities or contacts are hardly captured."""
SYNC_FIRST = "run `forestage sync`"


def look(db: Database, row: ConnectionRow) -> list[Check]:
    """What was found; one check before the first sync."""
    with db.read() as conn:
        if row.first_synced_at is None:
            told = "Nothing was read completely yet, so nothing is known of the data."
            return [Check(area="data", name="sync", told=told, grade="warning", advice=SYNC_FIRST)]
        return [
            *_captured(conn, row.id),
            *_stages(conn, row),
            *_owners(conn, row.id),
            *_managers(conn, row.id),
        ]


def _open(connection_id: int) -> sa.ColumnElement[bool]:
    return (
        (DEALS.c.connection_id == connection_id) & DEALS.c.deleted_at.is_(None) & ~DEALS.c.is_closed
    )


def _count(conn: sa.Connection, where: sa.ColumnElement[bool]) -> int:
    return conn.scalar(sa.select(sa.func.count()).select_from(DEALS).where(where)) or 0


def _captured(conn: sa.Connection, connection_id: int) -> Iterator[Check]:
    """Whether activities and contacts are on the open deals at all."""
    is_open = _open(connection_id)
    deals = _count(conn, is_open)
    with_activity = sa.exists().where(
        ACTIVITIES.c.connection_id == connection_id,
        ACTIVITIES.c.deal_crm_id == DEALS.c.crm_id,
        ACTIVITIES.c.deleted_at.is_(None),
        ACTIVITIES.c.key.is_(None),
    )
    with_contact = sa.exists().where(
        CONTACT_ROLES.c.connection_id == connection_id,
        CONTACT_ROLES.c.deal_crm_id == DEALS.c.crm_id,
        CONTACT_ROLES.c.valid_to.is_(None),
    )
    advice = "have mails and meetings captured in the CRM, and hang them on the deal"
    yield _share("activities", _count(conn, is_open & with_activity), deals, advice=advice)
    advice = "ask reps to put the people they talk to on the deal"
    yield _share("contacts", _count(conn, is_open & with_contact), deals, advice=advice)


def _share(part: Part, having: int, deals: int, *, advice: str) -> Check:
    check = Check(
        area="data", name=part, told=f"{having:,} of {deals:,} open deals have {part} on them."
    )
    if deals < TELLING or having >= deals * SCARCE:
        return check
    parts: frozenset[Part] = frozenset({part})
    return Check(
        area="data",
        name=part,
        told=check.told,
        grade="warning",
        advice=advice,
        lost=frozenset() if having else parts,
        thinned=parts if having else frozenset(),
    )


def _stages(conn: sa.Connection, row: ConnectionRow) -> Iterator[Check]:
    standing = (STAGE_PERIODS.c.connection_id == row.id) & STAGE_PERIODS.c.valid_to.is_(None)
    query = sa.select(sa.func.count()).select_from(STAGE_PERIODS).where(standing)
    stages = conn.scalar(query) or 0
    open_ = conn.scalar(query.where(STAGE_PERIODS.c.basis != "confirmed")) or 0
    if not open_:
        told = f"The order and roles of all {stages:,} stages are confirmed."
        yield Check(area="data", name="stages", told=told)
        return
    yield Check(
        area="data",
        name="stages",
        told=f"{open_:,} of {stages:,} stages have a place and role that nobody confirmed; rules "
        "use them as proposed.",
        grade="warning",
        advice="look at `forestage setup --propose` and accept it, edited or not",
    )


def _owners(conn: sa.Connection, connection_id: int) -> Iterator[Check]:
    is_open = _open(connection_id)
    active = sa.exists().where(PEOPLE.c.id == DEALS.c.owner_id, PEOPLE.c.is_active)
    deals, without = _count(conn, is_open), _count(conn, is_open & ~active)
    if not without:
        yield Check(area="data", name="owners", told="Every open deal has an active owner.")
        return
    yield Check(
        area="data",
        name="owners",
        told=f"{without:,} of {deals:,} open deals have no owner who is active: their flags reach "
        "a manager at best.",
        grade="warning",
        advice="give them to somebody who works there",
    )


def _managers(conn: sa.Connection, connection_id: int) -> Iterator[Check]:
    owners = sa.select(DEALS.c.owner_id).where(_open(connection_id))
    managed = sa.exists().where(
        MANAGEMENT_PERIODS.c.person_id == PEOPLE.c.id, MANAGEMENT_PERIODS.c.valid_to.is_(None)
    )
    reps = (PEOPLE.c.connection_id == connection_id) & PEOPLE.c.is_active & ~PEOPLE.c.is_integration
    reps &= PEOPLE.c.id.in_(owners)
    query = sa.select(sa.func.count()).select_from(PEOPLE).where(reps)
    people, without = conn.scalar(query) or 0, conn.scalar(query.where(~managed)) or 0
    if not without:
        told = f"Everybody who owns open deals ({people:,}) has a manager."
        yield Check(area="data", name="managers", told=told)
        return
    yield Check(
        area="data",
        name="managers",
        told=f"{without:,} of {people:,} owners of open deals have no manager: nobody gets a "
        "coaching task for them but the default task owner.",
        grade="warning",
        advice="fill in who manages whom in the CRM, or `default_task_owner` in the set-up",
    )
