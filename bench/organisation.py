"""A store of any size for measuring: one made-up organisation, the same at every run.

Rows are drawn by columns and loaded in the order of time, as a CRM's history arrives. A few
in a hundred are what rules look for: pushes, steps back, skips, late entries, quick reverts.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from app.store.activities import ACTIVITIES, ACTIVITY_CONTACTS, CONTACT_ROLES, CONTACTS
from app.store.columns import to_micros
from app.store.connections import CONNECTIONS
from app.store.database import Database
from app.store.deals import DEALS, PIPELINES, STAGE_PERIODS, STAGES
from app.store.ledger import LEDGERS
from app.store.people import MANAGEMENT_PERIODS, PEOPLE

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
CONNECTION = 1
SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
NOW = to_micros(AS_OF)
YEARS = 3
REPS, MANAGERS = 400, 40
INTEGRATION = REPS + MANAGERS + 1
PIPELINES_MADE, OPEN_STAGES = 3, 6
WON, LOST = OPEN_STAGES, OPEN_STAGES + 1
ROLES = (0, 0, 1, 1, 2, 2, 4, 4)  # early, middle, late, closed
UNKNOWN, API = 0, 4
Array = np.ndarray[Any, np.dtype[Any]]


def made(directory: Path, *, deals: int, changes: int, seed: int = 7) -> Path:
    """The store's file, made at its first use. `changes` counts the rows of all ledgers."""
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    path = directory / f"organisation-{deals}-{changes}-{seed}-{code}.db"
    if path.exists():
        return path
    directory.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with closing(Database(f"sqlite:///{draft}")) as database:
        database.migrate()
    with closing(sqlite3.connect(draft, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = DELETE")
        conn.execute("PRAGMA synchronous = OFF")
        conn.execute("BEGIN")
        _Maker(conn, deals=deals, changes=changes, seed=seed).make()
        conn.execute("COMMIT")
        conn.execute("PRAGMA optimize")
    draft.rename(path)
    return path


class _Maker:
    def __init__(self, conn: sqlite3.Connection, *, deals: int, changes: int, seed: int) -> None:
        self.conn = conn
        self.n = deals
        self.changes = changes
        self.rng = np.random.default_rng(seed)
        self.ids = np.arange(1, deals + 1)
        self.created = NOW - self.rng.integers(HOUR, YEARS * 365 * DAY, deals) // SECOND * SECOND
        self.pipeline = self.rng.integers(0, PIPELINES_MADE, deals)
        self.owner = self.rng.integers(1, REPS + 1, deals)

    def make(self) -> None:
        """Fill all tables."""
        self._people()
        self._stages()
        stages = self._stage_moves()
        rest = self.changes - len(stages["at"]) - 2 * self.n
        dates = self._dates(max(int(rest * 0.54), self.n))
        amounts = self._values(max(int(rest * 0.25), self.n), 1_000, 400_000, scale=10_000)
        taken = len(stages["at"]) + len(dates["at"]) + len(amounts["at"]) + 2 * self.n
        forecasts = self._values(max(self.changes - taken, self.n), 0, 5)
        self._deals()
        at_creation = {"deal": self.ids, "at": self.created, "old": None, "by": self.owner}
        self._ledger("stage", stages)
        self._ledger("close_date", dates)
        self._ledger("amount", amounts)
        self._ledger("forecast", forecasts)
        self._ledger("owner", {**at_creation, "new": self.owner})
        self._ledger("pipeline", {**at_creation, "new": self.pipeline + 1})
        self._activities()

    def _insert(self, table: sa.Table, **columns: Any) -> None:
        """Columns: arrays, lists, or one value for all rows."""
        length = max(len(column) for column in columns.values() if _many(column))
        ready = [
            _plain(column) if _many(column) else [column] * length for column in columns.values()
        ]
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        self.conn.executemany(
            f"INSERT INTO {table.name} ({names}) VALUES ({marks})", zip(*ready, strict=True)
        )

    def _people(self) -> None:
        self._insert(
            CONNECTIONS, id=[CONNECTION], name="bench", crm="files", config="{}", created_at=NOW
        )
        people = np.arange(1, INTEGRATION + 1)
        self._insert(
            PEOPLE,
            id=people,
            connection_id=CONNECTION,
            crm_id=[f"005{person:015}" for person in people],
            name=[f"Person {person}" for person in people],
            is_active=True,
            is_integration=people == INTEGRATION,
        )
        self._insert(
            MANAGEMENT_PERIODS,
            connection_id=CONNECTION,
            person_id=np.arange(1, REPS + 1),
            manager_id=REPS + 1 + np.arange(REPS) % MANAGERS,
            basis="assumed",
            valid_from=0,
        )

    def _stages(self) -> None:
        pipelines = np.arange(1, PIPELINES_MADE + 1)
        names = [f"Pipeline {pipeline}" for pipeline in pipelines]
        self._insert(PIPELINES, id=pipelines, connection_id=CONNECTION, crm_id=names, name=names)
        place = np.tile(np.arange(len(ROLES)), PIPELINES_MADE)
        ids = np.arange(1, len(place) + 1)
        labels = [f"Stage {position}" for position in place]
        self._insert(
            STAGES,
            id=ids,
            connection_id=CONNECTION,
            pipeline_id=np.repeat(pipelines, len(ROLES)),
            crm_id=labels,
            label=labels,
            sort_order=place,
            is_closed=place >= WON,
            is_won=place == WON,
            is_active=True,
        )
        self._insert(
            STAGE_PERIODS,
            connection_id=CONNECTION,
            stage_id=ids,
            position=[None if at >= WON else int(at) for at in place],
            role=np.array(ROLES)[place],
            basis="confirmed",
            valid_from=0,
        )

    def _stage_moves(self) -> dict[str, Array]:
        """Walks along the stages, a step of all deals at a time; also sets `end`, when each
        closed or now, and `last`, where it stands.
        """
        rng, n = self.rng, self.n
        place = rng.choice([0, 1, 2, 3], n, p=[0.75, 0.15, 0.07, 0.03])
        at = self.created.copy()
        parts = [(self.ids, at, np.full(n, -1), place)]
        left = rng.poisson(1.7, n) + 1
        for step in range(int(left.max())):
            at = at + (rng.exponential(16, n) * DAY).astype(np.int64) // SECOND * SECOND + SECOND
            moves = (left > step) & (place < WON) & (at < NOW)
            drawn = rng.random(n)
            to = np.select(
                [drawn < 0.07, drawn < 0.15, drawn < 0.26],
                [np.maximum(place - 1, 0), np.minimum(place + 2, WON), np.full(n, LOST)],
                np.minimum(place + 1, WON),
            )
            ending = (left == step + 1) & (drawn > 0.3)
            to = np.where(ending, np.where(drawn > 0.7, WON, LOST), to)
            moves &= to != place
            parts.append((self.ids[moves], at[moves], place[moves], to[moves]))
            place = np.where(moves, to, place)
        self.last = place
        deal, when, old, new = (np.concatenate(column) for column in zip(*parts, strict=True))
        self.end = np.full(n, NOW)
        closing = new >= WON
        self.end[deal[closing] - 1] = when[closing]
        base = self.pipeline[deal - 1] * len(ROLES) + 1
        return {
            "deal": deal,
            "at": when,
            "old": np.ma.masked_array(base + old, mask=old < 0),
            "new": base + new,
            "by": self._by(deal),
        }

    def _by(self, deal: Array) -> Array:
        """Mostly the owner, now and then their manager, rarely a program."""
        owner = self.owner[deal - 1]
        drawn = self.rng.random(len(deal))
        manager = REPS + 1 + (owner - 1) % MANAGERS
        return np.select(
            [drawn < 0.02, drawn < 0.08], [np.full(len(deal), INTEGRATION), manager], owner
        )

    def _instants(self, count: int) -> tuple[Array, Array, Array]:
        """`count` rows, one at each deal's creation and the rest while it was open: deal, at,
        is_first; ordered by deal and time.
        """
        more = self.rng.integers(1, self.n + 1, count - self.n)
        share = self.rng.random(len(more))
        begin, end = self.created[more - 1], self.end[more - 1]
        at = begin + ((end - begin) * share).astype(np.int64) // SECOND * SECOND + 2 * SECOND
        deal = np.concatenate([self.ids, more])
        at = np.concatenate([self.created, at])
        order = np.lexsort((at, deal))
        deal = deal[order]
        return deal, at[order], np.concatenate([[True], deal[1:] != deal[:-1]])

    def _dates(self, count: int) -> dict[str, Array]:
        deal, at, first = self._instants(count)
        drawn = self.rng.random(count)
        # One in twenty is taken back by the next row, soon after.
        shift = np.select(
            [drawn < 0.25, drawn < 0.30],
            [-self.rng.integers(1, 30, count), np.full(count, 45)],
            self.rng.integers(3, 60, count),
        )
        soon = np.concatenate([[False], (drawn[:-1] >= 0.25) & (drawn[:-1] < 0.30)]) & ~first
        shift = np.where(soon, -45, shift)
        at = np.where(soon, np.concatenate([at[:1], at[:-1]]) + 20 * 60 * SECOND, at)
        ahead = self.rng.integers(20, 200, count)
        value = np.where(first, at // DAY + ahead, shift)
        total = np.cumsum(value)
        before = np.concatenate([[0], total[:-1]])
        start = np.maximum.accumulate(np.where(first, np.arange(count), 0))
        new = total - before[start]
        self.close_on = new[np.concatenate([first[1:], [True]])]
        old = np.concatenate([[0], new[:-1]])
        return {
            "deal": deal,
            "at": at,
            "old": np.ma.masked_array(old, mask=first),
            "new": new,
            "by": self._by(deal),
        }

    def _values(self, count: int, low: int, high: int, *, scale: int = 1) -> dict[str, Array]:
        deal, at, first = self._instants(count)
        new = self.rng.integers(low, high, count) * scale
        old = np.concatenate([[0], new[:-1]])
        return {
            "deal": deal,
            "at": at,
            "old": np.ma.masked_array(old, mask=first),
            "new": new,
            "by": self._by(deal),
        }

    def _deals(self) -> None:
        self._insert(
            DEALS,
            id=self.ids,
            connection_id=CONNECTION,
            crm_id=[f"006{deal:015}" for deal in self.ids],
            name=[f"Deal {deal}" for deal in self.ids],
            pipeline_id=self.pipeline + 1,
            stage_id=self.pipeline * len(ROLES) + 1 + self.last,
            owner_id=self.owner,
            created_by_id=self.owner,
            amount=self.rng.integers(1_000, 400_000, self.n) * 10_000,
            currency="EUR",
            lead_source=[("Web", "Partner", "Event")[deal % 3] for deal in range(self.n)],
            close_on=self.close_on,
            is_closed=self.last >= WON,
            is_won=self.last == WON,
            is_private=False,
            created_at=self.created,
            modified_at=self.end,
            first_seen_at=NOW,
        )

    def _ledger(self, field: str, rows: dict[str, Any]) -> None:
        order = np.argsort(rows["at"], kind="stable")
        old = rows["old"]
        by = rows["by"][order]
        self._insert(
            LEDGERS[field],
            connection_id=CONNECTION,
            deal_id=rows["deal"][order],
            at=rows["at"][order],
            seen_at=NOW,
            old=old if old is None else old[order],
            new=rows["new"][order],
            by_id=by,
            source=np.where(by == INTEGRATION, API, UNKNOWN),
            source_ref=[f"008{number:015}" for number in range(len(order))],
        )

    def _activities(self) -> None:
        """Two a deal, one in five before its creation; half are held meetings."""
        rng, count = self.rng, 2 * self.n
        deal = rng.integers(1, self.n + 1, count)
        early = rng.random(count) < 0.2
        begin, end = self.created[deal - 1], self.end[deal - 1]
        within = begin + ((end - begin) * rng.random(count)).astype(np.int64)
        at = np.where(early, begin - rng.integers(HOUR, 60 * DAY, count), within)
        at = at // SECOND * SECOND
        kind = rng.integers(0, 3, count)
        ids = np.arange(1, count + 1)
        self._insert(
            CONTACTS,
            id=self.ids,
            connection_id=CONNECTION,
            crm_id=[f"003{contact:015}" for contact in self.ids],
        )
        self._insert(
            CONTACT_ROLES,
            connection_id=CONNECTION,
            crm_id=[f"00K{contact:015}" for contact in self.ids],
            deal_crm_id=[f"006{deal:015}" for deal in self.ids],
            contact_id=self.ids,
            is_primary=True,
            valid_from=0,
        )
        self._insert(
            ACTIVITIES,
            id=ids,
            connection_id=CONNECTION,
            crm_id=[f"00U{activity:015}" for activity in ids],
            kind=kind,
            deal_crm_id=[
                None if before else f"006{one:015}"
                for one, before in zip(deal.tolist(), early.tolist(), strict=True)
            ],
            owner_id=self.owner[deal - 1],
            at=at,
            logged_at=at,
            direction=0,
            is_held=kind == 0,
            is_two_way=kind <= 1,
        )
        self._insert(ACTIVITY_CONTACTS, connection_id=CONNECTION, activity_id=ids, contact_id=deal)


def _many(column: Any) -> bool:
    return isinstance(column, np.ndarray | list)


def _plain(column: Any) -> Sequence[Any]:
    return column if isinstance(column, list) else column.tolist()
