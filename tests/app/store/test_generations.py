"""Generations: what changes while it is marked as scored stays to be scored."""

from collections.abc import Iterator, Mapping
from contextlib import closing

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from app.store import deals, generations
from app.store.database import Database
from app.store.deals import DEALS
from tests.app.services.team import Team, team_crm


class Meddling(Mapping[int, int]):
    """Generations that were read; looking into them lets another process change a deal."""

    def __init__(self, read: dict[int, int], other: Database, connection_id: int) -> None:
        self.read = read
        self.other = other
        self.connection_id = connection_id
        self.has_changed = False
        self.is_over = False

    def __getitem__(self, key: int) -> int:
        if not self.is_over:
            self.is_over = True
            try:
                with self.other.write() as conn:
                    conn.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
                    deals.raise_generation(conn, self.connection_id, [key])
                self.has_changed = True
            except OperationalError:  # it has to wait until the marking is through
                pass
        return self.read[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self.read)

    def __len__(self) -> int:
        return len(self.read)


def test_a_change_while_deals_are_marked_is_not_taken_for_scored(postgres_url: str) -> None:
    with closing(Database(postgres_url)) as database, closing(Database(postgres_url)) as other:
        _change_while_marking(database, other)


def _change_while_marking(database: Database, other: Database) -> None:
    team = Team(database, team_crm())
    with database.read() as conn:
        read = generations.read(conn, team.connection_id)
    meddling = Meddling(read, other, team.connection_id)
    with database.write() as conn:
        generations.mark_scored(
            conn, team.connection_id, meddling, between=(min(read), max(read)), but=()
        )
    assert meddling.is_over
    with database.read() as conn:
        marked = conn.execute(
            sa.select(DEALS.c.id).where(DEALS.c.generation != DEALS.c.scored_generation)
        ).all()
    assert len(marked) == meddling.has_changed
