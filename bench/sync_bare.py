"""The bare loop: the same calls by httpx, read by orjson, rows into SQLite by executemany.

It knows nothing of deltas, of identities or of what a row means: the floor of any sync.
"""

import csv
import io
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import orjson
from sync_traffic import Exchange

JOB_ROWS = 10_000
Tables = Iterator[tuple[str, list[tuple[Any, ...]]]]


def replay(calls: Sequence[Exchange], store: Path) -> int:
    """Ask the same again and store all rows; gives the rows that answers had."""
    rows = 0
    with closing(sqlite3.connect(store)) as conn, httpx.Client(trust_env=False) as http:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = NORMAL")
        tables = _Tables(conn)
        for call in calls:
            if call.is_login or httpx.codes.is_error(call.status) or _goes_on(call):
                continue
            for name, told in _answers(http, call):
                rows += tables.store(name, told)
                conn.commit()
    return rows


def _goes_on(call: Exchange) -> bool:
    """Whether it goes on with a query or a job of Salesforce's: the one of here is another."""
    _, is_query, place = call.path.rstrip("/").rpartition("/query")
    return bool(is_query) and place.count("/") > 0


def _answers(http: httpx.Client, call: Exchange) -> Iterator[tuple[str, Any]]:
    """The pages that a call leads to, each with the name of its table."""
    name = call.path.strip("/").replace("/", "_")
    page = _asked(http, call, call.url)
    if call.path.endswith("/jobs/query"):
        yield from ((name, lines) for lines in _job(http, call, page.json()["id"]))
        return
    while True:
        told = orjson.loads(page.content)
        yield name, told
        more = told.get("nextRecordsUrl") if isinstance(told, dict) else None
        if more is None:
            return
        page = _asked(http, call, more)


def _job(http: httpx.Client, call: Exchange, job_id: str) -> Iterator[list[list[str]]]:
    """The lines of a bulk job, page by page, without their heads."""
    place, locator = f"{call.path}/{job_id}", ""
    while _asked(http, call, place, "GET").json()["state"] != "JobComplete":
        time.sleep(0.2)
    while locator != "null":
        query = f"?maxRecords={JOB_ROWS}" + (f"&locator={locator}" if locator else "")
        page = _asked(http, call, f"{place}/results{query}", "GET")
        locator = page.headers.get("Sforce-Locator", "null")
        yield list(csv.reader(io.StringIO(page.text, newline="")))[1:]


def _asked(
    http: httpx.Client, call: Exchange, url: str, method: str | None = None
) -> httpx.Response:
    headers = {"Authorization": call.token or "", "Content-Type": "application/json"}
    body = call.body if method is None else None
    address = httpx.URL(call.url).join(url)
    answer = http.request(
        method or call.method, address, content=body, headers=headers, timeout=120
    )
    answer.raise_for_status()
    return answer


class _Tables:
    """Makes a table when its first rows come."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._known: set[str] = set()

    def store(self, name: str, page: Any) -> int:
        """Store a page; gives its rows."""
        if isinstance(page, list):
            self._insert(name, page)
            return len(page) if name.endswith("_jobs_query") else 0
        records = page.get("records") or page.get("results") or []
        if records:
            told = _salesforce(records) if "records" in page else _hubspot(name, records)
            for table, rows in told:
                self._insert(table, rows)
        return len(records)

    def _insert(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        if not rows or not isinstance(rows[0], (list, tuple)):
            return
        table = f"{name}_{len(rows[0])}"
        if table not in self._known:
            columns = ", ".join(f"c{number}" for number in range(len(rows[0])))
            self._conn.execute(f'CREATE TABLE IF NOT EXISTS "{table}" ({columns})')
            self._known.add(table)
        marks = ", ".join("?" * len(rows[0]))
        self._conn.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)


def _salesforce(records: Sequence[Mapping[str, Any]]) -> Tables:
    rows = [
        tuple(_plain(value) for name, value in record.items() if name != "attributes")
        for record in records
    ]
    yield str(records[0]["attributes"]["type"]), rows


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return _plain(list(value.values())[-1])
    return value


def _hubspot(name: str, records: Sequence[Mapping[str, Any]]) -> Tables:
    if "from" in records[0]:
        links = [
            (each["from"]["id"], to["toObjectId"], orjson.dumps(to["associationTypes"]))
            for each in records
            for to in each["to"]
        ]
        yield name, links
    elif "properties" in records[0]:
        told = ("id", "createdAt", "updatedAt", "archived")
        yield (
            name,
            [
                (*(each.get(part) for part in told), *each["properties"].values())
                for each in records
            ],
        )
        revisions = [
            (each["id"], field, *(entry.get(part) for part in _REVISION))
            for each in records
            for field, entries in (each.get("propertiesWithHistory") or {}).items()
            for entry in entries
        ]
        yield "history", revisions
    else:
        yield name, [(orjson.dumps(each),) for each in records]


_REVISION = ("timestamp", "value", "sourceType", "sourceId", "updatedByUserId")
