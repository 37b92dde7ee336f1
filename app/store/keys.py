"""API keys: a prefix to find one, a hash to check it. The key itself is shown once."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.errors import Conflict, NotFound
from app.store.columns import METADATA, Instant, Key

API_KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("prefix", sa.String(16), nullable=False, unique=True),
    sa.Column("hash", sa.String(64), nullable=False),  # sha256 of the whole key, hex
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One API key, as stored."""

    id: int
    name: str
    prefix: str
    hash: str
    created_at: datetime
    last_used_at: datetime | None


def create(conn: sa.Connection, *, name: str, prefix: str, hashed: str, at: datetime) -> None:
    """Store a key. Conflict where the name is taken."""
    if conn.scalar(sa.select(API_KEYS.c.id).where(API_KEYS.c.name == name)) is not None:
        raise Conflict(f"there is a key named {name!r} already; remove it or choose another name")
    conn.execute(API_KEYS.insert().values(name=name, prefix=prefix, hash=hashed, created_at=at))


def list_all(conn: sa.Connection) -> list[KeyRow]:
    """All keys, oldest first."""
    return [KeyRow(*row) for row in conn.execute(sa.select(API_KEYS).order_by(API_KEYS.c.id))]


def by_prefix(conn: sa.Connection, prefix: str) -> KeyRow | None:
    """The key with this prefix."""
    row = conn.execute(sa.select(API_KEYS).where(API_KEYS.c.prefix == prefix)).first()
    return None if row is None else KeyRow(*row)


def remove(conn: sa.Connection, name: str) -> None:
    """Forget a key, so that it is refused from now on."""
    if conn.execute(API_KEYS.delete().where(API_KEYS.c.name == name)).rowcount == 0:
        raise NotFound(f"no key is named {name!r}")
