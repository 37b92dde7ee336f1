"""Conditions of SOQL as SQL with bound values.

SOQL's logic has two values: a comparison with null is false, so its NOT is true, and
`!=` finds nulls. An empty string is null.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connectors.sandbox.salesforce.errors import ApiError, malformed
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.ids import as_18
from connectors.sandbox.salesforce.soql_dates import Calendar, span
from connectors.sandbox.salesforce.soql_parse import (
    Among,
    Compare,
    Junction,
    Negation,
    Operand,
    Query,
    Value,
)
from connectors.sandbox.salesforce.values import read_datetime, stamp

_TEXTS = frozenset({"string", "picklist", "email", "phone", "url", "combobox", "textarea"})
_EXPECTED = {
    "datetime": "dateTime",
    "currency": "double",
    "percent": "double",
    "id": "ID",
    "reference": "ID",
}
_KINDS = {"number": "numbers", "boolean": "booleans", "date": "dates", "datetime": "dateTimes"}
_RANGE = {"<": ("<", 0), ">=": (">=", 0), "<=": ("<", 1), ">": (">=", 1)}
_NOTHING = "0"

Locate = Callable[[Operand], tuple[str, Field]]
Subselect = Callable[[Query], tuple[str, list[Any]]]


@dataclass(slots=True)
class Conditions:
    """Compiles conditions; `parameters` grows in the order of the marks."""

    locate: Locate
    subselect: Subselect
    calendar: Calendar
    parameters: list[Any] = field(default_factory=list)

    def sql(self, condition: Any) -> str:
        """A condition as SQL that is true, false or null (null counts as false)."""
        if isinstance(condition, Junction):
            joined = f" {condition.word} ".join(self.sql(part) for part in condition.parts)
            return f"({joined})"
        if isinstance(condition, Negation):
            return f"(NOT COALESCE({self.sql(condition.part)}, 0))"
        if isinstance(condition, Among):
            return self._among(condition)
        return self._compare(condition)

    def _compare(self, condition: Compare) -> str:
        sql, found = self.locate(condition.operand)
        sign, value = condition.comparator, condition.value
        if sign == "like":
            return self._like(sql, found, value)
        if value.kind == "null" or value.value == "":
            if sign not in ("=", "!="):
                return _NOTHING
            return f"({sql} IS {'NOT ' if sign == '!=' else ''}NULL)"
        if found.type == "boolean" and sign not in ("=", "!="):
            raise _operator(found, "boolean")
        if value.kind == "named":
            return self._span(sql, found, condition)
        self.parameters.append(self._value(found, value))
        if sign == "!=":
            return f"({sql} IS NOT ?)"
        return f"({sql} {sign} ?)"

    def _span(self, sql: str, found: Field, condition: Compare) -> str:
        """A date literal: a half-open span of days, or of the instants in them."""
        days = span(str(condition.value.value), self.calendar)
        if days is None:
            raise malformed(f"unexpected token: '{condition.value.value}'")
        start, end = (self._edge(found, day, condition.value) for day in days)
        if condition.comparator in _RANGE:
            sign, which = _RANGE[condition.comparator]
            self.parameters.append((start, end)[which])
            return f"({sql} {sign} ?)"
        self.parameters += [start, end]
        inside = f"({sql} >= ? AND {sql} < ?)"
        return f"(NOT COALESCE({inside}, 0))" if condition.comparator == "!=" else inside

    def _edge(self, found: Field, day: date, value: Value) -> str:
        if found.type == "date":
            return day.isoformat()
        if found.type == "datetime":
            return stamp(self.calendar.midnight(day))
        raise _mismatch(found, value)

    def _like(self, sql: str, found: Field, value: Value) -> str:
        if found.type not in _TEXTS:
            raise _operator(found, found.type)
        if value.kind != "string":
            raise _mismatch(found, value)
        self.parameters.append(str(value.value).replace("\\\\", "\\"))
        return f"({sql} LIKE ? ESCAPE '\\')"

    def _among(self, condition: Among) -> str:
        sql, found = self.locate(condition.operand)
        if isinstance(condition.values, Query):
            inner, parameters = self.subselect(condition.values)
            self.parameters += parameters
            inside = f"({sql} IN ({inner}))"
        else:
            inside = self._listed(sql, found, condition.values)
        return f"(NOT COALESCE({inside}, 0))" if condition.is_negated else inside

    def _listed(self, sql: str, found: Field, values: tuple[Value, ...]) -> str:
        plain = [each for each in values if each.kind != "null" and each.value != ""]
        tests = [] if len(plain) == len(values) else [f"{sql} IS NULL"]
        spans = [each for each in plain if each.kind == "named"]
        tests += [self._span(sql, found, Compare(Operand(None), "=", each)) for each in spans]
        marks = [each for each in plain if each.kind != "named"]
        if marks:
            self.parameters += [self._value(found, each) for each in marks]
            tests.append(f"{sql} IN ({', '.join('?' * len(marks))})")
        return f"({' OR '.join(tests)})"

    def _value(self, found: Field, value: Value) -> Any:
        """A literal as the column keeps it; refused if it is of another type."""
        kind, raw = value.kind, value.value
        if found.type == "boolean" and kind == "boolean":
            return int(raw)
        if found.is_number and kind == "number":
            return raw
        if found.type == "date" and kind == "date":
            return _checked(str(raw)).isoformat()
        if found.type == "datetime" and kind == "datetime":
            moment = read_datetime(str(raw))
            if moment is None:
                raise malformed(f"Invalid datetime: {raw}")
            return stamp(moment)
        if kind == "string" and found.is_id:
            crm_id = as_18(str(raw))
            if crm_id is None:
                raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {raw}")
            return crm_id
        if kind == "string" and found.type in _TEXTS:
            return raw
        raise _mismatch(found, value)


def _checked(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise malformed(f"Invalid date: {text}") from error


def _operator(found: Field, kind: str) -> ApiError:
    word = _EXPECTED.get(kind, kind).lower()
    return ApiError(
        400, "INVALID_QUERY_FILTER_OPERATOR", f"{found.name}: invalid operator on {word} field"
    )


def _mismatch(found: Field, value: Value) -> ApiError:
    expected = _EXPECTED.get(found.type, "string" if found.type in _TEXTS else found.type)
    quotes = (
        "enclosed in quotes"
        if expected in ("string", "ID") and value.kind in _KINDS
        else "and should not be enclosed in quotes"
    )
    if expected in ("string", "ID") and value.kind in _KINDS:
        quotes = f"and should be {quotes}"
    return ApiError(
        400,
        "INVALID_FIELD",
        f"value of filter criterion for field '{found.name}' must be of type {expected} {quotes}",
    )
