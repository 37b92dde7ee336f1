"""One deal's history in order, as edits that a person would tell."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, pairwise, permutations
from typing import Any

from rules.tables import SOURCES, Tables

Row = dict[str, Any]


@dataclass
class Edit:
    """Rows of one person within the settle time."""

    rows: list[Row]
    process: "Process"
    creation: bool = False

    @property
    def old(self) -> Any:
        return self.rows[0]["old"]

    @property
    def new(self) -> Any:
        return self.rows[-1]["new"]

    @property
    def at(self) -> datetime:
        return self.rows[0]["at"]  # type: ignore[no-any-return]

    @property
    def by(self) -> int | None:
        return self.rows[0]["by_id"]  # type: ignore[no-any-return]

    @property
    def key(self) -> int:
        return self.rows[0]["change_id"]  # type: ignore[no-any-return]

    @property
    def ids(self) -> set[int]:
        return {row["change_id"] for row in self.rows}

    @property
    def seen(self) -> bool:
        return bool(self.rows[0]["seen"])


@dataclass
class Process:
    """The stages as they were at any instant."""

    periods: dict[int, list[Row]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Tables, as_of: datetime) -> "Process":
        process = cls()
        for row in tables.stages.sort("stage_id", "valid_from").iter_rows(named=True):
            known = process.periods.setdefault(row["stage_id"], [])
            if not known or row["valid_from"] <= as_of:
                known.append(row)
        return process

    def stage(self, stage_id: int | None, at: datetime) -> Row | None:
        """The stage as it was at `at`; its first period is taken as always so."""
        if stage_id is None:
            return None
        found = None
        for number, period in enumerate(self.periods.get(stage_id, [])):
            begun = number == 0 or period["valid_from"] <= at
            if begun and (period["valid_to"] is None or at < period["valid_to"]):
                found = period
        return found

    def steps(self, pipeline_id: int) -> int | None:
        positions = [
            period["position"]
            for periods in self.periods.values()
            for period in periods
            if period["pipeline_id"] == pipeline_id and period["position"] is not None
        ]
        return max(positions) + 1 if positions else None


def rows_of(changes: Any, deal: Row, as_of: datetime) -> list[Row]:
    """Rows of one deal in the order they happened, without duplicates and empty changes."""
    rows = [
        row
        for row in changes.iter_rows(named=True)
        if row["deal_id"] == deal["deal_id"] and row["at"] <= as_of and row["old"] != row["new"]
    ]
    rows.sort(key=lambda row: (row["at"], row["change_id"]))
    ordered: list[Row] = []
    for _, together in groupby(rows, key=lambda row: row["at"]):
        distinct: dict[tuple[Any, Any], Row] = {}
        for row in together:
            distinct.setdefault((row["old"], row["new"]), row)
        ordered += _chain(list(distinct.values()), ordered[-1]["new"] if ordered else None)
    for row in ordered:
        found = SOURCES[row["source"]] == "observed" and row["seen_at"] == deal["first_seen_at"]
        row["seen"] = not found
    return ordered


def _chain(rows: list[Row], before: Any) -> list[Row]:
    if len(rows) > 6:
        return rows
    best, most = rows, -1
    for order in permutations(rows):
        links = int(order[0]["old"] == before)
        links += sum(a["new"] == b["old"] for a, b in pairwise(order))
        if links > most:
            best, most = list(order), links
    return best


def edits_of(rows: list[Row], process: Process, settle: timedelta) -> list[Edit]:
    """Rows of one person within `settle` of the first, never across creation."""
    edits: list[Edit] = []
    for number, row in enumerate(rows):
        last = edits[-1] if edits else None
        if (
            last is not None
            and not last.creation
            and last.by == row["by_id"]
            and last.seen
            and row["seen"]
            and row["at"] - last.at <= settle
        ):
            last.rows.append(row)
        else:
            edits.append(Edit([row], process, creation=number == 0 and row["old"] is None))
    return [edit for edit in edits if edit.old != edit.new]


def value_at(rows: list[Row], at: datetime, *, before: bool = False) -> Any:
    """The value in force at `at` (`before`: just before it), or None."""
    value = None
    for row in rows:
        if row["at"] < at or (row["at"] == at and not before):
            value = row["new"]
    return value
