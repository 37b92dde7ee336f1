from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.salesforce.soql_dates import Calendar, span

# Thursday 21 May 2026, 02:30 UTC: still Wednesday the 20th in New York; fiscal year from February.
CALENDAR = Calendar(
    now=datetime(2026, 5, 21, 2, 30, tzinfo=UTC),
    time_zone="America/New_York",
    fiscal_year_start_month=2,
)


@pytest.mark.parametrize(
    ("literal", "start", "end"),
    [
        ("TODAY", "2026-05-20", "2026-05-21"),
        ("yesterday", "2026-05-19", "2026-05-20"),
        ("TOMORROW", "2026-05-21", "2026-05-22"),
        ("THIS_WEEK", "2026-05-17", "2026-05-24"),
        ("LAST_WEEK", "2026-05-10", "2026-05-17"),
        ("NEXT_WEEK", "2026-05-24", "2026-05-31"),
        ("THIS_MONTH", "2026-05-01", "2026-06-01"),
        ("LAST_MONTH", "2026-04-01", "2026-05-01"),
        ("NEXT_MONTH", "2026-06-01", "2026-07-01"),
        ("LAST_90_DAYS", "2026-02-19", "2026-05-21"),
        ("NEXT_90_DAYS", "2026-05-21", "2026-08-19"),
        ("LAST_N_DAYS:7", "2026-05-13", "2026-05-21"),
        ("NEXT_N_DAYS:7", "2026-05-21", "2026-05-28"),
        ("N_DAYS_AGO:7", "2026-05-13", "2026-05-14"),
        ("LAST_N_WEEKS:2", "2026-05-03", "2026-05-17"),
        ("NEXT_N_WEEKS:1", "2026-05-24", "2026-05-31"),
        ("N_WEEKS_AGO:1", "2026-05-10", "2026-05-17"),
        ("LAST_N_MONTHS:5", "2025-12-01", "2026-05-01"),
        ("NEXT_N_MONTHS:8", "2026-06-01", "2027-02-01"),
        ("N_MONTHS_AGO:5", "2025-12-01", "2026-01-01"),
        ("THIS_QUARTER", "2026-04-01", "2026-07-01"),
        ("LAST_QUARTER", "2026-01-01", "2026-04-01"),
        ("NEXT_N_QUARTERS:2", "2026-07-01", "2027-01-01"),
        ("THIS_YEAR", "2026-01-01", "2027-01-01"),
        ("LAST_N_YEARS:2", "2024-01-01", "2026-01-01"),
        ("N_YEARS_AGO:1", "2025-01-01", "2026-01-01"),
        ("THIS_FISCAL_QUARTER", "2026-05-01", "2026-08-01"),
        ("LAST_FISCAL_QUARTER", "2026-02-01", "2026-05-01"),
        ("NEXT_FISCAL_QUARTER", "2026-08-01", "2026-11-01"),
        ("THIS_FISCAL_YEAR", "2026-02-01", "2027-02-01"),
        ("LAST_N_FISCAL_QUARTERS:2", "2025-11-01", "2026-05-01"),
        ("N_FISCAL_YEARS_AGO:1", "2025-02-01", "2026-02-01"),
    ],
)
def test_a_literal_means_these_days(literal: str, start: str, end: str) -> None:
    assert span(literal, CALENDAR) == (date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    "literal", ["SOMEDAY", "LAST_N_DAYS", "THIS_DAY", "LAST_N_DAYS:x", "TODAY:1"]
)
def test_other_words_are_no_literals(literal: str) -> None:
    assert span(literal, CALENDAR) is None


def test_a_day_begins_at_the_users_midnight() -> None:
    assert CALENDAR.midnight(date(2026, 5, 20)) == datetime(2026, 5, 20, 4, tzinfo=UTC)
    assert CALENDAR.midnight(date(2026, 1, 20)) == datetime(2026, 1, 20, 5, tzinfo=UTC)


@given(
    day=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    month=st.integers(1, 12),
    unit=st.sampled_from(["WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR"]),
)
def test_last_this_and_next_follow_each_other(day: date, month: int, unit: str) -> None:
    calendar = Calendar(
        now=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        time_zone="UTC",
        fiscal_year_start_month=month,
    )
    last, this, coming = (span(f"{word}_{unit}", calendar) for word in ("LAST", "THIS", "NEXT"))
    assert last is not None
    assert this is not None
    assert coming is not None
    assert last[1] == this[0] <= day < this[1] == coming[0]
    assert span(f"LAST_N_{unit}S:1", calendar) == last
    assert span(f"NEXT_N_{unit}S:1", calendar) == coming
    assert span(f"N_{unit}S_AGO:1", calendar) == last
