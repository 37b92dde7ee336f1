"""What an object is, and where its standard definition comes from.

Field names, types, labels, lengths and properties are those of describes recorded from
real organisations (Opportunity, Event, OpportunityContactRole) and of the object
reference; features that the practice organisation has not switched on have no field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.sandbox.salesforce.fields import SYSTEM, Field, identity, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Sobject:
    """One object: its fields in order, and what may be done with its records."""

    name: str
    prefix: str
    label: str
    plural: str
    fields: tuple[Field, ...]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    is_custom: bool = False

    def field(self, name: str) -> Field | None:
        """The field of this name, whatever its case."""
        wanted = name.lower()
        return next((each for each in self.fields if each.name.lower() == wanted), None)

    def has(self, name: str) -> bool:
        """Whether there is such a field, by its exact name."""
        return any(each.name == name for each in self.fields)

    @property
    def name_field(self) -> str | None:
        """The field that names a record for people."""
        return next((each.name for each in self.fields if each.is_name), None)


def define(
    head: str,
    table: str,
    *,
    picklists: Mapping[str, Sequence[str]] | None = None,
    without: Iterable[str] = (),
    access: str = "CUD",
) -> Sobject:
    """An object from `Name prefix Label/Plural/Label of its id` and its field table.

    `access` has a letter for each of create, update and delete; `without` names the system
    fields that it lacks.
    """
    name, prefix, labels = head.split(maxsplit=2)
    label, plural, own = (*labels.split("/"), "", "")[:3]
    system = tuple(each for each in SYSTEM if each.name not in without)
    return Sobject(
        name=name,
        prefix=prefix,
        label=label,
        plural=plural or label + "s",
        fields=(identity(own or label), *parse(table, picklists), *system),
        createable="C" in access,
        updateable="U" in access,
        deletable="D" in access,
    )
