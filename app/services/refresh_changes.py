"""Refresh: what the CRM tells of a deal's history goes into the ledgers."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

import sqlalchemy as sa

from app.services.refresh_context import Context
from app.store.columns import to_days, to_micros
from app.store.deals import DEALS, raise_generation
from app.store.ledger import LEDGERS, PIPELINE_CHANGES
from app.store.merge import Row, Sheet, merge, select_in
from connectors.records import ChangeRecord, ChangeValue
from rules.tables import FORECASTS, SOURCES

SHEETS = {
    field: Sheet(
        table=table,
        columns=("deal_id", "at", "source_ref", "old", "new", "by_id", "source"),
        key=3,
    )
    for field, table in LEDGERS.items()
}


@dataclass(frozen=True, slots=True)
class _Deal:
    """A deal and the pipelines that it was in: instants ascending, a pipeline id for each."""

    id: int
    since: Sequence[int]
    pipeline_ids: Sequence[int]

    def pipeline(self, at: int, *, before: bool = False) -> int:
        """The pipeline at an instant (or just before it)."""
        index = (bisect_left if before else bisect_right)(self.since, at) - 1
        return self.pipeline_ids[max(index, 0)]


def store_changes(conn: sa.Connection, context: Context, changes: Sequence[ChangeRecord]) -> None:
    """Add what is new to the ledgers. A row that the CRM told before is corrected where it now
    tells it otherwise (a row that came late between two others changes the later one's old
    value); one that it no longer tells is kept.
    """
    ids = context.ids
    ids.learn(conn, "people", (change.by_crm_id for change in changes))
    for field, kind in (("owner", "people"), ("pipeline", "pipelines")):
        values = [(change.old, change.new) for change in changes if change.field == field]
        ids.learn(conn, kind, (_text(value) for value in chain.from_iterable(values)))
    deals = _deals(conn, context, changes)
    _learn_stages(conn, context, changes, deals=deals)
    rows: dict[str, list[Row]] = defaultdict(list)
    for change in changes:
        if (deal := deals.get(change.deal_crm_id)) is None:
            context.tally.warn(f"history of the deal {change.deal_crm_id}, which can't be read")
            continue
        rows[change.field].append(_row(context, change, deal))
    touched: set[int] = set()
    for field, told in rows.items():
        written = merge(
            conn,
            SHEETS[field],
            told,
            connection_id=context.connection_id,
            on_insert={"seen_at": context.seen_at},
        )
        context.tally.changes += len(written.inserted)
        context.tally.updated += len(written.updated)
        touched.update(row[0] for row in written.rows)
    raise_generation(conn, context.connection_id, touched)


def _row(context: Context, change: ChangeRecord, deal: _Deal) -> Row:
    at = to_micros(change.at)
    return (
        deal.id,
        at,
        change.source_ref,
        _stored(context, change, change.old, pipeline_id=deal.pipeline(at, before=True)),
        _stored(context, change, change.new, pipeline_id=deal.pipeline(at)),
        context.ids.of("people", change.by_crm_id),
        SOURCES.index(change.source),
    )


def _stored(
    context: Context, change: ChangeRecord, value: ChangeValue, *, pipeline_id: int
) -> int | str | None:
    ids = context.ids
    stored: int | str | None
    match change.field, value:
        case _, None:
            stored = None
        case "stage", str():
            stored = ids.stage(pipeline_id, value)
        case ("owner" | "pipeline") as field, str():
            stored = ids.of("people" if field == "owner" else "pipelines", value)
        case "close_date", date():
            stored = to_days(value)
        case "forecast", str():
            stored = FORECASTS.index(value)
        case "amount", int():
            stored = value
        case "next_step", str():
            stored = value
        case _:
            raise TypeError(f"a change of {change.field} can't be {value!r}")
    return stored


def _deals(
    conn: sa.Connection, context: Context, changes: Sequence[ChangeRecord]
) -> dict[str, _Deal]:
    """The deals of these changes, with the pipelines as the ledger and these changes tell."""
    names = {change.deal_crm_id for change in changes}
    columns = ("crm_id", "id", "pipeline_id", "modified_at")
    found = select_in(conn, DEALS, columns, context.connection_id, values=names)
    moves = _known_moves(conn, context, [row[1] for row in found])
    told: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for change in changes:
        if change.field == "pipeline" and change.new is not None:
            pipeline_id = context.ids.of("pipelines", _text(change.new))
            told[change.deal_crm_id].append((to_micros(change.at), pipeline_id or 0))
    deals = {}
    for crm_id, deal_id, pipeline_id, modified_at in found:
        steps = sorted({*moves.get(deal_id, ()), *told[crm_id]})
        if not steps or steps[-1][1] != pipeline_id:
            steps.append((max(modified_at, steps[-1][0]) if steps else modified_at, pipeline_id))
        deals[crm_id] = _Deal(deal_id, [at for at, _ in steps], [step for _, step in steps])
    return deals


def _known_moves(
    conn: sa.Connection, context: Context, deal_ids: Sequence[int]
) -> Mapping[int, list[tuple[int, int]]]:
    moves: dict[int, list[tuple[int, int]]] = defaultdict(list)
    columns = ("deal_id", "at", "new")
    for deal_id, at, new in select_in(
        conn, PIPELINE_CHANGES, columns, context.connection_id, values=deal_ids
    ):
        if new is not None:
            moves[deal_id].append((at, new))
    return moves


def _learn_stages(
    conn: sa.Connection,
    context: Context,
    changes: Sequence[ChangeRecord],
    *,
    deals: Mapping[str, _Deal],
) -> None:
    wanted: dict[tuple[int, str], tuple[bool, bool]] = {}
    for change in changes:
        deal = deals.get(change.deal_crm_id)
        if change.field != "stage" or deal is None:
            continue
        at = to_micros(change.at)
        for value, pipeline_id in (
            (change.old, deal.pipeline(at, before=True)),
            (change.new, deal.pipeline(at)),
        ):
            if value is not None:
                wanted[pipeline_id, str(value)] = (False, False)
    context.ids.learn_stages(conn, wanted)


def _text(value: ChangeValue) -> str | None:
    return None if value is None else str(value)
