"""What Salesforce does by itself when an opportunity is saved."""

from itertools import count
from typing import Any

import pytest

from connectors.sandbox.salesforce.effects import (
    SaveContext,
    Saved,
    StageRow,
    fiscal,
    months_moved,
    save,
)
from connectors.sandbox.salesforce.values import Row

NOON = "2026-05-20T12:00:00.000+0000"
LATER = "2026-05-21T12:00:00.000+0000"
STAGES = {
    "Prospecting": StageRow(
        probability=10.0,
        forecast_code="Pipeline",
        forecast_name="Pipeline",
        is_closed=False,
        is_won=False,
    ),
    "Proposal": StageRow(
        probability=60.0,
        forecast_code="Forecast",
        forecast_name="Commit",
        is_closed=False,
        is_won=False,
    ),
    "Closed Won": StageRow(
        probability=100.0,
        forecast_code="Closed",
        forecast_name="Closed",
        is_closed=True,
        is_won=True,
    ),
    "Closed Lost": StageRow(
        probability=0.0,
        forecast_code="Omitted",
        forecast_name="Omitted",
        is_closed=True,
        is_won=False,
    ),
}


@pytest.fixture
def context() -> SaveContext:
    numbers = count(1)
    return SaveContext(
        stage=STAGES.__getitem__,
        fiscal_year_start_month=lambda: 2,
        new_history_id=lambda: f"008-{next(numbers)}",
        blank_history=dict,
        tracking=lambda: None,
    )


def new_deal(context: SaveContext, **values: Any) -> tuple[Row, Saved]:
    row: Row = {
        "Id": "006-1",
        "StageName": "Prospecting",
        "CloseDate": "2026-08-31",
        "Amount": 1000.0,
        "Probability": None,
        "ForecastCategoryName": None,
        "CurrencyIsoCode": "USD",
        "PushCount": 0,
        "LastStageChangeDate": None,
        "_LastHistoryId": None,
        **values,
    }
    saved = save(None, row, at=NOON, by="005-1", context=context)
    return row | saved.changes, saved


def test_a_new_deal_gets_its_stages_values_and_a_first_history_row(context: SaveContext) -> None:
    row, saved = new_deal(context)
    assert (row["Probability"], row["ForecastCategory"], row["IsClosed"]) == (10.0, "Pipeline", 0)
    assert row["ExpectedRevenue"] == 100.0
    assert row["LastStageChangeDate"] is None
    assert saved.history == {
        "Id": "008-1",
        "OpportunityId": "006-1",
        "StageName": "Prospecting",
        "Amount": 1000.0,
        "ExpectedRevenue": 100.0,
        "CloseDate": "2026-08-31",
        "Probability": 10.0,
        "ForecastCategory": "Pipeline",
        "CurrencyIsoCode": "USD",
        "PrevAmount": None,
        "PrevCloseDate": None,
        "CreatedDate": NOON,
        "CreatedById": "005-1",
        "SystemModstamp": NOON,
    }


def test_one_save_of_several_fields_is_one_history_row_with_the_values_after_it(
    context: SaveContext,
) -> None:
    row, _ = new_deal(context)
    patch = {"StageName": "Proposal", "CloseDate": "2026-09-30", "Amount": 2000.0}
    saved = save(row, patch, at=LATER, by="005-2", context=context)
    assert saved.history is not None
    assert saved.history["StageName"] == "Proposal"
    assert (saved.history["PrevAmount"], saved.history["Amount"]) == (1000.0, 2000.0)
    assert saved.history["PrevCloseDate"] == "2026-08-31"
    assert saved.changes["LastStageChangeDate"] == LATER
    assert saved.changes["LastModifiedById"] == "005-2"
    assert saved.changes["LastAmountChangedHistoryId"] == saved.history["Id"]
    assert saved.changes["LastCloseDateChangedHistoryId"] == saved.history["Id"]
    assert saved.changes["PushCount"] == 1


@pytest.mark.parametrize("patch", [{"NextStep": "Call"}, {"OwnerId": "005-9"}, {"Amount": 1000.0}])
def test_other_fields_and_equal_values_leave_no_history(context: SaveContext, patch: Row) -> None:
    row, _ = new_deal(context)
    saved = save(row, patch, at=LATER, by="005-2", context=context)
    assert saved.history is None
    assert saved.changes["SystemModstamp"] == LATER


@pytest.mark.parametrize(
    ("before", "after", "pushes"),
    [
        ("2026-04-01", "2026-04-30", 0),
        ("2026-04-30", "2026-05-01", 1),
        ("2026-12-31", "2027-01-01", 1),
        ("2026-05-31", "2026-04-30", 0),
        ("2026-05-01", "2026-11-30", 1),
    ],
)
def test_only_a_move_into_a_later_month_counts_as_a_push(
    context: SaveContext, before: str, after: str, pushes: int
) -> None:
    row, _ = new_deal(context, CloseDate=before)
    saved = save(row, {"CloseDate": after}, at=LATER, by="005-1", context=context)
    assert (row | saved.changes)["PushCount"] == pushes


def test_winning_sets_a_close_date_in_the_future_to_today(context: SaveContext) -> None:
    row, _ = new_deal(context)
    saved = save(row, {"StageName": "Closed Won"}, at=LATER, by="005-1", context=context)
    assert saved.changes["CloseDate"] == "2026-05-21"
    assert (saved.changes["IsClosed"], saved.changes["IsWon"]) == (1, 1)
    assert saved.history is not None
    assert saved.history["CloseDate"] == "2026-05-21"


@pytest.mark.parametrize(
    ("stage", "close_on"), [("Closed Lost", "2026-08-31"), ("Closed Won", "2026-05-01")]
)
def test_losing_and_winning_late_keep_the_close_date(
    context: SaveContext, stage: str, close_on: str
) -> None:
    row, _ = new_deal(context, CloseDate=close_on)
    saved = save(row, {"StageName": stage}, at=LATER, by="005-1", context=context)
    assert (row | saved.changes)["CloseDate"] == close_on


def test_a_category_that_the_person_sets_stands_over_the_stages(context: SaveContext) -> None:
    row, _ = new_deal(context)
    patch = {"StageName": "Proposal", "ForecastCategoryName": "Best Case", "Probability": 35.0}
    saved = save(row, patch, at=LATER, by="005-1", context=context)
    assert saved.changes["ForecastCategory"] == "BestCase"
    assert saved.changes["Probability"] == 35.0
    kept = save(row | saved.changes, {"Amount": 5.0}, at=LATER, by="005-1", context=context)
    assert "ForecastCategory" not in kept.changes


def test_the_fiscal_period_is_named_after_the_year_it_ends_in() -> None:
    assert fiscal("2026-01-31", 2) == {"FiscalYear": 2026, "FiscalQuarter": 4, "Fiscal": "2026 4"}
    assert fiscal("2026-02-01", 2) == {"FiscalYear": 2027, "FiscalQuarter": 1, "Fiscal": "2027 1"}
    assert fiscal("2026-12-31", 1) == {"FiscalYear": 2026, "FiscalQuarter": 4, "Fiscal": "2026 4"}


def test_months_are_calendar_months() -> None:
    assert months_moved("2026-01-31", "2026-02-01") == 1
    assert months_moved("2026-03-01", "2025-12-31") == -3
