"""Properties and their groups: the portal's own beside those that every portal has."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from connectors.sandbox.hubspot import builtin
from connectors.sandbox.hubspot.batches import Batches
from connectors.sandbox.hubspot.calls import Call
from connectors.sandbox.hubspot.errors import ApiError, invalid, not_found
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.loopback import Response, reply_json

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}\Z")
_FORMS = {
    "string": {"text", "textarea", "html", "phonenumber", "file"},
    "number": {"number"},
    "date": {"date"},
    "datetime": {"date"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox"},
    "bool": {"booleancheckbox"},
}
_REQUIRED = ("name", "label", "type", "fieldType", "groupName")
_MOST, _MOST_UNIQUE = 100, 10
Body = dict[str, Any]


class Schema:
    """Endpoints under `/properties/{type}`."""

    def __init__(self, practice: Practice, batches: Batches) -> None:
        self._practice = practice
        self._store = practice.store
        self._batches = batches

    def all(self, call: Call) -> Response:
        """Every definition, or with `archived=true` the archived ones."""
        wanted, type_id = call.flag("archived"), call.type().id
        found = self._store.properties[type_id].values()
        shown = [
            each
            for each in found
            if each["archived"] == wanted and (type_id, each["name"]) not in self._store.hidden
        ]
        return reply_json({"results": shown})

    def get(self, call: Call) -> Response:
        """One definition."""
        return reply_json(self._find(call, call.parts["name"], archived=call.flag("archived")))

    def create(self, call: Call) -> Response:
        """201; an archived one of that name comes back as it is told now."""
        with self._store.transaction():
            return reply_json(self._create(call, call.body()), 201)

    def update(self, call: Call) -> Response:
        """The definition as it is now; `options` replaces the list."""
        found = self._find(call, call.parts["name"])
        told = call.body()
        changed = {
            name: value
            for name, value in told.items()
            if name not in ("name", "hasUniqueValue", "archived")
        }
        if "options" in changed:
            changed["options"] = _options(changed["options"])
        after = found | changed | {"updatedAt": self._practice.now()}
        _check(after)
        with self._store.transaction():
            self._store.save_property(call.type().id, after)
        return reply_json(after)

    def archive(self, call: Call) -> Response:
        """204; the name can come back."""
        with self._store.transaction():
            self._archive(call, call.parts["name"])
        return Response(status=204)

    def batch_read(self, call: Call) -> Response:
        """Definitions by name."""
        shown, errors = [], []
        for each in call.inputs(_MOST):
            try:
                shown.append(self._find(call, str(each.get("name"))))
            except ApiError as error:
                errors.append(error.row({"name": [str(each.get("name"))]}))
        return self._batches.reply(shown, errors)

    def batch_create(self, call: Call) -> Response:
        """201, or 207 where some were refused."""
        shown, errors = [], []
        with self._store.transaction():
            for each in call.inputs(_MOST):
                try:
                    shown.append(self._create(call, each))
                except ApiError as error:
                    errors.append(error.row({"name": [str(each.get("name"))]}))
        return self._batches.reply(shown, errors, 201)

    def batch_archive(self, call: Call) -> Response:
        """204."""
        with self._store.transaction():
            for each in call.inputs(_MOST):
                self._archive(call, str(each.get("name")))
        return Response(status=204)

    def groups(self, call: Call) -> Response:
        """The groups of a type."""
        return reply_json({"results": list(self._groups(call).values())})

    def get_group(self, call: Call) -> Response:
        """One group."""
        return reply_json(self._group(call))

    def create_group(self, call: Call) -> Response:
        """201; 409 where the name is taken."""
        told = call.body()
        name = str(told.get("name") or "")
        if not name or not told.get("label"):
            raise invalid("name and label are required")
        if name in self._groups(call):
            raise ApiError(
                409,
                "OBJECT_ALREADY_EXISTS",
                f"Property group '{name}' already exists",
                sub_category="Properties.PROPERTY_GROUP_WITH_NAME_EXISTS",
            )
        body = _group(name, str(told["label"]), told.get("displayOrder", -1))
        self._save_group(call, body)
        return reply_json(body, 201)

    def update_group(self, call: Call) -> Response:
        """The group as it is now."""
        told = call.body()
        kept = {name: told[name] for name in ("label", "displayOrder") if name in told}
        body = self._group(call) | kept
        self._save_group(call, body)
        return reply_json(body)

    def archive_group(self, call: Call) -> Response:
        """204; refused while it holds properties."""
        name = self._group(call)["name"]
        held = self._store.properties[call.type().id].values()
        if any(each["groupName"] == name and not each["archived"] for each in held):
            raise invalid(f"Property group '{name}' still has properties")
        self._store.execute(
            "DELETE FROM property_group WHERE type = ? AND name = ?", (call.type().id, name)
        )
        return Response(status=204)

    def _find(self, call: Call, name: str, *, archived: bool = False) -> Body:
        type_id = call.type().id
        found = self._store.properties[type_id].get(name)
        if found is None or found["archived"] != archived or (type_id, name) in self._store.hidden:
            raise not_found(f"No property named {name} exists on {call.type().name}")
        return found

    def _create(self, call: Call, told: Mapping[str, Any]) -> Body:
        kind = call.type()
        missing = [name for name in _REQUIRED if not told.get(name)]
        if missing:
            raise invalid(f"Some required fields were not set: {missing}")
        name = str(told["name"])
        standing = self._store.properties[kind.id].get(name)
        if standing is not None and not standing["archived"]:
            raise ApiError(
                409,
                "OBJECT_ALREADY_EXISTS",
                f"A property named '{name}' already exists.",
                sub_category="Properties.PROPERTY_WITH_NAME_EXISTS",
            )
        if told["groupName"] not in self._groups(call):
            raise invalid(f"Property group '{told['groupName']}' does not exist")
        if not _NAME.match(name):
            raise invalid(f"'{name}' is no valid internal name", sub_category="Properties.INVALID")
        self._check_unique_count(kind.id, told)
        now = self._practice.now()
        body = builtin.definition(
            **{key: value for key, value in told.items() if key not in ("options", "archived")},
            options=_options(told.get("options") or ()),
            createdAt=now,
            updatedAt=now,
            createdUserId=None,
        )
        _check(body)
        self._store.save_property(kind.id, body)
        return body

    def _check_unique_count(self, type_id: str, told: Mapping[str, Any]) -> None:
        unique = [
            each
            for each in self._store.properties[type_id].values()
            if each["hasUniqueValue"] and not each["hubspotDefined"]
        ]
        if told.get("hasUniqueValue") and len(unique) >= _MOST_UNIQUE:
            raise invalid(f"At most {_MOST_UNIQUE} properties with unique values are allowed")

    def _archive(self, call: Call, name: str) -> None:
        found = self._find(call, name)
        if found["hubspotDefined"]:
            raise invalid(f"{name} is defined by HubSpot and can't be archived")
        gone = found | {"archived": True, "archivedAt": self._practice.now()}
        self._store.save_property(call.type().id, gone)

    def _groups(self, call: Call) -> dict[str, Body]:
        type_id = call.type().id
        name, label = builtin.GROUPS[type_id]
        rows = self._store.select(
            "SELECT name, body FROM property_group WHERE type = ? ORDER BY name", (type_id,)
        )
        return {name: _group(name, label, 0)} | {row[0]: orjson.loads(row[1]) for row in rows}

    def _group(self, call: Call) -> Body:
        found = self._groups(call).get(call.parts["name"])
        if found is None:
            raise not_found(f"No property group named {call.parts['name']} exists")
        return found

    def _save_group(self, call: Call, body: Body) -> None:
        self._store.execute(
            "INSERT OR REPLACE INTO property_group VALUES (?, ?, ?)",
            (call.type().id, body["name"], orjson.dumps(body).decode()),
        )


def _group(name: str, label: str, order: object) -> Body:
    return {"name": name, "label": label, "displayOrder": order, "archived": False}


def _options(told: Any) -> list[Body]:
    if not isinstance(told, list | tuple) or not all(
        isinstance(each, Mapping) and {"label", "value"} <= set(each) for each in told
    ):
        raise invalid("Options need a label and a value")
    found = [
        {"displayOrder": order, "hidden": False} | dict(each) for order, each in enumerate(told)
    ]
    for key in ("label", "value"):
        if len({each[key] for each in found}) < len(found):
            raise invalid(f"Property option {key}s must be unique")
    return found


def _check(body: Body) -> None:
    if body["fieldType"] not in _FORMS.get(body["type"], ()):
        raise invalid(f"fieldType {body['fieldType']} does not go with type {body['type']}")
    chosen = {each["value"] for each in body["options"]}
    if body["type"] == "bool" and chosen != {"true", "false"}:
        raise invalid("A property of type bool needs the options true and false")
