"""First reads of large objects by Bulk API 2.0: a query job, its result read page by page.

A job outlives us: its id and the locator of the page stand in the cursor, so that a read that
was killed goes on with the same job (Salesforce keeps results for seven days). What bulk does
not support is read by REST.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConnectorError, Fatal, Retry, Skip
from connectors.salesforce.client import Client, Row
from connectors.salesforce.fields import Fields, Shape

FROM_ROWS = 2_000
"""Below this many rows one REST page does it; Salesforce draws the same line."""
POLLS_S = (1.0, 2.0, 4.0, 8.0, 15.0, *[30.0] * 60)
_DONE, _ENDED = "JobComplete", ("Aborted", "Failed")
_LOST = "BULK_JOB_LOST"
_UNSUPPORTED = {
    *("INVALIDENTITY", "API_ERROR", "FEATURENOTENABLED", "LIMIT_EXCEEDED", "NOT_FOUND"),
    *(
        "INVALID_FIELD",
        "INVALID_TYPE",
        "INVALIDJOB",
        "BULK_JOB_FAILED",
        "FUNCTIONALITY_NOT_ENABLED",
    ),
}
_NUMBERS = {"double", "currency", "percent"}


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a job: where it begins (empty: at the first row) and the page after it (None:
    it is the last).
    """

    rows: Sequence[Row]
    locator: str
    following: str | None


def is_lost(error: ConnectorError) -> bool:
    """Whether a job is no longer there, so that the read must begin anew."""
    return error.code == _LOST


@dataclass(frozen=True, slots=True)
class Job:
    """A job by its id, and how many rows it will have, about."""

    id: str
    rows: int


def begin(fields: Fields, shape: Shape, where: str, order: str = "") -> Job | None:
    """A new job that reads `shape`, deleted and archived rows too; None where it has
    no more than `FROM_ROWS` rows, or where bulk does not support it.
    """
    client = fields.client
    soql = fields.soql(shape, f"WHERE {where} {order}".strip())
    rows = client.count(f"{shape.sobject} WHERE {where}")
    if rows <= FROM_ROWS:
        return None
    body = {
        "operation": "queryAll",
        "query": soql,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    try:
        return Job(client.send("POST", "jobs/query", body)["id"], rows)
    except (Fatal, Skip) as error:
        if error.code not in _UNSUPPORTED:
            raise
        fields.warn(f"{shape.sobject} is read by REST, since bulk refuses it: {error}")
        return None


def parts(fields: Fields, shape: Shape, job_id: str, locator: str) -> Iterator[Part]:
    """The pages of a job from `locator` on, once it is complete; then the job is forgotten.

    Raises `Skip` with a code that `is_lost` knows where the job has failed or is gone.
    """
    client = fields.client
    _wait(client, job_id)
    kinds = {
        name: each.get("type") for name, each in (fields.describe(shape.sobject) or {}).items()
    }
    here: str | None = locator
    while here is not None:
        told = _asked(client.results, job_id, here)
        yield Part(list(_rows(told.content, kinds)), here, told.following)
        here = told.following
    client.discard(f"jobs/query/{job_id}")


def _wait(client: Client, job_id: str) -> None:
    for pause in POLLS_S:
        job = _asked(client.get, f"jobs/query/{job_id}")
        if job["state"] == _DONE:
            return
        if job["state"] in _ENDED:
            words = job.get("errorMessage") or job["state"]
            raise Skip(f"the bulk job {job_id} has failed: {words}", code=_LOST)
        client.pause(pause)
    raise Retry(f"the bulk job {job_id} is still at work")


def _asked(ask: Callable[..., Any], *args: Any) -> Any:
    try:
        return ask(*args)
    except Skip as error:
        raise Skip(str(error), code=_LOST) from None


def _rows(content: bytes, kinds: Mapping[str, str | None]) -> Iterator[Row]:
    """CSV as rows like those of REST: typed, parents as rows within, an empty cell is null."""
    lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    names = next(lines, [])
    columns = [(*name.rpartition("."), _reader(kinds.get(name))) for name in names]
    for line in lines:
        row: Row = {}
        for (relation, _, name, read), text in zip(columns, line, strict=True):
            value = read(text) if text else None
            if relation:
                row.setdefault(relation, {})[name] = value
            else:
                row[name] = value
        yield row


def _reader(kind: str | None) -> Callable[[str], Any]:
    if kind == "boolean":
        return _is_true
    if kind == "int":
        return _whole
    return float if kind in _NUMBERS else str


def _is_true(text: str) -> bool:
    return text == "true"


def _whole(text: str) -> int:
    return int(float(text))  # "0.0" occurs
