"""Undo: take what Forestage wrote out of the CRM again, and leave what people edited."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.clock import Clock
from app.errors import BadInput
from app.services.evidence import instant
from app.services.outgoing import content_digest
from app.services.switch import switch_mode
from app.services.writeback import settle
from app.store import flags, tasks
from app.store.database import Database
from app.store.outbox import Kind
from connectors.base import Writer
from connectors.records import Standing

BATCH = 200


@dataclass(slots=True, kw_only=True)
class Undone:
    """Records of one kind: removed, kept as people edited them, refused by the CRM."""

    removed: int = 0
    edited: int = 0
    refused: int = 0


@dataclass(slots=True, kw_only=True)
class UndoReport:
    """What was taken back. `errors` are the CRM's words; `export` has every record."""

    flags: Undone = field(default_factory=Undone)
    tasks: Undone = field(default_factory=Undone)
    export: str | None = None
    calls: int = 0
    errors: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As it is printed."""
        return asdict(self)


def undo(
    db: Database,
    connection_id: int,
    writer: Writer,
    *,
    clock: Clock,
    export: Path,
    dry_run: bool = False,
) -> UndoReport:
    """Export what stands to `export` (JSON lines), go back to `observe`, then remove it.

    A record that people edited since Forestage wrote it stays: its values differ from those
    written last. A dry run only counts. BadInput where `export` can't be written or exists.
    Raises `connectors.errors.ConnectorError`; run it again to go on where it stopped.
    """
    calls = writer.calls
    stands: dict[Kind, list[Standing]] = {
        "task": list(writer.standing_tasks().values()),
        "flag": list(writer.standing_flags().values()),
    }
    report = UndoReport()
    if not dry_run:
        _export(export, [*stands["flag"], *stands["task"]], at=clock.now())
        report.export = str(export)
        settle(db, connection_id, writer, clock=clock)
        switch_mode(db, connection_id, "observe", clock=clock)
    for kind, standing in stands.items():
        written = _written(db, connection_id, kind)
        ours = [one for one in standing if _is_as_written(one, written)]
        undone = report.flags if kind == "flag" else report.tasks
        undone.edited = len(standing) - len(ours)
        if dry_run:
            undone.removed = len(ours)
            continue
        gone: set[str] = set()
        for start in range(0, len(ours), BATCH):
            gone |= _remove(writer, ours[start : start + BATCH], report)
        _forget(db, connection_id, kind, stays={one.key for one in standing} - gone)
    report.calls = writer.calls - calls
    return report


def _export(path: Path, standing: Sequence[Standing], *, at: datetime) -> None:
    lines = [
        json.dumps(
            {
                "kind": one.kind,
                "key": one.key,
                "crm_id": one.crm_id,
                "exported_at": instant(at),
                "values": dict(one.values),
            },
            default=_text,
        )
        for one in standing
    ]
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise BadInput("export", f"{path} exists: name another file, it is not replaced") from None
    except OSError as error:
        raise BadInput("export", f"{path}: {error.strerror}") from None


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _written(db: Database, connection_id: int, kind: Kind) -> dict[str, str | None]:
    """The hash of what each record said when it was written last, by key."""
    table = flags.FLAGS if kind == "flag" else tasks.COACHING_TASKS
    query = sa.select(table.c.key, table.c.stands).where(table.c.connection_id == connection_id)
    with db.read() as conn:
        return {row[0]: row[1] for row in conn.execute(query)}


def _is_as_written(standing: Standing, written: Mapping[str, str | None]) -> bool:
    return written.get(standing.key) == content_digest(standing.values)


def _remove(writer: Writer, lot: Sequence[Standing], report: UndoReport) -> set[str]:
    """Remove records of one kind; gives the keys of those that are gone."""
    kind = lot[0].kind
    undone = report.flags if kind == "flag" else report.tasks
    gone = set()
    results = writer.remove(kind, [one.crm_id for one in lot])
    for one, result in zip(lot, results, strict=True):
        if result.outcome == "written":
            gone.add(one.key)
        else:
            report.errors.append(f"{kind} {one.crm_id}: {result.error}")
    undone.removed += len(gone)
    undone.refused += len(lot) - len(gone)
    return gone


def _forget(db: Database, connection_id: int, kind: Kind, *, stays: Collection[str]) -> None:
    """Nothing but what `stays` is in the CRM any more, also of an undo that was cut off."""
    with db.write() as conn:
        if kind == "task":
            known = {task.key for task in tasks.states(conn, connection_id)}
            tasks.delete(conn, connection_id, known - set(stays))
            return
        nothing = dict.fromkeys(("crm_id", "written", "stands"))
        for flag in flags.states(conn, connection_id):
            if flag.written is not None and flag.key not in stays:
                flags.update(conn, flag.id, **nothing)
