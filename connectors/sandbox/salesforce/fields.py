"""What a field is, and the compact tables that objects are written down in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Column = Literal["TEXT", "INTEGER", "REAL", "BLOB"]

NUMBERS = frozenset({"int", "double", "currency", "percent"})
_UNGROUPED = frozenset(
    {"datetime", "textarea", "double", "currency", "percent", "combobox", "anyType"}
)
_LINE = re.compile(
    r"(?P<name>\w+)\s+(?P<type>\w+)(?:\((?P<args>[^)]*)\))?\s+(?P<flags>\S+)\s+(?P<label>.+)"
)
_LENGTHS = {"id": 18, "reference": 18, "picklist": 255, "email": 80, "phone": 40, "url": 255}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picklist:
    """One value of a picklist."""

    value: str
    label: str
    is_active: bool = True
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object, with the properties that its describe tells."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    createable: bool = False
    updateable: bool = False
    nillable: bool = False
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    defaulted: bool = False
    is_name: bool = False
    is_external_id: bool = False
    is_unique: bool = False
    is_case_sensitive: bool = False
    is_restricted: bool = False
    is_custom: bool = False
    compound: str | None = None
    picklist: tuple[Picklist, ...] = ()
    child_relationship: str | None = None
    default: str | None = None

    @property
    def column(self) -> Column:
        """How SQLite keeps it; dates and instants are ISO text that sorts as they do."""
        if self.type in ("boolean", "int"):
            return "INTEGER"
        if self.type == "anyType":
            return "BLOB"  # SQLite's word for keeping a value as it comes
        return "REAL" if self.type in NUMBERS else "TEXT"

    @property
    def is_number(self) -> bool:
        """Holds a number."""
        return self.type in NUMBERS

    @property
    def is_id(self) -> bool:
        """Holds a record id."""
        return self.type in ("id", "reference")

    @property
    def is_polymorphic(self) -> bool:
        """May refer to records of several objects (Task.WhatId)."""
        return len(self.reference_to) > 1

    @property
    def is_required(self) -> bool:
        """A create without it is refused."""
        return (
            self.createable
            and not self.nillable
            and not self.defaulted
            and self.type != "boolean"
            and self.default is None
        )


def _sizes(kind: str, args: Sequence[str]) -> tuple[int, int, int]:
    """Length, precision and scale."""
    if kind in ("currency", "percent", "double"):
        return 0, int(args[0]), int(args[1])
    if kind in ("reference", "boolean", "date", "datetime", "int"):
        return _LENGTHS.get(kind, 0), 0, 0
    return int(args[0]) if args else _LENGTHS.get(kind, 0), 0, 0


def parse(table: str, picklists: Mapping[str, Sequence[str]] | None = None) -> tuple[Field, ...]:
    """Fields from a table of lines `Name type(arguments) flags Label`.

    Flags: C createable, U updateable, N nillable, D defaulted on create, n the name field,
    x external id, u unique, r restricted picklist, f not filterable (nor sortable), o no
    relationship name, - none. An argument of `reference` is an object referred to; after a
    slash stands what that object calls its children.
    """
    return tuple(_parse_line(line, picklists or {}) for line in table.strip().splitlines())


def _parse_line(line: str, picklists: Mapping[str, Sequence[str]]) -> Field:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        raise ValueError(f"not a field: {line!r}")
    name, kind, flags = found["name"], found["type"], found["flags"]
    args, _, children = (found["args"] or "").partition("/")
    words = tuple(word.strip() for word in args.split(",") if word.strip())
    length, precision, scale = _sizes(kind, words)
    is_reference = kind == "reference"
    plain = kind != "textarea" and "f" not in flags
    return Field(
        name=name,
        type=kind,
        label=found["label"],
        length=length,
        precision=precision,
        scale=scale,
        reference_to=words if is_reference else (),
        relationship=name.removesuffix("Id") if is_reference and "o" not in flags else None,
        child_relationship=children or None,
        createable="C" in flags,
        updateable="U" in flags,
        nillable="N" in flags,
        filterable=plain,
        sortable=plain,
        groupable=kind not in _UNGROUPED,
        defaulted="D" in flags,
        is_name="n" in flags,
        is_external_id="x" in flags,
        is_unique="u" in flags,
        is_restricted="r" in flags,
        compound="Fiscal" if name in ("FiscalQuarter", "FiscalYear") else None,
        picklist=tuple(Picklist(value=value, label=value) for value in picklists.get(name, ())),
    )


SYSTEM = parse("""
IsDeleted        boolean         D  Deleted
CreatedDate      datetime        D  Created Date
CreatedById      reference(User) D  Created By ID
LastModifiedDate datetime        D  Last Modified Date
LastModifiedById reference(User) D  Last Modified By ID
SystemModstamp   datetime        D  System Modstamp
""")


def identity(label: str) -> Field:
    """The Id field of an object."""
    return parse(f"Id id D {label} ID")[0]
