"""Changes of owner and next step from OpportunityFieldHistory, where an admin has it on.

It begins when it is switched on, is kept for 18 to 24 months, and lacks what flows change
behind the user's back: so it adds to OpportunityHistory, which is always there, and never
replaces it. Its rows have no SystemModstamp and never change.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from connectors.records import ChangeField, ChangeRecord
from connectors.salesforce.client import Row, in_list
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.mapping import CREATION_SLACK, instant

FIELD_HISTORY = Shape(
    sobject="OpportunityFieldHistory",
    needed=("Id", "OpportunityId", "Field", "OldValue", "NewValue", "CreatedDate"),
    optional=("CreatedById",),
    silent=("DataType",),
)
_TOUCHED = Shape(sobject=FIELD_HISTORY.sobject, needed=("Id", "OpportunityId"))
_OLDEST = Shape(sobject=FIELD_HISTORY.sobject, needed=("Id", "CreatedDate"))
_FIELDS: Mapping[str, ChangeField] = {
    "Owner": "owner",
    "OwnerId": "owner",
    "NextStep": "next_step",
}
_CREATED = "created"
_ONLY_THESE = f"Field IN {in_list([*_FIELDS, _CREATED])}"
_ID_LENGTHS = {15, 18}
_by_time = itemgetter("CreatedDate", "Id")


def is_on(fields: Fields) -> bool:
    """Whether the org keeps field history, and shows it to this user."""
    return fields.describe(FIELD_HISTORY.sobject) is not None


def touched(fields: Fields, since: str) -> set[str]:
    """Deals with a row that was made since then (a SOQL instant)."""
    if not is_on(fields):
        return set()
    where = f"WHERE CreatedDate >= {since} AND {_ONLY_THESE}"
    pages = fields.query(_TOUCHED, where, deleted=True)
    return {row["OpportunityId"] for page in pages for row in page.rows}


def of_deals(fields: Fields, ids: Sequence[str]) -> Mapping[str, Sequence[Row]]:
    """All rows of the named deals, by deal; nothing where there is no field history."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    if is_on(fields):
        where = f"WHERE OpportunityId IN {in_list(ids)} AND {_ONLY_THESE}"
        for page in fields.query(FIELD_HISTORY, where, deleted=True):
            for row in page.rows:
                found[row["OpportunityId"]].append(row)
    return found


def warn_of_gap(fields: Fields, created_at: datetime) -> None:
    """Warn where the history begins later than a deal made at `created_at`."""
    if not is_on(fields):
        return
    pages = fields.query(_OLDEST, "ORDER BY CreatedDate LIMIT 1", deleted=True)
    rows = [row for page in pages for row in page.rows]
    begins = min((instant(row["CreatedDate"]) for row in rows), default=None)
    if begins is None or begins > created_at + CREATION_SLACK:
        told = "has no row yet" if begins is None else f"begins on {begins.date()}"
        fields.warn(
            f"OpportunityFieldHistory {told}: earlier changes of owner and next step of older "
            "deals are unknown"
        )


def changes(opportunity: Row, history: Iterable[Row]) -> list[ChangeRecord]:
    """The changes of owner and next step of one deal.

    A first row stands at the deal's creation where the history was on by then, else it is
    not known what the deal began with. A text too long to be kept has no values: of such a
    change nothing is told.
    """
    rows = sorted({row["Id"]: row for row in history}.values(), key=_by_time)
    by_field: defaultdict[ChangeField, list[Row]] = defaultdict(list)
    for row in rows:
        if (field := _FIELDS.get(row["Field"])) and _tells(field, row):
            by_field[field].append(row)
    created = next((row for row in rows if row["Field"] == _CREATED), None)
    found: list[ChangeRecord] = []
    for field, edits in by_field.items():
        if created is not None:
            found.append(_first(opportunity, field, created, old=edits[0]["OldValue"]))
        found += [_change(field, row) for row in edits]
    return found


def _tells(field: ChangeField, row: Row) -> bool:
    """Of an owner one row has the ids and another the names: only ids are of use."""
    values = [value for value in (row["OldValue"], row["NewValue"]) if value is not None]
    if field != "owner":
        return bool(values)
    if row.get("DataType"):
        return str(row["DataType"]) == "EntityId"
    return bool(values) and all(_is_user_id(value) for value in values)


def _is_user_id(value: object) -> bool:
    return isinstance(value, str) and len(value) in _ID_LENGTHS and value.startswith("005")


def _change(field: ChangeField, row: Row) -> ChangeRecord:
    return ChangeRecord(
        deal_crm_id=row["OpportunityId"],
        field=field,
        at=instant(row["CreatedDate"]),
        old=_text(row["OldValue"]),
        new=_text(row["NewValue"]),
        source_ref=row["Id"],
        by_crm_id=row.get("CreatedById"),
    )


def _first(opportunity: Row, field: ChangeField, created: Row, *, old: object) -> ChangeRecord:
    return ChangeRecord(
        deal_crm_id=opportunity["Id"],
        field=field,
        at=min(instant(opportunity["CreatedDate"]), instant(created["CreatedDate"])),
        old=None,
        new=_text(old),
        source_ref=created["Id"],
        by_crm_id=created.get("CreatedById"),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
