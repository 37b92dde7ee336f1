"""Single records: list, get, create, change, bin, search and merge."""

from typing import Any
from urllib.parse import urlencode

from connectors.sandbox.hubspot.calls import Call, record_id
from connectors.sandbox.hubspot.errors import invalid, not_found
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.records import Records
from connectors.sandbox.hubspot.search import Search
from connectors.sandbox.hubspot.store import record_from
from connectors.sandbox.hubspot.views import Views, Wanted
from connectors.sandbox.loopback import Response, reply_json

PAGE, PAGE_WITH_HISTORY = 100, 50
_DEFAULT_PAGE = 10


class Objects:
    """Endpoints under `/objects/{type}` that concern one record or a page of them."""

    def __init__(self, practice: Practice, records: Records, views: Views) -> None:
        self._store = practice.store
        self._records = records
        self._views = views
        self._search = Search(practice, views)

    def page(self, call: Call) -> Response:
        """A page in the order of ids; `after` is the first id of the next one."""
        kind, wanted = call.type(), wanted_of(call)
        limit = call.number(
            "limit", _DEFAULT_PAGE, most=PAGE_WITH_HISTORY if wanted.history else PAGE
        )
        after = call.request.query.get("after") or "0"
        archived = call.flag("archived")
        oldest = self._records.oldest_archive()
        state = "archived_at >= ?" if archived else "archived_at IS NULL AND ? <> ''"
        with self._store.lock:
            rows = self._store.select(
                "SELECT type, id, created_at, updated_at, archived_at, props, history FROM object "
                f"WHERE type = ? AND id >= ? AND {state} ORDER BY id LIMIT ?",
                (kind.id, record_id(after), oldest, limit + 1),
            )
            records = [record_from(row) for row in rows[:limit]]
            body: dict[str, Any] = {"results": self._views.show(records, wanted)}
        if len(rows) > limit:
            body["paging"] = next_page(call, str(rows[limit][1]))
        return reply_json(body)

    def get(self, call: Call) -> Response:
        """One record, by id or by the unique property `idProperty`."""
        with self._store.lock:
            return reply_json(self._views.show([self._find(call)], wanted_of(call))[0])

    def create(self, call: Call) -> Response:
        """201 and the record."""
        body = call.body()
        with self._store.transaction():
            record = self._records.create(
                call.type(),
                body.get("properties", {}),
                links=body.get("associations"),
                version=call.version,
            )
            shown = self._views.show([record], Wanted(properties=list(record.props)))[0]
        return reply_json(shown, 201)

    def update(self, call: Call) -> Response:
        """The record with what was changed."""
        told = call.body().get("properties", {})
        with self._store.transaction():
            record = self._records.update(self._find(call), told, version=call.version)
            return reply_json(self._views.show([record], Wanted(properties=list(told)))[0])

    def archive(self, call: Call) -> Response:
        """204, whether it was there or not."""
        with self._store.transaction():
            self._records.archive(call.type(), [call.parts["id"]])
        return Response(status=204)

    def search(self, call: Call) -> Response:
        """A page of what is found."""
        return reply_json(self._search.run(call))

    def merge(self, call: Call) -> Response:
        """The merged record, under its new id."""
        body = call.body()
        if "primaryObjectId" not in body or "objectIdToMerge" not in body:
            raise invalid("primaryObjectId and objectIdToMerge are required")
        with self._store.transaction():
            merged = self._records.merge(
                call.type(), body["primaryObjectId"], body["objectIdToMerge"]
            )
            return reply_json(self._views.show([merged], Wanted())[0])

    def _find(self, call: Call) -> Any:
        record = self._records.find(
            call.type(),
            call.parts["id"],
            by=call.request.query.get("idProperty"),
            archived=call.flag("archived"),
        )
        if record is None:
            raise not_found()
        return record


def wanted_of(call: Call) -> Wanted:
    """What the parameters ask for."""
    return Wanted(
        properties=call.many("properties"),
        history=call.many("propertiesWithHistory"),
        associations=call.many("associations"),
    )


def next_page(call: Call, after: str) -> dict[str, Any]:
    """The paging of a reply that has a next page."""
    kept = [(name, value) for name, value in call.request.pairs if name != "after"]
    link = f"{call.base_url}{call.request.path}?{urlencode([*kept, ('after', after)])}"
    return {"next": {"after": after, "link": link}}
