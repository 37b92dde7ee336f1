"""The records in hand while acts are played: made, changed, linked, and stored in bulk."""

from collections.abc import Callable
from datetime import datetime

from connectors.sandbox import acts
from connectors.sandbox.hubspot import catalog
from connectors.sandbox.hubspot.effects import Author, save
from connectors.sandbox.hubspot.stages import Stages
from connectors.sandbox.hubspot.store import Link, Record, Store

_FLUSH_RECORDS = 20_000
_IMPORT_ID, _FLOW_ID = "91350027", "enrollmentId:80144120;actionExecutionIndex:0"
_OTHER_APP = "25200"

Place = Callable[[datetime], datetime]


class Desk:
    """Nothing on it is in the store before it is flushed."""

    def __init__(self, store: Store, stages: Stages) -> None:
        self._store = store
        self._stages = stages
        self._ids: dict[str, str] = {}
        self._new_keys: list[tuple[str, str]] = []
        self._records: dict[tuple[str, int], Record] = {}
        self._links: list[Link] = []
        self._labels: dict[str, int] = dict(
            store.select("SELECT label, type_id FROM label WHERE source = ?", (catalog.DEAL,))
        )
        self._zone = ""
        self._aliases: dict[tuple[str, int], int] = {
            (row[0], row[1]): row[2] for row in store.select("SELECT type, id, current FROM alias")
        }

    def id_of(self, key: str) -> str:
        """The id of what a key names."""
        found = self.known(key)
        if found is None:
            raise LookupError(f"no act has made {key!r}")
        return found

    def keep_key(self, key: str, crm_id: str) -> None:
        """Remember what a key names."""
        self._ids[key] = crm_id
        self._new_keys.append((key, crm_id))

    def known(self, key: str) -> str | None:
        """The id of what a key names, None if no act has made it."""
        if key not in self._ids:
            found = self._store.id_of(key)
            if found is None:
                return None
            self._ids[key] = found
        return self._ids[key]

    def author(self, act: acts.Act) -> Author:
        """Whom or what HubSpot names as the source of a save."""
        via = getattr(act, "via", "user")
        owner = self.known(act.by)
        user = None if owner is None else self._user_id(owner)
        if via == "workflow":
            return Author("AUTOMATION_PLATFORM", _FLOW_ID)
        if via == "import":
            return Author("IMPORT", _IMPORT_ID, user)
        if user is None:
            return Author("INTEGRATION", _OTHER_APP)
        return Author("CRM_UI", f"userId:{user}", user)

    def _user_id(self, owner_id: str) -> int:
        key = f"user:{owner_id}"
        if key not in self._ids:
            row = self._store.select("SELECT user_id FROM person WHERE id = ?", (int(owner_id),))
            self._ids[key] = str(row[0][0])
        return int(self._ids[key])

    def time_zone(self) -> str:
        """The portal's."""
        if not self._zone:
            self._zone = str(self._store.meta("account")["timeZone"])
        return self._zone

    def new(self, type_id: str, told: dict[str, str | None], *, at: str, by: Author) -> Record:
        """A new record; what is None is left out."""
        record = Record(type_id, self._store.new_id(type_id), at, at)
        patch = {name: value for name, value in told.items() if value is not None}
        patch["hs_object_source"] = by.source
        if by.user_id is not None:
            patch["hs_created_by_user_id"] = str(by.user_id)
        save(record, patch, at=at, by=by, stages=self._stages)
        self._records[type_id, record.id] = record
        return record

    def record(self, type_id: str, key: str) -> Record:
        """A record to change: in hand already, or from the store."""
        record_id = self.current(type_id, self.id_of(key))
        if (type_id, record_id) in self._records:
            return self._records[type_id, record_id]
        stored = self._store.get(type_id, record_id)
        if stored is None:
            raise LookupError(f"no record {key}")
        self._records[type_id, record_id] = stored
        return stored

    def current(self, type_id: str, crm_id: str) -> int:
        """The id under which a record stands now, if it was merged."""
        return self._aliases.get((type_id, int(crm_id)), int(crm_id))

    def save(self, record: Record, patch: dict[str, str], *, at: str, by: Author) -> None:
        """Change a record in hand."""
        save(record, patch, at=at, by=by, stages=self._stages)

    def amend(self, type_id: str, key: str, *, at: str, by: Author, **patch: str) -> None:
        """Change what a key names."""
        self.save(self.record(type_id, key), patch, at=at, by=by)

    def link(self, source: Record, target: str, target_id: int, *type_ids: int) -> None:
        """Associate both ways, by default unlabelled."""
        for type_id in type_ids or (catalog.DEFAULT_LINKS[source.type, target],):
            back = catalog.REVERSE.get(type_id, type_id)
            self._links.append((source.type, source.id, target, target_id, type_id))
            self._links.append((target, target_id, source.type, source.id, back))

    def label_id(self, label: str) -> int:
        """The portal's own association label of that name, made when first used."""
        if label not in self._labels:
            self._labels[label] = catalog.FIRST_LABEL_ID + len(self._labels)
            row = (self._labels[label], catalog.DEAL, catalog.CONTACT, label)
            self._store.execute("INSERT INTO label VALUES (?, ?, ?, ?)", row)
        return self._labels[label]

    def flush_if_full(self) -> None:
        """Keep memory flat."""
        if len(self._records) > _FLUSH_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Store everything in hand."""
        self._store.put(self._records.values())
        self._store.link(self._links)
        self._store.keep_keys(self._new_keys)
        self._records.clear()
        self._links.clear()
        self._new_keys.clear()
