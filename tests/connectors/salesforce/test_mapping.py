from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import ChangeRecord, ChangeValue
from connectors.salesforce.mapping import changes, contact, day, deal, forecast, instant, money

DEAL_ID = "006000000000001AAA"
CREATED = "2026-01-05T09:00:00.000+0000"
OPPORTUNITY: dict[str, Any] = {
    "Id": DEAL_ID,
    "CreatedDate": CREATED,
    "CreatedById": "005A",
    "StageName": "Proposal",
    "CloseDate": "2026-06-30",
    "Amount": 500.0,
    "ForecastCategory": "BestCase",
}


def row(number: int, at: str, **values: Any) -> dict[str, Any]:
    base = {key: OPPORTUNITY[key] for key in ("StageName", "CloseDate", "Amount")}
    return {
        **base,
        "ForecastCategory": "Pipeline",
        "Id": f"008{number:06d}",
        "OpportunityId": DEAL_ID,
        "CreatedDate": at,
        "CreatedById": "005B",
        **values,
    }


def of_field(found: list[ChangeRecord], field: str) -> list[tuple[Any, Any]]:
    return [(change.old, change.new) for change in found if change.field == field]


def test_the_first_row_of_each_field_has_no_old_value_and_stands_at_creation() -> None:
    found = changes(OPPORTUNITY, [row(1, "2026-01-05T09:00:01.000+0000")])
    assert [(change.field, change.old, change.new) for change in found] == [
        ("stage", None, "Proposal"),
        ("close_date", None, date(2026, 6, 30)),
        ("amount", None, 5_000_000),
        ("forecast", None, "pipeline"),
    ]
    assert {change.at for change in found} == {instant(CREATED)}
    assert {change.by_crm_id for change in found} == {"005B"}
    assert {change.source for change in found} == {"unknown"}
    assert {change.source_ref for change in found} == {"008000001"}


def test_a_row_yields_only_the_fields_that_it_changed() -> None:
    later = "2026-02-01T10:00:00.000+0000"
    rows = [row(1, CREATED), row(2, later, CloseDate="2026-09-30")]
    found = [change for change in changes(OPPORTUNITY, rows) if change.old is not None]
    assert [(change.field, change.old, change.new, change.at) for change in found] == [
        ("close_date", date(2026, 6, 30), date(2026, 9, 30), instant(later))
    ]


def test_a_filled_previous_close_date_alone_is_no_change() -> None:
    rows = [row(1, CREATED), row(2, "2026-02-01T10:00:00.000+0000", PrevCloseDate="2026-06-30")]
    assert len(of_field(changes(OPPORTUNITY, rows), "close_date")) == 1


def test_without_a_row_of_its_creation_the_first_one_and_its_previous_values_tell_it() -> None:
    late = row(
        1,
        "2026-02-01T10:00:00.000+0000",
        CloseDate="2026-09-30",
        PrevCloseDate="2026-06-30",
        Amount=900.0,
        PrevAmount=500.0,
    )
    found = changes(OPPORTUNITY, [late])
    assert of_field(found, "close_date") == [
        (None, date(2026, 6, 30)),
        (date(2026, 6, 30), date(2026, 9, 30)),
    ]
    assert of_field(found, "amount") == [(None, 5_000_000), (5_000_000, 9_000_000)]
    assert of_field(found, "stage") == [(None, "Proposal")]
    first = found[0]
    assert (first.at, first.by_crm_id) == (instant(CREATED), "005A")
    assert first.source_ref == f"{DEAL_ID}:created"


def test_a_deal_without_history_has_had_its_present_values_since_creation() -> None:
    found = changes(OPPORTUNITY, [])
    assert of_field(found, "stage") == [(None, "Proposal")]
    assert of_field(found, "forecast") == [(None, "best_case")]
    assert {change.at for change in found} == {instant(CREATED)}


def test_a_field_that_may_not_be_read_yields_nothing() -> None:
    hidden = [{k: v for k, v in row(1, CREATED).items() if k != "Amount"}]
    assert of_field(changes(OPPORTUNITY, hidden), "amount") == []


def test_rows_of_one_second_follow_their_ids() -> None:
    at = "2026-02-01T10:00:00.000+0000"
    rows = [row(1, CREATED), row(3, at, StageName="C"), row(2, at, StageName="B")]
    assert of_field(changes(OPPORTUNITY, rows), "stage") == [
        (None, "Proposal"),
        ("Proposal", "B"),
        ("B", "C"),
    ]


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    start = instant(CREATED) + timedelta(seconds=draw(st.integers(0, 100)))
    offsets = draw(st.lists(st.integers(0, 5_000), max_size=12))
    return [
        row(
            number,
            (start + timedelta(minutes=offset)).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            StageName=draw(st.sampled_from(["A", "B", "C"])),
            CloseDate=draw(st.sampled_from(["2026-06-30", "2026-09-30", None])),
            Amount=draw(st.sampled_from([None, 0.0, 10.5, 99.99])),
            ForecastCategory=draw(st.sampled_from(["Pipeline", "Forecast", "Omitted"])),
        )
        for number, offset in enumerate(offsets)
    ]


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_rows_change_nothing(
    rows: list[dict[str, Any]], random: Any
) -> None:
    shuffled = [*rows, *rows[:3]]
    random.shuffle(shuffled)
    assert changes(OPPORTUNITY, shuffled) == changes(OPPORTUNITY, rows)


@given(histories())
def test_replaying_the_changes_gives_every_row_again(rows: list[dict[str, Any]]) -> None:
    found = changes(OPPORTUNITY, rows)
    ordered = sorted(rows, key=lambda each: (each["CreatedDate"], each["Id"]))
    refs = [each["Id"] for each in ordered]
    assert all(change.old != change.new or change.old is None for change in found)
    values: dict[str, ChangeValue] = {}
    steps = {
        ref: [c for c in found if c.source_ref == ref] for ref in {c.source_ref for c in found}
    }
    for change in steps.get(f"{DEAL_ID}:created", ()):
        values[change.field] = change.new
    for each, ref in zip(ordered, refs, strict=True):
        for change in steps.get(ref, ()):
            assert values.get(change.field) == change.old
            values[change.field] = change.new
        assert values["stage"] == each["StageName"]
        assert values["close_date"] == day(each["CloseDate"])
        assert values["amount"] == money(each["Amount"])
        assert values["forecast"] == forecast(each["ForecastCategory"])


@given(st.integers(-(10**14), 10**14))
def test_money_keeps_every_digit(cents: int) -> None:
    assert money(cents / 100) == cents * 100


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1, 1000), (1e7, 100_000_000_000), (1.005, 10_050), (-2.5, -25_000), (0, 0), (None, None)],
)
def test_money_is_taken_by_its_decimal_digits(value: float | None, expected: int | None) -> None:
    assert money(value) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BestCase", "best_case"),
        ("Best Case", "best_case"),
        ("Forecast", "commit"),
        ("Commit", "commit"),
        ("MostLikely", "most_likely"),
        ("Omitted", "omitted"),
        ("Sure thing", None),
        (None, None),
    ],
)
def test_forecast_categories_by_enum_and_by_label(name: str | None, expected: str | None) -> None:
    assert forecast(name) == expected


def test_instants_are_utc_and_days_are_not_shifted() -> None:
    assert instant("2026-01-01T00:00:00.000+0000") == datetime(2026, 1, 1, tzinfo=UTC)
    assert day("2026-01-01") == date(2026, 1, 1)


def test_a_deal_without_record_type_is_in_the_masters_pipeline() -> None:
    record = deal(
        {
            **OPPORTUNITY,
            "Name": "Acme",
            "SystemModstamp": CREATED,
            "IsClosed": False,
            "IsWon": False,
            "IsDeleted": False,
            "OwnerId": "005A",
        }
    )
    assert record.pipeline_crm_id == "012000000000000AAA"
    assert record.amount == 5_000_000
    assert record.forecast == "best_case"
    assert record.currency is None


def test_a_contacts_title_may_be_hidden_or_its_contact_gone() -> None:
    base = {"Id": "00K1", "OpportunityId": "006", "ContactId": "003", "IsDeleted": False}
    assert contact({**base, "Contact": {"Title": "CFO"}}).title == "CFO"
    assert contact({**base, "Contact": None}).title is None
    assert contact(base).title is None
