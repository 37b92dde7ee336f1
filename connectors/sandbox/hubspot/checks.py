"""Property values on their way in: known, writable, of their type, and as they are stored."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors.sandbox.hubspot import builtin, catalog, values
from connectors.sandbox.hubspot.errors import ApiError, bad_values, invalid
from connectors.sandbox.hubspot.stages import Stages
from connectors.sandbox.hubspot.store import Record, Store

_LONGEST_TEXT = 65_536
_REQUIRED = dict.fromkeys(catalog.ACTIVITIES, "hs_timestamp")
Problem = tuple[str, str, str]


def _day(text: str) -> str | None:
    moment = values.read_instant(text)
    if moment is None:
        return None
    return date.fromisoformat(moment[:10]).isoformat()


_READERS = {
    "number": (values.read_number, "INVALID_DOUBLE", "number"),
    "datetime": (values.read_instant, "INVALID_DATE", "date"),
    "date": (_day, "INVALID_DATE", "date"),
}


def clean(
    store: Store, stages: Stages, record: Record, told: object, *, is_new: bool = False
) -> dict[str, str]:
    """What a call wants to write on `record`, as stored texts; ApiError 400 with every
    property that is refused.
    """
    if not isinstance(told, Mapping):
        raise invalid("Invalid input JSON: properties must be an object")
    patch: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in told.items():
        definition = store.definition(record.type, str(name))
        if definition is None:
            problem = f'Property "{name}" does not exist'
            problems.append((str(name), "PROPERTY_DOESNT_EXIST", problem))
            continue
        text = "" if value is None else values.text_of(value)
        found = _stored(definition, text, record)
        if isinstance(found, str):
            patch[str(name)] = found
        else:
            problems.append(found)
    problems += _stage_problems(stages, record, patch, is_new=is_new)
    if problems:
        raise bad_values(problems)
    required = _REQUIRED.get(record.type)
    if is_new and required and not patch.get(required):
        raise _unset(record.type, required)
    return patch


def _unset(type_id: str, name: str) -> ApiError:
    kind = catalog.TYPES[type_id].singular.upper()
    message = f"Error creating {kind}. Some required properties were not set."
    detail = {"message": message, "code": "REQUIRED_FIELD", "context": {"properties": [name]}}
    return invalid(message, errors=[detail], context={"properties": [name]})


def _stored(definition: Mapping[str, Any], text: str, record: Record) -> str | Problem:
    name, kind = str(definition["name"]), definition["type"]
    if definition["modificationMetadata"]["readOnlyValue"]:
        return (
            name,
            "READ_ONLY_VALUE",
            f'"{name}" is a read only property; its value cannot be set.',
        )
    if not text:
        return ""
    if kind in ("enumeration", "bool"):
        return _choice(definition, text, record)
    if kind == "string":
        if len(text) > _LONGEST_TEXT:
            problem = f"{name} is longer than {_LONGEST_TEXT} characters."
            return name, "PROPERTY_VALUE_TOO_LONG", problem
        return text
    read, code, expected = _READERS[kind]
    return read(text) or (name, code, f"{text} was not a valid {expected}.")


def _choice(definition: Mapping[str, Any], text: str, record: Record) -> str | Problem:
    name = str(definition["name"])
    if name in builtin.OPEN_CHOICES:
        return text
    allowed = [str(each["value"]) for each in definition["options"]]
    chosen = [text]
    if definition["fieldType"] == "checkbox":
        before = record.props.get(name, "").split(";") if text.startswith(";") else []
        chosen = list(dict.fromkeys(each for each in [*before, *text.split(";")] if each))
    if any(each not in allowed for each in chosen):
        options = ", ".join(allowed)
        return name, "INVALID_OPTION", f"{text} was not one of the allowed options: [{options}]"
    return ";".join(chosen)


def _stage_problems(
    stages: Stages, record: Record, patch: dict[str, str], *, is_new: bool
) -> list[Problem]:
    """A deal's stage belongs to its pipeline; a new deal without one goes to the default."""
    if record.type != catalog.DEAL or not ({"dealstage", "pipeline"} & set(patch) or is_new):
        return []
    after = {**record.props, **patch}
    if is_new and not after.get("pipeline") and stages.pipelines:
        patch["pipeline"] = after["pipeline"] = stages.in_order()[0]["id"]
    stage = stages.by_id.get(after.get("dealstage", ""))
    if stage is None or stage.pipeline == after.get("pipeline"):
        return []
    message = f"{stage.id} is not a stage of the pipeline {after.get('pipeline')}"
    return [("dealstage", "INVALID_STAGE", message)]
