from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.dates import DateOrder, DateReader, weigh_order
from connectors.files.problems import BadCell

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
ZULU = ZoneInfo("UTC")


def reader(order: DateOrder | None = None, zone: ZoneInfo = ZULU) -> DateReader:
    return DateReader(order, zone)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2026-02-23", None, "2026-02-23T00:00:00"),
        ("20260223", None, "2026-02-23T00:00:00"),
        ("2026/02/23 08:05", None, "2026-02-23T08:05:00"),
        ("2026-02-23T20:55:01Z", None, "2026-02-23T20:55:01"),
        ("2026-02-23T20:55:01.250+0000", None, "2026-02-23T20:55:01.250000"),
        ("2026-02-23T20:55:01+02:00", None, "2026-02-23T18:55:01"),
        ("2026-02-23 20:55:01-05", None, "2026-02-24T01:55:01"),
        ("2022-04-14 4:30:42", None, "2022-04-14T04:30:42"),
        ("2019-10-22 19:17:37.819123456", None, "2019-10-22T19:17:37.819123"),
        ("02/23/26 08:55 PM", "mdy", "2026-02-23T20:55:00"),
        ("2/3/2026, 12:05 AM", "mdy", "2026-02-03T00:05:00"),
        ("02/03/26 12:05 p.m.", "mdy", "2026-02-03T12:05:00"),
        ("03.02.2026 20:55", None, "2026-02-03T20:55:00"),
        ("3-2-2026", "dmy", "2026-02-03T00:00:00"),
        ("26/02/03", "ymd", "2026-02-03T00:00:00"),
        ("01/01/99", "mdy", "1999-01-01T00:00:00"),
        ("01/01/69", "mdy", "2069-01-01T00:00:00"),
        ("05/05/26", None, "2026-05-05T00:00:00"),
        ("23 Feb 2026", None, "2026-02-23T00:00:00"),
        ("February 23, 2026 8:55 PM", None, "2026-02-23T20:55:00"),
        ("23-Feb-26", None, "2026-02-23T00:00:00"),
        ("1771880100000", None, "2026-02-23T20:55:00"),
    ],
)
def test_a_date_of_any_usual_form_is_read(
    text: str, order: DateOrder | None, expected: str
) -> None:
    assert reader(order).instant(text).at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert reader(order).day(text) == datetime.fromisoformat(expected).date()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("yesterday", "date"),
        ("2026-02-30", "date"),
        ("2026-13-01", "date"),
        ("2026-02-03 24:00", "date"),
        ("2026-02-03 13:00 PM", "date"),
        ("2026-02-03 0:10 AM", "date"),
        ("46027", "date"),
        ("46027.5", "date"),
        ("02/03/26", "date"),  # no order is known
        ("2026-02", "date"),
        ("2/3", "date"),
        ("203-02-03", "absurd_date"),
        ("0203-02-03", "absurd_date"),
        ("2101-01-01", "absurd_date"),
        ("1989-12-31", "absurd_date"),
    ],
)
def test_what_is_no_date_is_refused_with_its_kind(text: str, kind: str) -> None:
    with pytest.raises(BadCell) as caught:
        reader().instant(text)
    assert caught.value.kind == kind


def test_a_time_without_zone_is_the_exports_own() -> None:
    assert reader(zone=BERLIN).instant("2026-07-01 08:00").at == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert reader(zone=BERLIN).instant("2026-01-01 08:00").at == datetime(2026, 1, 1, 7, tzinfo=UTC)


def test_a_day_told_as_an_instant_counts_in_the_exports_zone() -> None:
    # HubSpot keeps a close date as midnight of the portal's zone, in UTC.
    assert reader(zone=BERLIN).day("2026-06-29T22:00:00Z") == date(2026, 6, 30)
    assert reader(zone=BERLIN).day("2026-06-30 00:00:00") == date(2026, 6, 30)


def test_a_time_that_the_clocks_skip_is_moved_on_and_noted() -> None:
    read = reader("mdy", NEW_YORK).instant("03/08/26 02:30 AM")
    assert read.at == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert read.note is not None
    assert "03:30" in read.note


def test_a_time_that_the_clocks_show_twice_is_the_first_and_noted() -> None:
    read = reader("mdy", NEW_YORK).instant("11/01/26 01:30 AM")
    assert read.at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert read.note is not None
    assert "twice" in read.note


def test_a_time_with_an_offset_is_never_doubted() -> None:
    assert reader(zone=NEW_YORK).instant("2026-11-01T01:30:00-05:00").note is None


@pytest.mark.parametrize(
    ("texts", "proved", "is_open"),
    [
        (["02/23/26", "02/03/26"], "mdy", True),
        (["23/02/26 08:00"], "dmy", False),
        (["02/03/26"], None, True),
        (["03/03/26", "04/04/26"], None, False),
        (["2026-02-03", "03.02.2026", "n/a"], None, False),
        (["23/02/26", "02/23/26"], None, False),
        (["45/45/26"], None, False),
    ],
)
def test_the_order_of_day_and_month_is_proved_or_left_open(
    texts: list[str], proved: str | None, is_open: bool
) -> None:
    evidence = weigh_order(texts)
    assert evidence.proved == proved
    assert (evidence.open is not None) == is_open


@given(
    st.datetimes(
        min_value=datetime.fromisoformat("1990-01-02"),
        max_value=datetime.fromisoformat("2100-12-30"),
    ),
    st.sampled_from(["mdy", "dmy", "ymd"]),
    st.integers(-12 * 60, 14 * 60),
)
def test_a_date_written_in_any_order_is_read_back(
    at: datetime, order: DateOrder, offset: int
) -> None:
    form = {"mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y", "ymd": "%Y/%m/%d"}[order]
    assert reader(order).day(at.strftime(form)) == at.date()
    to_the_minute = at.replace(second=0, microsecond=0)
    written = at.strftime(f"{form} %I:%M %p")
    assert reader(order).instant(written).at == to_the_minute.replace(tzinfo=UTC)
    sign, minutes = ("-", -offset) if offset < 0 else ("+", offset)
    iso = f"{at.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    assert reader().instant(iso).at == at.replace(tzinfo=UTC) - timedelta(minutes=offset)


@given(
    st.datetimes(
        min_value=datetime.fromisoformat("2000-01-01"),
        max_value=datetime.fromisoformat("2037-12-30"),
    )
)
def test_a_local_time_keeps_its_place_but_for_skipped_ones(at: datetime) -> None:
    read = reader(zone=BERLIN).instant(at.isoformat())
    shown = read.at.astimezone(BERLIN).replace(tzinfo=None)
    assert shown == at or (read.note is not None and shown == at + timedelta(hours=1))
