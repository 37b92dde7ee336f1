"""An export read like a CRM: `connect` opens the files, FilesReader serves them in pages."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from connectors.base import Stream
from connectors.files.changes import changes_of
from connectors.files.opening import Export, make_tools, read_export
from connectors.files.problems import FileError, Level, Problem, Problems
from connectors.files.settings import ExportSettings, Kind
from connectors.files.sheet import Sheet, open_sheet
from connectors.files.stages import StageRole
from connectors.records import AccountInfo, Page, PersonRecord, StageRecord

T = TypeVar("T")

PAGE = 1000


class FilesReader:
    """A `connectors.base.Reader` over files. Every read is a full one: cursors are ignored."""

    def __init__(
        self, account: AccountInfo, export: Export, problems: Problems, warnings: Sequence[str]
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
    tools = make_tools(sheets, settings, now, problems)
    export, rows_seen = read_export(sheets, tools)
    account = AccountInfo(
        crm_id=f"files:{name}",
        name=name,
        time_zone=settings.time_zone.key,
        home_currency=settings.home_currency,
        fiscal_year_start_month=settings.fiscal_start_month,
        now=min(now, _exported_at(export, settings.time_zone)),
    )
    return FilesReader(account, export, problems, [*_warnings(sheets), *rows_seen])


def _exported_at(export: Export, zone: ZoneInfo) -> datetime:
    """The end of the day of the newest row: no file tells when it was exported."""
    told = [deal.modified_at for deal in export.deals.values()]
    told += [rows[-1].at for rows in export.history.rows.values() if rows]
    told += [activity.logged_at for activity in export.activities]
    next_day = max(told).astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(next_day, time.min, zone).astimezone(UTC)


def _warnings(sheets: Mapping[Kind, Sheet]) -> Iterator[str]:
    for sheet in sheets.values():
        if sheet.warning:
            yield f"{sheet.path.name}: {sheet.warning}"
