"""Dates and instants of exports: ISO, US to the minute, European, epoch milliseconds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from connectors.files.problems import BadCell

DateOrder = Literal["mdy", "dmy", "ymd"]
DATE_ORDERS: tuple[DateOrder, ...] = ("mdy", "dmy", "ymd")

FIRST_YEAR, LAST_YEAR = 1990, 2100
_PIVOT = 70  # 70..99 are 19xx, as POSIX has it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_NUMERIC = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?:,?[T\s]\s*(.+))?")
_NAMED = re.compile(
    r"(?:(\d{1,2})[\s.-]+([A-Za-z]{3})[a-z]*|([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}))"
    r"[\s,.-]+(\d{2,4})(?:,?\s+(.+))?"
)
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"\s*([AaPp])?(?(5)\.?[Mm]\.?)\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
_EPOCH_MS = re.compile(r"\d{13}")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")


class _Stamp(NamedTuple):
    """A parsed cell: wall clock, its own offset if told, and whether it told a time."""

    wall: datetime
    offset: tzinfo | None
    has_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInstant:
    """An instant in UTC; `note` says what a clock change left open."""

    at: datetime
    has_time: bool
    note: str | None = None


class DateReader:
    """Reads one export's dates. `order` None refuses numeric dates that need one."""

    def __init__(self, order: DateOrder | None, zone: ZoneInfo) -> None:
        self.zone = zone
        self._order = order
        self._instants: dict[str, ReadInstant] = {}
        self._days: dict[str, date] = {}

    def instant(self, text: str) -> ReadInstant:
        """The instant; without an offset of its own in the export's zone. Raises BadCell."""
        found = self._instants.get(text)
        if found is None:
            found = self._instants[text] = self._localise(_parse(text, self._order))
        return found

    def day(self, text: str) -> date:
        """The calendar day; an instant with an offset counts in the export's zone."""
        found = self._days.get(text)
        if found is None:
            stamp = _parse(text, self._order)
            wall = stamp.wall
            if stamp.offset is not None:
                wall = wall.replace(tzinfo=stamp.offset).astimezone(self.zone)
            found = self._days[text] = wall.date()
        return found

    def _localise(self, stamp: _Stamp) -> ReadInstant:
        if stamp.offset is not None:
            at = stamp.wall.replace(tzinfo=stamp.offset).astimezone(UTC)
            return ReadInstant(at=at, has_time=stamp.has_time)
        early = stamp.wall.replace(tzinfo=self.zone)
        read = ReadInstant(at=early.astimezone(UTC), has_time=stamp.has_time)
        before, after = early.utcoffset(), early.replace(fold=1).utcoffset()
        if before is None or after is None or before == after:
            return read
        if before < after:
            shown = read.at.astimezone(self.zone).strftime("%H:%M")
            note = f"the clocks in {self.zone.key} skip this time; read as {shown}"
        else:
            note = f"the clocks in {self.zone.key} show this time twice; the first was taken"
        return replace(read, note=note)


def _parse(text: str, order: DateOrder | None) -> _Stamp:
    stamp = _numeric(text, order) or _named(text) or _epoch(text)
    if stamp is None:
        if _SERIAL.fullmatch(text):
            raise BadCell("date", "looks like a spreadsheet's day number; format it as a date")
        raise BadCell("date", "is not a date that can be read")
    if not FIRST_YEAR <= stamp.wall.year <= LAST_YEAR:
        raise BadCell("absurd_date", f"the year {stamp.wall.year} can't be meant")
    return stamp


def _numeric(text: str, order: DateOrder | None) -> _Stamp | None:
    if text.isdigit() and len(text) == 8:  # noqa: PLR2004 - ISO basic form, yyyymmdd
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    match = _NUMERIC.fullmatch(text)
    if match is None:
        return None
    first, separator, second, third, clock = match.groups()
    if len(first) > 2 or order == "ymd":  # noqa: PLR2004
        year, month, day = first, second, third
    elif separator == "." or order == "dmy":
        day, month, year = first, second, third
    elif order == "mdy" or first == second:
        month, day, year = first, second, third
    else:
        raise BadCell("date", "could be day or month first; state --date-order")
    return _stamp(year, int(month), day, clock)


def _named(text: str) -> _Stamp | None:
    match = _NAMED.fullmatch(text)
    if match is None:
        return None
    month = _MONTHS.get((match[2] or match[3]).lower())
    if month is None:
        return None
    return _stamp(match[5], month, match[1] or match[4], match[6])


def _epoch(text: str) -> _Stamp | None:
    if not _EPOCH_MS.fullmatch(text):
        return None
    wall = (_EPOCH + timedelta(milliseconds=int(text))).replace(tzinfo=None)
    return _Stamp(wall, UTC, has_time=True)


def _stamp(year_text: str, month: int, day: str, clock: str | None) -> _Stamp:
    year = int(year_text)
    if len(year_text) <= 2:  # noqa: PLR2004
        year += 1900 if year >= _PIVOT else 2000
    try:
        on = date(year, month, int(day))
    except ValueError:
        raise BadCell("date", "there is no such day") from None
    if clock is None:
        return _Stamp(datetime.combine(on, time.min), None, has_time=False)
    at, offset = _clock(clock.strip())
    return _Stamp(datetime.combine(on, at), offset, has_time=True)


def _clock(text: str) -> tuple[time, tzinfo | None]:
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadCell("date", "its time of day can't be read")
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[5]:
        if not 1 <= hour <= 12:  # noqa: PLR2004
            raise BadCell("date", "there is no such time of day")
        hour = hour % 12 + (12 if match[5] in "Pp" else 0)
    try:
        at = time(hour, minute, second, int((match[4] or "0")[:6].ljust(6, "0")))
    except ValueError:
        raise BadCell("date", "there is no such time of day") from None
    return at, _offset(match[6])


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if not text.startswith(("+", "-")):
        return UTC
    return datetime.strptime(text.replace(":", "").ljust(5, "0"), "%z").tzinfo


@dataclass(frozen=True, slots=False, kw_only=True)
class OrderEvidence:
    """What the dates of one file prove about day and month; each with an example."""

    mdy: str | None = None
    dmy: str | None = None
    open: str | None = None  # could be either, and would differ

    @cached_property
    def proved(self) -> DateOrder | None:
        """The one order that is proved, if exactly one is."""
        if (self.mdy is None) == (self.dmy is None):
            return None
        return "mdy" if self.dmy is None else "dmy"


def weigh_order(texts: Iterable[str]) -> OrderEvidence:
    """Evidence from the dates of one file. Dotted dates and ISO need no order."""
    seen: dict[str, str] = {}
    for text in texts:
        match = _NUMERIC.fullmatch(text)
        if match is None or len(match[1]) > 2 or match[2] == ".":  # noqa: PLR2004
            continue
        first, second = int(match[1]), int(match[3])
        if first <= 12 < second <= 31:  # noqa: PLR2004
            seen.setdefault("mdy", text)
        elif second <= 12 < first <= 31:  # noqa: PLR2004
            seen.setdefault("dmy", text)
        elif first != second and max(first, second) <= 12:  # noqa: PLR2004
            seen.setdefault("open", text)
    return OrderEvidence(**seen)
