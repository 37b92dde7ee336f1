"""What HubSpot does by itself when a record is saved."""

from dataclasses import dataclass

from connectors.sandbox.hubspot import catalog
from connectors.sandbox.hubspot.stages import Stages, of_deal
from connectors.sandbox.hubspot.store import Record, Revision
from connectors.sandbox.hubspot.values import decimal_text, epoch_ms

# Under this name a record's history keeps when and by whom it was made.
CREATION = "*"
_MS_PER_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Author:
    """Who or what saves: the history's sourceType, sourceId and updatedByUserId."""

    source: str
    source_id: str | None = None
    user_id: int | None = None


def save(
    record: Record, patch: dict[str, str], *, at: str, by: Author, stages: Stages | None
) -> bool:
    """Apply `patch` (stored texts; empty clears) at the instant `at`, with its consequences.
    `stages` is needed for deals. Tells whether anything changed.
    """
    patch = {name: value for name, value in patch.items() if record.props.get(name, "") != value}
    if not patch and record.history:
        return False
    if record.type == catalog.DEAL and stages is not None:
        _deal_consequences(record, patch, at=at, stages=stages)
    if record.type == catalog.TASK and "hs_task_status" in patch:
        is_done = patch["hs_task_status"] == "COMPLETED"
        patch["hs_task_completion_date"] = at if is_done else ""
        patch["hs_task_is_completed"] = str(int(is_done))
    if "hubspot_owner_id" in patch:
        patch["hubspot_owner_assigneddate"] = at if patch["hubspot_owner_id"] else ""
    if not record.history:
        record.props |= {name: value for name, value in patch.items() if value}
        record.history[CREATION] = [[None, at, by.source, by.source_id, by.user_id]]
    else:
        for name, value in patch.items():
            set_value(record, name, value, at=at, by=by)
    if record.type == catalog.DEAL and stages is not None:
        recalculate(record, stages)
    record.updated_at = max(at, record.updated_at)
    return True


def set_value(record: Record, name: str, value: str, *, at: str, by: Author) -> None:
    """One property and its newest revision; the oldest one beyond the limit is forgotten."""
    revisions = revisions_of(record, name)
    revisions.insert(0, [value, at, by.source, by.source_id, by.user_id])
    record.history[name] = revisions[: catalog.TYPES[record.type].revisions]
    if value:
        record.props[name] = value
    else:
        record.props.pop(name, None)


def revisions_of(record: Record, name: str) -> list[Revision]:
    """The values that a property had, newest first. One that never changed since the record
    was made has no list of its own: its only value is that of the creation.
    """
    if name in record.history:
        return record.history[name]
    if name not in record.props:
        return []
    made = record.history[CREATION][0]
    return [[record.props[name], *made[1:]]]


def _deal_consequences(record: Record, patch: dict[str, str], *, at: str, stages: Stages) -> None:
    if "dealstage" in patch:
        before = of_deal(stages, record.props)
        after = stages.by_id.get(patch["dealstage"])
        was_closed = before is not None and before.is_closed
        if after is not None and after.is_closed and not was_closed and "closedate" not in patch:
            patch["closedate"] = at
    if "hs_next_step" in patch:
        patch["hs_next_step_updated_at"] = at


def recalculate(record: Record, stages: Stages) -> None:
    """The calculated properties of a deal that follow its own values alone."""
    props = record.props
    stage = of_deal(stages, props)
    is_closed = stage is not None and stage.is_closed
    is_won = stage is not None and stage.is_won
    props["hs_is_closed"] = str(is_closed).lower()
    props["hs_is_closed_won"] = str(is_won).lower()
    props["hs_is_closed_lost"] = str(is_closed and not is_won).lower()
    probability = stage.probability if stage is not None else 0.0
    props["hs_deal_stage_probability"] = repr(probability)
    amount = props.get("amount")
    calculated = (
        "amount_in_home_currency",
        "hs_forecast_amount",
        "hs_projected_amount",
        "hs_closed_amount",
    )
    for name in (*calculated, "days_to_close"):
        props.pop(name, None)
    if amount:
        weighted = decimal_text(float(amount) * probability)
        closed = amount if is_won else "0"
        props |= dict(zip(calculated, (amount, amount, weighted, closed), strict=True))
    if props.get("closedate") and props.get("createdate"):
        passed = epoch_ms(props["closedate"]) - epoch_ms(props["createdate"])
        props["days_to_close"] = str(max(0, passed // _MS_PER_DAY))
