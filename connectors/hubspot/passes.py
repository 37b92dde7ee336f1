"""Passes over an object type: everything, or what changed; resumable, losing nothing.

A cursor is a small mapping. `{until, state, after}`: a full pass that began at `until` has
stored the `live` (or also the `archived`) rows before the page `after`. `{since, swept}`:
all changes up to `since` and all archivings up to `swept` are stored. `{since, swept, until,
above}`: a pass over the changes up to `until` has stored those of ids up to `above`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.hubspot.client import Row
from connectors.hubspot.fields import Fields, Shape
from connectors.hubspot.mapping import instant

# Rows get into the search index late, and HubSpot stamps some a moment after their change.
LOOKBACK = timedelta(minutes=10)
# HubSpot's clock, its Date header, counts whole seconds: the present lies up to one beyond.
CLOCK_STEP = timedelta(seconds=1)
# Rows gathered before they are passed on: as many as one call for associations takes.
LOT = 1000
STATES = ("live", "archived")
Cursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lot:
    """Rows and the cursor to store with them."""

    rows: Sequence[Row]
    cursor: Cursor


def is_full(cursor: Cursor | None) -> bool:
    """Whether a pass along this cursor goes over everything."""
    return cursor is None or "state" in cursor


def since_of(cursor: Cursor) -> datetime:
    """From when on a pass over changes along this cursor looks."""
    return datetime.fromisoformat(cursor["since"]) - LOOKBACK


def everything(
    fields: Fields, shape: Shape, cursor: Cursor | None, *, until: datetime
) -> Iterator[Lot]:
    """All rows by id, the live ones, then the archived ones (HubSpot keeps them for 90 days).

    Always ends with a lot, maybe empty, whose cursor closes the pass.
    """
    begun = cursor["until"] if cursor else until.isoformat()
    state = cursor["state"] if cursor else STATES[0]
    after = cursor.get("after") if cursor else None
    rows: list[Row] = []
    for name in STATES[STATES.index(state) :]:
        while True:
            page, after = fields.listed(shape, archived=name == "archived", after=after)
            rows += page
            if after is None:
                break
            if len(rows) >= LOT:
                yield Lot(rows, {"until": begun, "state": name, "after": after})
                rows = []
    yield Lot(rows, {"since": begun, "swept": begun})


def changes(
    fields: Fields, shape: Shape, cursor: Cursor, *, until: datetime, sweep_every: timedelta
) -> Iterator[Lot]:
    """Rows that changed since the cursor, by id; then, no more often than `sweep_every`, those
    archived since, which search never tells.

    Always ends with a lot, maybe empty, whose cursor closes the pass.
    """
    begun = datetime.fromisoformat(cursor.get("until") or until.isoformat())
    base = {"since": cursor["since"], "swept": cursor["swept"], "until": begun.isoformat()}
    above, rows, is_more = cursor.get("above"), list[Row](), True
    while is_more:
        found, is_more = fields.changed(
            shape, since=since_of(cursor), until=begun + CLOCK_STEP, above=above
        )
        rows += found
        above = str(max((int(row["id"]) for row in found), default=0)) if found else above
        if is_more and len(rows) >= LOT:
            yield Lot(rows, {**base, "above": above})
            rows = []
    swept = datetime.fromisoformat(cursor["swept"])
    if begun - swept >= sweep_every:
        rows += _archived(fields, shape, since=swept - LOOKBACK)
        swept = begun
    yield Lot(rows, {"since": begun.isoformat(), "swept": swept.isoformat()})


def _archived(fields: Fields, shape: Shape, *, since: datetime) -> Iterator[Row]:
    after: str | None = None
    while True:
        page, after = fields.listed(shape, archived=True, after=after)
        yield from (row for row in page if instant(row["archivedAt"]) >= since)
        if after is None:
            return
