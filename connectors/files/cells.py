"""The cells of one row by our column names; a row is read whole or refused."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from connectors.files import values
from connectors.files.dates import DateReader, ReadInstant
from connectors.files.problems import BadCell, Problem, Problems
from connectors.files.sheet import Row, Sheet
from connectors.files.values import DecimalMark, Money
from connectors.records import ForecastCategory

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LONGEST = 255
_CLOCKS_APART = timedelta(days=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What reading one file needs. `now`: nothing can have happened after it."""

    dates: DateReader
    mark: DecimalMark | None
    now: datetime
    problems: Problems
    forecasts: Mapping[str, ForecastCategory] = field(default_factory=dict)  # theirs -> ours
    noted: set[tuple[str, ...]] = field(default_factory=set)


class Cells:
    """One row. Every reading method gives None for an empty cell or a missing column."""

    __slots__ = ("_is_read", "_notes", "_once", "_row", "_sheet", "_tools", "column")

    def __init__(self, sheet: Sheet, row: Row, tools: Tools) -> None:
        self._sheet = sheet
        self._row = row
        self._tools = tools
        self._notes: list[Problem] = []
        self._once: list[tuple[str, ...]] = []
        self._is_read = False
        self.column: str | None = None  # ours, of the cell read last

    @property
    def line(self) -> int:
        """Where the row begins."""
        return self._row.line

    def has(self, column: str) -> bool:
        """Whether the file has the column."""
        return column in self._sheet.index

    def is_past(self, at: datetime) -> bool:
        """Whether an instant lies before the import."""
        return at <= self._tools.now

    def raw(self, column: str) -> str | None:
        """The trimmed cell."""
        self.column = column
        place = self._sheet.index.get(column)
        if place is None:
            return None
        text = self._row.cells[place].strip()
        return None if values.is_empty(text) else text

    def label(self, column: str, most: int = _LONGEST) -> str | None:
        """A name out of a list, such as a stage, of at most `most` characters."""
        text = self.raw(column)
        if text is None:
            return None
        values.refuse_formula(text)
        if len(text) > most:
            raise BadCell("long", f"is longer than {most} characters")
        if _CONTROL.search(text):
            raise BadCell("control", "holds characters that can't be printed")
        return text

    def prose(self, column: str) -> str | None:
        """Free text; characters that can't be printed become spaces."""
        text = self.raw(column)
        return None if text is None else _CONTROL.sub(" ", text).strip() or None

    def crm_id(self, column: str) -> str | None:
        """An id of the CRM's."""
        text = self.raw(column)
        if text is None:
            return None
        values.refuse_formula(text)
        return values.crm_id(text)

    def instant(self, column: str) -> ReadInstant | None:
        """An instant that has passed; what the clocks left open is noted."""
        text = self.raw(column)
        if text is None:
            return None
        values.refuse_formula(text)
        read = self._tools.dates.instant(text)
        if read.note:
            self.note("clock_change", column, read.note)
        return read

    def past(self, column: str) -> ReadInstant | None:
        """An instant that can't lie after the import."""
        read = self.instant(column)
        if read is not None and read.at > self._tools.now + _CLOCKS_APART:
            raise BadCell("future", "lies in the future")
        return read

    def day(self, column: str) -> date | None:
        """A calendar day."""
        text = self.raw(column)
        if text is None:
            return None
        values.refuse_formula(text)
        return self._tools.dates.day(text)

    def day_of(self, at: datetime) -> date:
        """The calendar day of an instant, in the export's zone."""
        return at.astimezone(self._tools.dates.zone).date()

    def money(self, column: str) -> Money | None:
        """An amount."""
        text = self.raw(column)
        if text is None:
            return None
        values.refuse_formula(text)
        return values.money(text, self._tools.mark)

    def truth(self, column: str) -> bool | None:
        """Yes or no."""
        return self._converted(column, values.truth)

    def whole(self, column: str) -> int | None:
        """A whole number."""
        return self._converted(column, values.whole_number)

    def number(self, column: str) -> float | None:
        """A number."""
        return self._converted(column, values.number)

    def forecast(self, column: str) -> ForecastCategory | None:
        """A forecast category; one that nobody maps is left out and noted."""
        text = self.label(column)
        if text is None:
            return None
        found = values.forecast(self._tools.forecasts.get(text, text))
        if found is None:
            reason = "is no forecast category; map it in [forecast_categories], it was left out"
            self.note_once("forecast", column, reason)
        return found

    def _converted(self, column: str, convert: Callable[[str], T]) -> T | None:
        text = self.raw(column)
        if text is None:
            return None
        values.refuse_formula(text)
        return convert(text)

    def need(self, column: str, value: T | None) -> T:
        """`value` of `column`, which must be there."""
        if value is None:
            self.column = column
            raise BadCell("missing", "is empty")
        return value

    def fail(self, kind: str, column: str | None, reason: str) -> BadCell:
        """The error that refuses this row on account of `column` (None: all of it)."""
        self.column = column
        return BadCell(kind, reason)

    def note(self, kind: str, column: str | None, reason: str) -> None:
        """Tell something about a row that is kept."""
        self._notes.append(self._problem("noted", kind, column, reason))
        if self._is_read:
            self.keep_notes()

    def keep_notes(self) -> None:
        """The row is kept: so are its notes, from now on at once."""
        self._is_read = True
        for problem in self._notes:
            self._tools.problems.add(problem)
        self._notes.clear()

    def note_once(self, kind: str, column: str, reason: str) -> None:
        """Likewise, at the first row that has this value."""
        seen = (self._sheet.kind, kind, column, self.raw(column) or "")
        if seen not in self._tools.noted:
            self._tools.noted.add(seen)
            self._once.append(seen)
            self.note(kind, column, reason)

    def refuse(self, error: BadCell) -> None:
        """Tell that the row was left out; its notes go with it."""
        self._tools.noted.difference_update(self._once)
        self._tools.problems.add(self._problem("refused", error.kind, self.column, error.reason))

    def _problem(self, level: str, kind: str, column: str | None, reason: str) -> Problem:
        place = None if column is None else self._sheet.index.get(column)
        return Problem(
            level="noted" if level == "noted" else "refused",
            kind=kind,
            file=self._sheet.path.name,
            line=self._row.line,
            column=self._sheet.headers[place] if place is not None else column,
            value=_shown(self._row.cells[place]) if place is not None else None,
            reason=reason,
        )


def _shown(cell: str) -> str:
    """A cell as a terminal may show it: short, and nothing in it can move the cursor."""
    short = cell.strip()[:120]
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in short)


def read_rows(sheet: Sheet, tools: Tools, parse: Callable[[Cells], T]) -> Iterator[T]:
    """What `parse` makes of each row; a row at which it raises BadCell is refused."""
    width = len(sheet.headers)
    for row in sheet.rows():
        cells = Cells(sheet, row, tools)
        try:
            if row.fault or len(row.cells) != width or row.cells[0] == sheet.headers[0]:
                _whole(sheet, row, cells)
            parsed = parse(cells)
        except BadCell as error:
            cells.refuse(error)
        else:
            cells.keep_notes()
            yield parsed


def _whole(sheet: Sheet, row: Row, cells: Cells) -> None:
    if row.fault:
        raise cells.fail("quotes", None, row.fault)
    width = len(sheet.headers)
    if [cell.strip() for cell in row.cells] == list(sheet.headers):
        raise cells.fail("header", None, "is the header again")
    if len(row.cells) < width or any(cell.strip() for cell in row.cells[width:]):
        raise cells.fail("ragged", None, f"has {len(row.cells)} cells where the header has {width}")
