"""`connectors.base.Setup` for HubSpot: one property group, and properties on deals and tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import Fatal, Skip
from connectors.hubspot import outgoing
from connectors.hubspot.client import Client
from connectors.hubspot.faults import MISSING_SCOPES

GROUP = "forestage"
DISPOSITIONS = ("acknowledged", "dismissed", "snoozed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A property that Forestage needs on an object type."""

    object: str
    name: str
    label: str
    description: str
    kind: str = "string"
    form: str = "textarea"
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """What creates it."""
        return {
            "name": self.name,
            "label": self.label,
            "description": self.description,
            "type": self.kind,
            "fieldType": self.form,
            "groupName": GROUP,
            "formField": False,
            **self.more,
        }


PROPERTIES = (
    Property(
        object="deals",
        name=outgoing.TOP,
        label="Forestage: top flag",
        description="The most important flag that stands on this deal. Written by Forestage.",
        form="text",
    ),
    Property(
        object="deals",
        name=outgoing.FLAGS,
        label="Forestage: flags",
        description="All flags that stand, with their reasons. Written by Forestage.",
    ),
    Property(
        object="deals",
        name=outgoing.EVIDENCE,
        label="Forestage: evidence",
        description="The changes that prove the flags. Written by Forestage.",
    ),
    Property(
        object="deals",
        name=outgoing.DISPOSITION,
        label="Forestage: disposition",
        description="What you make of the top flag.",
        kind="enumeration",
        form="select",
        more={
            "options": [
                {"label": name.capitalize(), "value": name, "displayOrder": order, "hidden": False}
                for order, name in enumerate(DISPOSITIONS)
            ]
        },
    ),
    Property(
        object="deals",
        name=outgoing.SNOOZE,
        label="Forestage: snooze until",
        description="With the disposition Snoozed: until when.",
        kind="date",
        form="date",
    ),
    Property(
        object="deals",
        name=outgoing.STATE,
        label="Forestage: state",
        description="Forestage's own note of which flag is which. Leave it as it is.",
        more={"hidden": True},
    ),
    Property(
        object="tasks",
        name=outgoing.TASK_KEY,
        label="Forestage: key",
        description="By which Forestage finds its own task again. Leave it as it is.",
        form="text",
        more={"hasUniqueValue": True},
    ),
)
_OBJECTS = tuple(dict.fromkeys(each.object for each in PROPERTIES))


class HubSpotSetup:
    """Installs into one portal, as the owner of the token."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._client.calls

    def missing(self) -> Sequence[str]:
        """Properties that are not there, or not as they must be. Raises `Fatal` without the
        scope to see them.
        """
        return [_named(each) for each in PROPERTIES if _differs(each, self._present(each.object))]

    def install(self) -> Sequence[str]:
        """Create groups and properties that are missing; returns what was created. What another
        installation made at the same moment counts as there. Raises `Fatal` where a
        property of that name is something else, or a scope is missing.
        """
        made: list[str] = []
        for name in _OBJECTS:
            present = self._present(name)
            wanted = [each for each in PROPERTIES if each.object == name]
            for each in wanted:
                if each.name in present and _differs(each, present):
                    raise Fatal(f"{_named(each)} is there, but is no {each.kind} as needed")
            absent = [each for each in wanted if each.name not in present]
            if not absent:
                continue
            group = {"name": GROUP, "label": "Forestage"}
            if self._create(f"properties/{name}/groups", group):
                made.append(f"group {name}.{GROUP}")
            made += [
                _named(each) for each in absent if self._create(f"properties/{name}", each.body)
            ]
        return made

    def _create(self, place: str, body: Mapping[str, Any]) -> bool:
        """Whether it was created: not so where it was there already."""
        try:
            self._client.call("POST", place, body=body)
        except Skip as error:
            if error.code == "OBJECT_ALREADY_EXISTS":
                return False
            raise _refused(error) from None
        return True

    def _present(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        try:
            found = self._client.call("GET", f"properties/{name}")["results"]
        except Skip as error:
            raise _refused(error) from None
        return {each["name"]: each for each in found if not each.get("archived")}


def _differs(wanted: Property, present: Mapping[str, Mapping[str, Any]]) -> bool:
    found = present.get(wanted.name)
    if found is None or found.get("type") != wanted.kind:
        return True
    return bool(wanted.more.get("hasUniqueValue")) and not found.get("hasUniqueValue")


def _named(each: Property) -> str:
    return f"property {each.object}.{each.name}"


def _refused(error: Skip) -> Fatal:
    hint = " (set-up needs it once; the run-time token does not)"
    return Fatal(f"{error}{hint if error.code == MISSING_SCOPES else ''}", code=error.code)
