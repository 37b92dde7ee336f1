"""Import: an export's files take the way that a CRM's answers take, and tell what they refuse."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from app.clock import Clock
from app.errors import Conflict, NotFound
from app.services import setup
from app.services.connect import check_name
from app.services.progress import Progress
from app.services.refresh import SyncReport, refresh
from app.store import connections, runs
from app.store.connections import ConnectionRow
from app.store.database import Database
from connectors.base import Reader

CRM = "files"


class RowProblem(Protocol):
    """One problem with one row of a file."""

    @property
    def level(self) -> str:
        """`refused` or `noted`."""
        ...

    def as_json(self) -> Mapping[str, Any]:
        """level, kind, file, line, column, value, reason."""
        ...


class ImportSource(Reader, Protocol):
    """Files read like a CRM; everything was read when it was opened."""

    @property
    def problems(self) -> Sequence[RowProblem]:
        """Rows that were refused or noted, by file and line."""
        ...

    @property
    def problems_by_kind(self) -> Mapping[Any, Mapping[str, int]]:
        """Their numbers, by level and kind."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What is to be said of the export as a whole."""
        ...

    @property
    def stage_roles(self) -> Mapping[tuple[str, str], str]:
        """(pipeline, stage) -> the role that the stages file states."""
        ...

    @property
    def rows_read(self) -> Mapping[Any, int]:
        """Rows that were read whole, by kind of file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What came of an import. `sync` None: nothing was stored."""

    connection: str
    rows: Mapping[str, int]
    by_kind: Mapping[str, Mapping[str, int]]
    problems: Sequence[RowProblem]
    warnings: Sequence[str]
    sync: SyncReport | None
    seconds: float

    @property
    def refused(self) -> int:
        """Rows that were left out."""
        return sum(self.by_kind["refused"].values())

    @property
    def noted(self) -> int:
        """Rows that were kept with a doubt."""
        return sum(self.by_kind["noted"].values())

    def as_json(self) -> dict[str, Any]:
        """The shape of `import --json` (docs/import.md)."""
        return {
            "connection": self.connection,
            "stored": self.sync is not None,
            "rows": dict(self.rows),
            "refused": self.refused,
            "noted": self.noted,
            "by_kind": {level: dict(kinds) for level, kinds in self.by_kind.items()},
            "problems": [problem.as_json() for problem in self.problems],
            "warnings": list(self.warnings),
            "sync": None if self.sync is None else asdict(self.sync),
            "seconds": round(self.seconds, 3),
        }


def import_files(
    db: Database,
    source: ImportSource,
    *,
    name: str,
    clock: Clock,
    store: bool = True,
    progress: Progress | None = None,
) -> ImportReport:
    """Store an export under the connection `name`, made at its first import.

    Importing a newer export again adds what is new and changes nothing twice. `store`
    False reads and reports only. Raises Conflict where the name is that of a CRM.
    """
    started = time.perf_counter()
    check_name(name)
    present = _find(db, name)
    if present is not None and present.crm != CRM:
        raise Conflict(f"{name!r} is a connection to {present.crm}; choose another name")
    sync = _store(db, source, name, clock=clock, progress=progress) if store else None
    warnings = [*source.warnings, *(() if sync is None else sync.warnings)]
    return ImportReport(
        connection=name,
        rows=source.rows_read,
        by_kind=source.problems_by_kind,
        problems=source.problems,
        warnings=warnings,
        sync=sync,
        seconds=time.perf_counter() - started,
    )


def _find(db: Database, name: str) -> ConnectionRow | None:
    with db.read() as conn:
        try:
            return connections.get(conn, name)
        except NotFound:
            return None


def _store(
    db: Database,
    source: ImportSource,
    name: str,
    *,
    clock: Clock,
    progress: Progress | None,
) -> SyncReport:
    connection_id = _connection(db, name, clock=clock)
    with db.write() as conn:
        run_id = runs.begin(conn, connection_id, "import", arguments={}, at=clock.now())
    try:
        report = refresh(db, connection_id, source, clock=clock, full=True, progress=progress)
        _confirm_roles(db, connection_id, source.stage_roles, clock=clock)
    except Exception as error:
        with db.write() as conn:
            runs.finish(conn, run_id, at=clock.now(), error=str(error) or type(error).__name__)
        raise
    with db.write() as conn:
        runs.finish(conn, run_id, at=clock.now(), result=asdict(report))
    return report


def _confirm_roles(
    db: Database, connection_id: int, roles: Mapping[tuple[str, str], str], *, clock: Clock
) -> None:
    """Roles that a person wrote into the stages file need no further confirmation."""
    if not roles:
        return
    proposal = setup.propose(db, connection_id)
    pipelines = [
        {
            **pipeline,
            "stages": [
                {**stage, "role": roles.get((pipeline["crm_id"], stage["crm_id"]), stage["role"])}
                for stage in pipeline["stages"]
            ],
        }
        for pipeline in proposal.pipelines
    ]
    stated = replace(proposal, pipelines=pipelines)
    setup.accept(db, connection_id, stated, by="stages file", clock=clock)


def _connection(db: Database, name: str, *, clock: Clock) -> int:
    """The connection's id; refresh stores what the files tell of its account."""
    present = _find(db, name)
    if present is not None:
        return present.id
    with db.write() as conn:
        return connections.create(conn, name=name, crm=CRM, config={}, secret=None, at=clock.now())
