"""Refresh: activities (headers only) and contact roles."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from app.services.refresh_context import Context
from app.store.activities import ACTIVITIES, ACTIVITY_CONTACTS, CONTACT_ROLES, CONTACTS
from app.store.columns import from_micros, to_micros
from app.store.deals import COMPANIES, DEALS, ids_by_crm_id, raise_generation
from app.store.merge import Row, Sheet, merge, select_in
from connectors.records import ActivityRecord, ContactRecord
from rules.tables import ACTIVITY_KINDS, DIRECTIONS

_ACTIVITY = Sheet(
    table=ACTIVITIES,
    columns=(
        "crm_id",
        "kind",
        "deal_crm_id",
        "company_crm_id",
        "owner_id",
        "at",
        "logged_at",
        "direction",
        "is_held",
        "is_two_way",
        "minutes",
        "key",
        "deleted_at",
    ),
    sticky=frozenset({"deleted_at"}),
)
_CONTACT = Sheet(table=CONTACTS, columns=("crm_id", "title"))
_ROLE_PERIOD = Sheet(
    table=CONTACT_ROLES,
    columns=(
        "crm_id",
        "valid_from",
        "deal_crm_id",
        "contact_id",
        "role",
        "is_primary",
        "valid_to",
    ),
    key=2,
)
_ROLE = (
    "crm_id",
    "id",
    "deal_crm_id",
    "contact_id",
    "role",
    "is_primary",
    "valid_from",
    "valid_to",
)


def store_activities(
    conn: sa.Connection, context: Context, activities: Sequence[ActivityRecord]
) -> None:
    """Activities and who took part; their deals, or the deals that they may be about, have
    something new to see.
    """
    ids = context.ids
    ids.learn(conn, "people", (activity.owner_crm_id for activity in activities))
    crm_ids = {crm_id for activity in activities for crm_id in activity.contact_crm_ids}
    ids.learn(conn, "contacts", crm_ids)
    rows = [_activity_row(context, activity) for activity in activities]
    written = merge(conn, _ACTIVITY, rows, connection_id=context.connection_id)
    context.tally.add(written)
    regrouped = _store_takers(conn, context, activities)
    concerned = [*written.rows, *(before for before, _ in written.updated)]
    concerned += [row for row in rows if row[0] in regrouped]
    ours = {activity.crm_id for activity in activities if activity.key is not None}
    concerned = [row for row in concerned if row[0] not in ours]
    # Without a deal it may still be about one: of the same company, or with the same contact.
    loose = {row[0] for row in concerned if row[2] is None}
    deal_ids = set(
        ids_by_crm_id(
            conn, context.connection_id, {row[2] for row in concerned if row[2] is not None}
        ).values()
    )
    companies = {row[3] for row in concerned if row[0] in loose and row[3] is not None}
    contacts = {
        ids.of("contacts", crm_id)
        for activity in activities
        if activity.crm_id in loose
        for crm_id in activity.contact_crm_ids
    }
    deal_ids |= _deals_of_companies(conn, context, companies)
    deal_ids |= _deals_of_contacts(conn, context, contacts)
    raise_generation(conn, context.connection_id, deal_ids)


def _activity_row(context: Context, activity: ActivityRecord) -> Row:
    return (
        activity.crm_id,
        ACTIVITY_KINDS.index(activity.kind),
        activity.deal_crm_id,
        activity.company_crm_id,
        context.ids.of("people", activity.owner_crm_id),
        to_micros(activity.at),
        to_micros(activity.logged_at),
        DIRECTIONS.index(activity.direction),
        activity.is_held,
        activity.is_two_way,
        activity.minutes,
        activity.key,
        context.seen_at if activity.is_deleted else None,
    )


def _store_takers(
    conn: sa.Connection, context: Context, activities: Sequence[ActivityRecord]
) -> set[str]:
    """Store who took part; gives the activities (crm_id) where that changed."""
    named = {activity.crm_id: activity.contact_crm_ids for activity in activities}
    own = select_in(conn, ACTIVITIES, ("crm_id", "id"), context.connection_id, values=set(named))
    crm_ids = {row[1]: row[0] for row in own}
    links = ("activity_id", "contact_id")
    present = set(
        select_in(conn, ACTIVITY_CONTACTS, links, context.connection_id, values=set(crm_ids))
    )
    wanted = {
        (activity_id, context.ids.of("contacts", contact))
        for activity_id, crm_id in crm_ids.items()
        for contact in named[crm_id]
    }
    for activity_id, contact_id in present - wanted:
        conn.execute(
            sa.delete(ACTIVITY_CONTACTS).where(
                ACTIVITY_CONTACTS.c.activity_id == activity_id,
                ACTIVITY_CONTACTS.c.contact_id == contact_id,
            )
        )
    if new := wanted - present:
        conn.execute(
            sa.insert(ACTIVITY_CONTACTS),
            [
                {"connection_id": context.connection_id, **dict(zip(links, link, strict=True))}
                for link in sorted(new)
            ],
        )
    return {crm_ids[activity_id] for activity_id, _ in present ^ wanted}


def _deals_of_companies(
    conn: sa.Connection, context: Context, crm_ids: Collection[str]
) -> set[int]:
    here = context.connection_id
    company_ids = {
        row[1] for row in select_in(conn, COMPANIES, ("crm_id", "id"), here, values=crm_ids)
    }
    return {
        row[1] for row in select_in(conn, DEALS, ("company_id", "id"), here, values=company_ids)
    }


def _deals_of_contacts(
    conn: sa.Connection, context: Context, contact_ids: Collection[int | None]
) -> set[int]:
    here = context.connection_id
    columns = ("contact_id", "deal_crm_id")
    named = {row[1] for row in select_in(conn, CONTACT_ROLES, columns, here, values=contact_ids)}
    return set(ids_by_crm_id(conn, here, named).values())


def store_contacts(conn: sa.Connection, context: Context, roles: Sequence[ContactRecord]) -> None:
    """Contacts' roles on deals; a changed or deleted role ends its period."""
    titles = [(role.contact_crm_id, role.title) for role in roles if not role.is_deleted]
    written = merge(conn, _CONTACT, titles, connection_id=context.connection_id)
    context.ids.reload(conn, "contacts", (title[0] for title in titles))
    context.ids.learn(conn, "contacts", (role.contact_crm_id for role in roles))
    retitled = {after[0] for _, after in written.updated}
    here, values = context.connection_id, {role.crm_id for role in roles}
    standing = {
        row[0]: row
        for row in select_in(conn, CONTACT_ROLES, _ROLE, here, values=values)
        if row[-1] is None
    }
    known = {row[0] for row in select_in(conn, CONTACT_ROLES, ("crm_id",), here, values=values)}
    touched = {role.deal_crm_id for role in roles if role.contact_crm_id in retitled}
    begun: list[Row] = []
    for role in {role.crm_id: role for role in roles}.values():
        before = standing.get(role.crm_id)
        after = _role_values(context, role)
        if after == (None if before is None else (*before[2:5], bool(before[5]))):
            continue
        touched.add(role.deal_crm_id)
        if before is not None:
            touched.add(before[2])
            _end_role(conn, context, before[1])
        if after is not None:
            since = context.seen_at if role.crm_id in known else context.since
            begun.append((role.crm_id, since, *after, None))
    merge(conn, _ROLE_PERIOD, begun, connection_id=here)
    context.tally.inserted += len({row[0] for row in begun} - known)
    raise_generation(conn, here, set(ids_by_crm_id(conn, here, touched).values()))


def end_roles(
    conn: sa.Connection,
    context: Context,
    *,
    deal_crm_ids: Collection[str],
    told: Collection[str],
) -> None:
    """End the roles on these deals that are not among those told: the CRM has no word for it."""
    here, columns = context.connection_id, ("deal_crm_id", "crm_id", "id", "valid_to")
    found = select_in(conn, CONTACT_ROLES, columns, here, values=deal_crm_ids)
    lost = [row for row in found if row[3] is None and row[1] not in told]
    for row in lost:
        _end_role(conn, context, row[2])
    raise_generation(conn, here, set(ids_by_crm_id(conn, here, {row[0] for row in lost}).values()))


def _role_values(context: Context, role: ContactRecord) -> Row | None:
    if role.is_deleted:
        return None
    contact_id = context.ids.of("contacts", role.contact_crm_id)
    return (role.deal_crm_id, contact_id, role.role, role.is_primary)


def _end_role(conn: sa.Connection, context: Context, period_id: int) -> None:
    """End a period now; one that began now is as if it had not been."""
    mine, seen_at = CONTACT_ROLES.c.id == period_id, from_micros(context.seen_at)
    conn.execute(sa.delete(CONTACT_ROLES).where(mine, CONTACT_ROLES.c.valid_from == seen_at))
    conn.execute(sa.update(CONTACT_ROLES).where(mine).values(valid_to=seen_at))
    context.tally.updated += 1
