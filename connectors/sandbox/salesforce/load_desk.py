"""Records on their way into the store: made by acts, kept until many can be stored at once."""

from collections.abc import Sequence
from typing import Any

from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row

_FLUSH_ROWS = 50_000


class Desk:
    """Finds what acts refer to, and collects what they make."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids: dict[str, str] = {}
        self._new_keys: list[tuple[str, str]] = []
        self._deals: dict[str, Row] = {}
        self._touched: set[str] = set()
        self._is_new: set[str] = set()
        self._pending: dict[str, list[Row]] = {}
        self._waiting = 0
        self._superseded: list[tuple[str, str]] = []
        self._blanks: dict[str, Row] = {}
        self._fresh: dict[str, Row] = {}

    def id_of(self, key: str) -> str:
        """The id of what a key names."""
        found = self.known(key)
        if found is None:
            raise LookupError(f"no act has made {key!r}")
        return found

    def known(self, key: str) -> str | None:
        """The id of what a key names, None if nothing has been made by that key yet."""
        if key not in self._ids:
            found = self._store.id_of(key)
            if found is None:
                return None
            self._ids[key] = found
        return self._ids[key]

    def author(self, key: str) -> str:
        """The user who acts; the API user for anybody who is no user."""
        return self.known(key) or str(self._store.meta("api_user"))

    def contacts(self, act: Any) -> list[str]:
        """Those people of an activity who are in the CRM by now."""
        return [crm_id for crm_id in map(self.known, act.contacts) if crm_id is not None]

    def keep_key(self, key: str, crm_id: str) -> None:
        """Remember what a key names."""
        self._ids[key] = crm_id
        self._new_keys.append((key, crm_id))

    def new(self, name: str, *, at: str, by: str, **values: Any) -> Row:
        """A new record, waiting to be stored."""
        if name not in self._blanks:
            self._blanks[name] = self._store.blank(name)
        row = self._blanks[name] | {
            "Id": self._store.new_id(name),
            "CreatedDate": at,
            "CreatedById": by,
            "LastModifiedDate": at,
            "LastModifiedById": by,
            "SystemModstamp": at,
        }
        row |= values
        self._pending.setdefault(name, []).append(row)
        self._fresh[row["Id"]] = row
        self._waiting += 1
        return row

    def amend(self, name: str, crm_id: str, changes: Row) -> Row:
        """Change a record that may be waiting still; gives it as it was."""
        if crm_id in self._fresh:
            row = self._fresh[crm_id]
            before = dict(row)
            row |= changes
            return before
        self._store.update(name, crm_id, changes)
        return self._store.get(name, crm_id) or {}

    def flush(self) -> None:
        """Store what waits."""
        for name, rows in self._pending.items():
            if name == "Opportunity":
                continue
            self._store.insert(name, rows)
        for name in self._pending:
            self._pending[name] = []
        new = [self._deals[crm_id] for crm_id in self._touched if crm_id in self._is_new]
        self._store.insert("Opportunity", new)
        for crm_id in self._touched - self._is_new:
            self._store.update("Opportunity", crm_id, self._deals[crm_id])
        self._store.execute_many(
            'UPDATE "OpportunityHistory" SET "SystemModstamp" = ? WHERE "Id" = ?', self._superseded
        )
        self._store.keep_keys(self._new_keys)
        self._touched.clear()
        self._is_new.clear()
        self._superseded.clear()
        self._new_keys.clear()
        self._fresh.clear()
        self._waiting = 0

    def deal(self, key: str) -> Row:
        """A deal's row, to be changed in place and then touched."""
        return self.deal_by_id(self.id_of(key))

    def touch(self, row: Row) -> None:
        """A deal has changed."""
        self._touched.add(row["Id"])

    def deal_by_id(self, crm_id: str) -> Row:
        """The same, by its id."""
        if crm_id not in self._deals:
            row = self._store.get("Opportunity", crm_id)
            if row is None:
                raise LookupError(f"no deal {crm_id}")
            self._deals[crm_id] = row
        return self._deals[crm_id]

    def add_deal(self, row: Row) -> None:
        """A new deal."""
        self._deals[row["Id"]] = row
        self._is_new.add(row["Id"])

    def add_history(self, row: Row, superseded: str | None) -> None:
        """A new row of history; the one before it is superseded by it."""
        if superseded:
            self._superseded.append((row["CreatedDate"], superseded))
        self._pending.setdefault("OpportunityHistory", []).append(row)
        self._waiting += 1

    def add(self, name: str, rows: Sequence[Row]) -> None:
        """Further records, whole as they are."""
        self._pending.setdefault(name, []).extend(rows)
        self._waiting += len(rows)

    def flush_if_many(self) -> None:
        """Store what waits once it is much."""
        if self._waiting > _FLUSH_ROWS:
            self.flush()
