"""Field history: what Salesforce keeps of an opportunity's fields where tracking is on.

A lookup leaves two rows of one save, one with ids and one with names; a new record leaves a
row `created` without values. Texts of more than 255 characters leave only that they changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connectors.sandbox.salesforce.values import Row

OBJECT = "OpportunityFieldHistory"
# Column -> the name that a row calls it by, and the type of its values.
_TRACKED = {
    "StageName": ("StageName", "DynamicEnum"),
    "Amount": ("Amount", "Currency"),
    "CloseDate": ("CloseDate", "DateOnly"),
    "ForecastCategoryName": ("ForecastCategoryName", "DynamicEnum"),
    "NextStep": ("NextStep", "Text"),
    "OwnerId": ("Owner", "EntityId"),
}
FIELD_NAMES = (*(name for name, _ in _TRACKED.values()), "created")
_LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Saves from the instant `since` on leave rows."""

    since: str
    blank: Row
    new_id: Callable[[], str]
    name_of: Callable[[str], str]


def rows(old: Row | None, row: Row, *, at: str, by: str, tracking: Tracking | None) -> list[Row]:
    """What saving `row` over `old` leaves, both whole and as stored."""
    if tracking is None or at < tracking.since:
        return []
    told = _created() if old is None else _edited(old, row, tracking)
    return [
        tracking.blank
        | {
            "Id": tracking.new_id(),
            "OpportunityId": row["Id"],
            "Field": name,
            "DataType": kind,
            "OldValue": before,
            "NewValue": after,
            "CreatedDate": at,
            "CreatedById": by,
        }
        for name, kind, before, after in told
    ]


_Told = tuple[str, str, object, object]


def _created() -> list[_Told]:
    return [("created", "Text", None, None)]


def _edited(old: Row, row: Row, tracking: Tracking) -> Iterator[_Told]:
    for column, (name, kind) in _TRACKED.items():
        before, after = old[column], row[column]
        if before == after:
            continue
        if kind == "EntityId":
            yield name, "Text", tracking.name_of(before), tracking.name_of(after)
        if any(isinstance(each, str) and len(each) > _LONGEST for each in (before, after)):
            before = after = None
        yield name, kind, before, after
