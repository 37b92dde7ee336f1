"""Generations of deals: which state of a deal was scored, and which is the newest."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from app.store.deals import DEALS

_DEALS_A_CHUNK = 2_000


def read(conn: sa.Connection, connection_id: int) -> dict[int, int]:
    """The generation of every deal, by id. Read it before the rows that are then scored: a
    deal that has the same one afterwards was the same all the time.
    """
    query = sa.select(DEALS.c.id, DEALS.c.generation).where(DEALS.c.connection_id == connection_id)
    return {row[0]: row[1] for row in conn.execute(query.order_by(DEALS.c.id))}


def unchanged(
    conn: sa.Connection, generations: Mapping[int, int], deal_ids: Collection[int]
) -> set[int]:
    """Those of `deal_ids` that still are of the generation that was read."""
    query = sa.select(DEALS.c.id, DEALS.c.generation).where(DEALS.c.id.in_(deal_ids))
    return {row[0] for row in conn.execute(query) if generations.get(row[0]) == row[1]}


def chunks(deal_ids: Collection[int]) -> list[list[int]]:
    """Deals in lots that one short transaction can mark."""
    ordered = sorted(deal_ids)
    return [
        ordered[start : start + _DEALS_A_CHUNK] for start in range(0, len(ordered), _DEALS_A_CHUNK)
    ]


def mark_scored(
    conn: sa.Connection, generations: Mapping[int, int], deal_ids: Collection[int]
) -> None:
    """Mark deals as scored at the generation that was read; rows marked already, or changed
    since, are not touched.
    """
    query = sa.select(DEALS.c.id, DEALS.c.generation, DEALS.c.scored_generation)
    marks = [
        row.id
        for row in conn.execute(query.where(DEALS.c.id.in_(deal_ids)))
        if row.generation == generations.get(row.id) != row.scored_generation
    ]
    if marks:
        conn.execute(
            sa.update(DEALS)
            .where(DEALS.c.id.in_(marks))
            .values(scored_generation=DEALS.c.generation)
        )
