"""Refresh: what only our own reading saw, as ledger rows of source `observed`.

After deals and histories are stored, a deal's ledgers must end with what its row says. Where
they don't, the CRM told no history for it, and a row is added: its instant is the record's
last modification. Where a field has no row at all, its first one is added, at the deal's
creation. Both kinds are ours, so they are mended when the CRM tells more later: a row that
the told history explains is taken back. What the CRM told is never touched here.

All of it follows from what is stored, so a refresh that was killed is made good by the next.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from app.services.refresh_changes import SHEETS
from app.services.refresh_context import Context
from app.store.deals import DEALS, raise_generation
from app.store.ledger import LEDGERS, OBSERVED
from app.store.merge import Row, merge, select_in

CURRENT = {
    "stage": "stage_id",
    "close_date": "close_on",
    "amount": "amount",
    "forecast": "forecast",
    "owner": "owner_id",
    "pipeline": "pipeline_id",
    "next_step": "next_step",
}
"""Ledger -> the deal's column with the value of now."""

# A told row this much after an observed one tells the same change: clocks within a CRM differ.
_SAME_CHANGE = timedelta(minutes=10) // timedelta(microseconds=1)
_FIRST = "first:"
_OBSERVED = "observed:"
_ROW = ("deal_id", "at", "source_ref", "old", "new", "by_id", "source", "seen_at")
_DEAL = (
    "id",
    "created_at",
    "modified_at",
    "created_by_id",
    "first_seen_at",
    "reconciled_generation",
    *CURRENT.values(),
)
_Value = int | str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A ledger row of one deal and one field, values as stored."""

    at: int
    ref: str
    old: _Value
    new: _Value
    by_id: int | None
    source: int
    seen_at: int

    @property
    def is_first(self) -> bool:
        """Whether it is our own first row of a field."""
        return self.source == OBSERVED and self.ref.startswith(_FIRST)

    @property
    def is_ours(self) -> bool:
        """Whether we made it, not the CRM."""
        return self.source == OBSERVED and self.ref.startswith((_FIRST, _OBSERVED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a deal's row says of one field, and the instants that count."""

    field: str
    value: _Value
    created_at: int
    created_by_id: int | None
    modified_at: int
    seen_at: int
    read_at: int


@dataclass(slots=True)
class Mended:
    """Own rows of one deal and field that must be written, and refs of those to take back."""

    write: list[Change] = field(default_factory=list)
    take_back: list[tuple[int, str]] = field(default_factory=list)


def mend(rows: Sequence[Change], subject: Subject) -> Mended:
    """What makes the rows of one deal and field agree with the deal's row."""
    ordered = sorted(rows, key=lambda row: (row.at, row.is_ours, row.seen_at))
    wanted = _explained(_with_first(ordered, subject))
    at = _instant(wanted, subject)
    by_then = [row for row in wanted if row.at <= at]
    # A history read after the deal may be ahead of it: then the deal's row is the older one.
    told_soon = [row for row in wanted if not row.is_ours and at < row.at <= at + _SAME_CHANGE]
    known = (*_last_instant(by_then), *told_soon, *_last_instant(wanted))
    if subject.value not in {row.new for row in known}:
        wanted.append(_observed(wanted, subject, at))
    before = {(row.at, row.ref): row for row in rows}
    after = {(row.at, row.ref): row for row in wanted}
    return Mended(
        write=[row for key, row in after.items() if before.get(key) != row],
        take_back=[key for key in before if key not in after],
    )


def _instant(rows: Sequence[Change], subject: Subject) -> int:
    """Since when the deal is as its row says: its last modification, or a reading after that
    which already found another value (some changes don't count as modifications).
    """
    read = (row.at for row in rows if row.is_ours and not row.is_first)
    return max(subject.modified_at, subject.created_at, *read)


def _last_instant(rows: Sequence[Change]) -> list[Change]:
    """The last row, with those that the CRM told of the same instant: their order is unknown,
    that of our own rows is that of our readings.
    """
    if rows and rows[-1].is_ours:
        return [rows[-1]]
    return [row for row in rows if row.at == rows[-1].at and not row.is_ours]


def _end(rows: Sequence[Change]) -> _Value:
    """The value after the rows: of several at the last instant, that which none leads on from."""
    if not rows:
        return None
    last = _last_instant(rows)
    ends = {row.new for row in last} - {row.old for row in last}
    return ends.pop() if len(ends) == 1 else rows[-1].new


def _with_first(ordered: list[Change], subject: Subject) -> list[Change]:
    """The rows with our first one where the CRM told none and the field would have none."""
    others = [row for row in ordered if not row.is_first]
    ours = next((row for row in ordered if row.is_first), None)
    told = next((row for row in others if not row.is_ours), None)
    if told and told.old is None and (ours is None or _is_at_creation(told, subject)):
        return others
    if others and ours is None and others[0].is_ours:
        return others
    value = subject.value if ours is None else ours.new
    if others and not others[0].is_ours:
        value = others[0].old
    first = Change(
        at=subject.created_at,
        ref=f"{_FIRST}{subject.field}",
        old=None,
        new=value,
        by_id=subject.created_by_id,
        source=OBSERVED,
        seen_at=subject.seen_at if ours is None else ours.seen_at,
    )
    return [first, *others]


def _is_at_creation(row: Change, subject: Subject) -> bool:
    return row.at <= subject.created_at + _SAME_CHANGE


def _explained(ordered: list[Change]) -> list[Change]:
    """The rows without observed ones that the CRM's own rows explain by now."""
    kept: list[Change] = []
    for index, row in enumerate(ordered):
        if not row.is_ours or row.is_first:
            kept.append(row)
            continue
        old = _end(kept)
        later = ordered[index + 1] if index + 1 < len(ordered) else None
        told_soon = (
            later is not None
            and not later.is_ours
            and (later.old, later.new) == (old, row.new)
            and later.at - row.at <= _SAME_CHANGE
        )
        if row.new != old and not told_soon:
            kept.append(Change(row.at, row.ref, old, row.new, row.by_id, row.source, row.seen_at))
    return kept


def _observed(rows: Sequence[Change], subject: Subject, at: int) -> Change:
    # A second difference at one instant of modification: only the readings tell them apart.
    if any(row.is_ours and not row.is_first and row.at == at for row in rows):
        at = max(at + 1, subject.read_at)
    digest = hashlib.sha256(f"{subject.value!r}|{at}".encode()).hexdigest()[:16]
    return Change(
        at=at,
        ref=f"{_OBSERVED}{subject.field}:{digest}",
        old=_end([row for row in rows if row.at <= at]),
        new=subject.value,
        by_id=None,  # who modified the record last may have changed another field
        source=OBSERVED,
        seen_at=subject.seen_at,
    )


def reconcile(conn: sa.Connection, context: Context, deal_ids: Sequence[int]) -> None:
    """Make the ledgers of these deals agree with their rows."""
    here = context.connection_id
    deals = [
        dict(zip(_DEAL, row, strict=True))
        for row in select_in(conn, DEALS, _DEAL, here, values=deal_ids)
    ]
    touched: set[int] = set()
    for name, table in LEDGERS.items():
        rows: dict[int, list[Change]] = defaultdict(list)
        for deal_id, *values in select_in(conn, table, _ROW, here, values=deal_ids):
            rows[deal_id].append(Change(*values))
        mended = {
            deal["id"]: mend(rows[deal["id"]], _subject(context, name, deal)) for deal in deals
        }
        touched |= _write(conn, context, name, mended=mended)
    raise_generation(conn, here, touched)
    marked = (DEALS.c.connection_id == here) & DEALS.c.id.in_(deal_ids)
    conn.execute(sa.update(DEALS).where(marked).values(reconciled_generation=DEALS.c.generation))


def _subject(context: Context, name: str, deal: dict[str, int]) -> Subject:
    # Found at a deal's first read it proves nothing, and rules tell that by the two instants.
    first_look = deal["reconciled_generation"] == 0
    return Subject(
        field=name,
        value=deal[CURRENT[name]],
        created_at=deal["created_at"],
        created_by_id=deal["created_by_id"],
        modified_at=deal["modified_at"],
        seen_at=deal["first_seen_at"] if first_look else context.seen_at,
        read_at=context.seen_at,
    )


def _write(
    conn: sa.Connection, context: Context, name: str, *, mended: dict[int, Mended]
) -> set[int]:
    table, tally = LEDGERS[name], context.tally
    gone = [(deal_id, *key) for deal_id, plan in mended.items() for key in plan.take_back]
    for deal_id, at, ref in gone:
        conn.exec_driver_sql(
            *_deletion(conn, table.name, (context.connection_id, deal_id, at, ref))
        )
    written: dict[int, list[Row]] = defaultdict(list)
    for deal_id, plan in mended.items():
        for row in plan.write:
            values = (deal_id, row.at, row.ref, row.old, row.new, row.by_id, row.source)
            written[row.seen_at].append(values)
    touched = {deal_id for deal_id, *_ in gone}
    for seen_at, values_seen in written.items():
        merged = merge(
            conn,
            SHEETS[name],
            values_seen,
            connection_id=context.connection_id,
            on_insert={"seen_at": seen_at},
        )
        tally.changes += len(merged.inserted)
        tally.updated += len(merged.updated)
        touched.update(row[0] for row in merged.rows)
    return touched


def _deletion(
    conn: sa.Connection, table: str, key: tuple[int, int, int, str]
) -> tuple[str, tuple[int, int, int, str]]:
    mark = "?" if conn.dialect.name == "sqlite" else "%s"
    wanted = " AND ".join(
        f'"{column}" = {mark}' for column in ("connection_id", "deal_id", "at", "source_ref")
    )
    return f'DELETE FROM "{table}" WHERE {wanted}', key
