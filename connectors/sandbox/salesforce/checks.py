"""What a write must satisfy before it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.sandbox.salesforce.errors import ApiError
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.objects import Sobject
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row, to_stored

Operation = Literal["create", "update"]
_OPERATORS = {"create": "createable", "update": "updateable"}


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks of one store."""

    store: Store

    def patch(self, sobject: Sobject, body: Mapping[str, Any], operation: Operation) -> Row:
        """A client's body as stored values; refused in the API's words."""
        patch: Row = {}
        refused: list[str] = []
        for name, value in body.items():
            if name in ("attributes", "Id", "id"):
                continue
            field = sobject.field(name)
            if field is None:
                raise ApiError(
                    400,
                    "INVALID_FIELD",
                    f"No such column '{name}' on sobject of type {sobject.name}",
                )
            if not getattr(field, _OPERATORS[operation]):
                refused.append(field.name)
                continue
            patch[field.name] = to_stored(field, value)
            self._refers(sobject, field, patch[field.name])
        if refused:
            raise ApiError(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security "
                "settings of this field and verify that it is read/write for your profile or "
                "permission set.",
                fields=refused,
            )
        self._required(sobject, patch, operation)
        return patch

    @staticmethod
    def _required(sobject: Sobject, patch: Row, operation: Operation) -> None:
        missing = [
            each.name
            for each in sobject.fields
            if each.is_required
            and patch.get(each.name) is None
            and (operation == "create" or each.name in patch)
        ]
        if missing:
            raise ApiError(
                400,
                "REQUIRED_FIELD_MISSING",
                f"Required fields are missing: [{', '.join(missing)}]",
                fields=missing,
            )

    def _refers(self, sobject: Sobject, field: Field, value: Any) -> None:
        """A reference must lead to a record of the right kind that is not in the bin."""
        if field.type != "reference" or value is None:
            return
        target = self.store.catalog.by_prefix(str(value)[:3])
        if target is None or target.name not in field.reference_to:
            raise ApiError(
                400,
                "FIELD_INTEGRITY_EXCEPTION",
                f"{field.label}: id value of incorrect type: {value}",
                fields=[field.name],
            )
        found = self.store.get(target.name, str(value))
        if found is None:
            raise ApiError(
                400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[]
            )
        if found.get("IsDeleted"):
            raise ApiError(400, "ENTITY_IS_DELETED", "entity is deleted", fields=[])
        if field.name == "OwnerId" and found.get("IsActive") == 0:
            raise ApiError(
                400,
                "INACTIVE_OWNER_OR_USER",
                f"operation performed with inactive user [{value}] as owner of "
                f"{sobject.label.lower()}",
                fields=[field.name],
            )

    def unique(self, sobject: Sobject, patch: Row, crm_id: str | None) -> None:
        """No other record may carry the value of a unique field."""
        for field in sobject.fields:
            value = patch.get(field.name)
            if not field.is_unique or value is None:
                continue
            deleted = ' AND "IsDeleted" = 0' if sobject.has("IsDeleted") else ""
            found = self.store.select(
                f'SELECT "Id" FROM "{sobject.name}" WHERE "{field.name}" = ? AND "Id" != ?'
                + deleted,
                (value, crm_id or ""),
            )
            if found:
                raise ApiError(
                    400,
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {field.name} duplicates value on record with id: "
                    f"{found[0][0][:15]}",
                    fields=[],
                )
