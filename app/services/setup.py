"""Set-up: what Forestage proposes to assume of an organisation, and what an admin confirms.

The document (JSON) is the same both ways, so that a proposal can be edited and accepted:

    pipelines: [{crm_id, name, expected_entry (position, null: the first stage), entries,
                 stages: [{crm_id, label, position, role}]}]
    segments: [{deal_type, pipeline, segment, deals}]   pipeline: crm_id; null: any
    integration_users: [crm_id]                         users that are programs
    one_to_one: {weekday}                               when agendas are due, 1 = Monday
    coaching: agenda | deal                             one task a rep and week, or a deal
    default_task_owner: crm_id                          where nobody active manages a rep
    pilot: [crm_id] | null                              managers whose deals are written
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from app.clock import Clock
from app.errors import BadInput, Conflict
from app.services.evidence import instant
from app.store import connections
from app.store.connections import ConnectionRow
from app.store.database import Database
from app.store.deals import DEALS, PIPELINES, STAGE_PERIODS, STAGES
from app.store.frames import load_tables
from app.store.people import PEOPLE
from rules.facts import Facts
from rules.proposals import propose_expected_entry, propose_segment
from rules.tables import ROLES, SEGMENTS

FRIDAY = 5
COACHING_MODES = ("agenda", "deal")


@dataclass(frozen=True, slots=True)
class SetupProposal:
    """A set-up document: proposed, or edited and about to be accepted."""

    pipelines: Sequence[Mapping[str, Any]]
    segments: Sequence[Mapping[str, Any]]
    integration_users: Sequence[str]
    one_to_one: Mapping[str, int]
    coaching: str
    default_task_owner: str | None
    pilot: Sequence[str] | None

    def as_json(self) -> dict[str, Any]:
        """The document."""
        return {
            "pipelines": [dict(pipeline) for pipeline in self.pipelines],
            "segments": [dict(segment) for segment in self.segments],
            "integration_users": list(self.integration_users),
            "one_to_one": dict(self.one_to_one),
            "coaching": self.coaching,
            "default_task_owner": self.default_task_owner,
            "pilot": None if self.pilot is None else list(self.pilot),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "SetupProposal":
        """A document that a person gives. BadInput names the field that can't be used."""
        if not isinstance(document, Mapping):
            raise BadInput("setup", "give an object, as `setup --propose --json` prints it")
        known = set(cls.__slots__)
        if unknown := sorted(set(document) - known):
            raise BadInput(unknown[0], f"is none of {', '.join(sorted(known))}")
        proposal = cls(
            pipelines=document.get("pipelines", ()),
            segments=document.get("segments", ()),
            integration_users=document.get("integration_users", ()),
            one_to_one=document.get("one_to_one", {"weekday": FRIDAY}),
            coaching=document.get("coaching", COACHING_MODES[0]),
            default_task_owner=document.get("default_task_owner"),
            pilot=document.get("pilot"),
        )
        proposal.check()
        return proposal

    def check(self) -> None:
        """Raise BadInput for a value that nothing can be done with."""
        for pipeline in self.pipelines:
            for stage in pipeline.get("stages", ()):
                _one_of(f"role of stage {stage.get('crm_id')}", stage.get("role"), (None, *ROLES))
        for segment in self.segments:
            _one_of("segment", segment.get("segment"), SEGMENTS)
        _one_of("one_to_one.weekday", self.one_to_one.get("weekday"), range(1, 8))
        _one_of("coaching", self.coaching, COACHING_MODES)


def propose(db: Database, connection_id: int) -> SetupProposal:
    """What the connection's own data suggests; what was confirmed before stays as it is.

    Conflict before the first sync.
    """
    with db.read() as conn:
        row = connections.by_id(conn, connection_id)
        stages = _stages(conn, connection_id)
        types = _deal_types(conn, connection_id)
        programs = sa.select(PEOPLE.c.crm_id).where(
            PEOPLE.c.connection_id == connection_id, PEOPLE.c.is_integration
        )
        integrations = list(conn.scalars(programs.order_by(PEOPLE.c.crm_id)))
    if not stages:
        raise Conflict(f"nothing is known of {row.name!r} yet: sync it first")
    before = row.setup or {}
    return SetupProposal(
        pipelines=_pipelines(stages, _expected(db, row)),
        segments=before.get("segments") or _segments(types),
        integration_users=integrations,
        one_to_one=before.get("one_to_one", {"weekday": FRIDAY}),
        coaching=before.get("coaching", COACHING_MODES[0]),
        default_task_owner=before.get("default_task_owner"),
        pilot=before.get("pilot"),
    )


def accept(
    db: Database, connection_id: int, proposal: SetupProposal, *, by: str, clock: Clock
) -> None:
    """Store a set-up as confirmed: roles, expected entries, segments, users that are programs.

    BadInput names a stage or user that the connection does not have.
    """
    proposal.check()
    with db.write() as conn:
        row = connections.by_id(conn, connection_id)
        at = connections.as_of(row, clock.now())
        for pipeline in proposal.pipelines:
            _accept_pipeline(conn, connection_id, pipeline, at)
        document = {**proposal.as_json(), "accepted": {"by": by, "at": instant(at)}}
        connections.update(conn, connection_id, setup=document)
        apply_segments(conn, replace(row, setup=document))


def apply_segments(conn: sa.Connection, row: ConnectionRow) -> None:
    """Give deals the segment, and people the mark, that setup confirmed; what has it already
    is not touched. Deals that came since are treated alike.
    """
    setup = row.setup or {}
    mine = DEALS.c.connection_id == row.id
    for rule in setup.get("segments", ()):
        segment = SEGMENTS.index(rule["segment"])
        where = mine & DEALS.c.segment.is_distinct_from(segment)
        where &= DEALS.c.deal_type.is_not_distinct_from(rule.get("deal_type"))
        if rule.get("pipeline") is not None:
            here = sa.select(PIPELINES.c.id).where(
                PIPELINES.c.connection_id == row.id, PIPELINES.c.crm_id == rule["pipeline"]
            )
            where &= DEALS.c.pipeline_id.in_(here)
        conn.execute(
            sa.update(DEALS).where(where).values(segment=segment, generation=DEALS.c.generation + 1)
        )
    conn.execute(
        sa.update(PEOPLE)
        .where(
            PEOPLE.c.connection_id == row.id,
            PEOPLE.c.crm_id.in_(setup.get("integration_users", ())),
            ~PEOPLE.c.is_integration,
        )
        .values(is_integration=True)
    )


def _stages(conn: sa.Connection, connection_id: int) -> list[sa.Row[Any]]:
    return list(
        conn.execute(
            sa.select(
                PIPELINES.c.id.label("pipeline_id"),
                PIPELINES.c.crm_id.label("pipeline_crm_id"),
                PIPELINES.c.name.label("pipeline"),
                PIPELINES.c.expected_entry,
                STAGES.c.crm_id,
                STAGES.c.label,
                STAGE_PERIODS.c.position,
                STAGE_PERIODS.c.role,
            )
            .select_from(STAGES)
            .join(PIPELINES, PIPELINES.c.id == STAGES.c.pipeline_id)
            .join(
                STAGE_PERIODS,
                (STAGE_PERIODS.c.stage_id == STAGES.c.id) & STAGE_PERIODS.c.valid_to.is_(None),
            )
            .where(STAGES.c.connection_id == connection_id)
            .order_by(PIPELINES.c.id, STAGES.c.sort_order, STAGES.c.id)
        )
    )


def _expected(db: Database, row: ConnectionRow) -> dict[int, tuple[int, int]]:
    """Expected entry and the number of entries that it rests on, by pipeline."""
    tables = load_tables(db, row.id)
    last = tables.stage_changes["at"].max()
    at = row.crm_seen_at or (last if isinstance(last, datetime) else row.created_at)
    proposed = propose_expected_entry(Facts.cut(tables, at, settle_minutes=row.settle_minutes))
    return {
        pipeline_id: (position, deals)
        for pipeline_id, position, deals in proposed.select(
            "pipeline_id", pl.col("expected_entry").cast(pl.Int64), "deals"
        ).iter_rows()
    }


def _pipelines(
    stages: Sequence[sa.Row[Any]], expected: Mapping[int, tuple[int, int]]
) -> list[dict[str, Any]]:
    pipelines: dict[int, dict[str, Any]] = {}
    for stage in stages:
        position, entries = expected.get(stage.pipeline_id, (None, 0))
        pipeline = pipelines.setdefault(
            stage.pipeline_id,
            {
                "crm_id": stage.pipeline_crm_id,
                "name": stage.pipeline,
                "expected_entry": position
                if stage.expected_entry is None
                else stage.expected_entry,
                "entries": entries,
                "stages": [],
            },
        )
        role = None if stage.role is None else ROLES[stage.role]
        pipeline["stages"].append(
            {
                "crm_id": stage.crm_id,
                "label": stage.label,
                "position": stage.position,
                "role": role,
            }
        )
    return list(pipelines.values())


def _deal_types(conn: sa.Connection, connection_id: int) -> list[sa.Row[Any]]:
    return list(
        conn.execute(
            sa.select(
                DEALS.c.deal_type,
                PIPELINES.c.crm_id,
                PIPELINES.c.name,
                sa.func.count().label("deals"),
            )
            .join_from(DEALS, PIPELINES, PIPELINES.c.id == DEALS.c.pipeline_id)
            .where(DEALS.c.connection_id == connection_id)
            .group_by(DEALS.c.deal_type, PIPELINES.c.crm_id, PIPELINES.c.name)
            .order_by(PIPELINES.c.crm_id, DEALS.c.deal_type)
        )
    )


def _segments(types: Sequence[sa.Row[Any]]) -> list[dict[str, Any]]:
    proposed = ((row, propose_segment(row.deal_type, row.name)) for row in types)
    return [
        {
            "deal_type": row.deal_type,
            "pipeline": row.crm_id,
            "segment": segment,
            "deals": row.deals,
        }
        for row, segment in proposed
        if segment is not None
    ]


def _accept_pipeline(
    conn: sa.Connection, connection_id: int, pipeline: Mapping[str, Any], at: datetime
) -> None:
    mine = PIPELINES.c.connection_id == connection_id
    pipeline_id = conn.scalar(
        sa.select(PIPELINES.c.id).where(mine, PIPELINES.c.crm_id == pipeline.get("crm_id"))
    )
    if pipeline_id is None:
        raise BadInput("pipelines", f"there is no pipeline {pipeline.get('crm_id')!r}")
    conn.execute(
        sa.update(PIPELINES)
        .where(PIPELINES.c.id == pipeline_id)
        .values(expected_entry=pipeline.get("expected_entry"))
    )
    standing = {
        row.crm_id: row
        for row in conn.execute(
            sa.select(STAGES.c.crm_id, STAGE_PERIODS)
            .join_from(STAGES, STAGE_PERIODS, STAGE_PERIODS.c.stage_id == STAGES.c.id)
            .where(STAGES.c.pipeline_id == pipeline_id, STAGE_PERIODS.c.valid_to.is_(None))
        )
    }
    for stage in pipeline.get("stages", ()):
        if stage.get("crm_id") not in standing:
            raise BadInput("stages", f"there is no stage {stage.get('crm_id')!r} in the pipeline")
        role = None if stage.get("role") is None else ROLES.index(stage["role"])
        place = {"position": stage.get("position"), "role": role}
        _confirm(conn, standing[stage["crm_id"]], place, at)


def _confirm(
    conn: sa.Connection, period: sa.Row[Any], place: Mapping[str, int | None], at: datetime
) -> None:
    """What was only assumed or proposed is confirmed back to its beginning; what was confirmed
    as something else holds up to now.
    """
    same = (period.position, period.role) == (place["position"], place["role"])
    if same and period.basis == "confirmed":
        return
    here = STAGE_PERIODS.c.id == period.id
    if period.basis != "confirmed":
        values = {**place, "basis": "confirmed"}
        conn.execute(sa.update(STAGE_PERIODS).where(here).values(**values))
        return
    conn.execute(sa.update(STAGE_PERIODS).where(here).values(valid_to=at))
    conn.execute(
        sa.insert(STAGE_PERIODS).values(
            connection_id=period.connection_id,
            stage_id=period.stage_id,
            **place,
            basis="confirmed",
            valid_from=at,
        )
    )


def _one_of(field: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        raise BadInput(field, f"{value!r} is none of {', '.join(str(each) for each in allowed)}")
