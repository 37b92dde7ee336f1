"""Properties that HubSpot works out of other records or of the present, when they are read."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from connectors.sandbox.hubspot import catalog
from connectors.sandbox.hubspot.effects import revisions_of
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.store import Record

_LOGGED = (catalog.CALL, catalog.EMAIL, catalog.MEETING, catalog.NOTE)
_SPOKEN = (catalog.CALL, catalog.EMAIL, catalog.MEETING)
_FROM_ACTIVITIES = frozenset(
    {
        "num_notes",
        "num_contacted_notes",
        "notes_last_updated",
        "notes_last_contacted",
        "notes_next_activity_date",
    }
)
_ENTERED = "hs_v2_date_entered_"


class Derived:
    """Values of the named properties of some records, of one type."""

    def __init__(
        self, practice: Practice, records: Sequence[Record], names: Collection[str]
    ) -> None:
        self._practice = practice
        self._extra: dict[int, dict[str, str]] = {}
        if records and records[0].type == catalog.DEAL:
            ids = orjson.dumps([each.id for each in records]).decode()
            if _FROM_ACTIVITIES & set(names):
                self._add_activities(ids)
            if "num_associated_contacts" in names:
                self._add_contacts(ids)

    def value(self, record: Record, name: str) -> str | None:
        """The text of a property, None where it is empty."""
        own = own_value(record, name)
        if own is not None:
            return own
        if name.startswith(_ENTERED):
            return _entered(record, name.removeprefix(_ENTERED))
        return self._extra.get(record.id, {}).get(name)

    def _add_contacts(self, ids: str) -> None:
        rows = self._practice.store.select(
            "SELECT source_id, COUNT(DISTINCT target_id) FROM link WHERE source = ? "
            "AND target = ? AND source_id IN (SELECT value FROM json_each(?)) GROUP BY 1",
            (catalog.DEAL, catalog.CONTACT, ids),
        )
        for deal_id, count in rows:
            self._extra.setdefault(deal_id, {})["num_associated_contacts"] = str(count)

    def _add_activities(self, ids: str) -> None:
        rows = self._practice.store.select(
            "SELECT DISTINCT link.source_id, object.type, object.props FROM link JOIN object "
            "ON object.type = link.target AND object.id = link.target_id "
            "WHERE link.source = ? AND link.source_id IN (SELECT value FROM json_each(?)) "
            "AND link.target IN ('0-27', '0-46', '0-47', '0-48', '0-49') "
            "AND object.archived_at IS NULL",
            (catalog.DEAL, ids),
        )
        now = self._practice.now()
        by_deal: dict[int, list[tuple[str, Mapping[str, str]]]] = {}
        for deal_id, kind, props in rows:
            by_deal.setdefault(deal_id, []).append((kind, orjson.loads(props)))
        for deal_id, activities in by_deal.items():
            self._extra.setdefault(deal_id, {}).update(_summary(activities, now))


def own_value(record: Record, name: str) -> str | None:
    """The text of a property that a record's row alone tells."""
    kind = catalog.TYPES[record.type]
    if name == "hs_object_id":
        return str(record.id)
    if name in (kind.modified, "hs_lastmodifieddate"):
        return record.updated_at
    if name in (kind.created, "hs_createdate"):
        return record.created_at
    return record.props.get(name)


def _entered(record: Record, stage: str) -> str | None:
    revisions: list[Any] = revisions_of(record, "dealstage")
    if stage == "current_stage":
        return str(revisions[0][1]) if revisions else None
    return next((str(each[1]) for each in revisions if each[0] == stage), None)


def _summary(activities: Sequence[tuple[str, Mapping[str, str]]], now: str) -> dict[str, str]:
    past = [
        (kind, each["hs_timestamp"]) for kind, each in activities if each["hs_timestamp"] <= now
    ]
    logged = [at for kind, at in past if kind in _LOGGED]
    spoken = [at for kind, at in past if kind in _SPOKEN]
    ahead = [
        each["hs_timestamp"]
        for kind, each in activities
        if each["hs_timestamp"] > now
        and (
            (kind == catalog.MEETING and each.get("hs_meeting_outcome") != "CANCELED")
            or (kind == catalog.TASK and each.get("hs_task_status") != "COMPLETED")
        )
    ]
    found = {"num_notes": str(len(activities)), "num_contacted_notes": str(len(spoken))}
    if logged:
        found["notes_last_updated"] = max(logged)
    if spoken:
        found["notes_last_contacted"] = max(spoken)
    if ahead:
        found["notes_next_activity_date"] = min(ahead)
    return found
