"""People and who manages whom, since when."""

from dataclasses import dataclass

import sqlalchemy as sa

from app.errors import NotFound
from app.store.columns import METADATA, Instant, Key

PEOPLE = sa.Table(
    "people",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("crm_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("role_name", sa.Text),
    sa.Column("time_zone", sa.String(64)),
    sa.Column("is_integration", sa.Boolean, nullable=False),
    sa.UniqueConstraint("connection_id", "crm_id"),
    sa.UniqueConstraint("connection_id", "id"),
)

MANAGEMENT_PERIODS = sa.Table(
    "management_periods",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "connection_id", Key, sa.ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("person_id", Key, nullable=False),
    sa.Column("manager_id", Key, nullable=False),
    sa.Column("basis", sa.String(16), nullable=False),  # assumed | observed
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant),
    sa.UniqueConstraint("connection_id", "person_id", "valid_from"),
    sa.ForeignKeyConstraint(["connection_id", "person_id"], ["people.connection_id", "people.id"]),
    sa.ForeignKeyConstraint(["connection_id", "manager_id"], ["people.connection_id", "people.id"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A person, with who manages them now (an id of ours)."""

    id: int
    crm_id: str
    name: str
    email: str | None
    is_active: bool
    role_name: str | None
    time_zone: str | None
    is_integration: bool
    manager_id: int | None


def list_all(conn: sa.Connection, connection_id: int) -> list[PersonRow]:
    """All people of a connection, by id."""
    standing = (MANAGEMENT_PERIODS.c.person_id == PEOPLE.c.id) & (
        MANAGEMENT_PERIODS.c.valid_to.is_(None)
    )
    query = (
        sa.select(
            *(PEOPLE.c[name] for name in PersonRow.__slots__ if name in PEOPLE.c),
            MANAGEMENT_PERIODS.c.manager_id,
        )
        .select_from(PEOPLE)
        .outerjoin(MANAGEMENT_PERIODS, standing)
        .where(PEOPLE.c.connection_id == connection_id)
        .order_by(PEOPLE.c.id)
    )
    return [PersonRow(**row) for row in conn.execute(query).mappings()]


def get(conn: sa.Connection, connection_id: int, person_id: int) -> PersonRow:
    """One person, by our id."""
    for person in list_all(conn, connection_id):
        if person.id == person_id:
            return person
    raise NotFound(f"there is no person {person_id}")
