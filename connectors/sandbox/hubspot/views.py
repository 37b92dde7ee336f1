"""Records as the API shows them: properties, histories and associations as asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.sandbox.hubspot import catalog
from connectors.sandbox.hubspot.derived import Derived
from connectors.sandbox.hubspot.effects import revisions_of
from connectors.sandbox.hubspot.load_setup import PORTAL_ID
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.store import Record

_INLINE_ASSOCIATIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a call wants to see of records."""

    properties: Sequence[str] = ()
    history: Sequence[str] = ()
    associations: Sequence[str] = ()


class Views:
    """Shows records of one portal."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self._store = practice.store

    def show(self, records: Sequence[Record], wanted: Wanted) -> list[dict[str, Any]]:
        """The records in the order given; all have one type."""
        if not records:
            return []
        kind = catalog.TYPES[records[0].type]
        names = self._names(kind, wanted.properties)
        history = [each for each in wanted.history if self._is_known(kind.id, each)]
        derived = Derived(self._practice, records, {*names, *history})
        linked = self._linked(records, wanted.associations)
        shown = []
        for record in records:
            body: dict[str, Any] = {
                "id": str(record.id),
                "properties": {name: derived.value(record, name) for name in names},
                "createdAt": record.created_at,
                "updatedAt": record.updated_at,
                "archived": record.archived_at is not None,
                "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{kind.id}/{record.id}",
            }
            if record.archived_at is not None:
                body["archivedAt"] = record.archived_at
            if history:
                body["propertiesWithHistory"] = {
                    name: self._history(record, name, derived) for name in history
                }
            if record.id in linked:
                body["associations"] = linked[record.id]
            shown.append(body)
        return shown

    def _is_known(self, type_id: str, name: str) -> bool:
        if name.startswith("hs_v2_date_entered_"):
            return type_id == catalog.DEAL and self._practice.edition.has_stage_dates
        return self._store.definition(type_id, name) is not None

    def _names(self, kind: catalog.ObjectType, asked: Sequence[str]) -> list[str]:
        if not asked:
            return list(kind.defaults)
        stamps = ("createdate" if "createdate" in kind.defaults else "hs_createdate", kind.modified)
        names = dict.fromkeys([*asked, *stamps, "hs_object_id"])
        return [each for each in names if self._is_known(kind.id, each)]

    def _history(self, record: Record, name: str, derived: Derived) -> list[dict[str, Any]]:
        """Newest first. What HubSpot calculates has one entry, as of this reading."""
        definition = self._store.properties[record.type].get(name, {"calculated": True})
        kind = catalog.TYPES[record.type]
        if definition["calculated"] or name in (kind.modified, kind.created, "hs_object_id"):
            value = derived.value(record, name)
            entry = {"value": value, "timestamp": self._practice.now(), "sourceType": "CALCULATED"}
            return [] if value is None else [entry]
        shown = []
        for value, at, source, source_id, user_id in revisions_of(record, name):
            entry = {"value": value, "timestamp": at, "sourceType": source}
            if source_id is not None:
                entry["sourceId"] = source_id
            if user_id is not None:
                entry["updatedByUserId"] = user_id
            shown.append(entry)
        return shown

    def _linked(self, records: Sequence[Record], asked: Sequence[str]) -> dict[int, dict[str, Any]]:
        """Associations beside the records, a first page of each kind."""
        linked: dict[int, dict[str, Any]] = {}
        if not asked:
            return linked
        source = catalog.TYPES[records[0].type]
        ids = orjson.dumps([each.id for each in records]).decode()
        for name in asked:
            target = catalog.object_type(name)
            if target is None:
                continue
            rows = self._store.select(
                "SELECT source_id, target_id, type_id FROM link WHERE source = ? AND target = ? "
                "AND source_id IN (SELECT value FROM json_each(?)) ORDER BY 1, 2, 3",
                (source.id, target.id, ids),
            )
            for source_id, target_id, type_id in rows:
                place = linked.setdefault(source_id, {})
                results = place.setdefault(target.name, {"results": []})["results"]
                if len(results) < _INLINE_ASSOCIATIONS:
                    results.append(
                        {"id": str(target_id), "type": _link_name(source, target, type_id)}
                    )
        return linked


def _link_name(source: catalog.ObjectType, target: catalog.ObjectType, type_id: int) -> str:
    plain = f"{source.singular}_to_{target.singular}"
    found = catalog.LINK_TYPES.get(type_id)
    if found is None:
        return f"{plain}_labeled_{type_id}"
    has_primary = any(
        each.is_primary and (each.source, each.target) == (source.id, target.id)
        for each in catalog.LINK_TYPES.values()
    )
    return f"{plain}_unlabeled" if has_primary and not found.is_primary else plain
