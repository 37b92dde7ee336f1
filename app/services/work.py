"""What a run does, by its kind; the CLI and the worker do it alike."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from app.errors import ForestageError
from app.services.coaching import plan_tasks
from app.services.parts import Parts, trouble
from app.services.progress import Progress
from app.services.refresh import refresh
from app.services.score import score
from app.services.writeback import write_back
from app.store import runs
from app.store.connections import ConnectionRow
from app.store.runs import RunKind
from connectors.errors import ConnectorError


class Interrupted(Exception):
    """Raised by a report of progress to leave a run where it is; it is taken up again."""


def perform(
    parts: Parts,
    row: ConnectionRow,
    kind: RunKind,
    *,
    arguments: Mapping[str, Any],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Do the work of a run and give its result as JSON. CrmTrouble where the CRM fails."""
    try:
        match kind:
            case "sync":
                return _sync(parts, row, arguments, progress)
            case "score":
                return _score(parts, row, arguments, progress)
            case "write_back":
                return _write_back(parts, row, arguments, progress)
            case _:
                raise ValueError(f"a run of kind {kind!r} is not done here")
    except ConnectorError as error:
        raise trouble(error) from error


def recorded(
    parts: Parts,
    row: ConnectionRow,
    kind: RunKind,
    *,
    arguments: Mapping[str, Any],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """`perform`, kept in the table of runs: a killed one is taken up by the next `serve`."""
    with parts.db.write() as conn:
        run_id = runs.begin(conn, row.id, kind, arguments=arguments, at=parts.clock.now())
    return concluded(parts, row, run_id, kind=kind, arguments=arguments, progress=progress)


def concluded(
    parts: Parts,
    row: ConnectionRow,
    run_id: int,
    *,
    kind: RunKind,
    arguments: Mapping[str, Any],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Do a run that is already marked as running and store how it ended."""
    try:
        result = perform(parts, row, kind, arguments=arguments, progress=progress)
    except Interrupted:
        raise
    except ForestageError as error:
        _end(parts, run_id, error=str(error))
        raise
    except Exception as error:
        _end(parts, run_id, error=f"{type(error).__name__}; the log has more")
        raise
    _end(parts, run_id, result=result)
    return result


def _end(
    parts: Parts,
    run_id: int,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    with parts.db.write() as conn:
        runs.finish(conn, run_id, at=parts.clock.now(), result=result, error=error)


def _sync(
    parts: Parts, row: ConnectionRow, arguments: Mapping[str, Any], progress: Progress | None
) -> dict[str, Any]:
    with parts.counted(row) as crm:
        report = refresh(
            parts.db,
            row.id,
            crm.reader(),
            clock=parts.clock,
            full=bool(arguments.get("full")),
            progress=progress,
        )
    return asdict(report)


def _score(
    parts: Parts, row: ConnectionRow, arguments: Mapping[str, Any], progress: Progress | None
) -> dict[str, Any]:
    as_of = arguments.get("as_of")
    dry_run = bool(arguments.get("dry_run")) or as_of is not None
    report = score(
        parts.db,
        row.id,
        clock=parts.clock,
        as_of=None if as_of is None else datetime.fromisoformat(as_of),
        dry_run=dry_run,
        progress=progress,
    )
    if not dry_run:
        plan_tasks(parts.db, row.id, clock=parts.clock)
    return report.as_json()


def _write_back(
    parts: Parts, row: ConnectionRow, arguments: Mapping[str, Any], progress: Progress | None
) -> dict[str, Any]:
    dry_run = bool(arguments.get("dry_run"))
    with parts.counted(row, dry_run=dry_run) as crm:
        report = write_back(
            parts.db,
            row.id,
            crm.writer(),
            clock=parts.clock,
            dry_run=dry_run,
            progress=progress,
        )
    told = asdict(report)
    return told if dry_run else {name: told[name] for name in told if name != "items"}
