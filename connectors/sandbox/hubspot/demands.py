"""What an administrator demands of records, which only the newest API version enforces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.hubspot.catalog import object_type
from connectors.sandbox.hubspot.errors import invalid

ENFORCED_BY = "2026-09"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """`property` must be filled: where `when` is empty, on creation; else on every write that
    leaves the record with these values.
    """

    type: str
    property: str
    when: Mapping[str, str]


class Demands:
    """The demands of one portal; none until some are told."""

    def __init__(self) -> None:
        self._all: list[Demand] = []

    def replace(self, told: Sequence[Any]) -> int:
        """Take the list as it came in; ValueError on an unknown type."""
        found = []
        for each in told:
            kind = object_type(str(each["type"]))
            if kind is None:
                raise ValueError(f"no object type {each['type']}")
            when = {str(name): str(value) for name, value in (each.get("when") or {}).items()}
            found.append(Demand(type=kind.id, property=str(each["property"]), when=when))
        self._all = found
        return len(found)

    def check(self, type_id: str, after: Mapping[str, str], *, is_new: bool) -> None:
        """ApiError 400 if the record, as it will be, misses what is demanded."""
        errors = []
        for each in self._all:
            applies = all(after.get(name) == value for name, value in each.when.items())
            if each.type != type_id or not applies or not (each.when or is_new):
                continue
            if not after.get(each.property):
                code = f"MISSING_{'CONDITIONAL_' if each.when else ''}REQUIRED_PROPERTY"
                message = f'Property "{each.property}" is required'
                context = {"propertyName": [each.property]}
                errors.append({"message": message, "code": code, "context": context})
        if errors:
            raise invalid("Some required properties were not set.", errors=errors)
