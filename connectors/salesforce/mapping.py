"""Rows of Salesforce's REST API to records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from connectors.records import (
    MONEY_SCALE,
    ChangeField,
    ChangeRecord,
    ChangeValue,
    CompanyRecord,
    ContactRecord,
    DealRecord,
    ForecastCategory,
)

MASTER_RECORD_TYPE = "012000000000000AAA"
# A history row this soon after the deal's own creation is the row of its creation.
CREATION_SLACK = timedelta(seconds=5)

# The enum of ForecastCategory and the labels of ForecastCategoryName, folded.
_FORECASTS: Mapping[str, ForecastCategory] = {
    "omitted": "omitted",
    "pipeline": "pipeline",
    "bestcase": "best_case",
    "mostlikely": "most_likely",
    "forecast": "commit",
    "commit": "commit",
    "closed": "closed",
}
_HISTORY_FIELDS: tuple[tuple[ChangeField, str], ...] = (
    ("stage", "StageName"),
    ("close_date", "CloseDate"),
    ("amount", "Amount"),
    ("forecast", "ForecastCategory"),
)
_by_time = itemgetter("CreatedDate", "Id")


def instant(text: str) -> datetime:
    """`2026-01-01T00:00:00.000+0000` as an aware datetime."""
    return datetime.fromisoformat(text)


def day(text: str | None) -> date | None:
    """`2026-01-01` as a day; None stays None."""
    return date.fromisoformat(text) if text else None


def money(value: float | None) -> int | None:
    """A JSON number as an int in 1/10,000: by its decimal digits, never by its binary value."""
    if value is None:
        return None
    return int((Decimal(repr(value)) * MONEY_SCALE).to_integral_value())


@lru_cache(maxsize=256)
def forecast(name: str | None) -> ForecastCategory | None:
    """A forecast category by its enum or its standard label; a renamed label is unknown."""
    return _FORECASTS.get(name.replace(" ", "").casefold()) if name else None


def forecast_of(row: Mapping[str, Any]) -> ForecastCategory | None:
    """The category of an Opportunity or OpportunityStage row, by whichever field it has."""
    return forecast(row.get("ForecastCategory")) or forecast(row.get("ForecastCategoryName"))


def company(row: Mapping[str, Any]) -> CompanyRecord:
    """An Account row."""
    return CompanyRecord(crm_id=row["Id"], name=row["Name"] or "")


def deal(row: Mapping[str, Any]) -> DealRecord:
    """An Opportunity row. Without record types every deal is in the master's pipeline."""
    return DealRecord(
        crm_id=row["Id"],
        name=row["Name"],
        pipeline_crm_id=row.get("RecordTypeId") or MASTER_RECORD_TYPE,
        stage_crm_id=row["StageName"],
        created_at=instant(row["CreatedDate"]),
        modified_at=instant(row["SystemModstamp"]),
        amount=money(row.get("Amount")),
        currency=row.get("CurrencyIsoCode"),
        close_on=day(row.get("CloseDate")),
        owner_crm_id=row.get("OwnerId"),
        created_by_crm_id=row.get("CreatedById"),
        modified_by_crm_id=row.get("LastModifiedById"),
        company_crm_id=row.get("AccountId"),
        deal_type=row.get("Type"),
        lead_source=row.get("LeadSource"),
        next_step=row.get("NextStep"),
        forecast=forecast_of(row),
        is_closed=row["IsClosed"],
        is_won=row["IsWon"],
        is_deleted=row["IsDeleted"],
        is_private=bool(row.get("IsPrivate")),
    )


def contact(row: Mapping[str, Any]) -> ContactRecord:
    """An OpportunityContactRole row."""
    return ContactRecord(
        crm_id=row["Id"],
        deal_crm_id=row["OpportunityId"],
        contact_crm_id=row["ContactId"],
        role=row.get("Role"),
        title=(row.get("Contact") or {}).get("Title"),
        is_primary=bool(row.get("IsPrimary")),
        is_deleted=row["IsDeleted"],
    )


def changes(
    opportunity: Mapping[str, Any], history: Iterable[Mapping[str, Any]]
) -> list[ChangeRecord]:
    """The changes of one deal, from its Opportunity row and its OpportunityHistory rows.

    A history row holds the values after a save and no earlier ones, so each is compared
    with the one before it, by time and id. Each field's first change stands at the
    deal's creation with `old` None; where no row was written then, one is made from the
    first row's `Prev` values, or from the deal itself when it has no row at all. A
    field that the user may not read yields nothing.
    """
    unique = {row["Id"]: row for row in history}
    rows: list[Mapping[str, Any]] = sorted(unique.values(), key=_by_time)
    first = _first(opportunity, rows)
    if not rows or first is not rows[0]:
        rows.insert(0, first)
    created_at = min(instant(opportunity["CreatedDate"]), instant(rows[0]["CreatedDate"]))
    return [
        change
        for field, column in _HISTORY_FIELDS
        if column in rows[0]
        for change in _of_field(rows, field=field, column=column, created_at=created_at)
    ]


def _first(opportunity: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The row of the deal's creation: the first of `rows`, else one made for it."""
    created_at = opportunity["CreatedDate"]
    if rows and instant(rows[0]["CreatedDate"]) - instant(created_at) <= CREATION_SLACK:
        return rows[0]
    base = rows[0] if rows else opportunity
    made = {
        **{column: base[column] for _, column in _HISTORY_FIELDS if column in base},
        "Id": f"{opportunity['Id']}:created",
        "CreatedDate": created_at,
        "CreatedById": opportunity.get("CreatedById"),
    }
    if base.get("PrevCloseDate"):
        made["CloseDate"] = base["PrevCloseDate"]
    if base.get("PrevAmount") is not None:
        made["Amount"] = base["PrevAmount"]
    return made


def _of_field(
    rows: Sequence[Mapping[str, Any]], *, field: ChangeField, column: str, created_at: datetime
) -> Iterable[ChangeRecord]:
    old: ChangeValue = None
    for position, row in enumerate(rows):
        new = _value(field, row.get(column))
        if position and new == old:
            continue
        yield ChangeRecord(
            deal_crm_id=row.get("OpportunityId") or row["Id"].partition(":")[0],
            field=field,
            at=instant(row["CreatedDate"]) if position else created_at,
            old=old,
            new=new,
            source_ref=row["Id"],
            by_crm_id=row.get("CreatedById"),
        )
        old = new


def _value(field: ChangeField, raw: Any) -> ChangeValue:
    match field:
        case "close_date":
            return day(raw)
        case "amount":
            return money(raw)
        case "forecast":
            return forecast(raw)
        case _:
            return None if raw is None else str(raw)
