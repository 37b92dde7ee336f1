"""Values between JSON and storage: every property is a string, instants are ISO with ms."""

import math
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

_MS_PER_S = 1000


def stamp(at: datetime) -> str:
    """An instant as the API writes it; the text sorts as the instants do."""
    moment = at.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def instant(text: str) -> datetime:
    """The reverse of `stamp`."""
    return datetime.fromisoformat(text)


def epoch_ms(text: str) -> int:
    """A stamp as milliseconds since 1970."""
    return round(instant(text).timestamp() * _MS_PER_S)


def read_instant(value: object) -> str | None:
    """An instant as a client may write it (ISO, a day, or epoch ms) as a stamp; None if none."""
    text = str(value)
    try:
        if text.lstrip("-").isdigit():
            return stamp(datetime.fromtimestamp(int(text) / _MS_PER_S, UTC))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def read_number(value: object) -> str | None:
    """A number as a client may write it, as text; None if it is none."""
    if isinstance(value, bool):
        return None
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return None
    return text if math.isfinite(number) else None


def picked_day(day: date, at: datetime, zone: str) -> str:
    """A day that a person picks in a date field at the instant `at`, in the portal's zone:
    that day at the time of day at which it was picked.
    """
    clock = at.astimezone(ZoneInfo(zone)).time()
    return stamp(datetime.combine(day, clock, ZoneInfo(zone)))


def day_of(text: str, zone: str) -> date:
    """The day that a stored instant shows in the portal's zone."""
    return instant(text).astimezone(ZoneInfo(zone)).date()


def month_end(at: datetime, zone: str) -> str:
    """The last day of the month of `at`, as HubSpot prefills a close date."""
    local = at.astimezone(ZoneInfo(zone))
    first_after = date(local.year + local.month // 12, local.month % 12 + 1, 1)
    last = date.fromordinal(first_after.toordinal() - 1)
    return stamp(datetime.combine(last, local.time(), ZoneInfo(zone)))


def decimal_text(number: float) -> str:
    """A computed number without a needless fraction."""
    return str(int(number)) if number == int(number) else repr(round(number, 6))


def text_of(value: Any) -> str:
    """A JSON scalar as a property's text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
