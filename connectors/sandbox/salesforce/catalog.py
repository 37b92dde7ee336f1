"""Every object of the organisation: the standard ones and what deploys have added, and
which of it the API user may see.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from connectors.sandbox.salesforce import objects_activity, objects_people, objects_sales
from connectors.sandbox.salesforce.fields import SYSTEM, Field, Picklist
from connectors.sandbox.salesforce.objects import Sobject

STANDARD = (*objects_sales.OBJECTS, *objects_activity.OBJECTS, *objects_people.OBJECTS)
ACTIVITIES = ("Task", "Event")
_ALWAYS_SEEN = frozenset({"Id", *(field.name for field in SYSTEM)})

Grants = Mapping[tuple[str, str], bool]


def field_to_json(field: Field) -> str:
    """A custom field for the database."""
    return json.dumps(asdict(field))


def field_from_json(text: str) -> Field:
    """A custom field from the database."""
    saved: dict[str, Any] = json.loads(text)
    saved["picklist"] = tuple(Picklist(**choice) for choice in saved["picklist"])
    saved["reference_to"] = tuple(saved["reference_to"])
    return Field(**saved)


class Catalog:
    """Objects by name. `all` is what exists, `visible` what the API user may see."""

    def __init__(self) -> None:
        self.all: dict[str, Sobject] = {each.name: each for each in STANDARD}
        self.visible: dict[str, Sobject] = dict(self.all)
        self._grants: Grants = {}
        self._hidden: frozenset[str] = frozenset()
        self._off: frozenset[str] = frozenset()
        self._lower: dict[str, str] = {}
        self._index()

    def add_object(self, sobject: Sobject) -> None:
        """A custom object, or a new version of one."""
        self.all[sobject.name] = sobject
        self._index()

    def add_field(self, owner: str, field: Field) -> None:
        """A custom field, or a new version of one."""
        sobject = self.all[owner]
        others = tuple(each for each in sobject.fields if each.name != field.name)
        self.all[owner] = replace(sobject, fields=(*others, field))
        self._index()

    def set_picklist(self, owner: str, name: str, choices: Iterable[Picklist]) -> None:
        """The values that a standard picklist has in this organisation."""
        sobject = self.all[owner]
        values = tuple(choices)
        fields = (
            replace(each, picklist=values) if each.name == name else each for each in sobject.fields
        )
        self.all[owner] = replace(sobject, fields=tuple(fields))
        self._index()

    def grant(self, grants: Grants) -> None:
        """Which custom fields the API user may read (key) and edit (value)."""
        self._grants = dict(grants)
        self._index()

    def hide(self, names: Iterable[str]) -> None:
        """Take objects (`Task`) and fields (`Opportunity.NextStep`) from the API user; names
        hidden before and not given now are shown again.

        Raises ValueError for what there is not, and for a field that can't be hidden: field-level
        security knows no Id, no system field and no required one.
        """
        wanted = frozenset(names)
        for each in wanted:
            owner, _, name = each.partition(".")
            sobject = self.all.get(owner)
            field = sobject.field(name) if sobject and name else None
            if sobject is None or (name and field is None):
                raise ValueError(f"there is no {each}")
            if field is not None and (field.is_required or field.name in _ALWAYS_SEEN):
                raise ValueError(f"{each} can't be hidden")
        self._hidden = wanted
        self._index()

    def switch(self, name: str, *, is_on: bool) -> None:
        """An object that exists only while a feature of the organisation is on."""
        self._off = self._off - {name} if is_on else self._off | {name}
        self._index()

    def find(self, name: str) -> Sobject | None:
        """A visible object by name, whatever its case."""
        exact = self._lower.get(name.lower())
        return None if exact is None else self.visible[exact]

    def by_prefix(self, prefix: str) -> Sobject | None:
        """The object whose ids begin so."""
        return next((each for each in self.all.values() if each.prefix == prefix), None)

    def _index(self) -> None:
        absent = self._hidden | self._off
        seen = (each for name, each in self.all.items() if name not in absent)
        self.visible = {each.name: self._seen(each) for each in seen}
        self._lower = {name.lower(): name for name in self.visible}

    def _seen(self, sobject: Sobject) -> Sobject:
        """Custom fields are hidden, even from admins, until a permission set grants them;
        a required field can't be hidden.
        """
        fields: list[Field] = []
        for each in sobject.fields:
            if f"{sobject.name}.{each.name}" in self._hidden:
                continue
            edit = self._grants.get((sobject.name, each.name))
            if not each.is_custom or each.is_required or edit:
                fields.append(each)
            elif edit is not None:
                fields.append(replace(each, createable=False, updateable=False))
        return replace(sobject, fields=tuple(fields))
