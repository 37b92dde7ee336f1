"""`connectors.base.Writer` for Salesforce: upserts by external id, 200 rows a call."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from connectors.batches import Outgoing, Pause
from connectors.errors import Fatal, Skip
from connectors.records import FlagWrite, Standing, TaskWrite, WriteResult
from connectors.salesforce import outgoing
from connectors.salesforce.batches import run
from connectors.salesforce.client import Client, Row, chunks, in_list
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.outgoing import FLAG, FLAG_KEY, TASK, TASK_KEY

FLAG_SHAPE = Shape(
    sobject=FLAG,
    needed=("Id", FLAG_KEY, *(column.api for column in outgoing.FLAG_COLUMNS)),
)
FLAG_IDS = Shape(sobject=FLAG, needed=("Id", FLAG_KEY))
TASK_SHAPE = Shape(
    sobject=TASK,
    needed=(
        *("Id", TASK_KEY, "WhatId", "IsClosed"),
        *(column.api for column in outgoing.TASK_COLUMNS),
    ),
)
STATUS_SHAPE = Shape(
    sobject="TaskStatus",
    needed=("MasterLabel", "IsClosed", "IsDefault"),
    silent=("ApiName",),
)
_GONE = {"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"}
_NOT_SET_UP = "Forestage is not installed in this org, or its user lacks Forestage_Integration"


class SalesforceWriter:
    """Writes one org. Not for sharing between threads."""

    def __init__(self, client: Client, *, pause: Pause = time.sleep) -> None:
        self._pause = pause
        self._client = client
        self._fields = Fields(client)
        self._statuses: Mapping[str, str] | None = None

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._client.calls

    def write_flags(self, flags: Sequence[FlagWrite]) -> Sequence[WriteResult]:
        """Upsert by `Key__c`. Flags of one deal go together: parallel batches of them would
        lock each other out.
        """
        order = sorted(range(len(flags)), key=lambda place: flags[place].deal_crm_id)
        rows = [
            Outgoing(place, flags[place].key, outgoing.flag_row(flags[place])) for place in order
        ]
        return self._upsert(FLAG, FLAG_KEY, rows)

    def write_tasks(self, tasks: Sequence[TaskWrite]) -> Sequence[WriteResult]:
        """Upsert by `Forestage_Key__c`. A standing task keeps the status that a person gave
        it as long as it is open, or closed, as wanted; priority is left to the org's default.
        """
        flag_ids = self._flag_ids([task.flag_key for task in tasks if task.flag_key])
        standing = self.standing_tasks([task.key for task in tasks])
        rows = []
        for place, task in enumerate(tasks):
            stands = standing.get(task.key)
            is_kept = stands is not None and stands.values["status"] == task.status
            status = None if is_kept else self._status(task.status)
            row = outgoing.task_row(task, flag_ids=flag_ids, status=status)
            rows.append(Outgoing(place, task.key, row))
        return self._upsert(TASK, TASK_KEY, rows)

    def standing_flags(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        """What our flag records say, by key."""
        return {
            row[FLAG_KEY]: Standing(
                key=row[FLAG_KEY], crm_id=row["Id"], kind="flag", values=outgoing.flag_values(row)
            )
            for row in self._by_key(FLAG_SHAPE, FLAG_KEY, keys)
        }

    def standing_tasks(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        """What our tasks say, by key."""
        rows = list(self._by_key(TASK_SHAPE, TASK_KEY, keys))
        flag_keys = self._flag_keys([row["WhatId"] for row in rows if row["WhatId"]])
        return {
            row[TASK_KEY]: Standing(
                key=row[TASK_KEY],
                crm_id=row["Id"],
                kind="task",
                values=outgoing.task_values(row, flag_keys.get(row["WhatId"])),
            )
            for row in rows
        }

    def as_stored(self, record: FlagWrite | TaskWrite) -> Mapping[str, object]:
        """`record` as Salesforce would give it back; without an owner that key is absent."""
        if isinstance(record, FlagWrite):
            return outgoing.stored_flag(record)
        return outgoing.stored_task(record)

    def remove(
        self, kind: Literal["flag", "task"], crm_ids: Sequence[str]
    ) -> Sequence[WriteResult]:
        """Delete records; one that is gone already counts as deleted. `kind` is in the ids."""
        del kind
        rows = [Outgoing(place, crm_id, {}) for place, crm_id in enumerate(crm_ids)]
        return run(rows, self._delete, pause=self._pause)

    def _upsert(self, sobject: str, key: str, rows: Sequence[Outgoing]) -> Sequence[WriteResult]:
        path = f"composite/sobjects/{sobject}/{key}"

        def send(batch: Sequence[Outgoing]) -> Sequence[Row]:
            records = [{"attributes": {"type": sobject}, **each.row} for each in batch]
            body = {"allOrNone": False, "records": records}
            try:
                return list(self._client.send("PATCH", path, body) or ())
            except Skip as error:
                if error.code == "JSON_PARSER_ERROR":
                    raise
                raise Fatal(f"{_NOT_SET_UP}: {error}", code=error.code) from None

        return run(rows, send, pause=self._pause)

    def _delete(self, batch: Sequence[Outgoing]) -> Sequence[Row]:
        ids = ",".join(each.key for each in batch)
        answers = self._client.send("DELETE", f"composite/sobjects?ids={ids}&allOrNone=false")
        return [
            {**answer, "success": answer["success"] or _is_gone(answer)} for answer in answers or ()
        ]

    def _by_key(self, shape: Shape, key: str, keys: Sequence[str] | None) -> Iterator[Row]:
        try:
            if keys is None:
                conditions = [f"{key} != null"]
            else:
                conditions = [f"{key} IN {in_list(part)}" for part in chunks(keys)]
            for condition in conditions:
                for page in self._fields.query(shape, f"WHERE {condition}"):
                    yield from page.rows
        except Skip as error:
            raise Fatal(f"{_NOT_SET_UP}: {error}", code=error.code) from None

    def _flag_ids(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {row[FLAG_KEY]: row["Id"] for row in self._by_key(FLAG_IDS, FLAG_KEY, keys)}

    def _flag_keys(self, what_ids: Sequence[str]) -> Mapping[str, str]:
        """Ids of custom objects begin with `a`; a person may have moved a task elsewhere."""
        ours = sorted({crm_id for crm_id in what_ids if crm_id.startswith("a")})
        return {row["Id"]: row[FLAG_KEY] for row in self._by_key(FLAG_IDS, "Id", ours)}

    def _status(self, status: str) -> str:
        """The org's own word for an open or completed task: its default, else its first."""
        if self._statuses is None:
            found = self._fields.query(STATUS_SHAPE, "ORDER BY SortOrder")
            rows = [row for page in found for row in page.rows]
            ranked = sorted(rows, key=lambda row: not row["IsDefault"])
            words = {bool(row["IsClosed"]): _word(row) for row in reversed(ranked)}
            if set(words) != {True, False}:
                raise Fatal("this org's task statuses lack an open or a closed one")
            self._statuses = {"open": words[False], "completed": words[True]}
        return self._statuses[status]


def _word(status: Row) -> str:
    return str(status.get("ApiName") or status["MasterLabel"])


def _is_gone(answer: Mapping[str, Any]) -> bool:
    return any(error.get("statusCode") in _GONE for error in answer.get("errors") or ())
