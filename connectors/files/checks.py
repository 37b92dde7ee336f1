"""What only all files together tell: deals completed by their history, and doubts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.files.changes import AT_CREATION
from connectors.files.deals import DealRow
from connectors.files.history import History
from connectors.records import DealRecord

_RECORDED = {
    "amount": "amount",
    "forecast_category": "forecast",
    "owner_id": "owner_crm_id",
    "next_step": "next_step",
}
"""Our column -> the field of a DealRecord, of values that a deals file may not have."""


def completed(
    rows: Mapping[str, DealRow], history: History, *, told: Collection[str]
) -> Mapping[str, DealRecord]:
    """The deals with what their history tells better. `told`: the columns of the deals file.

    A value that the deals file has no column for is the last one of the history.
    A creation told as a day takes the instant of the first history row of that day. Who
    made that first row created the deal. A deal without a modified instant was last
    modified by its last row.
    """
    untold = [column for column in _RECORDED if column in history.tracked and column not in told]
    return {crm_id: _completed(row, history, untold) for crm_id, row in rows.items()}


def _completed(row: DealRow, history: History, untold: Sequence[str]) -> DealRecord:
    deal = row.record
    changes = history.rows.get(deal.crm_id, ())
    if not changes:
        return deal
    first, last = changes[0], changes[-1]
    created_at = deal.created_at
    if row.created_on_only and row.day_of(first.at) == row.day_of(created_at):
        created_at = first.at
    created_by = deal.created_by_crm_id
    if created_by is None and abs(first.at - created_at) <= AT_CREATION:
        created_by = first.by
    modified_at = row.modified_at_told or last.at
    last_told = {name: value for step in changes for name, value in step.values.items()}
    known: dict[str, Any] = {
        _RECORDED[column]: last_told[column] for column in untold if column in last_told
    }
    return replace(
        deal,
        **known,
        created_at=created_at,
        created_by_crm_id=created_by,
        modified_at=max(created_at, modified_at),
    )


def cross_check(
    rows: Mapping[str, DealRow],
    deals: Mapping[str, DealRecord],
    history: History,
    *,
    has_stages: bool,
) -> list[str]:
    """Note doubts about single deals; returns warnings about the export as a whole."""
    without = late = 0
    for crm_id, row in rows.items():
        changes = history.rows.get(crm_id, ())
        if not changes:
            if not history.is_log:
                without += 1
                row.note("no_history", "deal_id", "has no row in the history file")
            continue
        created_at: datetime = deals[crm_id].created_at
        if changes[0].at < created_at - AT_CREATION:
            row.note("before_creation", "created_at", "is later than the deal's first history row")
        elif changes[0].at > created_at + AT_CREATION and not history.is_log:
            late += 1
    warnings = []
    if not has_stages:
        warnings.append("no stages file: without a stage order the stage rules can't be run")
    if without:
        warnings.append(f"{without:,} deals without history: their past is unknown")
    if late:
        warnings.append(f"{late:,} deals whose history starts after their creation")
    if history.ignored:
        warnings.append(f"{history.ignored:,} history rows of fields that feed no rule")
    return warnings
