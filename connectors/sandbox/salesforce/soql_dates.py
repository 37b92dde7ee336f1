"""SOQL's date literals as half-open spans of days."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS_IN_YEAR = 12
_MONTHS_IN_QUARTER = 3
_UNIT = r"(?P<fiscal>FISCAL_)?(?P<unit>DAY|WEEK|MONTH|QUARTER|YEAR)S?"
_NAMED = re.compile(rf"(?P<which>LAST|THIS|NEXT)_{_UNIT}\Z")
_COUNTED = re.compile(rf"(?P<which>LAST|NEXT)_N_{_UNIT}:(?P<count>\d+)\Z")
_AGO = re.compile(rf"N_{_UNIT}_AGO:(?P<count>\d+)\Z")
_DAYS = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
_NINETY = 90

Span = tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What date literals depend on: the instant, the user's zone, the fiscal year."""

    now: datetime
    time_zone: str
    fiscal_year_start_month: int = 1

    @property
    def today(self) -> date:
        """The user's day."""
        return self.now.astimezone(ZoneInfo(self.time_zone)).date()

    def midnight(self, day: date) -> datetime:
        """The instant (UTC) at which `day` begins for the user."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone)).astimezone(
            UTC
        )


def _months_on(day: date, months: int) -> date:
    """The first day of the month that lies `months` after that of `day`."""
    count = day.year * _MONTHS_IN_YEAR + day.month - 1 + months
    return date(count // _MONTHS_IN_YEAR, count % _MONTHS_IN_YEAR + 1, 1)


def _period_start(today: date, length: int, first_month: int) -> date:
    """The beginning of the period of `length` months that holds `today`, where a year of
    such periods begins in `first_month`.
    """
    return _months_on(today, -((today.month - first_month) % length))


def _stepper(unit: str, calendar: Calendar, *, is_fiscal: bool) -> Callable[[int], date]:
    """A function giving the first day of the unit that lies n units from the present one."""
    today = calendar.today
    if unit == "DAY":
        return lambda n: today + timedelta(days=n)
    if unit == "WEEK":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        return lambda n: sunday + timedelta(weeks=n)
    length = {"MONTH": 1, "QUARTER": _MONTHS_IN_QUARTER, "YEAR": _MONTHS_IN_YEAR}[unit]
    start = _period_start(today, length, calendar.fiscal_year_start_month if is_fiscal else 1)
    return lambda n: _months_on(start, n * length)


def span(literal: str, calendar: Calendar) -> Span | None:
    """The days [start, end) that a literal means; None: there is no such literal.

    Counted spans follow the reference: LAST_N_DAYS:n ends with today, NEXT_N_DAYS:n begins
    tomorrow; counted weeks, months, quarters and years leave out the present one.
    """
    name = literal.upper()
    day = timedelta(days=1)
    today = calendar.today
    if name in _DAYS:
        start = today + day * _DAYS[name]
        return start, start + day
    if name == "LAST_90_DAYS":
        return today - day * _NINETY, today + day
    if name == "NEXT_90_DAYS":
        return today + day, today + day * (_NINETY + 1)
    for shape in (_NAMED, _COUNTED, _AGO):
        found = shape.match(name)
        if found is not None:
            return _shaped(found, calendar)
    return None


def _shaped(found: re.Match[str], calendar: Calendar) -> Span | None:
    parts = found.groupdict()
    unit = parts["unit"]
    step = _stepper(unit, calendar, is_fiscal=bool(parts["fiscal"]))
    if "which" not in parts:
        return step(-int(parts["count"])), step(1 - int(parts["count"]))
    if "count" not in parts:
        if unit == "DAY":
            return None
        shift = {"LAST": -1, "THIS": 0, "NEXT": 1}[parts["which"]]
        return step(shift), step(shift + 1)
    count = int(parts["count"])
    if parts["which"] == "NEXT":
        return step(1), step(count + 1)
    return step(-count), step(1 if unit == "DAY" else 0)
