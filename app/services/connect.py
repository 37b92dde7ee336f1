"""Connections: add, replace the credentials of, and remove a CRM account."""

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.errors import BadInput, Conflict, NotFound
from app.services.parts import Parts
from app.store import connections
from app.store.connections import CONNECTIONS, ConnectionRow
from app.store.schema import METADATA
from connectors.keeping import Unshared

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def add(
    parts: Parts,
    name: str,
    crm: str,
    *,
    config: Mapping[str, Any],
    secret: Mapping[str, str],
    replace: bool = False,
) -> ConnectionRow:
    """Store a connection once its CRM has answered; it starts in `observe`.

    `replace` gives an existing one new credentials; the account must be the same, and what
    `config` does not name stays.
    """
    check_name(name)
    present = _find(parts, name)
    if present is not None and not replace:
        raise Conflict(f"there is a connection {name!r} already; --replace renews its credentials")
    config = {**(present.config if present else {}), **config}
    given = Unshared(secret)
    account = parts.open_crm(crm, config, secret, keeper=given).reader().account()
    if present is not None and present.account_crm_id not in (None, account.crm_id):
        raise Conflict(
            f"{name!r} is the account {present.account_name}, these credentials open "
            f"{account.name}: histories of two accounts never mix; choose another name"
        )
    now = parts.clock.now()
    sealed = parts.secrets().seal(given.secret) if secret else None
    with parts.db.write() as conn:
        connection_id = (
            present.id
            if present is not None
            else connections.create(conn, name=name, crm=crm, config=config, secret=sealed, at=now)
        )
        connections.update(
            conn,
            connection_id,
            config=config,
            secret=sealed,
            account_crm_id=account.crm_id,
            account_name=account.name,
            time_zone=account.time_zone,
            home_currency=account.home_currency,
            fiscal_start_month=account.fiscal_year_start_month,
            crm_seen_at=account.now,
            crm_seen_by_us_at=now,
        )
        return connections.get(conn, name)


def chosen(parts: Parts, name: str | None) -> ConnectionRow:
    """The named connection, or the only one there is; BadInput where that is not clear."""
    with parts.db.read() as conn:
        if name is not None:
            return connections.get(conn, name)
        rows = connections.list_all(conn)
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise BadInput("connection", "there is none yet; see `forestage connections add --help`")
    raise BadInput("connection", f"say which: {', '.join(row.name for row in rows)}")


def check_name(name: str) -> None:
    """BadInput unless `name` can name a connection."""
    if not _NAME.fullmatch(name):
        raise BadInput("name", "lower-case letters, digits, - and _, at most 64")


def _find(parts: Parts, name: str) -> ConnectionRow | None:
    with parts.db.read() as conn:
        try:
            return connections.get(conn, name)
        except NotFound:
            return None


def remove(parts: Parts, name: str) -> None:
    """Forget a connection with everything read through it; the CRM stays as it is."""
    with parts.db.write() as conn:
        connection_id = connections.get(conn, name).id
        for table in reversed(METADATA.sorted_tables):
            if "connection_id" in table.c:
                conn.execute(sa.delete(table).where(table.c.connection_id == connection_id))
        conn.execute(sa.delete(CONNECTIONS).where(CONNECTIONS.c.id == connection_id))
