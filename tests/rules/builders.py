"""Small Tables, written the way one tells a deal's story."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from rules.tables import (
    ACTIVITY_KINDS,
    DIRECTIONS,
    FORECASTS,
    ROLES,
    SCHEMAS,
    SEGMENTS,
    SOURCES,
    Tables,
)

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
STAGES = (
    (1, "Discovery", 0, "early"),
    (2, "Scoping", 1, "early"),
    (3, "Evaluation", 2, "middle"),
    (4, "Proposal", 3, "late"),
    (5, "Negotiation", 4, "late"),
    (6, "On hold", None, "parking"),
    (7, "Won", None, "closed"),
    (8, "Lost", None, "closed"),
)


def utc(text: str) -> datetime:
    """`2026-03-01 09:30` as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Organisation:
    """Rows of each table as they are added; `tables()` makes the frames."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    time_zone: str = "UTC"
    fiscal_start_month: int = 1
    next_id: int = 1

    def add(self, table: str, **values: Any) -> None:
        self.rows[table].append(dict.fromkeys(SCHEMAS[table]) | values)

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id

    def pipeline(
        self, pipeline_id: int = 1, *, first_stage: int = 0, expected_entry: int | None = 0
    ) -> None:
        """The pipeline of STAGES, its stage ids counted from `first_stage`."""
        self.add("pipelines", pipeline_id=pipeline_id, expected_entry=expected_entry)
        for stage_id, label, position, role in STAGES:
            self.stage(
                first_stage + stage_id, pipeline_id, label=label, position=position, role=role
            )

    def stage(self, stage_id: int, pipeline_id: int, **facts: Any) -> None:
        role = facts.pop("role")
        self.add(
            "stages",
            **{
                "stage_id": stage_id,
                "pipeline_id": pipeline_id,
                "role": None if role is None else ROLES.index(role),
                "is_closed": role == "closed",
                "is_won": facts["label"] == "Won",
                "valid_from": BEGINNING,
            }
            | facts,
        )

    def person(self, person_id: int, *, manager: int | None = None, **facts: Any) -> None:
        self.add("people", person_id=person_id, **{"is_integration": False} | facts)
        if manager is not None:
            self.add("management", person_id=person_id, manager_id=manager, valid_from=BEGINNING)

    def deal(self, deal_id: int, created_at: datetime, **facts: Any) -> None:
        segment = facts.pop("segment", None)
        standing = {
            "pipeline_id": 1,
            "created_at": created_at,
            "first_seen_at": BEGINNING,
            "currency": "EUR",
            "segment": None if segment is None else SEGMENTS.index(segment),
            "is_closed": False,
            "is_won": False,
        }
        self.add("deals", deal_id=deal_id, **standing | facts)

    def change(
        self, ledger: str, deal_id: int, at: datetime, *, old: Any = None, new: Any, **facts: Any
    ) -> int:
        """One row of history; `ledger` is stage, close_date, amount, forecast or owner."""
        change_id = facts.pop("change_id", None) or self.new_id()
        source = SOURCES.index(facts.pop("source", "user"))
        if ledger == "forecast":
            old, new = (None if name is None else FORECASTS.index(name) for name in (old, new))
        row = {"change_id": change_id, "seen_at": at, "source": source, "old": old, "new": new}
        self.add(f"{ledger}_changes", deal_id=deal_id, at=at, **row | facts)
        return change_id

    def activity(self, kind: str, at: datetime, **facts: Any) -> int:
        activity_id = facts.pop("activity_id", None) or self.new_id()
        contacts: Sequence[int] = facts.pop("contacts", ())
        direction = DIRECTIONS.index(facts.pop("direction", "none"))
        held = {"logged_at": at, "is_held": True, "is_two_way": True, "direction": direction}
        self.add(
            "activities",
            activity_id=activity_id,
            kind=ACTIVITY_KINDS.index(kind),
            at=at,
            **held | facts,
        )
        for contact_id in contacts:
            self.add("activity_contacts", activity_id=activity_id, contact_id=contact_id)
        return activity_id

    def contact(self, deal_id: int, contact_id: int, at: datetime = BEGINNING) -> None:
        self.add("contact_roles", deal_id=deal_id, contact_id=contact_id, valid_from=at)

    def tables(self) -> Tables:
        return tables(self.rows, time_zone=self.time_zone, start_month=self.fiscal_start_month)


def tables(
    rows: Mapping[str, Sequence[Mapping[str, Any]]], *, time_zone: str = "UTC", start_month: int = 1
) -> Tables:
    """Frames of all tables from rows; a table without rows is empty."""
    frames = {
        name: pl.DataFrame(list(rows.get(name, ())), schema=schema, orient="row")
        for name, schema in SCHEMAS.items()
    }
    return Tables(**frames, time_zone=time_zone, fiscal_start_month=start_month)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def on(text: str) -> date:
    return date.fromisoformat(text)
