"""`propertiesWithHistory` of a deal to changes.

HubSpot gives whole revisions, newest first, at most 20 a property, and no earlier value: each
revision is compared with the one before it. What a row proves depends on who wrote it, so
what HubSpot itself wrote, or mixed up, is told as source `system`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.hubspot.mapping import day, forecast, instant, money
from connectors.hubspot.structure import Structure
from connectors.records import ChangeField, ChangeRecord, ChangeSource, ChangeValue

MOST_REVISIONS = 20
# A revision this soon after the deal's own creation belongs to its creation.
CREATION_SLACK = timedelta(seconds=5)
# HubSpot writes "now" as close date when a deal is closed; a person picks a day.
_SAME_SAVE = timedelta(seconds=5)
MERGED = "hs_merged_object_ids"
_FIELDS: Sequence[tuple[ChangeField, str]] = (
    ("stage", "dealstage"),
    ("close_date", "closedate"),
    ("amount", "amount"),
    ("owner", "hubspot_owner_id"),
    ("pipeline", "pipeline"),
    ("forecast", "hs_manual_forecast_category"),
    ("next_step", "hs_next_step"),
)
PROPERTIES = (*(name for _, name in _FIELDS), MERGED)
# HubSpot publishes no closed list; these are the ones seen. By prefix, the longest first.
_SOURCES: Mapping[str, ChangeSource] = {
    "CRM_UI": "user",
    "MOBILE": "user",
    "SALES": "user",
    "MEETINGS": "user",
    "CONVERSATIONS": "user",
    "AUTOMATION": "workflow",
    "WORKFLOW": "workflow",
    "SEQUENCE": "workflow",
    "IMPORT": "import",
    "BATCH_UPDATE": "import",
    "INTEGRATION": "api",
    "API": "api",
    "CALCULATED": "system",
    "HUBSPOT": "system",
    "INTERNAL": "system",
    "MERGE": "system",
    "MIGRATION": "system",
    "DEFAULT": "system",
    "BACKFILL": "system",
}
_USER = "userId:"


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a property's history."""

    at: datetime
    value: str
    source: str
    user_id: str | None
    ref: str


def revisions(row: Mapping[str, Any], name: str) -> list[Revision] | None:
    """A property's revisions, oldest first; None where the property can't be read."""
    told = (row.get("propertiesWithHistory") or {}).get(name)
    if told is None:
        return None
    # Told newest first; equal instants keep the order in which they were told.
    return sorted((_revision(name, entry) for entry in reversed(told)), key=lambda each: each.at)


def created_at(row: Mapping[str, Any]) -> datetime:
    """When the deal was made: by its row, or by an earlier revision (a merged deal's)."""
    told = [instant(row["createdAt"])]
    entries = row.get("propertiesWithHistory") or {}
    for _, name in _FIELDS:
        told += [instant(str(entry["timestamp"])) for entry in entries.get(name) or ()]
    return min(told)


def changes(row: Mapping[str, Any], structure: Structure) -> list[ChangeRecord]:
    """The changes of one deal. Each field's first row stands at the deal's creation with `old`
    None. Of a history that HubSpot has cut at 20 revisions the oldest only tells the value
    before the next one: told as a change of its own it would look like a creation. A field
    without any revision has none.
    """
    deal = _Deal.of(row, structure)
    return [
        change
        for field, name in _FIELDS
        if (found := revisions(row, name))
        for change in _of_field(deal, field, found)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deal:
    """What of a deal its changes need to be judged."""

    crm_id: str
    created_at: datetime
    merged_at: datetime | None
    closings: Sequence[datetime]
    zone: ZoneInfo
    owner_of: Callable[[str | None], str | None]

    @classmethod
    def of(cls, row: Mapping[str, Any], structure: Structure) -> "_Deal":
        stages = revisions(row, "dealstage") or ()
        return cls(
            crm_id=str(row["id"]),
            created_at=created_at(row),
            merged_at=merged_at(row),
            closings=[
                revision.at
                for revision in stages
                if (stage := structure.stage(revision.value)) and stage.is_closed
            ],
            zone=ZoneInfo(structure.time_zone()),
            owner_of=structure.owner_of,
        )

    def value(self, field: ChangeField, text: str) -> ChangeValue:
        match field:
            case "close_date":
                return day(text, self.zone)
            case "amount":
                return money(text)
            case "forecast":
                return forecast(text)
            case _:
                return text or None

    def is_by_hubspot(self, field: ChangeField, revision: Revision) -> bool:
        """Whether HubSpot, not a person, is behind a revision: of a merge, whose histories are
        those of several deals in one, or of closing, which writes the present as close date.
        """
        if self.merged_at is not None and revision.at <= self.merged_at:
            return True
        if field != "close_date" or not revision.value:
            return False
        is_now = abs(instant(revision.value) - revision.at) <= _SAME_SAVE
        return is_now and any(abs(at - revision.at) <= _SAME_SAVE for at in self.closings)

    def is_default(self, first: Revision) -> bool:
        """Whether a first close date is what HubSpot's form proposes: the last day of the
        month of creation. Nobody promised it, so the first move away from it is no push.
        """
        chosen = day(first.value, self.zone)
        made_on = first.at.astimezone(self.zone).date()
        if chosen is None or (chosen.year, chosen.month) != (made_on.year, made_on.month):
            return False
        return (chosen + timedelta(days=1)).month != chosen.month


def _of_field(deal: _Deal, field: ChangeField, found: Sequence[Revision]) -> Iterator[ChangeRecord]:
    first, rest = _first(deal, field, found)
    is_default = False
    if isinstance(first, ChangeRecord):
        yield first
        old = first.new
        is_default = field == "close_date" and old is not None and deal.is_default(found[0])
    else:
        old = deal.value(field, first.value)
    for revision in rest:
        new = deal.value(field, revision.value)
        if new == old:
            continue
        by_hubspot = is_default or deal.is_by_hubspot(field, revision)
        yield _change(deal, field, revision, (old, new), source="system" if by_hubspot else None)
        old, is_default = new, False


def _first(
    deal: _Deal, field: ChangeField, found: Sequence[Revision]
) -> tuple[ChangeRecord | Revision, Sequence[Revision]]:
    """The row of the creation (one made for it, where the field was empty then) and the
    revisions after it; of a cut history its oldest revision instead.
    """
    starts_at_creation = found[0].at - deal.created_at <= CREATION_SLACK
    if not starts_at_creation and len(found) >= MOST_REVISIONS:
        return found[0], found[1:]
    if not starts_at_creation:
        made = ChangeRecord(
            deal_crm_id=deal.crm_id,
            field=field,
            at=deal.created_at,
            old=None,
            new=None,
            source_ref=f"created:{field}",
        )
        return made, found
    opening = found[0]
    value = deal.value(field, opening.value)
    return _change(deal, field, opening, (None, value), at=deal.created_at), found[1:]


def _change(
    deal: _Deal,
    field: ChangeField,
    revision: Revision,
    values: tuple[ChangeValue, ChangeValue],
    *,
    source: ChangeSource | None = None,
    at: datetime | None = None,
) -> ChangeRecord:
    return ChangeRecord(
        deal_crm_id=deal.crm_id,
        field=field,
        at=at or revision.at,
        old=values[0],
        new=values[1],
        source_ref=revision.ref,
        by_crm_id=deal.owner_of(revision.user_id),
        source=source or source_of(revision.source, is_person=revision.user_id is not None),
    )


def source_of(source_type: str, *, is_person: bool) -> ChangeSource:
    """Who wrote a revision. An app on its own, with no user behind it, is nobody whom one
    could coach, so it counts as the system; an unknown type with a user is that user.
    """
    name = source_type.upper()
    for prefix, source in _SOURCES.items():
        if name.startswith(prefix):
            return "system" if source == "api" and not is_person else source
    return "user" if is_person else "unknown"


def _revision(name: str, entry: Mapping[str, Any]) -> Revision:
    """One entry; its ref is made of the entry alone, so that reading it twice gives it twice."""
    value, source = str(entry.get("value") or ""), str(entry.get("sourceType") or "")
    source_id = str(entry.get("sourceId") or "")
    user = entry.get("updatedByUserId")
    if user is None and source_id.startswith(_USER):
        user = source_id.removeprefix(_USER)
    stamp = str(entry["timestamp"])
    parts = "\x1f".join((stamp, value, source, source_id, str(user or "")))
    digest = hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:12]
    return Revision(
        at=instant(stamp),
        value=value,
        source=source,
        user_id=str(user) if user else None,
        ref=f"{name}:{digest}",
    )


def merged_at(row: Mapping[str, Any]) -> datetime | None:
    """When deals were merged into this one last; None where none were. It is told by the
    history of the merged ids, and by what the merge wrote.
    """
    if not row["properties"].get(MERGED):
        return None
    merged: Iterable[Revision] = revisions(row, MERGED) or ()
    told = [revision.at for revision in merged]
    for _, name in _FIELDS:
        told += [each.at for each in revisions(row, name) or () if each.source.startswith("MERGE")]
    return max(told, default=instant(row["updatedAt"]))
