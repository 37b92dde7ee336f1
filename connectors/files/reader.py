"""An export read like a CRM: `connect` opens the files, FilesReader serves them in pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from connectors.base import Stream
from connectors.files.activities import read_activities, read_contacts, read_people
from connectors.files.cells import Tools
from connectors.files.changes import changes_of
from connectors.files.checks import completed, cross_check
from connectors.files.dates import DateOrder, DateReader, weigh_order
from connectors.files.deals import companies, read_deals
from connectors.files.history import History, read_history
from connectors.files.problems import FileError, Level, Problem, Problems
from connectors.files.settings import ExportSettings, Kind
from connectors.files.sheet import Sheet, open_sheet
from connectors.files.stages import StageRole, read_stages
from connectors.files.values import weigh_decimal_mark
from connectors.records import (
    AccountInfo,
    ActivityRecord,
    CompanyRecord,
    ContactRecord,
    DealRecord,
    Page,
    PersonRecord,
    StageRecord,
)

T = TypeVar("T")

PAGE = 1000
_DATES: Mapping[str, Sequence[str]] = {
    "deals": ("close_date", "created_at", "modified_at"),
    "history": ("changed_at", "close_date"),
    "people": ("from", "to"),
    "activities": ("at", "due_on", "logged_at"),
}
_AMOUNTS = ("amount",)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Export:
    """Everything that the files told."""

    deals: Mapping[str, DealRecord]
    history: History
    stages: Sequence[StageRecord]
    roles: Mapping[tuple[str, str], StageRole]
    people: Sequence[PersonRecord]
    companies: Sequence[CompanyRecord]
    activities: Sequence[ActivityRecord]
    contacts: Sequence[ContactRecord]


class FilesReader:
    """A `connectors.base.Reader` over files. Every read is a full one: cursors are ignored."""

    def __init__(
        self, account: AccountInfo, export: _Export, problems: Problems, warnings: Sequence[str]
    ) -> None:
        self._account = account
        self._export = export
        self._problems = problems
        self.warnings = warnings

    @property
    def calls(self) -> int:
        """Files need no calls."""
        return 0

    @property
    def problems(self) -> Sequence[Problem]:
        """What was refused or noted, by file and line."""
        return self._problems.in_order()

    @property
    def problems_by_kind(self) -> Mapping[Level, Mapping[str, int]]:
        """Numbers of problems."""
        return self._problems.by_kind()

    @property
    def stage_roles(self) -> Mapping[tuple[str, str], StageRole]:
        """(pipeline, stage) -> the role that the stages file states."""
        return self._export.roles

    @property
    def rows_read(self) -> Mapping[Kind, int]:
        """Rows that were read whole, by kind of file."""
        export = self._export
        return {
            "deals": len(export.deals),
            "history": sum(len(rows) for rows in export.history.rows.values()),
            "stages": len(export.stages),
            "people": len(export.people),
            "activities": len(export.activities),
            "contacts": len(export.contacts),
        }

    def account(self) -> AccountInfo:
        """The export; its clock stands at the end of the day of its newest row."""
        return self._account

    def stages(self) -> Sequence[StageRecord]:
        """Stages of the stages file; none without one."""
        return self._export.stages

    def people(self) -> Sequence[PersonRecord]:
        """People of the people file, then those whom only other files name."""
        return self._export.people

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002
        """Pages of a stream."""
        export = self._export
        match stream:
            case "companies":
                yield from (Page(cursor=None, companies=part) for part in _parts(export.companies))
            case "deals":
                deals = list(export.deals.values())
                total = len(deals)
                yield from (Page(cursor=None, deals=part, total=total) for part in _parts(deals))
            case "history":
                ids = list(export.deals)
                yield from (self._histories(part, total=len(ids)) for part in _parts(ids))
            case "contacts":
                yield from (Page(cursor=None, contacts=part) for part in _parts(export.contacts))
            case "activities":
                of_all = export.activities
                yield from (Page(cursor=None, activities=part) for part in _parts(of_all))

    def deals_by_id(self, crm_ids: Sequence[str]) -> Page:
        """The named deals with their whole history."""
        known = [crm_id for crm_id in crm_ids if crm_id in self._export.deals]
        page = self._histories(known, total=len(known))
        return Page(
            cursor=None,
            deals=[self._export.deals[crm_id] for crm_id in known],
            changes=page.changes,
            complete_histories=page.complete_histories,
        )

    def _histories(self, crm_ids: Sequence[str], *, total: int) -> Page:
        deals = [self._export.deals[crm_id] for crm_id in crm_ids]
        changes = [change for deal in deals for change in changes_of(deal, self._export.history)]
        return Page(
            cursor=None, changes=changes, complete_histories=frozenset(crm_ids), total=total
        )


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + PAGE] for at in range(0, len(items), PAGE))


def connect(
    paths: Mapping[Kind, Path], *, name: str, now: datetime, settings: ExportSettings
) -> FilesReader:
    """Read the files whole. `now`: our clock; `name` stands for the account.

    Raises FileError for a file or option that can't be used; bad rows are `problems`.
    """
    for kind in ("deals", "history"):
        if kind not in paths:
            raise FileError(kind, "is needed")
    sheets = {
        kind: open_sheet(kind, path, settings.columns.get(kind, {})) for kind, path in paths.items()
    }
    problems = Problems()
    tools = _tools(sheets, settings, now, problems)
    export, rows_seen = _read(sheets, tools)
    account = AccountInfo(
        crm_id=f"files:{name}",
        name=name,
        time_zone=settings.time_zone.key,
        home_currency=settings.home_currency,
        fiscal_year_start_month=settings.fiscal_start_month,
        now=min(now, _exported_at(export, settings.time_zone)),
    )
    return FilesReader(account, export, problems, [*_warnings(sheets), *rows_seen])


def _read(sheets: Mapping[Kind, Sheet], tools: Mapping[Kind, Tools]) -> tuple[_Export, list[str]]:
    book = read_stages(sheets.get("stages"), tools.get("stages"))
    rows = read_deals(sheets["deals"], tools["deals"], book)
    if not rows:
        raise FileError("deals", _none_read(sheets["deals"], tools["deals"].problems))
    history = read_history(sheets["history"], tools["history"], book, rows)
    deals = completed(rows, history)
    activities = read_activities(sheets.get("activities"), tools.get("activities"), deals)
    pipelines = {deal.pipeline_crm_id for deal in deals.values()}
    export = _Export(
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


def _exported_at(export: _Export, zone: ZoneInfo) -> datetime:
    """The end of the day of the newest row: no file tells when it was exported."""
    told = [deal.modified_at for deal in export.deals.values()]
    told += [rows[-1].at for rows in export.history.rows.values() if rows]
    told += [activity.logged_at for activity in export.activities]
    next_day = max(told).astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(next_day, time.min, zone).astimezone(UTC)


def _tools(
    sheets: Mapping[Kind, Sheet], settings: ExportSettings, now: datetime, problems: Problems
) -> Mapping[Kind, Tools]:
    orders = _orders(sheets, settings.date_order)
    return {
        kind: Tools(
            dates=DateReader(orders[kind], settings.time_zone),
            mark=settings.decimal_mark
            or weigh_decimal_mark(text for column in _AMOUNTS for text in sheet.texts(column)),
            now=now,
            problems=problems,
            forecasts=settings.forecasts,
        )
        for kind, sheet in sheets.items()
    }


def _orders(
    sheets: Mapping[Kind, Sheet], stated: DateOrder | None
) -> Mapping[Kind, DateOrder | None]:
    """The date order of each file; one that proves none takes what the others prove."""
    if stated is not None:
        return dict.fromkeys(sheets, stated)
    evidence = {
        kind: weigh_order(text for column in _DATES.get(kind, ()) for text in sheet.texts(column))
        for kind, sheet in sheets.items()
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


def _warnings(sheets: Mapping[Kind, Sheet]) -> Iterator[str]:
    for sheet in sheets.values():
        if sheet.warning:
            yield f"{sheet.path.name}: {sheet.warning}"
