"""A SOQL tree as SQLite SQL with bound values, and how its rows become records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.salesforce.catalog import Catalog
from connectors.sandbox.salesforce.errors import ApiError, malformed, no_such_object
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.soql_dates import Calendar
from connectors.sandbox.salesforce.soql_parse import (
    FieldsOf,
    Item,
    Operand,
    Ordering,
    Query,
)
from connectors.sandbox.salesforce.soql_scope import Chain, Resolved, Scope
from connectors.sandbox.salesforce.soql_where import Conditions
from connectors.sandbox.salesforce.values import stamp

FIELDS_LIMIT = 200
OFFSET_LIMIT = 2000
_SQL_FUNCTIONS = {"count": "COUNT", "min": "MIN", "max": "MAX", "sum": "SUM", "avg": "AVG"}
_COUNT = Field(name="Count", type="int", label="Count")
_AVERAGE = Field(name="Avg", type="double", label="Avg")


@dataclass(frozen=True, slots=True)
class Output:
    """One selected value: under which relationships and name, and its field."""

    chain: Chain
    name: str
    field: Field


@dataclass(frozen=True, slots=True)
class Link:
    """A related record of the output: its object (None: told by its id) and where its id is."""

    chain: Chain
    sobject: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """A sub-select on a child relationship: the query of the child, by its parent's id."""

    name: str
    parent_field: str
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A query ready to run.

    `ids` gives the ids of all records in order; `values` the selected values of the records
    whose ids fill `{marks}`, after the record's own id and the ids of `links`. An aggregate has
    no `ids`: its `values` is the whole query, `parameters` belong to it.
    """

    source: str
    is_aggregate: bool
    is_count: bool
    ids: str
    values: str
    parameters: Sequence[Any]
    outputs: Sequence[Output]
    links: Sequence[Link]
    children: Sequence[Children]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """What compiling depends on: the visible objects and the calendar of date literals."""

    catalog: Catalog
    calendar: Calendar
    with_deleted: bool = False

    def compile(self, query: Query) -> Compiled:
        """The query as SQL; refused with the API's own errors."""
        if _is_aggregate(query):
            return self._aggregate(query)
        scope = self._scope(query)
        items, children = self._items(query, scope)
        outputs, columns = _outputs(items, scope)
        links = [
            Link(chain, node.sobject.name if node.sobject else None)
            for chain, node in scope.nodes.items()
            if chain and any(output.chain[: len(chain)] == chain for output in outputs)
        ]
        keys = ['t0."Id"', *(scope.nodes[link.chain].id_sql for link in links)]
        values = (
            f"SELECT {', '.join([*keys, *columns])} FROM {scope.from_sql()} "
            'WHERE t0."Id" IN ({marks})'
        )
        where, parameters = self._where(query, scope)
        order = self._order(query.order, scope)
        ids = f'SELECT t0."Id" FROM {scope.from_sql()}{where}{order}{_cut(query)}'
        return Compiled(
            source=scope.base.name,
            is_aggregate=False,
            is_count=False,
            ids=ids,
            values=values,
            parameters=parameters,
            outputs=outputs,
            links=links,
            children=children,
        )

    def _scope(self, query: Query, prefix: str = "t") -> Scope:
        sobject = self.catalog.find(query.source)
        if sobject is None:
            raise no_such_object(query.source)
        return Scope(self.catalog, sobject, stamp(self.calendar.now), query.alias, prefix)

    def _items(self, query: Query, scope: Scope) -> tuple[list[Item], list[Children]]:
        items: list[Item] = []
        children: list[Children] = []
        for item in query.items:
            if isinstance(item, FieldsOf):
                items += _expand(item, query, scope)
            elif isinstance(item, Query):
                children.append(self._children(item, scope))
            else:
                items.append(item)
        return items, children

    def _children(self, query: Query, scope: Scope) -> Children:
        for sobject in self.catalog.visible.values():
            for field in sobject.fields:
                named = (field.child_relationship or "").lower() == query.source.lower()
                if named and scope.base.name in field.reference_to:
                    inner = Query(
                        items=query.items,
                        source=sobject.name,
                        alias=query.alias,
                        where=query.where,
                        order=query.order,
                        limit=query.limit,
                    )
                    return Children(
                        name=field.child_relationship or "", parent_field=field.name, query=inner
                    )
        raise ApiError(
            400,
            "INVALID_TYPE",
            f"Didn't understand relationship '{query.source}' in FROM part of query call. If you "
            "are attempting to use a custom relationship, be sure to append the '__r' after the "
            "custom relationship name.",
        )

    def _where(self, query: Query, scope: Scope) -> tuple[str, list[Any]]:
        conditions = Conditions(
            lambda operand: _filterable(scope, operand), self._subselect, self.calendar
        )
        tests = [conditions.sql(query.where)] if query.where is not None else []
        if not self.with_deleted and scope.base.has("IsDeleted"):
            tests.append(f'{scope.prefix}0."IsDeleted" = 0')
        return (f" WHERE {' AND '.join(tests)}" if tests else ""), conditions.parameters

    def _subselect(self, query: Query) -> tuple[str, list[Any]]:
        """A semi-join's query: one id field, nulls left out."""
        scope = self._scope(query, "s")
        paths = [item.operand.path for item in query.items if isinstance(item, Item)]
        if len(paths) != 1 or len(query.items) != 1 or paths[0] is None:
            raise malformed("a semi-join sub-select must select exactly one field")
        found = scope.resolve(paths[0])
        if not found.field.is_id:
            raise malformed(f"The selected field '{paths[0]}' in the subquery must be an ID")
        where, parameters = self._where(query, scope)
        word = " AND " if where else " WHERE "
        return (
            f"SELECT {found.sql} FROM {scope.from_sql()}{where}{word}{found.sql} IS NOT NULL",
            parameters,
        )

    def _order(self, order: Sequence[Ordering], scope: Scope) -> str:
        terms = []
        for each in order:
            sql, field = _operand(scope, each.operand)
            if not field.sortable:
                raise _cannot(field, "sorted")
            terms.append(_term(sql, each))
        return f" ORDER BY {', '.join(terms)}" if terms else ""

    def _aggregate(self, query: Query) -> Compiled:
        scope = self._scope(query)
        items, children = self._items(query, scope)
        if children:
            raise malformed("a sub-select can't stand beside aggregates")
        grouped = [_groupable(scope, path) for path in query.group]
        outputs, columns = _aggregated(items, scope, {each.sql for each in grouped})
        where, parameters = self._where(query, scope)
        having, more = self._having(query, scope)
        order = self._order(query.order, scope)
        groups = f" GROUP BY {', '.join(each.sql for each in grouped)}" if grouped else ""
        sql = f"SELECT {', '.join(columns)} FROM {scope.from_sql()}{where}{groups}{having}{order}"
        is_count = len(items) == 1 and items[0].operand == Operand(None, "count")
        return Compiled(
            source=scope.base.name,
            is_aggregate=True,
            is_count=is_count,
            ids="",
            values=sql if is_count else sql + _cut(query),
            parameters=[*parameters, *more],
            outputs=outputs,
            links=(),
            children=(),
        )

    def _having(self, query: Query, scope: Scope) -> tuple[str, list[Any]]:
        if query.having is None:
            return "", []
        conditions = Conditions(
            lambda operand: _operand(scope, operand), self._subselect, self.calendar
        )
        return f" HAVING {conditions.sql(query.having)}", conditions.parameters


def _is_aggregate(query: Query) -> bool:
    return bool(query.group) or any(
        isinstance(item, Item) and item.operand.function for item in query.items
    )


def _cannot(field: Field, verb: str) -> ApiError:
    return ApiError(400, "INVALID_FIELD", f"field '{field.name}' can not be {verb} in a query call")


def _operand(scope: Scope, operand: Operand) -> tuple[str, Field]:
    """The SQL and field of a path, or of a function of one."""
    if operand.function is None:
        found = scope.resolve(operand.path or "")
        return found.sql, found.field
    if operand.path is None:
        if operand.function != "count":
            raise malformed(f"{operand.function} needs a field")
        return "COUNT(*)", _COUNT
    inner = scope.resolve(operand.path)
    if operand.function == "count_distinct":
        return f"COUNT(DISTINCT {inner.sql})", _COUNT
    if operand.function in ("sum", "avg") and not inner.field.is_number:
        word = operand.function.upper()
        raise malformed(f"field {inner.field.name} does not support aggregate operator {word}")
    sql = f"{_SQL_FUNCTIONS[operand.function]}({inner.sql})"
    return sql, {"count": _COUNT, "avg": _AVERAGE}.get(operand.function, inner.field)


def _filterable(scope: Scope, operand: Operand) -> tuple[str, Field]:
    if operand.function is not None:
        raise malformed(f"Aggregate {operand.function} can't stand in WHERE")
    sql, field = _operand(scope, operand)
    if not field.filterable:
        raise _cannot(field, "filtered")
    return sql, field


def _groupable(scope: Scope, path: str) -> Resolved:
    found = scope.resolve(path)
    if not found.field.groupable:
        raise ApiError(400, "MALFORMED_QUERY", f"field '{path}' can not be grouped in a query call")
    return found


def _expand(item: FieldsOf, query: Query, scope: Scope) -> list[Item]:
    """FIELDS(...) as the fields that it stands for."""
    if item.kind not in ("ALL", "STANDARD", "CUSTOM"):
        raise malformed(f"unexpected token: '{item.kind}'")
    if item.kind != "STANDARD" and not 0 < (query.limit or 0) <= FIELDS_LIMIT:
        raise malformed(
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        )
    return [
        Item(Operand(each.name))
        for each in scope.base.fields
        if item.kind == "ALL" or each.is_custom == (item.kind == "CUSTOM")
    ]


def _outputs(items: Sequence[Item], scope: Scope) -> tuple[list[Output], list[str]]:
    outputs: list[Output] = []
    columns: list[str] = []
    seen: set[tuple[Chain, str]] = set()
    for item in items:
        if item.alias is not None:
            raise malformed(f"unexpected token: '{item.alias}'")
        found = scope.resolve(item.operand.path or "")
        key = (found.chain, found.field.name)
        if key in seen:
            raise ApiError(400, "INVALID_FIELD", f"duplicate field selected: {found.field.name}")
        seen.add(key)
        outputs.append(Output(*key, found.field))
        columns.append(found.sql)
    return outputs, columns


def _aggregated(
    items: Sequence[Item], scope: Scope, grouped: set[str]
) -> tuple[list[Output], list[str]]:
    outputs: list[Output] = []
    columns: list[str] = []
    unnamed = 0
    for item in items:
        sql, field = _operand(scope, item.operand)
        name = item.alias or field.name
        if item.operand.function is None:
            if sql not in grouped:
                raise malformed(f"Field must be grouped or aggregated: {item.operand.path}")
        elif item.alias is None:
            name = f"expr{unnamed}"
            unnamed += 1
        outputs.append(Output((), name, field))
        columns.append(sql)
    return outputs, columns


def _term(sql: str, each: Ordering) -> str:
    direction = "DESC" if each.is_descending else "ASC"
    return f"{sql} {direction} NULLS {'LAST' if each.nulls_last else 'FIRST'}"


def _cut(query: Query) -> str:
    if query.offset > OFFSET_LIMIT:
        raise ApiError(
            400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {OFFSET_LIMIT}"
        )
    if query.limit is None and not query.offset:
        return ""
    return f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
