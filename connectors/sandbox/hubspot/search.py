"""`POST .../search`: filters, sorts and paging within HubSpot's limits, on the search index."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.sandbox.hubspot import catalog, values
from connectors.sandbox.hubspot.calls import Call, members, texts, whole
from connectors.sandbox.hubspot.errors import ApiError, invalid
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.store import Record
from connectors.sandbox.hubspot.views import Views, Wanted

_MOST_GROUPS, _MOST_FILTERS, _MOST_IN_ALL = 5, 6, 18
_MOST_BODY, _MOST_RESULTS, _PAGE = 3_000, 10_000, 200
_COMPARE = {"EQ": "=", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_OPERATORS = (
    *_COMPARE,
    "NEQ",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
)
_NAME = re.compile(r"[a-z0-9_.]+\Z")
_COLUMNS = "id, created_at, updated_at, archived_at, props"


@dataclass(slots=True)
class Sql:
    """A condition with what is bound to it."""

    text: str = ""
    bound: list[Any] = field(default_factory=list)


class Search:
    """Searches one portal."""

    def __init__(self, practice: Practice, views: Views) -> None:
        self._practice = practice
        self._store = practice.store
        self._views = views
        practice.store.function("has_token", 2, _has_token)

    def run(self, call: Call) -> dict[str, Any]:
        """One page of what is found, with the total."""
        kind, body = call.type(), call.body()
        if len(call.request.body) > _MOST_BODY:
            raise invalid(f"The request body is longer than {_MOST_BODY} characters")
        limit = whole(body.get("limit", 10), "limit")
        after = whole(body.get("after") or 0, "after")
        if not 0 <= limit <= _PAGE or after < 0:
            raise invalid(f"limit must be at most {_PAGE}, got {limit}")
        if after + limit > _MOST_RESULTS:
            raise invalid(f"Search can't page beyond {_MOST_RESULTS} results (after {after})")
        with self._store.lock:
            table, where = self._table(kind.id), self._where(kind, body)
            total = self._store.select(
                f"SELECT COUNT(*) FROM {table} WHERE {where.text}", where.bound
            )
            rows = self._store.select(
                f"SELECT id, created_at, updated_at, archived_at, props FROM {table} "
                f"WHERE {where.text} ORDER BY {self._order(kind, body)} LIMIT ? OFFSET ?",
                [*where.bound, limit, after],
            )
            wanted = Wanted(properties=texts(body, "properties"))
            records = [_record(kind.id, row) for row in rows]
            found: dict[str, Any] = {
                "total": total[0][0],
                "results": self._views.show(records, wanted),
            }
        if after + limit < total[0][0]:
            found["paging"] = {"next": {"after": str(after + limit)}}
        return found

    def _table(self, type_id: str) -> str:
        """The records as the index has them: those that changed of late as they were before."""
        self._store.execute("DELETE FROM lagging WHERE due_at <= ?", (self._practice.now(),))
        lagging = self._store.select("SELECT 1 FROM lagging WHERE type = ? LIMIT 1", (type_id,))
        live = f"SELECT {_COLUMNS} FROM object WHERE type = '{type_id}' AND archived_at IS NULL"
        if not lagging:
            return f"({live})"
        late = f"FROM lagging WHERE type = '{type_id}'"
        return (
            f"({live} AND id NOT IN (SELECT id {late}) UNION ALL "
            f"SELECT {_COLUMNS} {late} AND props IS NOT NULL AND archived_at IS NULL)"
        )

    def _where(self, kind: catalog.ObjectType, body: Mapping[str, Any]) -> Sql:
        groups = [members(each, "filters") for each in members(body, "filterGroups")]
        if body.get("filters"):
            groups.append(members(body, "filters"))
        sizes = [len(group) for group in groups]
        if len(groups) > _MOST_GROUPS or max(sizes, default=0) > _MOST_FILTERS:
            raise invalid(f"At most {_MOST_GROUPS} groups of {_MOST_FILTERS} filters are supported")
        if sum(sizes) > _MOST_IN_ALL:
            raise invalid(f"At most {_MOST_IN_ALL} filters are supported in all")
        either: list[str] = []
        bound: list[Any] = []
        for group in groups:
            each = [self._filter(kind, told) for told in group]
            either.append(" AND ".join(part.text for part in each) or "1")
            bound += [value for part in each for value in part.bound]
        text = " OR ".join(f"({each})" for each in either) or "1"
        if body.get("query"):
            spots = " OR ".join(f"json_extract(props, '$.{name}') LIKE ?" for name in kind.searched)
            text = f"({text}) AND ({spots})"
            bound += [f"%{body['query']}%"] * len(kind.searched)
        return Sql(text, bound)

    def _filter(self, kind: catalog.ObjectType, told: Mapping[str, Any]) -> Sql:
        name, operator = str(told.get("propertyName")), str(told.get("operator"))
        if operator not in _OPERATORS:
            raise invalid(f"Invalid operator {operator}: one of {', '.join(_OPERATORS)}")
        if name.startswith("associations."):
            return _association(kind, name, operator, told)
        column, form = self._column(kind, name)
        if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
            return Sql(f"{column} IS {'NOT ' if operator == 'HAS_PROPERTY' else ''}NULL")
        if operator in ("IN", "NOT_IN"):
            return _among(column, form, operator, told)
        return _compared(column, form, operator, told)

    def _column(self, kind: catalog.ObjectType, name: str) -> tuple[str, str]:
        """Where a property stands, as something to compare, and its type."""
        if name == "hs_object_id":
            return "id", "id"
        if name in (kind.modified, "hs_lastmodifieddate"):
            return "updated_at", "datetime"
        if name in (kind.created, "hs_createdate"):
            return "created_at", "datetime"
        definition = self._store.definition(kind.id, name)
        if definition is None or not _NAME.match(name):
            raise ApiError(
                400,
                "VALIDATION_ERROR",
                f"There was a problem with the request. Property {name} does not exist",
                errors=[
                    {"message": f"Property {name} does not exist", "code": "PROPERTY_DOESNT_EXIST"}
                ],
            )
        text = f"json_extract(props, '$.{name}')"
        form = str(definition["type"])
        if form == "number":
            return f"CAST({text} AS REAL)", form
        return (f"lower({text})" if form in ("string", "enumeration") else text), form

    def _order(self, kind: catalog.ObjectType, body: Mapping[str, Any]) -> str:
        sorts = body.get("sorts") or []
        if not isinstance(sorts, list) or len(sorts) > 1:
            raise invalid("Only one sort is supported")
        for told in sorts:
            name = str(told.get("propertyName")) if isinstance(told, Mapping) else str(told)
            down = isinstance(told, Mapping) and told.get("direction") == "DESCENDING"
            down = down or name.startswith("-")
            column, _ = self._column(kind, name.removeprefix("-"))
            return f"{column} {'DESC' if down else 'ASC'}, id"
        return "created_at, id"


def _operand(form: str, told: object, name: str) -> Any:
    """What a filter compares with. Instants are told as epoch ms, or as ISO."""
    if told is None:
        raise invalid(f"operator needs a value for {name}")
    if form == "datetime":
        moment = values.read_instant(told)
        if moment is None:
            raise invalid(f"{told} is no instant for {name}")
        return moment
    if form in ("number", "id"):
        number = values.read_number(told)
        if number is None:
            raise invalid(f"{told} is no number for {name}")
        return int(number) if number.lstrip("-").isdigit() else float(number)
    return values.text_of(told).lower()


def _compared(column: str, form: str, operator: str, told: Mapping[str, Any]) -> Sql:
    name = str(told["propertyName"])
    low = _operand(form, told.get("value"), name)
    if operator == "BETWEEN":
        high = _operand(form, told.get("highValue"), name)
        return Sql(f"{column} BETWEEN ? AND ?", [low, high])
    if operator.endswith("CONTAINS_TOKEN"):
        test = "= 0" if operator.startswith("NOT") else "= 1"
        return Sql(f"has_token({column}, ?) {test}", [str(told.get("value"))])
    if operator == "NEQ":
        return Sql(f"({column} IS NULL OR {column} <> ?)", [low])
    return Sql(f"{column} {_COMPARE[operator]} ?", [low])


def _among(column: str, form: str, operator: str, told: Mapping[str, Any]) -> Sql:
    listed = told.get("values")
    if not isinstance(listed, list) or not listed:
        raise invalid(f"{operator} needs values")
    if form in ("datetime", "number", "id"):
        bound = [_operand(form, each, str(told["propertyName"])) for each in listed]
    else:
        # Told as they are: HubSpot finds only lower-case values in its index.
        bound = [values.text_of(each) for each in listed]
    marks = ", ".join("?" * len(bound))
    if operator == "NOT_IN":
        return Sql(f"({column} IS NULL OR {column} NOT IN ({marks}))", bound)
    return Sql(f"{column} IN ({marks})", bound)


def _association(
    kind: catalog.ObjectType, name: str, operator: str, told: Mapping[str, Any]
) -> Sql:
    target = catalog.object_type(name.removeprefix("associations."))
    if target is None or operator not in ("EQ", "IN"):
        raise invalid(f"{name} with {operator} is not supported")
    ids = [told.get("value")] if operator == "EQ" else list(told.get("values") or ())
    marks = ", ".join("?" * len(ids))
    return Sql(
        "id IN (SELECT target_id FROM link WHERE source = ? AND target = ? "
        f"AND source_id IN ({marks}))",
        [target.id, kind.id, *(_operand("id", each, name) for each in ids)],
    )


def _has_token(text: str | None, wanted: str) -> int:
    """Whether a word of `text` is, or by `*` matches, `wanted`."""
    if text is None:
        return 0
    pattern = re.compile(re.escape(wanted.lower()).replace(r"\*", ".*"))
    words = re.findall(r"[\w@.'-]+", text.lower())
    return int(any(pattern.fullmatch(word) for word in words))


def _record(type_id: str, row: tuple[Any, ...]) -> Record:
    return Record(type_id, row[0], row[1], row[2], row[3], orjson.loads(row[4]))
