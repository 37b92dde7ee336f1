"""The organisation's records: one SQLite file, one table an object, one lock for all."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.sandbox.database import Database
from connectors.sandbox.salesforce import ids
from connectors.sandbox.salesforce.catalog import Catalog, field_from_json, field_to_json
from connectors.sandbox.salesforce.fields import SYSTEM, Field, identity
from connectors.sandbox.salesforce.objects import Sobject
from connectors.sandbox.salesforce.values import Row

_OWN_TABLES = """
CREATE TABLE IF NOT EXISTS _object (name TEXT PRIMARY KEY, head TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _field (
    object TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (object, name));
CREATE TABLE IF NOT EXISTS _process (
    record_type TEXT NOT NULL, stage TEXT NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (record_type, stage));
"""
_HIDDEN = {"Opportunity": ('"_LastHistoryId" TEXT',)}


class Store(Database):
    """Records of all objects. Take `lock`, or a `transaction`, around what belongs together."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _OWN_TABLES)
        self.catalog = Catalog()
        self._serials: dict[str, int] = {}
        self._load_custom()
        for sobject in self.catalog.all.values():
            self._make_table(sobject)
        self.refresh_grants()

    def get(self, name: str, crm_id: str) -> Row | None:
        """One record with all its columns, ours too; deleted ones as well."""
        with self.lock:
            cursor = self._db.execute(f'SELECT * FROM "{name}" WHERE "Id" = ?', (crm_id,))
            found = cursor.fetchone()
            if found is None:
                return None
            return dict(zip((column[0] for column in cursor.description), found, strict=True))

    def insert(self, name: str, rows: Sequence[Row]) -> None:
        """Store new records; all have the same columns."""
        if not rows:
            return
        columns = ", ".join(f'"{column}"' for column in rows[0])
        marks = ", ".join("?" * len(rows[0]))
        self.execute_many(
            f'INSERT INTO "{name}" ({columns}) VALUES ({marks})',
            (tuple(row.values()) for row in rows),
        )

    def update(self, name: str, crm_id: str, changes: Row) -> None:
        """Change columns of one record."""
        sets = ", ".join(f'"{column}" = ?' for column in changes)
        with self.lock:
            self._db.execute(
                f'UPDATE "{name}" SET {sets} WHERE "Id" = ?', (*changes.values(), crm_id)
            )

    def blank(self, name: str) -> Row:
        """A record with every column, empty."""
        row: Row = {}
        for field in self.catalog.all[name].fields:
            row[field.name] = 0 if field.type == "boolean" else None
        return row

    def new_id(self, name: str) -> str:
        """The next id of an object; ids are never used again."""
        with self.lock:
            serial = self._serials.get(name) or self._last_serial(name)
            self._serials[name] = serial + 1
            return ids.make(self.catalog.all[name].prefix, serial + 1)

    def add_object(self, sobject: Sobject) -> None:
        """A custom object, with the system fields; its own fields come by `add_field`."""
        head = {key: getattr(sobject, key) for key in ("name", "prefix", "label", "plural")}
        self.execute_many(
            "INSERT OR REPLACE INTO _object VALUES (?, ?)", [(sobject.name, json.dumps(head))]
        )
        self.catalog.add_object(sobject)
        self._make_table(sobject)

    def add_field(self, owner: str, field: Field) -> None:
        """A custom field, or a new definition of one."""
        self.execute_many(
            "INSERT OR REPLACE INTO _field VALUES (?, ?, ?)",
            [(owner, field.name, field_to_json(field))],
        )
        self.catalog.add_field(owner, field)
        self._make_table(self.catalog.all[owner])

    def refresh_grants(self) -> None:
        """Look up again which custom fields the API user may see."""
        user = self.meta("api_user")
        rows = self.select(
            'SELECT f."SobjectType", f."Field", MAX(f."PermissionsEdit") '
            'FROM "FieldPermissions" f JOIN "PermissionSetAssignment" a '
            'ON a."PermissionSetId" = f."ParentId" '
            'WHERE a."AssigneeId" = ? AND f."PermissionsRead" = 1 GROUP BY 1, 2',
            (user,),
        )
        self.catalog.grant({(row[0], row[1].partition(".")[2]): bool(row[2]) for row in rows})

    def _last_serial(self, name: str) -> int:
        found = self.select(f'SELECT MAX("Id") FROM "{name}"')[0][0]
        return ids.serial(found) if found else 0

    def _make_table(self, sobject: Sobject) -> None:
        table = sobject.name
        have = {row[1] for row in self.select(f'PRAGMA table_info("{table}")')}
        if not have:
            columns = ['"Id" TEXT PRIMARY KEY', *_HIDDEN.get(table, ())]
            columns += [f'"{f.name}" {_declared(f)}' for f in sobject.fields if f.name != "Id"]
            self._db.execute(f'CREATE TABLE "{table}" ({", ".join(columns)})')
        else:
            for field in sobject.fields:
                if field.name not in have:
                    self._db.execute(
                        f'ALTER TABLE "{table}" ADD COLUMN "{field.name}" {_declared(field)}'
                    )
        self._make_indexes(sobject)

    def _make_indexes(self, sobject: Sobject) -> None:
        for field in sobject.fields:
            if field.name in _UNINDEXED:
                continue
            if field.is_id or field.is_external_id or field.name == "SystemModstamp":
                unique = "UNIQUE" if field.is_unique else ""
                live = (
                    ' WHERE "IsDeleted" = 0' if field.is_unique and sobject.has("IsDeleted") else ""
                )
                self._db.execute(
                    f'CREATE {unique} INDEX IF NOT EXISTS "ix_{sobject.name}_{field.name}" '
                    f'ON "{sobject.name}" ("{field.name}"){live}'
                )

    def _load_custom(self) -> None:
        for (head,) in self.select("SELECT head FROM _object"):
            self.catalog.add_object(custom_object(json.loads(head)))
        for owner, body in self.select("SELECT object, body FROM _field"):
            self.catalog.add_field(owner, field_from_json(body))


_UNINDEXED = {
    "Id",
    "CreatedById",
    "LastModifiedById",
    "RecordTypeId",
    "LastAmountChangedHistoryId",
    "LastCloseDateChangedHistoryId",
    "AccountId",
}


def _declared(field: Field) -> str:
    """A column's type; plain text compares without regard to case, ids and dates exactly."""
    if field.type == "boolean":
        return "INTEGER NOT NULL DEFAULT 0"
    exact = field.is_id or field.is_case_sensitive or field.type in ("date", "datetime")
    return field.column + (" COLLATE NOCASE" if field.column == "TEXT" and not exact else "")


def custom_object(head: Mapping[str, str]) -> Sobject:
    """A custom object as it is before its own fields are added."""
    return Sobject(
        name=head["name"],
        prefix=head["prefix"],
        label=head["label"],
        plural=head["plural"],
        fields=(identity(head["label"]), *SYSTEM),
        is_custom=True,
    )
