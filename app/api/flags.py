"""GET /v1/flags and /v1/flags/{id}."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from app.api.access import ConnectionOf, PartsOf
from app.api.problems import Problem
from app.api.schemas import Flag, Items
from app.services import flags

ROUTER = APIRouter(tags=["flags"])

MOST = 1000
Status = Literal["open", "acknowledged", "snoozed", "dismissed", "resolved", "expired"]
Severity = Literal["info", "warning", "critical"]


def filters_of(
    *,
    status: Annotated[
        list[Status] | None, Query(description="Repeatable; by default what stands.")
    ] = None,
    rule: Annotated[str | None, Query(description="A rule's slug.")] = None,
    severity: Annotated[Severity | None, Query(description="Just this severity.")] = None,
    owner: Annotated[
        str | None, Query(description="The owner's name, or their id in the CRM.")
    ] = None,
    deal: Annotated[str | None, Query(description="Our id of a deal, or the CRM's.")] = None,
) -> flags.FlagFilters:
    """What the list is limited to."""
    return flags.FlagFilters(status=status, rule=rule, severity=severity, owner=owner, deal=deal)


@ROUTER.get("/flags")
def list_flags(
    *,
    parts: PartsOf,
    row: ConnectionOf,
    filters: Annotated[flags.FlagFilters, Depends(filters_of)],
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most.")] = 100,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Items[Flag]:
    """Flags of one connection by rank, best first; by default all that stand, held ones too."""
    page = flags.list_flags(parts.db, row.id, filters=filters, limit=limit, after=after)
    return Items[Flag].model_validate(page.as_json())


@ROUTER.get("/flags/{flag_id}", responses={404: {"model": Problem}})
def flag(flag_id: Annotated[str, Path(description="Its id.")], parts: PartsOf) -> Flag:
    """One flag."""
    return Flag.model_validate(flags.get_flag(parts.db, flag_id).as_json())
