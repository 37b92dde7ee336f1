"""Upserts that write only the difference, by one statement for many rows.

Rows are tuples of stored values (micros, epoch days, codes), not of Python types: that
spares a conversion per value both ways. An identical row is neither written nor counted.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table as a merge fills it.

    The first `key` of `columns` identify a row within its connection. A `sticky` column
    keeps its first value that is not null. `raises`: a counter that every update adds 1 to.
    """

    table: sa.Table
    columns: tuple[str, ...]
    key: int = 1
    sticky: frozenset[str] = frozenset()
    raises: str | None = None


@dataclass(slots=True)
class Merged:
    """What a merge wrote: the new rows, and pairs of before and after."""

    inserted: list[Row] = field(default_factory=list)
    updated: list[tuple[Row, Row]] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """All rows written, as they are now."""
        return [*self.inserted, *(after for _, after in self.updated)]


def merge(
    conn: sa.Connection,
    sheet: Sheet,
    rows: Iterable[Row],
    *,
    connection_id: int,
    on_insert: Mapping[str, Any] | None = None,
) -> Merged:
    """Insert or update rows of one connection; of several with one key the last counts.

    `on_insert` are further columns, which only a new row gets.
    """
    wanted = {row[: sheet.key]: row for row in rows}
    values = {row[0] for row in wanted.values()}
    found = select_in(conn, sheet.table, sheet.columns, connection_id, values=values)
    present = {row[: sheet.key]: row for row in found}
    kept = [index for index, name in enumerate(sheet.columns) if name in sheet.sticky]
    merged = Merged()
    for identity, row in wanted.items():
        before = present.get(identity)
        if before is None:
            merged.inserted.append(row)
            continue
        after = _keeping(before, row, kept)
        if after != before:
            merged.updated.append((before, after))
    _upsert(conn, sheet, merged.rows, connection_id=connection_id, on_insert=on_insert or {})
    return merged


def select_in(
    conn: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    connection_id: int,
    *,
    values: Collection[Any],
) -> list[Row]:
    """Rows of a connection, as stored, whose first of `columns` is one of `values`."""
    if not values:
        return []
    names = ", ".join(f'"{name}"' for name in columns)
    given: Any = list(values)
    if _is_sqlite(conn):
        mark, among, given = "?", "IN (SELECT value FROM json_each(?))", json.dumps(given)
    else:
        mark, among = "%s", "= ANY(%s)"
    rows = conn.exec_driver_sql(
        f'SELECT {names} FROM "{table.name}"'
        f' WHERE connection_id = {mark} AND "{columns[0]}" {among}',
        (connection_id, given),
    )
    return [tuple(row) for row in rows]


def _is_sqlite(conn: sa.Connection) -> bool:
    return conn.dialect.name == "sqlite"


def _keeping(before: Row, row: Row, kept: Sequence[int]) -> Row:
    firsts = {
        index: before[index]
        for index in kept
        if before[index] is not None and row[index] is not None
    }
    if not firsts:
        return row
    return tuple(firsts.get(index, value) for index, value in enumerate(row))


def _upsert(
    conn: sa.Connection,
    sheet: Sheet,
    rows: Sequence[Row],
    *,
    connection_id: int,
    on_insert: Mapping[str, Any],
) -> None:
    if not rows:
        return
    name = sheet.table.name
    names = ["connection_id", *sheet.columns, *on_insert]
    marks = ", ".join(["?" if _is_sqlite(conn) else "%s"] * len(names))
    quoted = [f'"{column}"' for column in names]
    changes = [f"{column} = excluded.{column}" for column in quoted[1 + sheet.key :]]
    del changes[len(sheet.columns) - sheet.key :]  # those that only a new row gets
    if sheet.raises is not None:
        changes.append(f'"{sheet.raises}" = "{name}"."{sheet.raises}" + 1')
    conn.exec_driver_sql(
        f'INSERT INTO "{name}" ({", ".join(quoted)}) VALUES ({marks})'
        f" ON CONFLICT ({', '.join(quoted[: 1 + sheet.key])})"
        f" DO {'UPDATE SET ' + ', '.join(changes) if changes else 'NOTHING'}",
        [(connection_id, *row, *on_insert.values()) for row in rows],
    )
