"""sObject collections: up to 200 records in one call, one result a record."""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.sandbox.salesforce.errors import ApiError, not_found
from connectors.sandbox.salesforce.ids import as_18
from connectors.sandbox.salesforce.objects import Sobject
from connectors.sandbox.salesforce.records import Records
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row

LIMIT = 200
_ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using "
    "AllOrNone header",
    "fields": [],
}
_LOCKED = {
    "statusCode": "UNABLE_TO_LOCK_ROW",
    "message": "unable to obtain exclusive access to this record or 1 records",
    "fields": [],
}

Act = Callable[[Any], Row]


class Collections:
    """Collection calls on one store. `locked` is asked per row whether a lock error strikes."""

    def __init__(self, store: Store, records: Records, locked: Callable[[], bool]) -> None:
        self._store = store
        self._records = records
        self._locked = locked

    def create(self, body: Any) -> list[Row]:
        """`POST /composite/sobjects`."""
        return self._each(_records(body), body, self._create)

    def update(self, body: Any) -> list[Row]:
        """`PATCH /composite/sobjects`."""
        return self._each(_records(body), body, self._update)

    def upsert(self, body: Any, sobject: Sobject, key: str) -> list[Row]:
        """`PATCH /composite/sobjects/{object}/{external id}`."""
        field = sobject.field(key)
        if field is None or not (field.is_external_id or field.name == "Id"):
            raise not_found(
                f"Provided external ID field does not exist or is not accessible: {key}"
            )

        def act(record: Any) -> Row:
            if str(_kind(record)).lower() != sobject.name.lower():
                raise ApiError(
                    400, "INVALID_TYPE", f"record type must be {sobject.name}", fields=[]
                )
            values = {name.lower(): value for name, value in record.items()}
            value = values.get(field.name.lower())
            if value in (None, ""):
                raise ApiError(
                    400,
                    "MISSING_ARGUMENT",
                    f"{field.name} not specified",
                    fields=[],
                )
            crm_id, is_new = self._records.upsert(sobject, field.name, str(value), record)
            return {"id": crm_id, "success": True, "errors": [], "created": is_new}

        return self._each(_records(body), body, act)

    def delete(self, crm_ids: Sequence[str], *, all_or_none: bool) -> list[Row]:
        """`DELETE /composite/sobjects?ids=`."""
        if not crm_ids or len(crm_ids) > LIMIT:
            raise _too_many(len(crm_ids))
        return self._each(crm_ids, {"allOrNone": all_or_none}, self._delete)

    def _each(self, rows: Sequence[Any], body: Any, act: Act) -> list[Row]:
        """Each row by itself; with allOrNone, all undone if one fails."""
        all_or_none = isinstance(body, dict) and bool(body.get("allOrNone"))
        with self._store.transaction() as transaction:
            results = [self._one(row, act) for row in rows]
            if not all_or_none or all(result["success"] for result in results):
                return results
            transaction.undo()
        return [
            {"success": False, "errors": [_ROLLED_BACK]} if result["success"] else result
            for result in results
        ]

    def _one(self, row: Any, act: Act) -> Row:
        if self._locked():
            return {"success": False, "errors": [_LOCKED]}
        try:
            with self._store.transaction():
                return act(row)
        except ApiError as error:
            return {"success": False, "errors": [error.row()]}

    def _create(self, record: Any) -> Row:
        crm_id = self._records.create(self._sobject(_kind(record)), record)
        return {"id": crm_id, "success": True, "errors": []}

    def _update(self, record: Any) -> Row:
        sobject = self._sobject(_kind(record))
        crm_id = record.get("id") or record.get("Id")
        if not crm_id:
            raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call", fields=[])
        self._records.update(sobject, str(crm_id), record)
        return {"id": as_18(str(crm_id)), "success": True, "errors": []}

    def _delete(self, crm_id: str) -> Row:
        sobject = self._store.catalog.by_prefix(crm_id[:3])
        if sobject is None or as_18(crm_id) is None:
            raise ApiError(400, "MALFORMED_ID", f"malformed id {crm_id}", fields=[])
        self._records.delete(sobject, crm_id)
        return {"id": as_18(crm_id), "success": True, "errors": []}

    def _sobject(self, name: str) -> Sobject:
        found = self._store.catalog.find(name)
        if found is None:
            raise ApiError(
                400, "INVALID_TYPE", f"sObject type '{name}' is not supported.", fields=[]
            )
        return found


def _kind(record: Any) -> str:
    """The object that a record says it is of."""
    kind = record.get("attributes", {}).get("type") if isinstance(record, dict) else None
    if not isinstance(kind, str):
        raise ApiError(400, "INVALID_TYPE", "attributes.type is missing", fields=[])
    return kind


def _records(body: Any) -> list[Any]:
    rows = body.get("records") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise ApiError(400, "JSON_PARSER_ERROR", "records are missing")
    if len(rows) > LIMIT:
        raise _too_many(len(rows))
    return rows


def _too_many(count: int) -> ApiError:
    return ApiError(
        400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {LIMIT} ({count})"
    )
