"""One call to the API, as its handlers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.sandbox.hubspot.catalog import ObjectType, object_type
from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.loopback import Request

LEGACY = ("v3", "v4")


@dataclass(slots=True, kw_only=True)
class Call:
    """`version` is v3, v4, 2026-03 or 2026-09; `parts` are the named pieces of the address."""

    request: Request
    version: str
    parts: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""

    @property
    def is_dated(self) -> bool:
        """Whether it came by a date-based path."""
        return self.version not in LEGACY

    def type(self, name: str = "type") -> ObjectType:
        """The object type that the address names, by name or id."""
        found = object_type(self.parts[name])
        if found is None:
            raise invalid(f"Unable to infer object type from: {self.parts[name]}")
        return found

    def many(self, name: str) -> list[str]:
        """A list parameter, repeated or joined by commas."""
        told = [value for key, value in self.request.pairs if key == name]
        return [part for value in told for part in value.split(",") if part]

    def flag(self, name: str) -> bool:
        """A yes-or-no parameter."""
        return self.request.query.get(name, "false").lower() == "true"

    def number(self, name: str, default: int, *, most: int) -> int:
        """A count from 1 to `most`."""
        text = self.request.query.get(name, str(default))
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise invalid(f"{name} must be a number from 1 to {most}, got {text}")
        return int(text)

    def json(self) -> Any:
        """The JSON that came along; 400 if it is none."""
        try:
            return self.request.json()
        except orjson.JSONDecodeError as error:
            raise invalid(f"Invalid input JSON: {error}") from error

    def body(self) -> dict[str, Any]:
        """The JSON object that came along."""
        told = self.json()
        if not isinstance(told, dict):
            raise invalid("Invalid input JSON: an object was expected")
        return told

    def inputs(self, most: int) -> list[dict[str, Any]]:
        """The inputs of a batch, at most so many."""
        told = members(self.body(), "inputs")
        if len(told) > most:
            raise invalid(
                f"The maximum number of inputs supported in a batch request is {most} "
                f"but {len(told)} were provided"
            )
        return told


def member(told: object, *names: str) -> Any:
    """What stands at a place in a JSON body; 400 if nothing does."""
    for name in names:
        if not isinstance(told, Mapping) or told.get(name) is None:
            raise invalid(f"Invalid input JSON: {'.'.join(names)} is required")
        told = told[name]
    return told


def members(told: object, name: str) -> list[dict[str, Any]]:
    """A list of objects in a JSON body, empty where there is none; 400 if it is not one."""
    listed = told.get(name) if isinstance(told, Mapping) else None
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise invalid(f"Invalid input JSON: {name} must be a list of objects")
    return listed


def texts(told: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts in a JSON body, empty where there is none; 400 if it is not one."""
    listed = told.get(name) or []
    if not isinstance(listed, list):
        raise invalid(f"Invalid input JSON: {name} must be a list")
    return [str(each) for each in listed]


def whole(told: object, name: str) -> int:
    """A whole number in a body or address; 400 if it is none."""
    if isinstance(told, bool) or not str(told).lstrip("-").isdigit():
        raise invalid(f"{name} must be a whole number, got {told}")
    return int(str(told))


def record_id(text: object) -> int:
    """An id as a number; 400 if it is none."""
    if not str(text).isdigit():
        raise invalid(f"Invalid object ID: {text}")
    return int(str(text))
