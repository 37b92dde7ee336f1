"""Running queries: pages, locators, records with their parents and children."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.sandbox.salesforce.errors import ApiError
from connectors.sandbox.salesforce.soql_compile import Compiled, Compiler
from connectors.sandbox.salesforce.soql_dates import Calendar
from connectors.sandbox.salesforce.soql_parse import (
    Among,
    Junction,
    Operand,
    Query,
    Value,
    names,
    parse,
    place,
)
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row, to_json

PAGE = 2000
SMALLEST_PAGE = 200
_KEPT_LOCATORS = 64


@dataclass(frozen=True, slots=True)
class Cursor:
    """A query whose records are fixed and whose pages are read one by one."""

    compiled: Compiled
    ids: Sequence[str]
    page: int


class Queries:
    """Runs SOQL for the API user. `calendar` tells the present and the user's zone."""

    def __init__(self, store: Store, calendar: Callable[[], Calendar]) -> None:
        self._store = store
        self._calendar = calendar
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()
        self._opened = 0

    def run(self, soql: str, *, base: str, page: int = PAGE, with_deleted: bool = False) -> Row:
        """The first page of a query, as the API replies it. `base` is `/services/data/vXX.X`."""
        query = parse(soql)
        compiler = Compiler(
            catalog=self._store.catalog, calendar=self._calendar(), with_deleted=with_deleted
        )
        with self._store.lock:
            compiled = _compile(compiler, query, soql)
            if compiled.is_aggregate:
                return self._aggregate(compiled)
            found = self._store.select(compiled.ids, compiled.parameters)
            cursor = Cursor(compiled, [row[0] for row in found], page)
            return self._page(cursor, None, 0, base=base, compiler=compiler)

    def more(self, locator: str, *, base: str) -> Row:
        """A further page."""
        name, _, start = locator.rpartition("-")
        with self._store.lock:
            cursor = self._cursors.get(name)
            if cursor is None or not start.isdigit() or int(start) >= len(cursor.ids):
                raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
            compiler = Compiler(catalog=self._store.catalog, calendar=self._calendar())
            return self._page(cursor, name, int(start), base=base, compiler=compiler)

    def fix(self, soql: str, *, with_deleted: bool) -> Cursor:
        """A query for a bulk job, whose records are fixed now; what bulk can't do is refused."""
        query = parse(soql)
        compiler = Compiler(
            catalog=self._store.catalog, calendar=self._calendar(), with_deleted=with_deleted
        )
        with self._store.lock:
            compiled = _compile(compiler, query, soql)
            if compiled.is_aggregate or query.offset:
                words = "Aggregate queries and OFFSET are not supported in Bulk Query"
                raise ApiError(400, "API_ERROR", words)
            found = self._store.select(compiled.ids, compiled.parameters)
        return Cursor(compiled, [row[0] for row in found], PAGE)

    def values(self, cursor: Cursor, ids: Sequence[str]) -> Iterator[Sequence[Any]]:
        """What a query selects of these records, in its own order of columns."""
        first = 1 + len(cursor.compiled.links)
        rows = self._rows(cursor.compiled, ids)
        return (rows[crm_id][first:] for crm_id in ids if crm_id in rows)

    def _page(
        self, cursor: Cursor, name: str | None, start: int, *, base: str, compiler: Compiler
    ) -> Row:
        end = start + cursor.page
        chosen = cursor.ids[start:end]
        records = self._records(cursor.compiled, chosen, base)
        for children in cursor.compiled.children:
            self._add_children(children, records, chosen, base=base, compiler=compiler)
        reply: Row = {"totalSize": len(cursor.ids), "done": end >= len(cursor.ids)}
        if end < len(cursor.ids):
            if name is None:
                name = self._keep(cursor)
            reply["nextRecordsUrl"] = f"{base}/query/{name}-{end}"
        reply["records"] = records
        return reply

    def _keep(self, cursor: Cursor) -> str:
        self._opened += 1
        name = f"0r8Fs{self._opened:013d}"
        self._cursors[name] = cursor
        while len(self._cursors) > _KEPT_LOCATORS:
            self._cursors.popitem(last=False)
        return name

    def _records(self, compiled: Compiled, ids: Sequence[str], base: str) -> list[Row]:
        rows = self._rows(compiled, ids)
        build = _Builder(compiled, base, self._type_of)
        return [build.record(rows[crm_id]) for crm_id in ids if crm_id in rows]

    def _rows(self, compiled: Compiled, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        if not ids:
            return {}
        sql = compiled.values.replace("{marks}", ", ".join("?" * len(ids)))
        return {row[0]: row for row in self._store.select(sql, ids)}

    def _type_of(self, crm_id: str) -> str:
        sobject = self._store.catalog.by_prefix(crm_id[:3])
        return sobject.name if sobject else "Name"

    def _add_children(
        self,
        children: Any,
        records: list[Row],
        parents: Sequence[str],
        *,
        base: str,
        compiler: Compiler,
    ) -> None:
        among = Among(
            Operand(children.parent_field),
            is_negated=False,
            values=tuple(Value("string", parent) for parent in parents),
        )
        inner: Query = children.query
        where = among if inner.where is None else Junction("AND", (among, inner.where))
        compiled = compiler.compile(replace(inner, where=where, limit=None))
        ids = [row[0] for row in self._store.select(compiled.ids, compiled.parameters)]
        marks = ", ".join("?" * len(ids))
        columns = f'SELECT "Id", "{children.parent_field}" FROM "{compiled.source}"'
        parent_of = dict(self._store.select(f'{columns} WHERE "Id" IN ({marks})', ids))
        grouped: dict[str, list[Row]] = {}
        for crm_id, record in zip(ids, self._records(compiled, ids, base), strict=True):
            grouped.setdefault(parent_of[crm_id], []).append(record)
        for parent, record in zip(parents, records, strict=True):
            mine = grouped.get(parent, [])[: inner.limit]
            nested = {"totalSize": len(mine), "done": True, "records": mine}
            record[children.name] = nested if mine else None

    def _aggregate(self, compiled: Compiled) -> Row:
        rows = self._store.select(compiled.values, compiled.parameters)
        if compiled.is_count:
            return {"totalSize": rows[0][0], "done": True, "records": []}
        records = [
            {
                "attributes": {"type": "AggregateResult"},
                **{
                    output.name: to_json(output.field, value)
                    for output, value in zip(compiled.outputs, row, strict=True)
                },
            }
            for row in rows
        ]
        return {"totalSize": len(records), "done": True, "records": records}


class _Builder:
    """Turns rows of one query into records."""

    def __init__(self, compiled: Compiled, base: str, type_of: Callable[[str], str]) -> None:
        self._compiled = compiled
        self._urls = f"{base}/sobjects/"
        self._type_of = type_of
        self._first = 1 + len(compiled.links)
        self._is_boolean = [output.field.type == "boolean" for output in compiled.outputs]

    def record(self, row: tuple[Any, ...]) -> Row:
        record: Row = {"attributes": self._attributes(self._compiled.source, row[0])}
        nodes: dict[tuple[str, ...], Row | None] = {(): record}
        for position, link in enumerate(self._compiled.links, start=1):
            crm_id = row[position]
            nodes[link.chain] = (
                None if crm_id is None else {"attributes": self._attributes(link.sobject, crm_id)}
            )
        for output, value, is_boolean in zip(
            self._compiled.outputs, row[self._first :], self._is_boolean, strict=True
        ):
            self._place(nodes, output.chain)
            node = nodes[output.chain]
            if node is not None:
                node[output.name] = bool(value) if is_boolean else value
        return record

    @staticmethod
    def _place(nodes: dict[tuple[str, ...], Row | None], chain: tuple[str, ...]) -> None:
        """Hang the records on the way to `chain` where they belong, in the order selected."""
        for depth in range(1, len(chain) + 1):
            parent = nodes[chain[: depth - 1]]
            if parent is not None and chain[depth - 1] not in parent:
                parent[chain[depth - 1]] = nodes[chain[:depth]]

    def _attributes(self, sobject: str | None, crm_id: str) -> Row:
        kind = sobject or "Name"
        actual = sobject or self._type_of(crm_id)
        return {"type": kind, "url": f"{self._urls}{actual}/{crm_id}"}


def _compile(compiler: Compiler, query: Query, soql: str) -> Compiled:
    """Compile, with errors placed in the query's text as the API does it."""
    try:
        return compiler.compile(query)
    except ApiError as error:
        if error.code != "INVALID_FIELD":
            raise
        culprit = next((word for word in error.message.split("'")[1:2]), "")
        position = soql.find(culprit) if culprit else -1
        if position < 0:
            position = soql.find((names(query) or [""])[0])
        raise ApiError(
            error.status, error.code, place(soql, max(position, 0), error.message)
        ) from error
