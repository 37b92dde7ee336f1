"""Bulk reads as Polars frames, all tables at one instant, through ADBC.

ADBC carries a SQLite of its own, and two SQLites in one process corrupt a file that both
have open (measured: acknowledged commits lost, a malformed image). So the live file is
opened by Python's sqlite3 only, which copies it (70 MB in 0.06 s), and ADBC reads the copy.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import polars as pl
import sqlalchemy as sa

_BATCH_ROWS = "65536"


class Snapshot:
    """One state of the store; every frame read from it is of the same instant."""

    def __init__(self, connection: Any, *, is_sqlite: bool) -> None:
        self._connection = connection
        self.is_sqlite = is_sqlite

    def frame(self, query: str) -> pl.DataFrame:
        """The rows of a query. On SQLite a column's type is that of its first rows, so text
        that may be null must be given as `coalesce(x, '')`; integers may be null.
        """
        with closing(self._connection.cursor()) as cursor:
            if self.is_sqlite:
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": _BATCH_ROWS})
            cursor.execute(query)
            return pl.DataFrame(cursor.fetch_arrow())


@contextmanager
def sqlite_snapshot(live: Path) -> Iterator[Snapshot]:
    """A copy of the live file, read by ADBC and thrown away."""
    with tempfile.TemporaryDirectory(prefix="forestage-snapshot-") as directory:
        copy = Path(directory) / "copy.db"
        _copy(live, copy)
        with closing(_open_copy(copy, live)) as connection:
            yield Snapshot(connection, is_sqlite=True)


@contextmanager
def postgres_snapshot(url: sa.URL) -> Iterator[Snapshot]:
    """One read-only REPEATABLE READ transaction."""
    uri = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(adbc_driver_postgresql.dbapi.connect(uri)) as connection:
        with closing(connection.cursor()) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield Snapshot(connection, is_sqlite=False)


def _copy(live: Path, copy: Path) -> None:
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(copy)) as target:
        target.execute("PRAGMA synchronous = OFF").close()  # it lives for seconds
        source.backup(target)
        # Else the reader would make a write-ahead log beside the copy.
        target.execute("PRAGMA journal_mode = OFF").close()


def _open_copy(copy: Path, live: Path) -> Any:
    if copy.samefile(live):
        raise RuntimeError("ADBC must never open the live SQLite file")
    return adbc_driver_sqlite.dbapi.connect(f"file:{copy}?mode=ro&immutable=1")
