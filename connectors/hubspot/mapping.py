"""Rows of HubSpot's API to records. Property values are strings, an empty one means none."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from connectors.hubspot.structure import Structure
from connectors.records import (
    MONEY_SCALE,
    CompanyRecord,
    ContactRecord,
    DealRecord,
    ForecastCategory,
)

_FORECASTS: Mapping[str, ForecastCategory] = {
    "OMIT": "omitted",
    "PIPELINE": "pipeline",
    "BEST_CASE": "best_case",
    "MOST_LIKELY": "most_likely",
    "COMMIT": "commit",
    "CLOSED": "closed",
}
_MOST = 2**63
_MS = 1000


def instant(text: str) -> datetime:
    """`2026-01-01T00:00:00.000Z`, or milliseconds since 1970, as an aware datetime."""
    if text.lstrip("-").isdigit():
        return datetime.fromtimestamp(int(text) / _MS, UTC)
    return datetime.fromisoformat(text)


def day(text: str | None, zone: ZoneInfo) -> date | None:
    """The day that a stored instant shows in the portal's zone; a plain date stays."""
    if not text:
        return None
    if len(text) == len("2026-01-01"):
        return date.fromisoformat(text)
    return instant(text).astimezone(zone).date()


def money(text: str | None) -> int | None:
    """A number as an int in 1/10,000; None where it is none or can't be one."""
    try:
        value = Decimal(text or "nan")
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    scaled = int((value * MONEY_SCALE).to_integral_value())
    return scaled if abs(scaled) < _MOST else None


def forecast(text: str | None) -> ForecastCategory | None:
    """A forecast category by HubSpot's internal value; a portal's own one is unknown."""
    return _FORECASTS.get((text or "").upper())


def deal(
    row: Mapping[str, Any], *, structure: Structure, created_at: datetime, company: str | None
) -> DealRecord:
    """A deal. `created_at`: the earliest that its row and its history tell."""
    told = row["properties"]
    stage = structure.stage(told.get("dealstage"))
    is_won = stage.is_won if stage else told.get("hs_is_closed_won") == "true"
    is_closed = stage.is_closed if stage else told.get("hs_is_closed") == "true"
    return DealRecord(
        crm_id=str(row["id"]),
        name=told.get("dealname") or "",
        pipeline_crm_id=told.get("pipeline") or "default",
        stage_crm_id=told.get("dealstage") or "none",
        created_at=created_at,
        modified_at=modified_at(row),
        amount=money(told.get("amount")),
        currency=told.get("deal_currency_code") or None,
        close_on=day(told.get("closedate"), ZoneInfo(structure.time_zone())),
        owner_crm_id=told.get("hubspot_owner_id") or None,
        created_by_crm_id=structure.owner_of(told.get("hs_created_by_user_id")),
        company_crm_id=company,
        deal_type=told.get("dealtype") or None,
        lead_source=told.get("lead_source") or told.get("hs_analytics_source") or None,
        next_step=told.get("hs_next_step") or None,
        forecast=forecast(told.get("hs_manual_forecast_category")),
        is_closed=is_closed,
        is_won=is_closed and is_won,
        is_deleted=bool(row.get("archived")),
    )


def modified_at(row: Mapping[str, Any]) -> datetime:
    """The last change of a row, of its archiving too."""
    told = [row.get("updatedAt"), row["properties"].get("hs_lastmodifieddate")]
    told.append(row.get("archivedAt") if row.get("archived") else None)
    return max(instant(text) for text in told if text)


def merged_ids(row: Mapping[str, Any]) -> Sequence[str]:
    """The ids of the deals that were merged into this one, other than its own."""
    told = (row["properties"].get("hs_merged_object_ids") or "").split(";")
    return [crm_id for crm_id in dict.fromkeys(told) if crm_id and crm_id != str(row["id"])]


def company(row: Mapping[str, Any]) -> CompanyRecord:
    """A company; one without a name by its domain."""
    told = row["properties"]
    return CompanyRecord(crm_id=str(row["id"]), name=told.get("name") or told.get("domain") or "")


def contact(
    deal_id: str, contact_id: str, *, labels: Sequence[str], title: str | None
) -> ContactRecord:
    """A contact's association with a deal; its role is the portal's own label, if it has one."""
    return ContactRecord(
        crm_id=f"{deal_id}:{contact_id}",
        deal_crm_id=deal_id,
        contact_crm_id=contact_id,
        role=", ".join(sorted(labels)) or None,
        title=title,
    )
