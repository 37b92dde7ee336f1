"""The SQLite file behind a practice CRM: one connection, one lock, a few saved facts."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OWN_TABLES = """
CREATE TABLE IF NOT EXISTS _meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _key (key TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Transaction:
    """What is being written; `undo` takes it back at its end."""

    is_undone: bool = False

    def undo(self) -> None:
        """Keep nothing of it."""
        self.is_undone = True


class Database:
    """`_meta` keeps facts about the sandbox, `_key` which id an act's key has become."""

    def __init__(self, path: Path, tables: str) -> None:
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA cache_size=-131072")  # KiB; a bulk load touches every index
        self._db.executescript(_OWN_TABLES + tables)

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All or nothing; nested, it is a savepoint."""
        with self.lock:
            outer = not self._db.in_transaction
            self._db.execute("BEGIN IMMEDIATE" if outer else "SAVEPOINT part")
            transaction = Transaction()
            try:
                yield transaction
            except BaseException:
                self._undo(is_outer=outer)
                raise
            if transaction.is_undone:
                self._undo(is_outer=outer)
            else:
                self._db.execute("COMMIT" if outer else "RELEASE part")

    def _undo(self, *, is_outer: bool) -> None:
        self._db.execute("ROLLBACK" if is_outer else "ROLLBACK TO part")
        if not is_outer:
            self._db.execute("RELEASE part")

    def function(self, name: str, arguments: int, body: Any) -> None:
        """Make a Python function known to SQL."""
        self._db.create_function(name, arguments, body, deterministic=True)

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement of ours."""
        with self.lock:
            return self._db.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """One statement."""
        with self.lock:
            self._db.execute(sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows."""
        with self.lock:
            self._db.executemany(sql, rows)

    def meta(self, name: str) -> Any:
        """A saved fact about this sandbox, None where there is none."""
        found = self.select("SELECT value FROM _meta WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def save_meta(self, name: str, value: Any) -> None:
        """Save a fact about this sandbox."""
        self.execute("INSERT OR REPLACE INTO _meta VALUES (?, ?)", (name, json.dumps(value)))

    def id_of(self, key: str) -> str | None:
        """The id of what an act's key names, None where no act has made it."""
        found = self.select("SELECT id FROM _key WHERE key = ?", (key,))
        return str(found[0][0]) if found else None

    def keep_keys(self, keys: Iterable[tuple[str, str]]) -> None:
        """Remember what keys name."""
        self.execute_many("INSERT OR REPLACE INTO _key VALUES (?, ?)", keys)
