"""Bulk API 2.0: query jobs whose results are read as CSV, page by page."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.loopback import Response, reply_json
from connectors.sandbox.salesforce.errors import ApiError, not_found
from connectors.sandbox.salesforce.practice import Practice
from connectors.sandbox.salesforce.query import Cursor, Queries

PAGE = 50_000
_SQL_PAGE = 2_000
_POLLS = 1  # as often it says that it is still at work
_OPERATIONS = {"query": False, "queryAll": True}
_TERMINAL = ("JobComplete", "Aborted", "Failed")


@dataclass(slots=True)
class _Job:
    """One job. What it finds is fixed when it is made."""

    about: dict[str, Any]
    cursor: Cursor
    polls: int = 0


class Bulk:
    """The query jobs of one organisation; they end with the process."""

    def __init__(self, practice: Practice, queries: Queries) -> None:
        self._practice = practice
        self._queries = queries
        self._jobs: dict[str, _Job] = {}
        self._made = 0

    def create(self, told: Mapping[str, Any], version: str) -> Response:
        """A job is queued; what can't be read in bulk is refused at once."""
        operation, soql = told.get("operation"), told.get("query")
        if operation not in _OPERATIONS or not isinstance(soql, str):
            raise ApiError(400, "INVALIDJOB", "operation and query are needed")
        if told.get("contentType", "CSV") != "CSV":
            raise ApiError(400, "INVALIDJOB", "contentType must be CSV")
        cursor = self._queries.fix(soql, with_deleted=_OPERATIONS[operation])
        self._refuse(cursor)
        self._made += 1
        job_id = f"750Fs{self._made:013d}"
        now = self._practice.now()
        about = {
            "id": job_id,
            "operation": operation,
            "object": cursor.compiled.source,
            "createdById": self._practice.user_id,
            "createdDate": now,
            "systemModstamp": now,
            "state": "UploadComplete",
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(version),
            "lineEnding": told.get("lineEnding", "LF"),
            "columnDelimiter": told.get("columnDelimiter", "COMMA"),
        }
        self._jobs[job_id] = _Job(about, cursor)
        return reply_json(about)

    def listed(self) -> Response:
        """All jobs."""
        records = [job.about for job in self._jobs.values()]
        return reply_json({"done": True, "records": records, "nextRecordsUrl": None})

    def status(self, job_id: str) -> Response:
        """How far it is; looking is what moves it on."""
        job = self._job(job_id)
        if job.about["state"] not in _TERMINAL:
            job.about["state"] = "InProgress" if job.polls < _POLLS else "JobComplete"
            job.polls += 1
        processed = len(job.cursor.ids) if job.about["state"] == "JobComplete" else 0
        more = {"jobType": "V2Query", "numberRecordsProcessed": processed, "retries": 0}
        return reply_json({**job.about, **more, "totalProcessingTime": 0})

    def results(self, job_id: str, query: Mapping[str, str]) -> Response:
        """A page of CSV; `Sforce-Locator` leads to the next one, "null" is the end."""
        job = self._job(job_id)
        if job.about["state"] != "JobComplete":
            raise ApiError(400, "INVALIDJOBSTATE", f"the job is {job.about['state']}")
        start, size = query.get("locator", "0"), query.get("maxRecords", str(PAGE))
        if not start.isdigit() or not size.isdigit() or int(size) < 1:
            raise ApiError(400, "INVALIDLOCATOR", "locator or maxRecords can't be right")
        end = int(start) + min(int(size), PAGE)
        ids = job.cursor.ids[int(start) : end]
        return Response(
            body=self._csv(job, ids).encode(),
            content_type="text/csv",
            headers={
                "Sforce-Locator": str(end) if end < len(job.cursor.ids) else "null",
                "Sforce-NumberOfRecords": str(len(ids)),
            },
        )

    def abort(self, job_id: str, told: Mapping[str, Any]) -> Response:
        """`{"state": "Aborted"}`."""
        job = self._job(job_id)
        if told.get("state") != "Aborted" or job.about["state"] in _TERMINAL:
            raise ApiError(400, "INVALIDJOBSTATE", f"the job is {job.about['state']}")
        job.about["state"] = "Aborted"
        return reply_json(job.about)

    def delete(self, job_id: str) -> Response:
        """Forget a job that has ended."""
        job = self._job(job_id)
        if job.about["state"] not in _TERMINAL:
            raise ApiError(400, "INVALIDJOBSTATE", f"the job is {job.about['state']}")
        del self._jobs[job_id]
        return Response(status=204)

    def _job(self, job_id: str) -> _Job:
        if job_id not in self._jobs:
            raise not_found()
        return self._jobs[job_id]

    def _refuse(self, cursor: Cursor) -> None:
        source = cursor.compiled.source
        if source in self._practice.not_in_bulk():
            words = f"Entity '{source}' is not supported by the Bulk API."
            raise ApiError(400, "INVALIDENTITY", words)
        if cursor.compiled.children:
            words = "Nested SELECT statements are not supported in Bulk Query"
            raise ApiError(400, "API_ERROR", words)

    def _csv(self, job: _Job, ids: Sequence[str]) -> str:
        compiled = job.cursor.compiled
        names = [".".join((*output.chain, output.name)) for output in compiled.outputs]
        kinds = [output.field.type for output in compiled.outputs]
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(names)
        for place in range(0, len(ids), _SQL_PAGE):
            for row in self._queries.values(job.cursor, ids[place : place + _SQL_PAGE]):
                writer.writerow(_cells(kinds, row))
        return text.getvalue()


def _cells(kinds: Iterable[str], row: Sequence[Any]) -> list[Any]:
    return [_cell(kind, value) for kind, value in zip(kinds, row, strict=True)]


def _cell(kind: str, value: Any) -> Any:
    if value is None:
        return ""
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "datetime":
        return str(value).replace("+0000", "Z")
    return value
