"""Bulk reads as Polars frames, all tables at one instant, through ADBC.

ADBC carries a SQLite of its own, and two SQLites in one process corrupt a file that both
have open (measured: acknowledged commits lost, a malformed image). So the live file is
opened by Python's sqlite3 only, which copies it (70 MB in 0.06 s), and ADBC reads the copy.
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import polars as pl
import sqlalchemy as sa

_SQLITE_OPTIONS = {"adbc.sqlite.query.batch_rows": "65536"}
_READERS = 4  # ADBC leaves Python's lock: on 2 cores two queries take the time of one


class Snapshot:
    """One state of the store; every frame read from it is of the same instant.

    `connect` opens another connection to that state, `at_once` says how many may be used
    side by side.
    """

    def __init__(
        self, connect: Callable[[], Any], *, at_once: int, options: Mapping[str, str]
    ) -> None:
        self._connect = connect
        self._at_once = at_once
        self._options = options

    def frames(self, queries: Mapping[str, str]) -> dict[str, pl.DataFrame]:
        """The rows of each query, by name. On SQLite a column's type is that of its first
        rows: text that may be null must be given as `coalesce(x, '')`; integers may be null.
        """
        with ThreadPoolExecutor(self._at_once) as threads:
            return dict(zip(queries, threads.map(self._frame, queries.values()), strict=True))

    def _frame(self, query: str) -> pl.DataFrame:
        connection = self._connect()
        with closing(connection.cursor()) as cursor:
            cursor.adbc_statement.set_options(**self._options)
            cursor.execute(query)
            return pl.DataFrame(cursor.fetch_arrow())


@contextmanager
def sqlite_snapshot(live: Path) -> Iterator[Snapshot]:
    """A copy of the live file, read by ADBC and thrown away."""
    with (
        tempfile.TemporaryDirectory(prefix="forestage-snapshot-") as directory,
        ExitStack() as ends,
    ):
        copy = Path(directory) / "copy.db"
        _copy(live, copy)

        def connect() -> Any:
            return ends.enter_context(closing(_open_copy(copy, live)))

        yield Snapshot(connect, at_once=min(_READERS, os.cpu_count() or 1), options=_SQLITE_OPTIONS)


@contextmanager
def postgres_snapshot(url: sa.URL) -> Iterator[Snapshot]:
    """One read-only REPEATABLE READ transaction."""
    uri = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(adbc_driver_postgresql.dbapi.connect(uri)) as connection:
        with closing(connection.cursor()) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield Snapshot(lambda: connection, at_once=1, options={})


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
