"""The portal's records, associations and definitions in one SQLite file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from connectors.sandbox.database import Database
from connectors.sandbox.hubspot.builtin import properties_of
from connectors.sandbox.hubspot.catalog import TYPES

_TABLES = """
CREATE TABLE IF NOT EXISTS object (
    type TEXT NOT NULL, id INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    archived_at TEXT, props TEXT NOT NULL, history TEXT NOT NULL, PRIMARY KEY (type, id));
CREATE INDEX IF NOT EXISTS object_updated ON object (type, updated_at);
CREATE TABLE IF NOT EXISTS lagging (
    type TEXT NOT NULL, id INTEGER NOT NULL, due_at TEXT NOT NULL, created_at TEXT,
    updated_at TEXT, archived_at TEXT, props TEXT, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS alias (
    type TEXT NOT NULL, id INTEGER NOT NULL, current INTEGER NOT NULL, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS unique_value (
    type TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (type, name, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_value_of ON unique_value (type, id);
CREATE TABLE IF NOT EXISTS link (
    source TEXT NOT NULL, source_id INTEGER NOT NULL, target TEXT NOT NULL,
    target_id INTEGER NOT NULL, type_id INTEGER NOT NULL,
    PRIMARY KEY (source, source_id, target, target_id, type_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS label (
    type_id INTEGER PRIMARY KEY, source TEXT, target TEXT, label TEXT);
CREATE TABLE IF NOT EXISTS property (
    type TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (type, name));
CREATE TABLE IF NOT EXISTS property_group (
    type TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (type, name));
CREATE TABLE IF NOT EXISTS pipeline (
    type TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS audit (
    pipeline TEXT NOT NULL, stage TEXT, at TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS team (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""
# value, timestamp, sourceType, sourceId, updatedByUserId
Revision = list[Any]
Link = tuple[str, int, str, int, int]


@dataclass(slots=True)
class Record:
    """One record; `history` has the values of each property that changed, newest first."""

    type: str
    id: int
    created_at: str
    updated_at: str
    archived_at: str | None = None
    props: dict[str, str] = field(default_factory=dict)
    history: dict[str, list[Revision]] = field(default_factory=dict)


class Store(Database):
    """Take `lock`, or a `transaction`, around what belongs together."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _TABLES)
        self.properties = {each: properties_of(each) for each in TYPES}
        self.hidden: frozenset[tuple[str, str]] = frozenset()
        for type_id, name, body in self.select("SELECT type, name, body FROM property"):
            self.properties[type_id][name] = orjson.loads(body)
        self._last_ids = {
            each.id: max(
                each.first_id,
                *(
                    found[0] or 0
                    for found in self.select(
                        "SELECT MAX(id) FROM object WHERE type = ? "
                        "UNION ALL SELECT MAX(id) FROM alias WHERE type = ?",
                        (each.id, each.id),
                    )
                ),
            )
            for each in TYPES.values()
        }

    def definition(self, type_id: str, name: str) -> dict[str, Any] | None:
        """A property that callers may see, None if there is none of that name."""
        found = self.properties[type_id].get(name)
        if found is None or found["archived"] or (type_id, name) in self.hidden:
            return None
        return found

    def new_id(self, type_id: str) -> int:
        """The next id of a type; ids are never used again."""
        with self.lock:
            self._last_ids[type_id] += 1
            return self._last_ids[type_id]

    def get(self, type_id: str, record_id: int) -> Record | None:
        """One record, archived or not; a merged one by the id that it had."""
        found = self.many(type_id, [record_id])
        return found.get(record_id)

    def many(self, type_id: str, record_ids: Sequence[int]) -> dict[int, Record]:
        """Records by the id that was asked for."""
        wanted = orjson.dumps(list(record_ids)).decode()
        current = dict(
            self.select(
                "SELECT id, current FROM alias "
                "WHERE type = ? AND id IN (SELECT value FROM json_each(?))",
                (type_id, wanted),
            )
        )
        ids = [current.get(each, each) for each in record_ids]
        rows = self.select(
            "SELECT type, id, created_at, updated_at, archived_at, props, history FROM object "
            "WHERE type = ? AND id IN (SELECT value FROM json_each(?))",
            (type_id, orjson.dumps(ids).decode()),
        )
        by_id = {row[1]: record_from(row) for row in rows}
        return {
            asked: by_id[held] for asked, held in zip(record_ids, ids, strict=True) if held in by_id
        }

    def put(self, records: Iterable[Record]) -> None:
        """Store records as they are now."""
        self.execute_many(
            "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    each.type,
                    each.id,
                    each.created_at,
                    each.updated_at,
                    each.archived_at,
                    orjson.dumps(each.props).decode(),
                    orjson.dumps(each.history).decode(),
                )
                for each in records
            ),
        )

    def link(self, links: Iterable[Link]) -> None:
        """Store associations; they know both ways only if both are told."""
        self.execute_many("INSERT OR IGNORE INTO link VALUES (?, ?, ?, ?, ?)", links)

    def save_property(self, type_id: str, body: dict[str, Any]) -> None:
        """Keep a definition that differs from what every portal has."""
        self.properties[type_id][body["name"]] = body
        self.execute(
            "INSERT OR REPLACE INTO property VALUES (?, ?, ?)",
            (type_id, body["name"], orjson.dumps(body).decode()),
        )

    def set_choices(self, type_id: str, name: str, choices: list[dict[str, Any]]) -> None:
        """Make the portal's own choices of an enumeration known."""
        self.save_property(type_id, self.properties[type_id][name] | {"options": choices})


def record_from(row: Sequence[Any]) -> Record:
    """A record from its row's columns, in the order of the table."""
    type_id, record_id, created_at, updated_at, archived_at, props, history = row
    return Record(
        type_id,
        record_id,
        created_at,
        updated_at,
        archived_at,
        orjson.loads(props),
        orjson.loads(history),
    )
