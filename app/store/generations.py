"""Generations of deals: which state of a deal was scored, and which is the newest.

Rows are read past SQLAlchemy's types: a large organisation has hundreds of thousands.
"""

from collections.abc import Collection, Iterator, Mapping

import sqlalchemy as sa

from app.store.deals import DEALS

_DEALS_A_CHUNK = 5_000


def read(conn: sa.Connection, connection_id: int) -> dict[int, int]:
    """The generation of every deal, by id. Read it before the rows that are then scored: a
    deal that has the same one afterwards was the same all the time.
    """
    rows = conn.exec_driver_sql(
        f"SELECT id, generation FROM deals WHERE connection_id = {int(connection_id)} ORDER BY id"
    )
    return {row[0]: row[1] for row in rows.all()}  # .all(): row by row takes twice as long


def unchanged(
    conn: sa.Connection, generations: Mapping[int, int], deal_ids: Collection[int]
) -> set[int]:
    """Those of `deal_ids` that still are of the generation that was read."""
    query = sa.select(DEALS.c.id, DEALS.c.generation).where(DEALS.c.id.in_(deal_ids))
    return {row[0] for row in conn.execute(query) if generations.get(row[0]) == row[1]}


def ranges(generations: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """(first, last) ids of lots of deals that one short transaction can mark."""
    ids = sorted(generations)
    for start in range(0, len(ids), _DEALS_A_CHUNK):
        lot = ids[start : start + _DEALS_A_CHUNK]
        yield lot[0], lot[-1]


def mark_scored(
    conn: sa.Connection,
    connection_id: int,
    generations: Mapping[int, int],
    *,
    between: tuple[int, int],
    but: Collection[int],
) -> None:
    """Mark the deals between two ids as scored at the generation that was read, `but` some;
    rows marked already, or changed since, are not touched.
    """
    first, last = between
    # SQLite has one writer at a time; PostgreSQL must hold what was looked at until the end.
    held = "" if conn.dialect.name == "sqlite" else " FOR UPDATE"
    rows = conn.exec_driver_sql(
        f"SELECT id, generation FROM deals WHERE connection_id = {int(connection_id)}"
        f" AND id BETWEEN {int(first)} AND {int(last)} AND generation <> scored_generation{held}"
    )
    dirty = {row[0]: row[1] for row in rows.all()}
    left = [key for key, now in dirty.items() if generations.get(key) != now or key in but]
    if len(left) < len(dirty):
        conn.execute(
            sa.update(DEALS)
            .where(
                DEALS.c.connection_id == connection_id,
                DEALS.c.id.between(first, last),
                DEALS.c.generation != DEALS.c.scored_generation,
                DEALS.c.id.not_in(left),
            )
            .values(scored_generation=DEALS.c.generation)
        )
