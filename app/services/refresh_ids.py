"""Their ids to ours: one dictionary load a sync; what is unknown gets a row of its own."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from app.store.activities import CONTACTS
from app.store.columns import to_micros
from app.store.deals import COMPANIES, PIPELINES, STAGE_PERIODS, STAGES
from app.store.merge import Row, Sheet, merge, select_in
from app.store.people import PEOPLE
from rules.tables import ROLES

EPOCH = to_micros(datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
CLOSED = ROLES.index("closed")

_PLACEHOLDERS: Mapping[str, tuple[Sheet, Callable[[str], Row]]] = {
    "people": (
        Sheet(table=PEOPLE, columns=("crm_id", "name", "is_active", "is_integration")),
        lambda crm_id: (crm_id, f"Unknown person {crm_id}", False, False),
    ),
    "companies": (
        Sheet(table=COMPANIES, columns=("crm_id", "name")),
        lambda crm_id: (crm_id, f"Unknown company {crm_id}"),
    ),
    "contacts": (
        Sheet(table=CONTACTS, columns=("crm_id", "title")),
        lambda crm_id: (crm_id, None),
    ),
    "pipelines": (
        Sheet(table=PIPELINES, columns=("crm_id", "name")),
        lambda crm_id: (crm_id, crm_id),
    ),
}
_STAGE = Sheet(
    table=STAGES,
    columns=("pipeline_id", "crm_id", "label", "is_closed", "is_won", "is_active"),
    key=2,
)
_PERIOD = Sheet(
    table=STAGE_PERIODS,
    columns=("stage_id", "valid_from", "position", "role", "basis"),
    key=2,
)


class Ids:
    """Ids of ours of everything that deals, changes and activities point at."""

    def __init__(self, conn: sa.Connection, connection_id: int) -> None:
        self._connection_id = connection_id
        self._known: dict[str, dict[str, int]] = {}
        for name, (sheet, _) in _PLACEHOLDERS.items():
            table = sheet.table
            here = table.c.connection_id == connection_id
            self._known[name] = {
                row.crm_id: row.id
                for row in conn.execute(sa.select(table.c.crm_id, table.c.id).where(here))
            }
        self._stages: dict[tuple[int, str], int] = {}
        self._pipelines_with: dict[str, set[int]] = defaultdict(set)
        mine = sa.select(STAGES.c.pipeline_id, STAGES.c.crm_id, STAGES.c.id)
        for row in conn.execute(mine.where(STAGES.c.connection_id == connection_id)):
            self._add_stage(row.pipeline_id, row.crm_id, row.id)

    def learn(self, conn: sa.Connection, kind: str, crm_ids: Iterable[str | None]) -> None:
        """Know all of these, with a placeholder row for those the CRM told nothing about."""
        known = self._known[kind]
        missing = sorted({crm_id for crm_id in crm_ids if crm_id is not None} - known.keys())
        if missing:
            sheet, blank = _PLACEHOLDERS[kind]
            merge(conn, sheet, map(blank, missing), connection_id=self._connection_id)
            self.reload(conn, kind, missing)

    def reload(self, conn: sa.Connection, kind: str, crm_ids: Iterable[str]) -> None:
        """Read the ids of rows that were just stored."""
        table = _PLACEHOLDERS[kind][0].table
        unknown = set(crm_ids) - self._known[kind].keys()
        found = select_in(conn, table, ("crm_id", "id"), self._connection_id, values=unknown)
        self._known[kind].update((row[0], row[1]) for row in found)

    def of(self, kind: str, crm_id: str | None) -> int | None:
        """Our id; None for None. KeyError: it was not learnt first."""
        return None if crm_id is None else self._known[kind][crm_id]

    def stage(self, pipeline_id: int, crm_id: str) -> int | None:
        """Our id of a stage: of this pipeline, else of the only one that has it."""
        found = self._stages.get((pipeline_id, crm_id))
        if found is None and len(others := self._pipelines_with.get(crm_id, set())) == 1:
            found = self._stages[next(iter(others)), crm_id]
        return found

    def learn_stages(
        self, conn: sa.Connection, wanted: Mapping[tuple[int, str], tuple[bool, bool]]
    ) -> None:
        """Know these stages (pipeline id, crm_id) -> (is_closed, is_won). One that only a
        deal or its history names gets no position.
        """
        missing = {key: state for key, state in wanted.items() if self.stage(*key) is None}
        if not missing:
            return
        rows = [
            (pipeline_id, crm_id, crm_id, is_closed, is_won, False)
            for (pipeline_id, crm_id), (is_closed, is_won) in missing.items()
        ]
        merge(conn, _STAGE, rows, connection_id=self._connection_id)
        self.reload_stages(conn, {pipeline_id for pipeline_id, _ in missing})
        periods = [
            (self._stages[key], EPOCH, None, CLOSED if is_closed else None, "assumed")
            for key, (is_closed, _) in missing.items()
        ]
        merge(conn, _PERIOD, periods, connection_id=self._connection_id)

    def reload_stages(self, conn: sa.Connection, pipeline_ids: Iterable[int]) -> None:
        """Read the ids of these pipelines' stages."""
        columns = ("pipeline_id", "crm_id", "id")
        values = set(pipeline_ids)
        for row in select_in(conn, STAGES, columns, self._connection_id, values=values):
            self._add_stage(*row)

    def _add_stage(self, pipeline_id: int, crm_id: str, stage_id: int) -> None:
        self._stages[pipeline_id, crm_id] = stage_id
        self._pipelines_with[crm_id].add(pipeline_id)
