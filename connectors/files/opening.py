"""Reading the files of an export whole: what each says, and what all together tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.files.activities import read_activities
from connectors.files.cells import Tools
from connectors.files.checks import completed, cross_check
from connectors.files.dates import DateOrder, DateReader, weigh_order
from connectors.files.deals import companies, read_deals
from connectors.files.history import History, read_history
from connectors.files.people import read_contacts, read_people
from connectors.files.problems import FileError, Problems
from connectors.files.settings import ExportSettings, Kind
from connectors.files.sheet import Sheet
from connectors.files.stages import StageRole, read_stages
from connectors.files.values import weigh_decimal_mark
from connectors.records import (
    ActivityRecord,
    CompanyRecord,
    ContactRecord,
    DealRecord,
    PersonRecord,
    StageRecord,
)

_DATES: Mapping[str, Sequence[str]] = {
    "deals": ("close_date", "created_at", "modified_at"),
    "history": ("changed_at", "close_date", "old", "new"),
    "people": ("from", "to"),
    "activities": ("at", "due_on", "logged_at"),
}
_AMOUNT = "amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Everything that the files told."""

    deals: Mapping[str, DealRecord]
    history: History
    stages: Sequence[StageRecord]
    roles: Mapping[tuple[str, str], StageRole]
    people: Sequence[PersonRecord]
    companies: Sequence[CompanyRecord]
    activities: Sequence[ActivityRecord]
    contacts: Sequence[ContactRecord]


def read_export(
    sheets: Mapping[Kind, Sheet], tools: Mapping[Kind, Tools]
) -> tuple[Export, list[str]]:
    """Everything, and warnings about the export as a whole. FileError where no deal is left."""
    book = read_stages(sheets.get("stages"), tools.get("stages"))
    rows = read_deals(sheets["deals"], tools["deals"], book)
    if not rows:
        raise FileError("deals", _none_read(sheets["deals"], tools["deals"].problems))
    history = read_history(sheets["history"], tools["history"], book, rows)
    deals = completed(rows, history, told=sheets["deals"].index)
    activities = read_activities(sheets.get("activities"), tools.get("activities"), deals)
    pipelines = {deal.pipeline_crm_id for deal in deals.values()}
    export = Export(
        deals=deals,
        history=history,
        stages=book.records(pipelines) if book else (),
        roles=book.roles(pipelines),
        people=read_people(
            sheets.get("people"), tools.get("people"), _named(deals, history, activities)
        ),
        companies=list(companies(rows).values()),
        activities=activities,
        contacts=read_contacts(sheets.get("contacts"), tools.get("contacts"), deals),
    )
    return export, cross_check(rows, deals, history, has_stages=bool(book))


def _none_read(sheet: Sheet, problems: Problems) -> str:
    refused = [problem for problem in problems.in_order() if problem.file == sheet.path.name]
    if not refused:
        return f"{sheet.path.name} has a header and no rows"
    first = refused[0]
    return (
        f"{sheet.path.name}: none of {len(refused):,} rows can be read; line {first.line}, "
        f"column {first.column}: {first.value!r} {first.reason}"
    )


def _named(
    deals: Mapping[str, DealRecord], history: History, activities: Sequence[ActivityRecord]
) -> set[str]:
    """Ids of people whom deals, history and activities name."""
    named = {deal.owner_crm_id for deal in deals.values()}
    named |= {deal.created_by_crm_id for deal in deals.values()}
    named |= {activity.owner_crm_id for activity in activities}
    for rows in history.rows.values():
        for row in rows:
            named.add(row.by)
            for told in (row.values, row.before):
                owner = told.get("owner_id")
                if isinstance(owner, str):
                    named.add(owner)
    return {crm_id for crm_id in named if crm_id}


def make_tools(
    sheets: Mapping[Kind, Sheet], settings: ExportSettings, now: datetime, problems: Problems
) -> Mapping[Kind, Tools]:
    """For each file its date order and decimal mark. FileError where the order is open."""
    texts = {kind: sheet.texts((*_DATES.get(kind, ()), _AMOUNT)) for kind, sheet in sheets.items()}
    orders = _orders(sheets, texts, settings.date_order)
    marks = {kind: weigh_decimal_mark(of_file[_AMOUNT]) for kind, of_file in texts.items()}
    return {
        kind: Tools(
            dates=DateReader(orders[kind], settings.time_zone),
            mark=settings.decimal_mark or marks[kind] or marks["deals"],
            now=now,
            problems=problems,
            forecasts=settings.forecasts,
        )
        for kind, sheet in sheets.items()
    }


def _orders(
    sheets: Mapping[Kind, Sheet],
    texts: Mapping[Kind, Mapping[str, Iterable[str]]],
    stated: DateOrder | None,
) -> Mapping[Kind, DateOrder | None]:
    """The date order of each file; one that proves none takes what the others prove."""
    if stated is not None:
        return dict.fromkeys(sheets, stated)
    evidence = {
        kind: weigh_order(text for column in _DATES.get(kind, ()) for text in of_file[column])
        for kind, of_file in texts.items()
    }
    for kind, found in evidence.items():
        if found.mdy and found.dmy:
            raise FileError(
                "date-order",
                f"{sheets[kind].path.name} has both {found.mdy!r} and {found.dmy!r}: "
                "state mdy, dmy or ymd",
            )
    proved = {found.proved for found in evidence.values() if found.proved}
    common = proved.pop() if len(proved) == 1 else None
    for kind, found in evidence.items():
        if found.open and found.proved is None and common is None:
            raise FileError(
                "date-order",
                f"{sheets[kind].path.name}: {found.open!r} could be day or month first, and "
                "no date in the files decides it: state mdy, dmy or ymd",
            )
    return {kind: found.proved or common for kind, found in evidence.items()}
