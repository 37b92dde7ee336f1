"""Small exports, written as a person would."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from connectors.files import ExportSettings, FilesReader, connect
from connectors.records import ChangeRecord, DealRecord

NOW = datetime(2026, 11, 1, tzinfo=UTC)

STAGES = """\
stage,position,is_closed,is_won
Prospecting,0,no,no
Proposal,1,no,no
Negotiation,2,no,no
Won,3,yes,yes
Lost,4,yes,no
"""
DEALS = """\
deal_id,name,owner_id,stage,amount,close_date,created_at
D1,First deal,P1,Proposal,1000,2026-06-30,2026-01-05T09:00:00Z
"""
HISTORY = """\
deal_id,changed_at,stage,close_date,amount,changed_by
D1,2026-01-05T09:00:00Z,Prospecting,2026-05-31,1000,P1
D1,2026-02-05T09:00:00Z,Proposal,2026-06-30,1000,P1
"""


class Export:
    """Files in a directory of their own; `open` reads them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.paths: dict[str, Path] = {}

    def write(self, kind: str, content: str | bytes, *, name: str | None = None) -> Path:
        """Write one file."""
        path = self.directory / (name or f"{kind}.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.paths[kind] = path
        return path

    def open(self, settings: ExportSettings | None = None, *, now: datetime = NOW) -> FilesReader:
        """Read what was written; deals, history and stages have their usual content."""
        for kind, usual in (("deals", DEALS), ("history", HISTORY), ("stages", STAGES)):
            if kind not in self.paths:
                self.write(kind, usual)
        return connect(self.paths, name="acme", now=now, settings=settings or ExportSettings())


def deals(reader: FilesReader) -> dict[str, DealRecord]:
    """All deals by id."""
    return {deal.crm_id: deal for page in reader.read("deals", None) for deal in page.deals}


def changes(reader: FilesReader, field: str | None = None) -> list[ChangeRecord]:
    """All changes, or those of a field, in the order in which they are told."""
    pages: Iterable[ChangeRecord] = (
        change for page in reader.read("history", None) for change in page.changes
    )
    return [change for change in pages if field is None or change.field == field]
