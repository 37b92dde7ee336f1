"""The deals file: what the CRM said of each deal when it was exported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from connectors.files.cells import Cells, Tools, read_rows
from connectors.files.dates import ReadInstant
from connectors.files.problems import FileError
from connectors.files.sheet import Sheet
from connectors.files.stages import DEFAULT_PIPELINE, StageBook
from connectors.records import CompanyRecord, DealRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRow:
    """A deal, and what its row left open. `note` tells something about its row."""

    record: DealRecord
    created_on_only: bool  # the file tells the day, not the time
    modified_at_told: datetime | None
    company_name: str | None
    note: Callable[[str, str | None, str], None]
    day_of: Callable[[datetime], date]  # in the export's zone


def read_deals(sheet: Sheet, tools: Tools, book: StageBook) -> Mapping[str, DealRow]:
    """Deals by id, in the file's order."""
    closed_told = {"is_closed", "is_won"} <= sheet.index.keys()
    if not closed_told and not book:
        raise FileError(
            "stages", "is needed where the deals file has no columns is_closed and is_won"
        )
    deals: dict[str, DealRow] = {}
    lines: dict[str, int] = {}

    def parse(cells: Cells) -> DealRow:
        row = _deal(cells, book)
        first = lines.setdefault(row.record.crm_id, cells.line)
        if first != cells.line:
            raise cells.fail("duplicate", "deal_id", f"is the deal of line {first} again")
        return row

    for row in read_rows(sheet, tools, parse):
        deals[row.record.crm_id] = row
    return deals


def companies(deals: Mapping[str, DealRow]) -> Mapping[str, CompanyRecord]:
    """The companies that deals name; an id stands in for a name that no row tells."""
    found: dict[str, CompanyRecord] = {}
    for row in deals.values():
        crm_id = row.record.company_crm_id
        if crm_id is not None and (row.company_name or crm_id not in found):
            found[crm_id] = CompanyRecord(crm_id=crm_id, name=row.company_name or crm_id)
    return found


def _deal(cells: Cells, book: StageBook) -> DealRow:
    crm_id = cells.need("deal_id", cells.crm_id("deal_id"))
    pipeline = _pipeline(cells, book)
    stage, is_closed, is_won = _stage(cells, book, pipeline)
    created = cells.need("created_at", cells.past("created_at"))
    modified = cells.past("modified_at")
    money = cells.money("amount")
    company_name = cells.prose("account_name")
    close_on = cells.day("close_date")
    record = DealRecord(
        crm_id=crm_id,
        name=cells.prose("name") or crm_id,
        pipeline_crm_id=pipeline,
        stage_crm_id=stage,
        created_at=created.at,
        modified_at=_later(created, modified),
        amount=None if money is None else money.amount,
        currency=_currency(cells) or (None if money is None else money.currency),
        close_on=close_on,
        owner_crm_id=cells.crm_id("owner_id"),
        created_by_crm_id=cells.crm_id("created_by"),
        company_crm_id=cells.crm_id("account_id") or (company_name or "")[:64] or None,
        deal_type=cells.label("type"),
        lead_source=cells.label("lead_source"),
        next_step=cells.prose("next_step"),
        forecast=cells.forecast("forecast_category"),
        is_closed=is_closed,
        is_won=is_won,
        is_deleted=cells.truth("is_deleted") or False,
        is_private=cells.truth("is_private") or False,
    )
    if close_on is not None and close_on < created.at.date() and is_closed:
        cells.note("closed_before_created", "close_date", "lies before the day of creation")
    return DealRow(
        record=record,
        created_on_only=not created.has_time,
        modified_at_told=None if modified is None else modified.at,
        company_name=company_name,
        note=cells.note,
        day_of=cells.day_of,
    )


def _later(created: ReadInstant, modified: ReadInstant | None) -> datetime:
    return created.at if modified is None else max(created.at, modified.at)


def _pipeline(cells: Cells, book: StageBook) -> str:
    told = cells.crm_id("pipeline")
    if told is not None:
        return told
    if not book:
        return DEFAULT_PIPELINE
    if book.only_pipeline is None:
        raise cells.fail("missing", "pipeline", "is empty, and the stages file has several")
    return book.only_pipeline


def _stage(cells: Cells, book: StageBook, pipeline: str) -> tuple[str, bool, bool]:
    told = cells.need("stage", cells.label("stage"))
    is_closed, is_won = cells.truth("is_closed"), cells.truth("is_won")
    stage = book.find(pipeline, told) if book else None
    if stage is None:
        if is_closed is None or (is_closed and is_won is None):
            raise cells.fail("unknown_stage", "stage", _unknown(book, pipeline, told))
        if book:
            cells.note_once("unknown_stage", "stage", _unknown(book, pipeline, told))
    else:
        is_closed = _agreed(cells, "is_closed", told=is_closed, stage=stage.is_closed)
        is_won = _agreed(cells, "is_won", told=is_won, stage=stage.is_won)
    if is_won and not is_closed:
        raise cells.fail("contradiction", "is_won", "is won without being closed")
    return (told if stage is None else stage.crm_id), bool(is_closed), bool(is_won)


def _unknown(book: StageBook, pipeline: str, told: str) -> str:
    return f"is not in the stages file{book.hint(pipeline, told)}"


def _agreed(cells: Cells, column: str, *, told: bool | None, stage: bool) -> bool:
    if told is not None and told != stage:
        cells.note("contradiction", column, "does not go with the deal's stage; the stage counts")
    return stage


def _currency(cells: Cells) -> str | None:
    code = cells.label("currency")
    if code is None:
        return None
    if len(code) != 3 or not code.isascii() or not code.isalpha():  # noqa: PLR2004
        raise cells.fail("currency", "currency", "is no currency code such as EUR")
    return code.upper()
