"""Making, changing, binning and merging records, as calls of the API do."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson

from connectors.sandbox.hubspot import catalog, checks
from connectors.sandbox.hubspot.calls import member, members, record_id, whole
from connectors.sandbox.hubspot.demands import ENFORCED_BY, Demands
from connectors.sandbox.hubspot.effects import Author, recalculate, revisions_of, save
from connectors.sandbox.hubspot.errors import ApiError, bad_values, invalid, not_found
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.store import Link, Record
from connectors.sandbox.hubspot.values import stamp

APP_ID = "25731092"
_API = Author("INTEGRATION", APP_ID)
_KEPT_DAYS = 90


class Records:
    """Changes records of one portal, and makes its search index lag behind if it shall."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self._store = practice.store
        self.index_lag_seconds = 0.0
        self.demands = Demands()

    def find(
        self, kind: catalog.ObjectType, name: object, *, by: str | None, archived: bool = False
    ) -> Record | None:
        """A record by its id, or by a unique property `by`."""
        if by in (None, "", "hs_object_id"):
            record = self._store.get(kind.id, record_id(name))
        else:
            record = self._by_unique(kind, str(by), str(name))
        if record is None or (record.archived_at is not None) != archived:
            return None
        return None if self.is_gone(record) else record

    def oldest_archive(self) -> str:
        """Records that were archived before this instant are gone for good."""
        return stamp(self._practice.clock.now() - timedelta(days=_KEPT_DAYS))

    def is_gone(self, record: Record) -> bool:
        """Whether an archived record is no longer kept."""
        return record.archived_at is not None and record.archived_at < self.oldest_archive()

    def create(
        self, kind: catalog.ObjectType, told: object, *, links: object = None, version: str
    ) -> Record:
        """A new record with its associations; ApiError where it is refused."""
        now = self._practice.now()
        record = Record(kind.id, 0, now, now)
        patch = checks.clean(self._store, self._practice.stages, record, told, is_new=True)
        if version == ENFORCED_BY:
            self.demands.check(kind.id, patch, is_new=True)
        self._check_unique(record, patch)
        patch["hs_object_source"] = _API.source
        if kind.id == catalog.DEAL:
            patch.setdefault("createdate", now)
        record.id = self._store.new_id(kind.id)
        self._lag(record, None)
        save(record, patch, at=now, by=_API, stages=self._practice.stages)
        self._store.put([record])
        self._keep_unique(record)
        self.link(self._told_links(record, links))
        return record

    def update(self, record: Record, told: object, *, version: str) -> Record:
        """Change properties; ApiError where it is refused."""
        patch = checks.clean(self._store, self._practice.stages, record, told)
        if version == ENFORCED_BY:
            self.demands.check(record.type, {**record.props, **patch}, is_new=False)
        self._check_unique(record, patch)
        self._lag(record, record)
        if save(record, patch, at=self._practice.now(), by=_API, stages=self._practice.stages):
            self._store.put([record])
            self._keep_unique(record)
        return record

    def archive(self, kind: catalog.ObjectType, ids: Sequence[object]) -> None:
        """To the bin; what is not there stays unmentioned, as in HubSpot."""
        now = self._practice.now()
        for record in self._store.many(kind.id, [record_id(each) for each in ids]).values():
            if record.archived_at is None:
                self._lag(record, record)
                record.archived_at = record.updated_at = now
                self._store.put([record])

    def merge(self, kind: catalog.ObjectType, primary_id: object, other_id: object) -> Record:
        """A new record with the primary's values, and both histories in one."""
        primary = self.find(kind, primary_id, by=None)
        other = self.find(kind, other_id, by=None)
        if primary is None or other is None:
            raise not_found()
        if primary.id == other.id:
            raise invalid("Cannot merge an object with itself")
        now = self._practice.now()
        merged = _united(primary, other, now)
        merged.id = self._store.new_id(kind.id)
        if kind.id == catalog.DEAL:
            recalculate(merged, self._practice.stages)
        for each in (primary, other):
            self._lag(each, each)
            self._replace(each, merged.id)
        self._lag(merged, None)
        self._store.put([merged])
        self._keep_unique(merged)
        return merged

    def _replace(self, old: Record, new_id: int) -> None:
        """The old id becomes an alias, its associations are the new record's."""
        store, key = self._store, (old.type, old.id)
        store.execute("DELETE FROM object WHERE type = ? AND id = ?", key)
        store.execute("INSERT INTO alias VALUES (?, ?, ?)", (*key, new_id))
        store.execute("UPDATE alias SET current = ? WHERE type = ? AND current = ?", (new_id, *key))
        for side in ("source", "target"):
            store.execute(
                f"UPDATE OR IGNORE link SET {side}_id = ? WHERE {side} = ? AND {side}_id = ?",
                (new_id, *key),
            )
            store.execute(f"DELETE FROM link WHERE {side} = ? AND {side}_id = ?", key)

    def link(self, links: Sequence[Link]) -> None:
        """Store associations both ways. An activity on a deal touches the deal."""
        rows: list[Link] = []
        touched: dict[tuple[str, int], None] = {}
        for source, source_id, target, target_id, type_id in links:
            back = catalog.REVERSE.get(type_id, type_id)
            rows += [
                (source, source_id, target, target_id, type_id),
                (target, target_id, source, source_id, back),
            ]
            for mine, other in ((source, target), (target, source)):
                if mine == catalog.DEAL and other in (*catalog.ACTIVITIES, catalog.CONTACT):
                    touched[mine, source_id if mine == source else target_id] = None
        self._store.link(rows)
        for type_id_, touched_id in touched:
            self.touch(type_id_, touched_id)

    def touch(self, type_id: str, touched_id: int) -> None:
        """Something beside a record changed that its calculated properties show."""
        record = self._store.get(type_id, touched_id)
        if record is not None:
            self._lag(record, record)
            record.updated_at = self._practice.now()
            self._store.put([record])

    def _told_links(self, record: Record, told: object) -> list[Link]:
        links: list[Link] = []
        for each in members({"associations": told}, "associations"):
            target_id = record_id(member(each, "to", "id"))
            for kind in members(each, "types"):
                type_id = whole(member(kind, "associationTypeId"), "associationTypeId")
                found = self.link_target(record.type, type_id)
                if self._store.get(found, target_id) is None:
                    raise not_found(
                        f"No {catalog.TYPES[found].singular} with ID {target_id} exists"
                    )
                links.append((record.type, record.id, found, target_id, type_id))
        return links

    def link_target(self, source: str, type_id: int) -> str:
        """What an association type leads to from `source`; 400 if it is not one of its own."""
        found = catalog.LINK_TYPES.get(type_id)
        if found is not None and found.source == source:
            return found.target
        rows = self._store.select("SELECT source, target FROM label WHERE type_id = ?", (type_id,))
        for one, two in rows:
            if source in (one, two):
                return str(two if source == one else one)
        raise invalid(
            f"One or more association types are not valid for {source}: {type_id}",
            sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
        )

    def _lag(self, record: Record, before: Record | None) -> None:
        """Let search go on seeing what was there before, for as long as the index lags."""
        if self.index_lag_seconds <= 0:
            return
        due = self._practice.clock.precisely() + timedelta(seconds=self.index_lag_seconds)
        image: tuple[Any, ...] = (None, None, None, None)
        if before is not None:
            props = orjson.dumps(before.props).decode()
            image = (before.created_at, before.updated_at, before.archived_at, props)
        self._store.execute(
            "INSERT INTO lagging VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (type, id) DO UPDATE SET due_at = excluded.due_at",
            (record.type, record.id, stamp(due), *image),
        )

    def _unique_names(self, type_id: str) -> list[str]:
        definitions = self._store.properties[type_id].values()
        return [each["name"] for each in definitions if each["hasUniqueValue"]]

    def _by_unique(self, kind: catalog.ObjectType, name: str, value: str) -> Record | None:
        if name not in self._unique_names(kind.id):
            raise invalid(f"Property '{name}' is not a unique property of {kind.singular}")
        rows = self._store.select(
            "SELECT id FROM unique_value WHERE type = ? AND name = ? AND value = ?",
            (kind.id, name, value.lower()),
        )
        return self._store.get(kind.id, rows[0][0]) if rows else None

    def _check_unique(self, record: Record, patch: dict[str, str]) -> None:
        kind = catalog.TYPES[record.type]
        for name in self._unique_names(record.type):
            if not patch.get(name):
                continue
            held = self._by_unique(kind, name, patch[name])
            if held is None or held.id == record.id or held.archived_at is not None:
                continue
            if kind.id == catalog.CONTACT and name == "email":
                message = f"Contact already exists. Existing ID: {held.id}"
                raise ApiError(409, "CONFLICT", message)
            message = f'{patch[name]} is already the value of "{name}" of {held.id}'
            raise bad_values([(name, "CONFLICTING_UNIQUE_VALUE", message)])

    def _keep_unique(self, record: Record) -> None:
        for name in self._unique_names(record.type):
            self._store.execute(
                "DELETE FROM unique_value WHERE type = ? AND name = ? AND id = ?",
                (record.type, name, record.id),
            )
            if record.props.get(name):
                self._store.execute(
                    "INSERT OR REPLACE INTO unique_value VALUES (?, ?, ?, ?)",
                    (record.type, name, record.props[name].lower(), record.id),
                )


def _united(primary: Record, other: Record, now: str) -> Record:
    merged = Record(primary.type, 0, min(primary.created_at, other.created_at), now)
    merged.props = {**other.props, **primary.props}
    if "createdate" in merged.props:
        merged.props["createdate"] = min(primary.props["createdate"], other.props["createdate"])
    merged.history = dict(primary.history)
    limit = catalog.TYPES[primary.type].revisions
    for name in {*primary.props, *primary.history, *other.props, *other.history} - {"*"}:
        both = [*revisions_of(primary, name), *revisions_of(other, name)]
        both.sort(key=lambda each: str(each[1]), reverse=True)
        value = merged.props.get(name, "")
        if both and both[0][0] != value:
            both.insert(0, [value, now, "MERGE_OBJECTS", None, None])
        merged.history[name] = both[:limit]
    earlier = [each.props.get("hs_merged_object_ids", "") for each in (primary, other)]
    ids = [*earlier, str(primary.id), str(other.id)]
    told = ";".join(each for each in ids if each)
    merged.props["hs_merged_object_ids"] = told
    merged.history["hs_merged_object_ids"] = [[told, now, "MERGE_OBJECTS", None, None]]
    return merged
