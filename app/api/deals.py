"""GET /v1/deals/{id}."""

from fastapi import APIRouter

from app.api.access import ConnectionOf, PartsOf
from app.api.problems import Problem
from app.api.schemas import Deal
from app.services.deals import get_deal

ROUTER = APIRouter(tags=["deals"])


@ROUTER.get("/deals/{deal_id}", responses={404: {"model": Problem}})
def deal(deal_id: str, parts: PartsOf, row: ConnectionOf) -> Deal:
    """One deal, by our id or the CRM's, with its flags and its timeline, oldest first."""
    return Deal.model_validate(get_deal(parts.db, deal_id, connection_id=row.id).as_json())
