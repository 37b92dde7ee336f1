"""Creating, changing and deleting records by API, with what Salesforce does by itself."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from connectors.sandbox.salesforce import effects, field_history
from connectors.sandbox.salesforce.checks import Checks
from connectors.sandbox.salesforce.errors import ApiError, MultipleChoices, not_found
from connectors.sandbox.salesforce.ids import as_18
from connectors.sandbox.salesforce.load import delete_dependents
from connectors.sandbox.salesforce.objects import Sobject
from connectors.sandbox.salesforce.objects_activity import CLOSED_STATUS
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row, instant, stamp, to_stored

_GRANTING = ("PermissionSetAssignment", "FieldPermissions", "PermissionSet")
_DEFAULTS: Mapping[str, Row] = {
    "Task": {"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task"},
    "Event": {"ShowAs": "Busy", "EventSubtype": "Event"},
    "Opportunity": {"PushCount": 0},
    "PermissionSetAssignment": {"IsActive": 1},
}


class Records:
    """Writes records as the API user, at the instant that `now` tells."""

    def __init__(self, store: Store, now: Callable[[], str], context: effects.SaveContext) -> None:
        self._store = store
        self._now = now
        self._context = context
        self._checks = Checks(store)

    def create(self, sobject: Sobject, body: Mapping[str, Any]) -> str:
        """Store a new record; gives its id."""
        if not sobject.createable:
            raise _forbidden(sobject, "created")
        at, by = self._now(), str(self._store.meta("api_user"))
        patch = self._checks.patch(sobject, body, "create")
        self._checks.unique(sobject, patch, None)
        row = self._store.blank(sobject.name) | self._defaults(sobject, by)
        row |= {name: value for name, value in patch.items() if value is not None}
        row["Id"] = self._store.new_id(sobject.name)
        if sobject.is_custom and sobject.has("Name") and not row["Name"]:
            row["Name"] = row["Id"]
        row |= _present(sobject, {"CreatedDate": at, "CreatedById": by})
        row |= self._consequences(sobject, None, row, at=at, by=by)
        with self._store.transaction():
            self._store.insert(sobject.name, [row])
            self._after(sobject, row)
        return str(row["Id"])

    def update(self, sobject: Sobject, crm_id: str, body: Mapping[str, Any]) -> None:
        """Change a record."""
        if not sobject.updateable:
            raise _forbidden(sobject, "updated")
        old = self.existing(sobject, crm_id)
        patch = self._checks.patch(sobject, body, "update")
        self._checks.unique(sobject, patch, old["Id"])
        at, by = self._now(), str(self._store.meta("api_user"))
        with self._store.transaction():
            changes = patch | self._consequences(sobject, old, patch, at=at, by=by)
            self._store.update(sobject.name, old["Id"], changes)
            self._after(sobject, old | changes)

    def upsert(
        self, sobject: Sobject, key: str, value: str, body: Mapping[str, Any]
    ) -> tuple[str, bool]:
        """Create or change by an external id; gives the record's id, and whether it is new."""
        field = sobject.field(key)
        if field is None or not (field.is_external_id or field.name == "Id"):
            raise not_found(
                f"Provided external ID field does not exist or is not accessible: {key}"
            )
        if field.name == "Id":
            self.update(sobject, value, body)
            return str(as_18(value)), False
        found = self.by_key(sobject, field.name, value)
        rest = {name: each for name, each in body.items() if name.lower() != field.name.lower()}
        if len(found) > 1:
            raise MultipleChoices([f"/sobjects/{sobject.name}/{crm_id}" for crm_id in found])
        if found:
            self.update(sobject, found[0], rest)
            return found[0], False
        return self.create(sobject, rest | {field.name: value}), True

    def by_key(self, sobject: Sobject, key: str, value: str) -> list[str]:
        """The ids of the records that carry an external id."""
        field = sobject.field(key)
        if field is None or not field.is_external_id:
            raise not_found(
                f"Provided external ID field does not exist or is not accessible: {key}"
            )
        deleted = ' AND "IsDeleted" = 0' if sobject.has("IsDeleted") else ""
        rows = self._store.select(
            f'SELECT "Id" FROM "{sobject.name}" WHERE "{field.name}" = ?{deleted} ORDER BY "Id"',
            (to_stored(field, value),),
        )
        return [row[0] for row in rows]

    def delete(self, sobject: Sobject, crm_id: str) -> None:
        """Put a record into the bin, with what depends on it."""
        if not sobject.deletable:
            raise _forbidden(sobject, "deleted")
        old = self.existing(sobject, crm_id)
        at = self._now()
        with self._store.transaction():
            if sobject.has("IsDeleted"):
                gone = _present(sobject, {"IsDeleted": 1, "SystemModstamp": at})
                self._store.update(sobject.name, old["Id"], gone)
            else:
                self._store.execute_many(
                    f'DELETE FROM "{sobject.name}" WHERE "Id" = ?', [(old["Id"],)]
                )
            if sobject.name == "Opportunity":
                delete_dependents(self._store, old["Id"], at)
            self._after(sobject, old)

    def existing(self, sobject: Sobject, crm_id: str) -> Row:
        """A record that is not in the bin; 404 in the API's words."""
        found = as_18(crm_id)
        row = self._store.get(sobject.name, found) if found else None
        if row is None:
            raise not_found(
                f"Provided external ID field does not exist or is not accessible: {crm_id}"
            )
        if row.get("IsDeleted"):
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", fields=[])
        return row

    def _defaults(self, sobject: Sobject, by: str) -> Row:
        """What a new record gets where the client says nothing."""
        row: Row = {"OwnerId": by, "CurrencyIsoCode": self._store.meta("currency")}
        if sobject.name == "Opportunity":
            first = self._store.select('SELECT MIN("Id") FROM "RecordType"')
            row["RecordTypeId"] = first[0][0]
        for field in sobject.fields:
            if field.default is not None:
                row[field.name] = to_stored(field, field.default)
        return _present(sobject, row) | dict(_DEFAULTS.get(sobject.name, {}))

    def _consequences(
        self, sobject: Sobject, old: Row | None, patch: Row, *, at: str, by: str
    ) -> Row:
        """Columns that change by themselves when `patch` is saved over `old`."""
        if sobject.name == "Opportunity":
            return self._opportunity(old, patch, at, by)
        row = patch if old is None else old | patch
        changes: Row = {"LastModifiedDate": at, "LastModifiedById": by, "SystemModstamp": at}
        if sobject.name == "Task":
            changes |= _task(old, row, at)
        elif sobject.name == "Event":
            changes |= _event(row, patch)
        elif sobject.name in ("Contact", "User"):
            changes["Name"] = f"{row['FirstName'] or ''} {row['LastName']}".strip()
        if sobject.name in ("Task", "Event"):
            changes["AccountId"] = self._account_of(row["WhatId"])
        return _present(sobject, changes)

    def _opportunity(self, old: Row | None, patch: Row, at: str, by: str) -> Row:
        saved = effects.save(old, patch, at=at, by=by, context=self._context)
        if saved.history is not None:
            if old is not None and old["_LastHistoryId"]:
                superseded = {"SystemModstamp": at}
                self._store.update("OpportunityHistory", old["_LastHistoryId"], superseded)
            self._store.insert("OpportunityHistory", [saved.history])
        self._store.insert(field_history.OBJECT, saved.tracked)
        return saved.changes

    def _account_of(self, what: str | None) -> str | None:
        if what is None or what.startswith("001"):
            return what
        if not what.startswith("006"):
            return None
        found = self._store.select('SELECT "AccountId" FROM "Opportunity" WHERE "Id" = ?', (what,))
        return found[0][0] if found else None

    def _after(self, sobject: Sobject, row: Row) -> None:
        """What a save does to other records."""
        if sobject.name in _GRANTING:
            self._store.refresh_grants()
        is_done = sobject.name == "Event" or (sobject.name == "Task" and row["IsClosed"])
        what = row.get("WhatId") or ""
        if is_done and row.get("ActivityDate") and what.startswith("006"):
            self._store.execute_many(
                'UPDATE "Opportunity" SET "LastActivityDate" = ?, "SystemModstamp" = ? '
                'WHERE "Id" = ? AND COALESCE("LastActivityDate", \'\') < ?',
                [(row["ActivityDate"], row["SystemModstamp"], what, row["ActivityDate"])],
            )


def _present(sobject: Sobject, row: Row) -> Row:
    """Those columns that the object has."""
    return {name: value for name, value in row.items() if sobject.has(name)}


def _task(old: Row | None, row: Row, at: str) -> Row:
    is_closed = row["Status"] == CLOSED_STATUS
    was_closed = old is not None and bool(old["IsClosed"])
    completed = row.get("CompletedDateTime") if was_closed else at
    return {
        "IsClosed": int(is_closed),
        "IsHighPriority": int(row["Priority"] == "High"),
        "CompletedDateTime": completed if is_closed else None,
    }


def _event(row: Row, patch: Row) -> Row:
    starts = row.get("StartDateTime") or row.get("ActivityDateTime")
    if starts is None:
        return {}
    minutes, ends = row.get("DurationInMinutes"), patch.get("EndDateTime")
    if minutes is None and ends is None:
        raise ApiError(
            400,
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [DurationInMinutes]",
            fields=["DurationInMinutes"],
        )
    ends = ends or stamp(instant(starts) + timedelta(minutes=minutes or 0))
    return {
        "StartDateTime": starts,
        "ActivityDateTime": starts,
        "ActivityDate": starts[:10],
        "EndDateTime": ends,
        "EndDate": ends[:10],
        "DurationInMinutes": int((instant(ends) - instant(starts)).total_seconds() // 60),
    }


def _forbidden(sobject: Sobject, verb: str) -> ApiError:
    return ApiError(
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"entity type {sobject.name} can not be {verb} through the API",
        fields=[],
    )
