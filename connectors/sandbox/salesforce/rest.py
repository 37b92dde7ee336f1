"""The versioned REST resources: describe, query, records, collections, limits, deploys."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.loopback import Request, Response, reply_json
from connectors.sandbox.salesforce import describe
from connectors.sandbox.salesforce.batches import Collections
from connectors.sandbox.salesforce.bulk import Bulk
from connectors.sandbox.salesforce.deploy import Deploys
from connectors.sandbox.salesforce.errors import ApiError, not_found
from connectors.sandbox.salesforce.ids import MASTER_RECORD_TYPE, as_18
from connectors.sandbox.salesforce.objects import Sobject
from connectors.sandbox.salesforce.practice import Practice
from connectors.sandbox.salesforce.query import PAGE, SMALLEST_PAGE, Queries
from connectors.sandbox.salesforce.records import Records
from connectors.sandbox.salesforce.values import read_datetime, stamp

_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Usage:
    """How many calls the organisation has had today, and how many it may have."""

    calls: int
    daily: int


@dataclass(frozen=True, slots=True)
class Call:
    """A request, with its API version, the path after it and the calls of the day."""

    request: Request
    version: str
    path: str
    usage: Usage

    @property
    def base(self) -> str:
        """The path that addresses in the reply begin with."""
        return f"/services/data/v{self.version}"


Handler = Callable[[Call, Mapping[str, str]], Response]


class Rest:
    """Resources of one organisation."""

    def __init__(
        self, practice: Practice, deploys: Deploys, strikes_lock: Callable[[], bool]
    ) -> None:
        self._practice = practice
        self._store = practice.store
        self._queries = Queries(practice.store, practice.calendar)
        self._records = Records(practice.store, practice.now, practice.context())
        self._collections = Collections(practice.store, self._records, strikes_lock)
        self._bulk = Bulk(practice, self._queries)
        self._deploys = deploys
        collections = "/composite/sobjects"
        job = r"/jobs/query/(?P<id>\w+)"
        record = r"/sobjects/(?P<name>\w+)/(?P<id>\w{15}|\w{18})"
        by_key = r"/sobjects/(?P<name>\w+)/(?P<key>\w+)/(?P<value>.+)"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", r"/?", self._resources),
            ("GET", r"/limits", self._limits),
            ("GET", r"/sobjects", self._global),
            ("GET", r"/sobjects/(?P<name>\w+)/describe", self._describe),
            ("GET", r"/sobjects/(?P<name>\w+)", self._basic),
            ("GET", r"/(?P<how>query|queryAll)", self._query),
            ("GET", r"/query(?:All)?/(?P<locator>[\w-]+)", self._more),
            (
                "GET",
                r"/ui-api/object-info/(?P<name>\w+)/picklist-values/(?P<type>\w+)/(?P<field>\w+)",
                self._picklist,
            ),
            ("GET", r"/sobjects/(?P<name>\w+)/(?P<what>updated|deleted)", self._changed),
            ("POST", r"/sobjects/(?P<name>\w+)", self._create),
            ("GET", record, self._read),
            ("PATCH", record, self._update),
            ("DELETE", record, self._delete),
            ("GET", by_key, self._read_by_key),
            ("PATCH", by_key, self._upsert),
            ("DELETE", by_key, self._delete_by_key),
            ("POST", collections, self._create_many),
            ("PATCH", collections, self._update_many),
            ("DELETE", collections, self._delete_many),
            ("PATCH", collections + r"/(?P<name>\w+)/(?P<key>\w+)", self._upsert_many),
            ("POST", "/jobs/query", self._job_made),
            ("GET", "/jobs/query", lambda _, __: self._bulk.listed()),
            ("GET", job, lambda _, found: self._bulk.status(found["id"])),
            ("PATCH", job, self._job_aborted),
            ("DELETE", job, lambda _, found: self._bulk.delete(found["id"])),
            ("GET", job + "/results", self._job_results),
            ("POST", "/metadata/deployRequest", self._deploy),
            ("GET", r"/metadata/deployRequest/(?P<id>\w+)", self._deploy_status),
        ]
        self._routes = [(method, re.compile(path + r"/?\Z"), run) for method, path, run in routes]

    def serve(self, call: Call) -> Response:
        """Answer one call."""
        method = "GET" if call.request.method == "HEAD" else call.request.method
        path_known = False
        for wanted, shape, run in self._routes:
            found = shape.match(call.path)
            if found is None:
                continue
            path_known = True
            if wanted == method:
                with self._store.lock:
                    return run(call, found.groupdict())
        if path_known:
            raise ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed.")
        raise not_found()

    def _sobject(self, name: str) -> Sobject:
        found = self._store.catalog.find(name)
        if found is None:
            raise not_found()
        return found

    def _resources(self, call: Call, _: Mapping[str, str]) -> Response:
        names = ("sobjects", "query", "queryAll", "limits", "composite", "metadata", "ui-api")
        return reply_json({name: f"{call.base}/{name}" for name in names})

    def _limits(self, call: Call, _: Mapping[str, str]) -> Response:
        usage = call.usage
        remaining = max(usage.daily - usage.calls, 0)
        return reply_json(
            {
                "DailyApiRequests": {"Max": usage.daily, "Remaining": remaining},
                "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
                "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
                "DataStorageMB": {"Max": 10_240, "Remaining": 10_000},
            }
        )

    def _global(self, call: Call, _: Mapping[str, str]) -> Response:
        listed = [describe.brief(each, call.base) for each in self._store.catalog.visible.values()]
        return reply_json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})

    def _describe(self, call: Call, found: Mapping[str, str]) -> Response:
        sobject = self._sobject(found["name"])
        types = self._store.select(
            'SELECT "Id", "Name", "DeveloperName", "IsActive" FROM "RecordType" '
            'WHERE "SobjectType" = ? ORDER BY "Id"',
            (sobject.name,),
        )
        rows = [(row[0], row[1], row[2], bool(row[3])) for row in types]
        return reply_json(describe.full(sobject, self._store.catalog, rows, call.base))

    def _basic(self, call: Call, found: Mapping[str, str]) -> Response:
        sobject = self._sobject(found["name"])
        return reply_json({"objectDescribe": describe.brief(sobject, call.base), "recentItems": []})

    def _query(self, call: Call, found: Mapping[str, str]) -> Response:
        soql = call.request.query.get("q")
        if not soql:
            raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
        asked = _BATCH_SIZE.search(call.request.headers.get("sforce-query-options", ""))
        page = min(max(int(asked[1]), SMALLEST_PAGE), PAGE) if asked else PAGE
        reply = self._queries.run(
            soql, base=call.base, page=page, with_deleted=found["how"] == "queryAll"
        )
        return reply_json(reply)

    def _more(self, call: Call, found: Mapping[str, str]) -> Response:
        return reply_json(self._queries.more(found["locator"], base=call.base))

    def _picklist(self, call: Call, found: Mapping[str, str]) -> Response:
        """Values of a picklist for a record type; the master record type has them all."""
        sobject = self._sobject(found["name"])
        field = sobject.field(found["field"])
        if field is None or not field.picklist:
            raise not_found()
        record_type = as_18(found["type"])
        allowed = {choice.value for choice in field.picklist}
        if field.name == "StageName" and record_type != MASTER_RECORD_TYPE:
            rows = self._store.select(
                "SELECT stage FROM _process WHERE record_type = ?", (record_type,)
            )
            if not rows:
                raise not_found("Unable to find the record type")
            allowed = {row[0] for row in rows}
        values: list[dict[str, Any]] = [
            {
                "attributes": None,
                "label": choice.label,
                "validFor": [],
                "value": choice.value,
            }
            for choice in field.picklist
            if choice.value in allowed and choice.is_active
        ]
        return reply_json(
            {
                "controllerValues": {},
                "defaultValue": None,
                "eTag": f"{len(values):032x}",
                "url": f"{call.base}{call.path}",
                "values": values,
            }
        )

    def _changed(self, call: Call, found: Mapping[str, str]) -> Response:
        """`updated` and `deleted` between two instants."""
        sobject = self._sobject(found["name"])
        edges = [read_datetime(call.request.query.get(name, "")) for name in ("start", "end")]
        start, end = edges
        if start is None or end is None:
            raise ApiError(400, "INVALID_FIELD", "start and end must be dateTimes")
        is_deleted = int(found["what"] == "deleted")
        rows = self._store.select(
            f'SELECT "Id", "SystemModstamp" FROM "{sobject.name}" WHERE "IsDeleted" = ? '
            'AND "SystemModstamp" >= ? AND "SystemModstamp" < ? ORDER BY "SystemModstamp", "Id"',
            (is_deleted, stamp(start), stamp(end)),
        )
        covered = min(stamp(end), self._practice.now())
        if not is_deleted:
            return reply_json({"ids": [row[0] for row in rows], "latestDateCovered": covered})
        deleted = [{"id": row[0], "deletedDate": row[1]} for row in rows]
        return reply_json(
            {
                "deletedRecords": deleted,
                "earliestDateAvailable": stamp(start),
                "latestDateCovered": covered,
            }
        )

    def _read(self, call: Call, found: Mapping[str, str]) -> Response:
        sobject = self._sobject(found["name"])
        crm_id = self._records.existing(sobject, found["id"])["Id"]
        return self._one(call, sobject, crm_id)

    def _read_by_key(self, call: Call, found: Mapping[str, str]) -> Response:
        sobject = self._sobject(found["name"])
        return self._one(call, sobject, self._by_key(call, sobject, found))

    def _one(self, call: Call, sobject: Sobject, crm_id: str) -> Response:
        asked = call.request.query.get("fields")
        fields = asked or ", ".join(each.name for each in sobject.fields)
        soql = f"SELECT {fields} FROM {sobject.name} WHERE Id = '{crm_id}'"
        return reply_json(self._queries.run(soql, base=call.base)["records"][0])

    def _by_key(self, call: Call, sobject: Sobject, found: Mapping[str, str]) -> str:
        crm_ids = self._records.by_key(sobject, found["key"], found["value"])
        if not crm_ids:
            raise not_found()
        if len(crm_ids) > 1:
            raise ApiError(
                300, "DUPLICATE_EXTERNAL_ID", f"{call.path} is carried by {len(crm_ids)} records"
            )
        return crm_ids[0]

    def _create(self, call: Call, found: Mapping[str, str]) -> Response:
        crm_id = self._records.create(self._sobject(found["name"]), _object(call))
        return reply_json({"id": crm_id, "success": True, "errors": []}, 201)

    def _update(self, call: Call, found: Mapping[str, str]) -> Response:
        self._records.update(self._sobject(found["name"]), found["id"], _object(call))
        return Response(status=204)

    def _delete(self, _: Call, found: Mapping[str, str]) -> Response:
        self._records.delete(self._sobject(found["name"]), found["id"])
        return Response(status=204)

    def _delete_by_key(self, call: Call, found: Mapping[str, str]) -> Response:
        sobject = self._sobject(found["name"])
        self._records.delete(sobject, self._by_key(call, sobject, found))
        return Response(status=204)

    def _upsert(self, call: Call, found: Mapping[str, str]) -> Response:
        crm_id, is_new = self._records.upsert(
            self._sobject(found["name"]), found["key"], found["value"], _object(call)
        )
        body = {"id": crm_id, "success": True, "errors": [], "created": is_new}
        return reply_json(body, 201 if is_new else 200)

    def _create_many(self, call: Call, _: Mapping[str, str]) -> Response:
        return reply_json(self._collections.create(call.request.json()))

    def _update_many(self, call: Call, _: Mapping[str, str]) -> Response:
        return reply_json(self._collections.update(call.request.json()))

    def _upsert_many(self, call: Call, found: Mapping[str, str]) -> Response:
        sobject = self._sobject(found["name"])
        return reply_json(self._collections.upsert(call.request.json(), sobject, found["key"]))

    def _delete_many(self, call: Call, _: Mapping[str, str]) -> Response:
        query = call.request.query
        crm_ids = [each.strip() for each in query.get("ids", "").split(",") if each.strip()]
        all_or_none = query.get("allOrNone", "false").lower() == "true"
        return reply_json(self._collections.delete(crm_ids, all_or_none=all_or_none))

    def _job_made(self, call: Call, _: Mapping[str, str]) -> Response:
        return self._bulk.create(_object(call), call.version)

    def _job_aborted(self, call: Call, found: Mapping[str, str]) -> Response:
        return self._bulk.abort(found["id"], _object(call))

    def _job_results(self, call: Call, found: Mapping[str, str]) -> Response:
        return self._bulk.results(found["id"], call.request.query)

    def _deploy(self, call: Call, _: Mapping[str, str]) -> Response:
        return reply_json(self._deploys.receive(call.request), 201)

    def _deploy_status(self, _: Call, found: Mapping[str, str]) -> Response:
        return reply_json(self._deploys.status(found["id"]))


def _object(call: Call) -> dict[str, Any]:
    body = call.request.json()
    if not isinstance(body, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body must be an object")
    return body
