"""The history file: snapshots (the values after each change) or single changes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from connectors.files import values
from connectors.files.cells import Cells, Tools, read_rows
from connectors.files.columns import SNAPSHOT_FIELDS
from connectors.files.deals import DealRow
from connectors.files.problems import FileError, Problem
from connectors.files.sheet import Sheet
from connectors.files.stages import StageBook
from connectors.files.values import plain
from connectors.records import ChangeField, ChangeSource, ChangeValue

FIELDS: Mapping[str, ChangeField] = {
    "stage": "stage",
    "close_date": "close_date",
    "amount": "amount",
    "forecast_category": "forecast",
    "owner_id": "owner",
    "pipeline": "pipeline",
    "next_step": "next_step",
}
# What CRMs call the fields in a log of changes, without case and punctuation.
_LOGGED: Mapping[str, str] = {
    "stage": "stage",
    "stagename": "stage",
    "dealstage": "stage",
    "closedate": "close_date",
    "amount": "amount",
    "forecastcategory": "forecast_category",
    "forecastcategoryname": "forecast_category",
    "hsmanualforecastcategory": "forecast_category",
    "owner": "owner_id",
    "ownerid": "owner_id",
    "hubspotownerid": "owner_id",
    "opportunityowner": "owner_id",
    "dealowner": "owner_id",
    "pipeline": "pipeline",
    "recordtype": "pipeline",
    "recordtypeid": "pipeline",
    "nextstep": "next_step",
    "hsnextstep": "next_step",
}
_USER = "userId:"  # HubSpot: sourceId of a change made by a person


class HistoryRow(NamedTuple):
    """One row of history. Ordered by (at, seq, place). `values`: our column -> value after.

    `before`: the old values of a change row that tells them.
    """

    at: datetime
    seq: int
    place: int
    ref: str
    by: str | None
    source: ChangeSource
    values: Mapping[str, ChangeValue]
    before: Mapping[str, ChangeValue]


class History(NamedTuple):
    """Rows by deal, in order of time. `tracked`: the columns that the file keeps.

    `is_log`: single changes, so a field without a row never changed since `starts_at`.
    """

    rows: Mapping[str, Sequence[HistoryRow]]
    tracked: frozenset[str]
    is_log: bool
    starts_at: datetime | None
    ignored: int = 0


def read_history(
    sheet: Sheet, tools: Tools, book: StageBook, deals: Mapping[str, DealRow]
) -> History:
    """The history of the deals; rows of other deals are refused."""
    is_log = {"field", "new"} <= sheet.index.keys()
    if not is_log and "stage" not in sheet.index:
        raise FileError(
            "history",
            f"{sheet.path.name} has neither a column stage (snapshots) nor the columns field "
            f"and new (changes); its header is: {', '.join(sheet.headers)}",
        )
    parser = _Parser(book, deals, tracked=[name for name in SNAPSHOT_FIELDS if name in sheet.index])
    parse = parser.change if is_log else parser.snapshot
    by_deal: dict[str, list[HistoryRow]] = {}
    for deal, row in read_rows(sheet, tools, _once(parse)):
        by_deal.setdefault(deal, []).append(row)
    newest_first = _newest_first(by_deal)
    ordered = {
        deal: sorted(
            rows, key=lambda row: (row.at, row.seq, -row.place if newest_first else row.place)
        )
        for deal, rows in by_deal.items()
    }
    _note_ties(sheet, tools, ordered)
    return History(
        rows=ordered,
        tracked=frozenset(parser.seen if is_log else parser.tracked),
        is_log=is_log,
        starts_at=min((rows[0].at for rows in ordered.values()), default=None),
        ignored=parser.ignored,
    )


Parsed = tuple[str, HistoryRow]


def _once(parse: Callable[[Cells], Parsed]) -> Callable[[Cells], Parsed]:
    """Refuse a row that the file has already."""
    lines: dict[tuple[str, str, datetime], int] = {}

    def checked(cells: Cells) -> Parsed:
        deal, row = parse(cells)
        column = next(iter(row.values)) if len(row.values) == 1 else ""
        first = lines.setdefault((deal, row.ref + column, row.at), cells.line)
        if first != cells.line:
            raise cells.fail("duplicate", None, f"is the row of line {first} again")
        return deal, row

    return checked


class _Parser:
    def __init__(
        self, book: StageBook, deals: Mapping[str, DealRow], *, tracked: Sequence[str]
    ) -> None:
        self._book = book
        self._deals = deals
        self.tracked = tracked
        self.seen: set[str] = set()
        self.ignored = 0

    def snapshot(self, cells: Cells) -> Parsed:
        """A row with all values after a change."""
        deal = self._deal(cells)
        found = {column: self._value(cells, deal, column, column) for column in self.tracked}
        cells.need("stage", found["stage"])
        return deal, self._row(cells, deal, found, {})

    def change(self, cells: Cells) -> Parsed:
        """A row with one field's new value."""
        name = cells.need("field", cells.label("field"))
        deal = self._deal(cells)
        column = _LOGGED.get(plain(name))
        if column is None:
            self.ignored += 1
            return deal, self._row(cells, deal, {}, {})
        self.seen.add(column)
        after = {column: self._value(cells, deal, column, "new")}
        if column == "stage":
            cells.need("new", after["stage"])
        old = self._value(cells, deal, column, "old")
        return deal, self._row(cells, deal, after, {} if old is None else {column: old})

    def _deal(self, cells: Cells) -> str:
        deal = cells.need("deal_id", cells.crm_id("deal_id"))
        if deal not in self._deals:
            raise cells.fail("no_deal", "deal_id", "is not among the deals that were read")
        return deal

    def _row(
        self,
        cells: Cells,
        deal: str,
        after: Mapping[str, ChangeValue],
        before: Mapping[str, ChangeValue],
    ) -> HistoryRow:
        changed = cells.need("changed_at", cells.past("changed_at"))
        seq = cells.whole("seq")
        source = cells.label("source")
        return HistoryRow(
            at=changed.at,
            seq=seq or 0,
            place=cells.line,
            ref=cells.crm_id("row_id") or _ref(deal, changed.at, seq, after),
            by=_by(cells),
            source="unknown" if source is None else values.source(source),
            values=after,
            before=before,
        )

    def _value(self, cells: Cells, deal: str, column: str, place: str) -> ChangeValue:
        """The value that `place` has for our `column`."""
        match column:
            case "stage":
                return self._stage(cells, deal, place)
            case "close_date":
                return cells.day(place)
            case "amount":
                amount = cells.money(place)
                return None if amount is None else amount.amount
            case "forecast_category":
                return cells.forecast(place)
            case "next_step":
                return cells.prose(place)
            case _:
                return cells.crm_id(place)

    def _stage(self, cells: Cells, deal: str, place: str) -> str | None:
        name = cells.label(place)
        if name is None or not self._book:
            return name
        pipeline = self._deals[deal].record.pipeline_crm_id
        stage = self._book.find(pipeline, name)
        if stage is None:
            hint = self._book.hint(pipeline, name)
            cells.note_once("unknown_stage", place, f"is not in the stages file{hint}")
            return name
        return stage.crm_id


def _by(cells: Cells) -> str | None:
    by = cells.crm_id("changed_by")
    if by is not None:
        return by
    told = cells.raw("source_id")
    if told is None or not told.startswith(_USER):
        return None
    return told.removeprefix(_USER)[:64]


def _ref(deal: str, at: datetime, seq: int | None, after: Mapping[str, ChangeValue]) -> str:
    """A ref from the row alone, so that reading it twice gives it twice."""
    told = [deal, at.isoformat(), str(seq), *(f"{name}={after[name]}" for name in sorted(after))]
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:24]


def _newest_first(by_deal: Mapping[str, Sequence[HistoryRow]]) -> bool:
    """Whether the file lists the rows of a deal from the newest to the oldest."""
    balance = 0
    for rows in by_deal.values():
        for before, after in pairwise(rows):
            balance += (after.at > before.at) - (after.at < before.at)
    return balance < 0


def _note_ties(sheet: Sheet, tools: Tools, ordered: Mapping[str, Sequence[HistoryRow]]) -> None:
    """Note rows that only the file's order puts behind another one."""
    for rows in ordered.values():
        for before, after in pairwise(rows):
            if (before.at, before.seq) == (after.at, after.seq) and (
                before.values.keys() & after.values.keys()
            ):
                tools.problems.add(
                    Problem(
                        level="noted",
                        kind="same_instant",
                        file=sheet.path.name,
                        line=after.place,
                        column=sheet.headers[sheet.index["changed_at"]],
                        value=after.at.isoformat(),
                        reason="the deal has another change then and no seq; "
                        "the file's order was taken",
                    )
                )
