"""What Salesforce does by itself when an opportunity is saved."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from connectors.sandbox.salesforce import field_history
from connectors.sandbox.salesforce.errors import ApiError
from connectors.sandbox.salesforce.values import Row

_TRACKED = ("Amount", "Probability", "StageName", "CloseDate")
_CODE_OF_NAME = {"Best Case": "BestCase", "Commit": "Forecast"}
_MONTHS_IN_YEAR = 12
_MONTHS_IN_QUARTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """What a stage brings to an opportunity."""

    probability: float
    forecast_code: str
    forecast_name: str
    is_closed: bool
    is_won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveContext:
    """The organisation's settings that a save depends on."""

    stage: Callable[[str], StageRow]
    fiscal_year_start_month: Callable[[], int]
    new_history_id: Callable[[], str]
    blank_history: Callable[[], Row]
    tracking: Callable[[], field_history.Tracking | None]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save changes: columns of the opportunity, its history row if one is due, and the
    rows of field history that it leaves.
    """

    changes: Row
    history: Row | None
    tracked: list[Row]


def no_such_stage(label: str) -> ApiError:
    """A stage that the organisation does not have."""
    return ApiError(
        400,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"Stage: bad value for restricted picklist field: {label}",
        fields=["StageName"],
    )


def months_moved(old: str, new: str) -> int:
    """Calendar months between two days, 0 inside one month."""
    before, after = date.fromisoformat(old), date.fromisoformat(new)
    return (after.year - before.year) * _MONTHS_IN_YEAR + after.month - before.month


def fiscal(close_on: str, start_month: int) -> Row:
    """The fiscal period of a day; a fiscal year is named after the year it ends in."""
    day = date.fromisoformat(close_on)
    month = (day.month - start_month) % _MONTHS_IN_YEAR
    year = day.year + (1 if start_month > 1 and day.month >= start_month else 0)
    quarter = month // _MONTHS_IN_QUARTER + 1
    return {"FiscalYear": year, "FiscalQuarter": quarter, "Fiscal": f"{year} {quarter}"}


def save(old: Row | None, patch: Row, *, at: str, by: str, context: SaveContext) -> Saved:
    """The consequences of saving `patch` (stored values) over `old` (None: a new record,
    whose whole row `patch` is) at the instant `at` by the user `by`.
    """
    row = {**old, **patch} if old is not None else patch
    changes = dict(patch)
    if old is None or row["StageName"] != old["StageName"]:
        changes |= _enter_stage(old, row, patch, at=at, context=context)
    if patch.get("ForecastCategoryName"):
        name = str(patch["ForecastCategoryName"])
        changes["ForecastCategory"] = _CODE_OF_NAME.get(name, name)
    row.update(changes)
    changes |= _amounts(row)
    if old is None or row["CloseDate"] != old["CloseDate"]:
        changes |= fiscal(str(row["CloseDate"]), context.fiscal_year_start_month())
    if old is not None and months_moved(str(old["CloseDate"]), str(row["CloseDate"])) >= 1:
        changes["PushCount"] = (old["PushCount"] or 0) + 1
    changes |= {"LastModifiedDate": at, "LastModifiedById": by, "SystemModstamp": at}
    row.update(changes)
    history = None
    if old is None or any(row[name] != old[name] for name in _TRACKED):
        history = _history(old, row, at=at, by=by, context=context)
        changes["_LastHistoryId"] = history["Id"]
        if old is not None and row["Amount"] != old["Amount"]:
            changes["LastAmountChangedHistoryId"] = history["Id"]
        if old is not None and row["CloseDate"] != old["CloseDate"]:
            changes["LastCloseDateChangedHistoryId"] = history["Id"]
    tracked = field_history.rows(old, row, at=at, by=by, tracking=context.tracking())
    return Saved(changes, history, tracked)


def _enter_stage(old: Row | None, row: Row, patch: Row, *, at: str, context: SaveContext) -> Row:
    stage = context.stage(str(row["StageName"]))
    changes: Row = {"IsClosed": int(stage.is_closed), "IsWon": int(stage.is_won)}
    if patch.get("Probability") is None:
        changes["Probability"] = stage.probability
    if not patch.get("ForecastCategoryName"):
        changes["ForecastCategory"] = stage.forecast_code
        changes["ForecastCategoryName"] = stage.forecast_name
    if old is not None:
        changes["LastStageChangeDate"] = at
    today = at[:10]
    if stage.is_won and str(row["CloseDate"]) > today:
        changes["CloseDate"] = today
    return changes


def _amounts(row: Row) -> Row:
    if row["Amount"] is None or row["Probability"] is None:
        return {"ExpectedRevenue": None}
    return {"ExpectedRevenue": round(row["Amount"] * row["Probability"] / 100, 2)}


def _history(old: Row | None, row: Row, *, at: str, by: str, context: SaveContext) -> Row:
    history = context.blank_history()
    history |= {
        "Id": context.new_history_id(),
        "OpportunityId": row["Id"],
        "StageName": row["StageName"],
        "Amount": row["Amount"],
        "ExpectedRevenue": row["ExpectedRevenue"],
        "CloseDate": row["CloseDate"],
        "Probability": row["Probability"],
        "ForecastCategory": row["ForecastCategory"],
        "CurrencyIsoCode": row["CurrencyIsoCode"],
        "PrevAmount": old["Amount"] if old is not None else None,
        "PrevCloseDate": old["CloseDate"] if old is not None else None,
        "CreatedDate": at,
        "CreatedById": by,
        "SystemModstamp": at,
    }
    return history
