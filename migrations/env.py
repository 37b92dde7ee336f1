"""How Alembic reaches the store. The connection is given, or made for a bare `alembic`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext

from app.store import schema
from app.store.columns import Day, Instant
from app.store.database import Database, url_from_environment


def name_by_date(
    _context: MigrationContext, _revision: Any, directives: list[MigrationScript]
) -> None:
    """A new revision is named by its date and message: 2026_11_21_first."""
    for script in directives:
        slug = re.sub(r"\W+", "_", script.message or "unnamed").strip("_").lower()
        script.rev_id = f"{datetime.now(UTC):%Y_%m_%d}_{slug}"[:32]


def stored_type(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Migrations speak of plain types: what the product's own become must not change them."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(item, Day):
        return "sa.Integer()"
    return False


def run(conn: sa.Connection) -> None:
    """Run the migrations within the connection's transaction."""
    context.configure(
        connection=conn,
        target_metadata=schema.METADATA,
        render_as_batch=True,
        transactional_ddl=True,
        render_item=stored_type,
        process_revision_directives=name_by_date,
    )
    context.run_migrations()


def connections() -> Iterable[sa.Connection]:
    """The given connection, else one of our own."""
    if (given := context.config.attributes.get("connection")) is not None:
        yield given
        return
    database = Database(url_from_environment())
    try:
        with database.migrating() as conn:
            yield conn
    finally:
        database.close()


for connection in connections():
    run(connection)
