"""Associations: reading them, making them, taking them away, and the portal's labels."""

from collections.abc import Sequence
from typing import Any

import orjson

from connectors.sandbox.hubspot import catalog
from connectors.sandbox.hubspot.batches import Batches
from connectors.sandbox.hubspot.calls import Call, member, members, record_id, whole
from connectors.sandbox.hubspot.errors import ApiError, invalid, not_found
from connectors.sandbox.hubspot.objects import next_page
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.records import Records
from connectors.sandbox.hubspot.store import Link
from connectors.sandbox.loopback import Response, reply_json

_MOST_READ, _MOST_CREATED, _MOST_ARCHIVED, _PAGE = 1_000, 2_000, 100, 500
_Types = list[dict[str, Any]]


class Links:
    """Endpoints of associations, v4 and date-based."""

    def __init__(self, practice: Practice, records: Records, batches: Batches) -> None:
        self._store = practice.store
        self._records = records
        self._batches = batches

    def read(self, call: Call) -> Response:
        """What up to 1,000 records are associated with; 207 for those with nothing."""
        source, target = call.type("from"), call.type("to")
        inputs = call.inputs(_MOST_READ)
        with self._store.lock:
            found = self._found(source, target, [record_id(each.get("id")) for each in inputs])
        shown, errors = [], []
        for each in inputs:
            linked = found.get(record_id(each.get("id")), [])
            if not linked:
                errors.append(_nothing(source, target, str(each["id"])))
                continue
            page, after = _page(linked, each.get("after"))
            entry: dict[str, Any] = {
                "from": {"id": str(each["id"])},
                "to": [_to(call, one) for one in page],
            }
            if after:
                entry["paging"] = {"next": {"after": after}}
            shown.append(entry)
        return self._batches.reply(shown, errors)

    def page(self, call: Call) -> Response:
        """What one record is associated with, a page."""
        source, target = call.type(), call.type("to")
        source_id = record_id(call.parts["id"])
        limit = call.number("limit", _PAGE, most=_PAGE)
        with self._store.lock:
            self._must_exist(source, source_id)
            linked = self._found(source, target, [source_id]).get(source_id, [])
        page, after = _page(linked, call.request.query.get("after"), limit)
        body: dict[str, Any] = {"results": [_to(call, one) for one in page]}
        if after:
            body["paging"] = next_page(call, after)
        return reply_json(body)

    def labels(self, call: Call) -> Response:
        """The kinds of association between two types."""
        source, target = call.type("from"), call.type("to")
        kinds = [
            {"category": "HUBSPOT_DEFINED", "typeId": each.type_id, "label": _own_label(each)}
            for each in catalog.LINK_TYPES.values()
            if (each.source, each.target) == (source.id, target.id)
        ]
        kinds += [
            {"category": "USER_DEFINED", "typeId": type_id, "label": label}
            for type_id, label in self._labels().items()
            if {source.id, target.id} == {catalog.DEAL, catalog.CONTACT}
        ]
        return reply_json({"results": kinds})

    def create(self, call: Call) -> Response:
        """201: associations of named types."""
        source, target = call.type("from"), call.type("to")
        shown, errors = [], []
        with self._store.transaction():
            for each in call.inputs(_MOST_CREATED):
                try:
                    ends = self._ends(source, target, each)
                    self._make(source, target, ends, members(each, "types"))
                except ApiError as error:
                    errors.append(error.row({}))
                    continue
                shown.append(_pair(source, target, ends))
        return self._batches.reply(shown, errors, 201)

    def create_default(self, call: Call) -> Response:
        """200: unlabelled associations."""
        source, target = call.type("from"), call.type("to")
        shown: list[Any] = []
        errors = []
        with self._store.transaction():
            for each in call.inputs(_MOST_CREATED):
                try:
                    ends = self._ends(source, target, each)
                    shown += self._make_default(source, target, ends)
                except ApiError as error:
                    errors.append(error.row({}))
        return self._batches.reply(shown, errors)

    def put_default(self, call: Call) -> Response:
        """200: one unlabelled association."""
        source, target, ends = self._addressed(call)
        with self._store.transaction():
            return self._batches.reply(self._make_default(source, target, ends))

    def put(self, call: Call) -> Response:
        """201: one association of the types in the body."""
        source, target, ends = self._addressed(call)
        types = members({"types": call.json()}, "types")
        with self._store.transaction():
            self._make(source, target, ends, types)
        return reply_json(_pair(source, target, ends), 201)

    def delete(self, call: Call) -> Response:
        """204: nothing is left between the two records."""
        source, target, ends = self._addressed(call)
        with self._store.transaction():
            self._unlink(source, target, ends)
        return Response(status=204)

    def archive(self, call: Call) -> Response:
        """204: nothing is left between the pairs."""
        source, target = call.type("from"), call.type("to")
        with self._store.transaction():
            for each in call.inputs(_MOST_ARCHIVED):
                source_id = record_id(member(each, "from", "id"))
                for to in members(each, "to"):
                    self._unlink(source, target, (source_id, record_id(member(to, "id"))))
        return Response(status=204)

    def _labels(self) -> dict[int, str]:
        return dict(self._store.select("SELECT type_id, label FROM label ORDER BY 1"))

    def _found(
        self, source: catalog.ObjectType, target: catalog.ObjectType, ids: Sequence[int]
    ) -> dict[int, list[tuple[int, _Types]]]:
        rows = self._store.select(
            "SELECT source_id, target_id, type_id FROM link WHERE source = ? AND target = ? "
            "AND source_id IN (SELECT value FROM json_each(?)) ORDER BY 1, 2, 3",
            (source.id, target.id, orjson.dumps(list(ids)).decode()),
        )
        labels = self._labels()
        found: dict[int, dict[int, _Types]] = {}
        for source_id, target_id, type_id in rows:
            kind = catalog.LINK_TYPES.get(type_id)
            found.setdefault(source_id, {}).setdefault(target_id, []).append(
                {
                    "category": "USER_DEFINED" if kind is None else "HUBSPOT_DEFINED",
                    "typeId": type_id,
                    "label": labels.get(type_id) if kind is None else _own_label(kind),
                }
            )
        return {source_id: list(linked.items()) for source_id, linked in found.items()}

    def _must_exist(self, kind: catalog.ObjectType, wanted: int) -> int:
        record = self._store.get(kind.id, wanted)
        if record is None or record.archived_at is not None:
            raise not_found(f"No {kind.singular} with ID {wanted} exists")
        return record.id

    def _ends(
        self, source: catalog.ObjectType, target: catalog.ObjectType, told: dict[str, Any]
    ) -> tuple[int, int]:
        return (
            self._must_exist(source, record_id(member(told, "from", "id"))),
            self._must_exist(target, record_id(member(told, "to", "id"))),
        )

    def _addressed(
        self, call: Call
    ) -> tuple[catalog.ObjectType, catalog.ObjectType, tuple[int, int]]:
        source, target = call.type(), call.type("to")
        told = {"from": {"id": call.parts["id"]}, "to": {"id": call.parts["to_id"]}}
        return source, target, self._ends(source, target, told)

    def _make(
        self,
        source: catalog.ObjectType,
        target: catalog.ObjectType,
        ends: tuple[int, int],
        types: Sequence[dict[str, Any]],
    ) -> None:
        if not types:
            raise invalid("types are required")
        links: list[Link] = []
        for each in types:
            type_id = whole(member(each, "associationTypeId"), "associationTypeId")
            if self._records.link_target(source.id, type_id) != target.id:
                raise invalid(f"{type_id} does not lead from {source.name} to {target.name}")
            links.append((source.id, ends[0], target.id, ends[1], type_id))
        self._records.link(links)

    def _make_default(
        self, source: catalog.ObjectType, target: catalog.ObjectType, ends: tuple[int, int]
    ) -> list[dict[str, Any]]:
        shown = []
        ways = ((source, target, ends[0], ends[1]), (target, source, ends[1], ends[0]))
        for one, two, one_id, two_id in ways:
            type_id = catalog.DEFAULT_LINKS.get((one.id, two.id))
            if type_id is None:
                raise invalid(f"{one.name} and {two.name} have no default association")
            self._records.link([(one.id, one_id, two.id, two_id, type_id)])
            shown.append(
                {
                    "from": {"id": str(one_id)},
                    "to": {"id": str(two_id)},
                    "associationSpec": {
                        "associationCategory": "HUBSPOT_DEFINED",
                        "associationTypeId": type_id,
                    },
                }
            )
        return shown

    def _unlink(
        self, source: catalog.ObjectType, target: catalog.ObjectType, ends: tuple[int, int]
    ) -> None:
        self._store.execute_many(
            "DELETE FROM link WHERE source = ? AND source_id = ? AND target = ? AND target_id = ?",
            [(source.id, ends[0], target.id, ends[1]), (target.id, ends[1], source.id, ends[0])],
        )
        for mine, other, deal_id in ((source, target, ends[0]), (target, source, ends[1])):
            if mine.id == catalog.DEAL and other.id in (*catalog.ACTIVITIES, catalog.CONTACT):
                self._records.touch(catalog.DEAL, deal_id)


def _own_label(kind: catalog.LinkType) -> str | None:
    return "Primary" if kind.is_primary else None


def _to(call: Call, linked: tuple[int, _Types]) -> dict[str, Any]:
    """v4 tells the id as a number, the date-based paths as text."""
    target_id, types = linked
    return {
        "toObjectId": str(target_id) if call.is_dated else target_id,
        "associationTypes": types,
    }


def _page(linked: list[Any], after: object, limit: int = _PAGE) -> tuple[list[Any], str | None]:
    start = int(str(after)) if str(after or "").isdigit() else 0
    end = start + limit
    return linked[start:end], str(end) if end < len(linked) else None


def _pair(
    source: catalog.ObjectType, target: catalog.ObjectType, ends: tuple[int, int]
) -> dict[str, Any]:
    return {
        "fromObjectTypeId": source.id,
        "fromObjectId": str(ends[0]),
        "toObjectTypeId": target.id,
        "toObjectId": str(ends[1]),
        "labels": [],
    }


def _nothing(
    source: catalog.ObjectType, target: catalog.ObjectType, source_id: str
) -> dict[str, Any]:
    error = ApiError(
        404,
        "OBJECT_NOT_FOUND",
        f"No {target.singular} is associated with {source.singular} {source_id}.",
        sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
    )
    return error.row(
        {
            "fromObjectId": [source_id],
            "fromObjectType": [source.singular],
            "toObjectType": [target.singular],
        }
    )
