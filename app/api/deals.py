"""GET /v1/deals/{id}."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.access import PartsOf
from app.api.problems import Problem
from app.api.schemas import Deal
from app.services import connect
from app.services.deals import get_deal
from app.store.ids import parse_deal_ref

ROUTER = APIRouter(tags=["deals"])


@ROUTER.get("/deals/{deal_id}", responses={404: {"model": Problem}})
def deal(
    deal_id: Annotated[str, Path(description="Our id of the deal, or the CRM's.")],
    parts: PartsOf,
    connection: Annotated[
        str | None, Query(description="Its name; for the CRM's id where there are several.")
    ] = None,
) -> Deal:
    """One deal with its flags and its timeline, oldest first."""
    is_ours = parse_deal_ref(deal_id) is not None
    within = None if is_ours else connect.chosen(parts, connection).id
    return Deal.model_validate(get_deal(parts.db, deal_id, connection_id=within).as_json())
