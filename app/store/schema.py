"""All tables, imported so that METADATA is whole; a new table family is added here."""

from app.store import (
    activities,
    calls,
    connections,
    deals,
    flags,
    keys,
    ledger,
    limits,
    notices,
    outbox,
    people,
    runs,
    tasks,
)
from app.store.columns import METADATA

FAMILIES = (
    activities,
    calls,
    connections,
    deals,
    flags,
    keys,
    ledger,
    limits,
    notices,
    outbox,
    people,
    runs,
    tasks,
)

__all__ = ["FAMILIES", "METADATA"]
