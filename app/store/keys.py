"""API keys: a prefix to find one, a hash to check it. The key itself is shown once."""

import sqlalchemy as sa

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
