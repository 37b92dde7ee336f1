"""Refresh: pipelines, stages and their order; people and who manages them, since when."""

from collections.abc import Collection, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from app.services.refresh_context import Context
from app.store.columns import from_micros
from app.store.deals import DEALS, PIPELINES, STAGE_PERIODS, STAGES
from app.store.merge import Row, Sheet, merge
from app.store.people import MANAGEMENT_PERIODS, PEOPLE
from connectors.records import PersonRecord, StageRecord
from rules.proposals import propose_roles
from rules.tables import FORECASTS, ROLES

_PIPELINE = Sheet(table=PIPELINES, columns=("crm_id", "name"))
_STAGE = Sheet(
    table=STAGES,
    columns=(
        "pipeline_id",
        "crm_id",
        "label",
        "sort_order",
        "is_closed",
        "is_won",
        "is_active",
        "probability",
        "forecast",
    ),
    key=2,
)
_PERSON = Sheet(
    table=PEOPLE,
    columns=(
        "crm_id",
        "name",
        "email",
        "is_active",
        "role_name",
        "time_zone",
        "is_integration",
    ),
)
_PARKING = ROLES.index("parking")
_PROPOSED_FROM: dict[str, pl.DataType | type[pl.DataType]] = {
    "stage_id": pl.Int64,
    "pipeline_id": pl.Int64,
    "label": pl.String,
    "sort_order": pl.Int64,
    "is_closed": pl.Boolean,
    "is_won": pl.Boolean,
    "is_active": pl.Boolean,
    "probability": pl.Float64,
    "forecast": pl.Int8,
}
_Place = tuple[int | None, int | None]  # position, role


def store_stages(conn: sa.Connection, context: Context, stages: Sequence[StageRecord]) -> None:
    """Pipelines and stages as they are now; a changed order or role begins a new period."""
    tally, ids = context.tally, context.ids
    pipelines = {stage.pipeline_crm_id: stage.pipeline_name for stage in stages}
    tally.read += len(stages)
    tally.add(merge(conn, _PIPELINE, pipelines.items(), connection_id=context.connection_id))
    ids.reload(conn, "pipelines", pipelines)
    rows = [
        (
            ids.of("pipelines", stage.pipeline_crm_id),
            stage.crm_id,
            stage.label,
            stage.sort_order,
            stage.is_closed,
            stage.is_won,
            stage.is_active,
            stage.probability,
            None if stage.forecast is None else FORECASTS.index(stage.forecast),
        )
        for stage in stages
    ]
    written = merge(conn, _STAGE, rows, connection_id=context.connection_id)
    tally.add(written)
    ids.reload_stages(conn, {row[0] for row in rows if row[0] is not None})
    reordered = {row[0] for row in written.inserted}
    reordered |= {after[0] for before, after in written.updated if _order(before) != _order(after)}
    _follow_order(conn, context, reordered)
    _raise_of(conn, context, DEALS.c.pipeline_id, {after[0] for _, after in written.updated})


def _order(stage: Row) -> tuple[object, ...]:
    """What of a stage its position comes from: sort_order, is_closed, is_active."""
    return stage[3], bool(stage[4]), bool(stage[6])


def _follow_order(conn: sa.Connection, context: Context, reordered: Collection[int]) -> None:
    """Begin a new period for each stage whose position or role is another one than before.
    A pipeline that an admin confirmed stays as confirmed until the CRM's own order changes.
    """
    stages = _stage_frame(conn, context.connection_id)
    standing = {
        row.stage_id: row
        for row in conn.execute(
            sa.select(STAGE_PERIODS).where(
                STAGE_PERIODS.c.connection_id == context.connection_id,
                STAGE_PERIODS.c.valid_to.is_(None),
            )
        )
    }
    confirmed = {key: row.role for key, row in standing.items() if row.basis == "confirmed"}
    pipelines = dict(stages.select("stage_id", "pipeline_id").iter_rows())
    settled = {pipelines[stage_id] for stage_id in confirmed} - set(reordered)
    wanted = {
        stage_id: place
        for stage_id, place in _places(stages, confirmed).items()
        if stage_id not in standing or pipelines[stage_id] not in settled
    }
    moved = {
        stage_id: place
        for stage_id, place in wanted.items()
        if stage_id not in standing
        or (standing[stage_id].position, standing[stage_id].role) != place
    }
    for stage_id, (position, role) in moved.items():
        basis = _basis(stage_id, confirmed)
        period: dict[str, object] = {"position": position, "role": role, "basis": basis}
        if stage_id in standing:
            _close_period(conn, context, standing[stage_id].id)
        _open_period(conn, context, stage_id, period, is_new=stage_id not in standing)
    pipeline_ids = {pipelines[stage_id] for stage_id in moved.keys() & standing.keys()}
    _raise_of(conn, context, DEALS.c.pipeline_id, pipeline_ids)


def _basis(stage_id: int, confirmed: Collection[int]) -> str:
    return "confirmed" if stage_id in confirmed else "proposed"


def _close_period(conn: sa.Connection, context: Context, period_id: int) -> None:
    """End a period now; one that began now is as if it had not been."""
    seen_at = from_micros(context.seen_at)
    mine = STAGE_PERIODS.c.id == period_id
    conn.execute(sa.delete(STAGE_PERIODS).where(mine, STAGE_PERIODS.c.valid_from == seen_at))
    conn.execute(sa.update(STAGE_PERIODS).where(mine).values(valid_to=seen_at))


def _open_period(
    conn: sa.Connection, context: Context, stage_id: int, period: dict[str, object], *, is_new: bool
) -> None:
    assumed = is_new and context.is_first
    conn.execute(
        sa.insert(STAGE_PERIODS).values(
            connection_id=context.connection_id,
            stage_id=stage_id,
            valid_from=from_micros(context.since if is_new else context.seen_at),
            **{**period, "basis": "assumed" if assumed else period["basis"]},
        )
    )


def _stage_frame(conn: sa.Connection, connection_id: int) -> pl.DataFrame:
    columns: list[sa.ColumnElement[Any]] = [STAGES.c.id.label("stage_id")]
    columns += [STAGES.c[name] for name in _PROPOSED_FROM if name != "stage_id"]
    rows = conn.execute(sa.select(*columns).where(STAGES.c.connection_id == connection_id)).all()
    return pl.DataFrame(rows, schema=_PROPOSED_FROM, orient="row")


def _places(stages: pl.DataFrame, confirmed: dict[int, int | None]) -> dict[int, _Place]:
    """Position and role of each stage: as proposed, but roles that an admin confirmed stay,
    and positions count by the roles that result.
    """
    proposed = {row[0]: row[1:] for row in propose_roles(stages).iter_rows()}
    if not confirmed:
        return proposed
    places: dict[int, _Place] = {}
    steps: dict[int, int] = {}
    for row in stages.sort("sort_order", "stage_id", nulls_last=True).iter_rows(named=True):
        stage_id, pipeline_id = row["stage_id"], row["pipeline_id"]
        role = confirmed.get(stage_id, proposed[stage_id][1])
        counts = row["is_active"] and row["sort_order"] is not None
        if counts and not row["is_closed"] and role != _PARKING:
            places[stage_id] = steps.get(pipeline_id, 0), role
            steps[pipeline_id] = steps.get(pipeline_id, 0) + 1
        else:
            places[stage_id] = None, role
    return places


def store_people(conn: sa.Connection, context: Context, people: Sequence[PersonRecord]) -> None:
    """People as they are now; a changed manager begins a new period."""
    tally, ids = context.tally, context.ids
    rows = [
        (
            person.crm_id,
            person.name,
            person.email,
            person.is_active,
            person.role_name,
            person.time_zone,
            person.is_integration or person.crm_id in context.programs,
        )
        for person in people
    ]
    tally.read += len(people)
    written = merge(conn, _PERSON, rows, connection_id=context.connection_id)
    tally.add(written)
    ids.reload(conn, "people", (person.crm_id for person in people))
    ids.learn(conn, "people", (person.manager_crm_id for person in people))
    changed = {ids.of("people", after[0]) for _, after in written.updated}
    changed |= _follow_managers(conn, context, people)
    _raise_of(conn, context, DEALS.c.owner_id, changed)


def _follow_managers(
    conn: sa.Connection, context: Context, people: Sequence[PersonRecord]
) -> set[int | None]:
    """Gives whose manager is another one than before."""
    periods, seen_at = MANAGEMENT_PERIODS, from_micros(context.seen_at)
    every = sa.select(periods).where(periods.c.connection_id == context.connection_id)
    known = conn.execute(every).all()
    had = {row.person_id for row in known}
    standing = {row.person_id: row for row in known if row.valid_to is None}
    changed: set[int | None] = set()
    for person in people:
        person_id = context.ids.of("people", person.crm_id)
        manager_id = context.ids.of("people", person.manager_crm_id)
        before = standing.get(person_id) if person_id is not None else None
        if (None if before is None else before.manager_id) == manager_id:
            continue
        changed.add(person_id)
        if before is not None:
            mine = periods.c.id == before.id
            conn.execute(sa.delete(periods).where(mine, periods.c.valid_from == seen_at))
            conn.execute(sa.update(periods).where(mine).values(valid_to=seen_at))
        if manager_id is not None:
            conn.execute(
                sa.insert(periods).values(
                    connection_id=context.connection_id,
                    person_id=person_id,
                    manager_id=manager_id,
                    basis="assumed" if context.is_first else "observed",
                    valid_from=seen_at if person_id in had else from_micros(context.since),
                )
            )
    return changed


def _raise_of(
    conn: sa.Connection,
    context: Context,
    column: sa.Column[int],
    values: Collection[int | None],
) -> None:
    """Mark the deals that point at what changed."""
    if values:
        conn.execute(
            sa.update(DEALS)
            .where(DEALS.c.connection_id == context.connection_id, column.in_(values))
            .values(generation=DEALS.c.generation + 1)
        )
