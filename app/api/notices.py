"""GET /v1/notices."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.access import ConnectionOf, PartsOf
from app.api.schemas import Items, Notice
from app.services.notices import list_notices

ROUTER = APIRouter(tags=["notices"])

MOST = 1000


@ROUTER.get("/notices")
def notices(
    *,
    parts: PartsOf,
    row: ConnectionOf,
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most.")] = 100,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Items[Notice]:
    """Whole incidents of one connection that are no flag, newest first."""
    page = list_notices(parts.db, row.id, limit=limit, after=after)
    return Items[Notice].model_validate(page.as_json())
