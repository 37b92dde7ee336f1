"""GET /v1/connections."""

from fastapi import APIRouter

from app.api.access import PartsOf
from app.api.schemas import Connection, Items
from app.store import connections

ROUTER = APIRouter(tags=["connections"])


@ROUTER.get("/connections")
def list_connections(parts: PartsOf) -> Items[Connection]:
    """The CRM accounts that Forestage serves."""
    with parts.db.read() as conn:
        rows = connections.list_all(conn)
    return Items(items=[Connection.of(row) for row in rows], next=None)
