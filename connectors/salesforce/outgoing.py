"""Flags and coaching tasks as Salesforce rows, and back as they stand there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from connectors import render
from connectors.records import FlagWrite, TaskWrite
from connectors.salesforce.activities import KEY_FIELD
from connectors.salesforce.mapping import day, instant

FLAG = "Forestage_Flag__c"
FLAG_KEY = "Key__c"
TASK = "Task"
TASK_KEY = KEY_FIELD
# Long text counts a line feed as two, so the cut stays well below 32,768 and 32,000.
LONG_TEXT = 30_000


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a record, its name in Salesforce, and the way there and back."""

    attribute: str
    api: str
    to: Callable[[Any], Any]
    back: Callable[[Any], Any]


def _line(limit: int) -> Callable[[str], str | None]:
    return lambda text: render.cut(render.one_line(text), limit) or None


def _long(text: str) -> str | None:
    return render.cut(render.plain(text), LONG_TEXT) or None


def _text_back(raw: str | None) -> str:
    return render.plain(raw or "")


def _same(value: Any) -> Any:
    return value


def _instant_to(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _instant_back(raw: str | None) -> datetime | None:
    return instant(raw) if raw else None


def _whole(raw: float | None) -> int | None:
    return None if raw is None else int(raw)


FLAG_COLUMNS: Sequence[Column] = (
    Column("deal_crm_id", "Opportunity__c", _same, _same),
    Column("owner_crm_id", "OwnerId", _same, _same),
    Column("title", "Name", _line(80), _text_back),
    Column("rule", "Rule__c", _line(80), _text_back),
    Column("severity", "Severity__c", _same, _same),
    Column("status", "Status__c", _same, _same),
    Column("rank", "Rank__c", _same, _whole),
    Column("reason", "Reason__c", _line(255), _text_back),
    Column("evidence", "Evidence__c", _long, _text_back),
    Column("questions", "Questions__c", _long, _text_back),
    Column("opened_at", "Opened_At__c", _instant_to, _instant_back),
)
TASK_COLUMNS: Sequence[Column] = (
    Column("owner_crm_id", "OwnerId", _same, _same),
    Column("subject", "Subject", _line(255), _text_back),
    Column("body", "Description", _long, _text_back),
    Column("due_on", "ActivityDate", date.isoformat, day),
)


def flag_row(flag: FlagWrite) -> dict[str, Any]:
    """The row to upsert. Without an owner Salesforce keeps or chooses one."""
    return {FLAG_KEY: flag.key, **_row(flag, FLAG_COLUMNS)}


def task_row(task: TaskWrite, *, flag_ids: Mapping[str, str], status: str | None) -> dict[str, Any]:
    """The row to upsert; `status` None leaves a standing task's own."""
    row = {TASK_KEY: task.key, **_row(task, TASK_COLUMNS)}
    row["WhatId"] = flag_ids.get(task.flag_key) if task.flag_key else None
    return row if status is None else {**row, "Status": status}


def stored_flag(flag: FlagWrite) -> Mapping[str, object]:
    """The flag's values as Salesforce will give them back."""
    return _stored(flag, FLAG_COLUMNS)


def stored_task(task: TaskWrite) -> Mapping[str, object]:
    """The task's values as Salesforce will give them back."""
    return {**_stored(task, TASK_COLUMNS), "status": task.status, "flag_key": task.flag_key}


def flag_values(row: Mapping[str, Any]) -> Mapping[str, object]:
    """What a flag record says."""
    return {column.attribute: column.back(row.get(column.api)) for column in FLAG_COLUMNS}


def task_values(row: Mapping[str, Any], flag_key: str | None) -> Mapping[str, object]:
    """What a coaching task says."""
    values = {column.attribute: column.back(row.get(column.api)) for column in TASK_COLUMNS}
    return {
        **values,
        "status": "completed" if row["IsClosed"] else "open",
        "flag_key": flag_key,
    }


def _row(record: FlagWrite | TaskWrite, columns: Sequence[Column]) -> dict[str, Any]:
    row = {column.api: column.to(getattr(record, column.attribute)) for column in columns}
    if record.owner_crm_id is None:
        del row["OwnerId"]
    return row


def _stored(record: FlagWrite | TaskWrite, columns: Sequence[Column]) -> dict[str, object]:
    values = {
        column.attribute: column.back(column.to(getattr(record, column.attribute)))
        for column in columns
    }
    if record.owner_crm_id is None:
        del values["owner_crm_id"]
    return values
