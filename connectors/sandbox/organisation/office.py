"""When people work and how their company counts time: office hours, workdays, quarters."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

FISCAL_YEAR_START_MONTH = 2
_OPEN_SECONDS = 7 * 3600 + 1800
_SATURDAY = 5
_HOLIDAYS = {(1, 1), (7, 4), (12, 25), (12, 26)}
_DAY = timedelta(days=1)


def workday(day: date) -> date:
    """`day` itself, else the next day on which the office is open."""
    while day.weekday() >= _SATURDAY or (day.month, day.day) in _HOLIDAYS:
        day += _DAY
    return day


@lru_cache(maxsize=65_536)
def opening(zone: str, day: date) -> datetime:
    """The instant (UTC) at which an office in `zone` opens on the workday at or after `day`."""
    return datetime.combine(workday(day), time(9), ZoneInfo(zone)).astimezone(UTC)


def moment(rng: Random, zone: str, day: date) -> datetime:
    """Some instant in office hours on the workday at or after `day`, on a whole second."""
    return opening(zone, day) + timedelta(seconds=int(rng.random() * _OPEN_SECONDS))


def quarter(day: date) -> int:
    """The fiscal quarter of a day, counted through the years."""
    return (day.year * 12 + day.month - FISCAL_YEAR_START_MONTH) // 3


@lru_cache(maxsize=65_536)
def quarter_end(day: date) -> date:
    """Last day of the fiscal quarter of `day`."""
    first_month_after = (quarter(day) + 1) * 3 + FISCAL_YEAR_START_MONTH - 1
    return date(first_month_after // 12, first_month_after % 12 + 1, 1) - _DAY


def promisable(day: date) -> date:
    """`day`, else the next that somebody would promise: a workday, and not the last day of
    a quarter, which in this company only a lead's conversion sets.
    """
    day = workday(day)
    return workday(day + _DAY) if day == quarter_end(day) else day
