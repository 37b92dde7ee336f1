"""Which fields of an sObject may be asked for, told by its describe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.errors import ConnectorError, Fatal, Skip
from connectors.salesforce.client import Client, Rows
from connectors.salesforce.faults import is_missing

HIDDEN = "INVALID_TYPE"
"""Salesforce's code for an object that is not there or that the user may not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What we would like to read of an sObject.

    Without a `needed` field the object can't be used; an `optional` one that this org
    does not have, or that the user may not see, is left out with a warning. A dotted
    name goes through a relationship. `silent`: optional fields that most orgs lack.
    """

    sobject: str
    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Selection:
    sobject: str
    fields: tuple[str, ...]


class Fields:
    """Describes and queries; a field that is not there costs itself, not the query.

    `warnings` gathers what was left out, once each, until `take_warnings`.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._described: dict[str, Mapping[str, Mapping[str, Any]] | None] = {}
        self._selected: dict[Shape, _Selection] = {}
        self._warned: set[str] = set()
        self._warnings: list[str] = []

    def describe(self, sobject: str) -> Mapping[str, Mapping[str, Any]] | None:
        """The sObject's fields by name; None where the user can't see the object."""
        if sobject not in self._described:
            try:
                described = self.client.get(f"sobjects/{sobject}/describe")
            except Skip:
                self._described[sobject] = None
            else:
                self._described[sobject] = {f["name"]: f for f in described["fields"]}
        return self._described[sobject]

    def has(self, sobject: str, field: str) -> bool:
        """Whether the user can read the field."""
        return field in (self.describe(sobject) or {})

    def soql(self, shape: Shape, rest: str) -> str:
        """`SELECT (what is there of shape) FROM sobject` + `rest`; raises as `query` does."""
        return _soql(self._select(shape), rest)

    def query(self, shape: Shape, rest: str = "", *, deleted: bool = False) -> Iterator[Rows]:
        """Pages of `SELECT (what is there of shape) FROM sobject` + `rest`.

        Raises `Skip` where the object itself can't be seen, `Fatal` where a needed field
        can't.
        """
        while True:
            selection = self._select(shape)
            try:
                yield from self.client.pages(_soql(selection, rest), deleted=deleted)
            except Skip as error:
                self._drop(shape, selection, error)
            else:
                return

    def take_warnings(self) -> Sequence[str]:
        """Warnings since the last time this was asked."""
        taken, self._warnings = self._warnings, []
        return taken

    def warn(self, text: str) -> None:
        """Keep a warning, once."""
        if text not in self._warned:
            self._warned.add(text)
            self._warnings.append(text)

    def _select(self, shape: Shape) -> _Selection:
        if shape in self._selected:
            return self._selected[shape]
        if self.describe(shape.sobject) is None:
            raise Skip(f"Salesforce shows no {shape.sobject} to this user", code=HIDDEN)
        for name in shape.needed:
            if not self._reachable(shape.sobject, name):
                raise Fatal(
                    f"the user that Forestage runs as can't read {shape.sobject}.{name}; "
                    "assign the permission set Forestage_Integration to it"
                )
        wanted = (*shape.optional, *shape.silent)
        there = [name for name in wanted if self._reachable(shape.sobject, name)]
        for name in shape.optional:
            if name not in there:
                self.warn(f"{shape.sobject}.{name} can't be read; left out")
        self._selected[shape] = _Selection(shape.sobject, (*shape.needed, *there))
        return self._selected[shape]

    def _reachable(self, sobject: str, name: str) -> bool:
        """Whether a name can be selected; only the first step of a dotted one is described.

        The object behind it may be hidden: then the query says so, and `_drop` acts.
        """
        fields = self.describe(sobject) or {}
        relation, dot, _ = name.partition(".")
        if not dot:
            return name in fields
        return any(field.get("relationshipName") == relation for field in fields.values())

    def _drop(self, shape: Shape, selection: _Selection, error: ConnectorError) -> None:
        """Leave out what an INVALID_FIELD error names; raise what is no such error."""
        if error.code != "INVALID_FIELD":
            raise error
        gone = [name for name in selection.fields if is_missing(error, shape.sobject, name)]
        if not gone or set(gone) & set(shape.needed):
            raise Fatal(str(error), code=error.code)
        for name in gone:
            self.warn(f"{shape.sobject}.{name} can't be read; left out")
        left = tuple(name for name in selection.fields if name not in gone)
        self._selected[shape] = replace(selection, fields=left)


def _soql(selection: _Selection, rest: str) -> str:
    return f"SELECT {', '.join(selection.fields)} FROM {selection.sobject} {rest}".strip()
