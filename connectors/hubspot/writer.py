"""`connectors.base.Writer` for HubSpot: flags as properties of their deal, tasks by their key.

HubSpot has no If-Match: a deal's flags are read, changed and written by Forestage alone, one
write-back of a connection at a time.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from zoneinfo import ZoneInfo

from connectors.batches import Outgoing, Pause, refused, run
from connectors.errors import Fatal, Skip
from connectors.hubspot import outgoing
from connectors.hubspot.client import Client, Row
from connectors.hubspot.faults import MISSING_SCOPES, NO_PROPERTY, row_error
from connectors.hubspot.fields import Fields, Shape
from connectors.hubspot.outgoing import STATE, TASK_KEY, State, TaskColumns
from connectors.hubspot.structure import Portal, Structure
from connectors.records import FlagWrite, Standing, TaskWrite, WriteResult

BATCH = 100
FLAGS_SHAPE = Shape(name="deals", needed=(STATE,), optional=outgoing.SHOWN)
_STATUSES = {"open": "NOT_STARTED", "completed": "COMPLETED"}
_ENDED = {"resolved", "expired"}
_NOT_SET_UP = "Forestage is not set up in this portal: run `forestage setup --deploy`"
_SEPARATOR = ":"


class HubSpotWriter:
    """Writes one portal. Not for sharing between threads."""

    def __init__(self, client: Client, portal: Portal, *, pause: Pause = time.sleep) -> None:
        self._client = client
        self._fields = Fields(client)
        self._structure = Structure(client, portal)
        self._pause = pause
        self._columns: TaskColumns | None = None

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._client.calls

    def write_flags(self, flags: Sequence[FlagWrite]) -> Sequence[WriteResult]:
        """Change the flags of each deal by key; one call for up to 100 deals. All flags of a
        deal share its fate. One that has ended on a deal that is gone needs no writing.
        """
        wanted: defaultdict[str, State] = defaultdict(dict)
        for flag in flags:
            wanted[flag.deal_crm_id][flag.key] = outgoing.flag_entry(flag)
        states = self._states(list(wanted))
        after = {crm_id: {**states[crm_id], **wanted[crm_id]} for crm_id in states}
        written = self._write_deals(after)
        results = []
        for flag in flags:
            crm_id = _flag_id(flag.deal_crm_id, flag.key)
            deal = written.get(flag.deal_crm_id)
            is_new = flag.key not in states.get(flag.deal_crm_id, {})
            results.append(_result(flag, deal, crm_id=crm_id, is_new=is_new))
        return results

    def write_tasks(self, tasks: Sequence[TaskWrite]) -> Sequence[WriteResult]:
        """Upsert by `forestage_key`. A standing task keeps the status that a person gave it as
        long as it is open, or closed, as wanted.
        """
        columns, rows = self._task_columns(), []
        standing = self.standing_tasks([task.key for task in tasks])
        for place, task in enumerate(tasks):
            stands = standing.get(task.key)
            is_kept = stands is not None and stands.values["status"] == task.status
            status = None if is_kept else _STATUSES[task.status]
            properties = columns.row(task, status=status)
            row = {"idProperty": TASK_KEY, "id": task.key, "properties": properties}
            rows.append(Outgoing(place, task.key, row))
        return self._send("tasks", "upsert", rows)

    def standing_flags(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        """What our properties say, by key. A key alone does not tell its deal, so all deals with
        flags are looked through; one first flagged within the last moments may be missing,
        since search has not seen it yet.
        """
        wanted = None if keys is None else set(keys)
        if wanted is not None and not wanted:
            return {}
        ids = [str(row["id"]) for row in self._having("deals", STATE)]
        return {
            key: Standing(key=key, crm_id=_flag_id(crm_id, key), kind="flag", values=values)
            for crm_id, told in self._told(ids).items()
            for key, values in outgoing.standing_values(crm_id, told).items()
            if wanted is None or key in wanted
        }

    def standing_tasks(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        """What our tasks say, by key."""
        columns = self._task_columns()
        shape = Shape(name="tasks", needed=(TASK_KEY,), optional=columns.properties[1:])
        try:
            if keys is None:
                ids = [str(row["id"]) for row in self._having("tasks", TASK_KEY)]
                rows = self._fields.by_id(shape, ids)
            else:
                rows = self._fields.by_id(shape, list(dict.fromkeys(keys)), key=TASK_KEY)
        except Skip as error:
            raise _unready(error) from None
        return {
            row["properties"][TASK_KEY]: Standing(
                key=row["properties"][TASK_KEY],
                crm_id=str(row["id"]),
                kind="task",
                values=columns.values(row["properties"]),
            )
            for row in rows
        }

    def as_stored(self, record: FlagWrite | TaskWrite) -> Mapping[str, object]:
        """`record` as HubSpot would give it back."""
        if isinstance(record, FlagWrite):
            return outgoing.stored_flag(record)
        return self._task_columns().stored(record)

    def remove(
        self, kind: Literal["flag", "task"], crm_ids: Sequence[str]
    ) -> Sequence[WriteResult]:
        """Take flags off their deals, or archive tasks; what is gone already counts as done."""
        if kind == "task":
            rows = [Outgoing(n, crm_id, {"id": crm_id}) for n, crm_id in enumerate(crm_ids)]
            return run(rows, self._archive, size=BATCH, pause=self._pause)
        gone: defaultdict[str, set[str]] = defaultdict(set)
        for crm_id in crm_ids:
            deal_id, _, key = crm_id.partition(_SEPARATOR)
            gone[deal_id].add(key)
        states = self._states(list(gone))
        left = {
            deal_id: {key: entry for key, entry in state.items() if key not in gone[deal_id]}
            for deal_id, state in states.items()
        }
        written = self._write_deals(left)
        done = WriteResult(key="", outcome="written")
        return [
            _renamed(written.get(crm_id.partition(_SEPARATOR)[0], done), key=crm_id)
            for crm_id in crm_ids
        ]

    def _write_deals(self, states: Mapping[str, State]) -> Mapping[str, WriteResult]:
        """The outcome by deal id; a deal with more flags than fit is parked by itself."""
        rows, results = [], {}
        for place, (crm_id, state) in enumerate(states.items()):
            try:
                properties = outgoing.deal_properties(state)
            except Skip as error:
                results[crm_id] = WriteResult(key=crm_id, outcome="parked", error=str(error))
                continue
            rows.append(Outgoing(place, crm_id, {"id": crm_id, "properties": properties}))
        for result in self._send("deals", "update", rows):
            results[result.key] = result
        return results

    def _send(self, name: str, verb: str, rows: Sequence[Outgoing]) -> Sequence[WriteResult]:
        place = f"objects/{name}/batch/{verb}"

        def send(batch: Sequence[Outgoing]) -> Sequence[WriteResult]:
            traced = {str(each.place): each for each in batch}
            inputs = [{**each.row, "objectWriteTraceId": trace} for trace, each in traced.items()]
            try:
                answer = self._client.call("POST", place, body={"inputs": inputs})
            except Skip as error:
                if error.code in {NO_PROPERTY, MISSING_SCOPES}:
                    raise _unready(error) from None
                raise
            return _results(batch, answer)

        return run(rows, send, size=BATCH, pause=self._pause)

    def _archive(self, batch: Sequence[Outgoing]) -> Sequence[WriteResult]:
        self._client.call(
            "POST", "objects/tasks/batch/archive", body={"inputs": [each.row for each in batch]}
        )
        return [WriteResult(key=each.key, outcome="written", crm_id=each.key) for each in batch]

    def _states(self, deal_ids: Sequence[str]) -> Mapping[str, State]:
        """What is written on these deals; those that are gone are left out."""
        told = self._told(deal_ids)
        return {crm_id: outgoing.state_of(properties) for crm_id, properties in told.items()}

    def _told(self, deal_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        try:
            rows = self._fields.by_id(FLAGS_SHAPE, deal_ids)
        except Skip as error:
            raise _unready(error) from None
        except Fatal as error:
            raise Fatal(f"{_NOT_SET_UP}: {error}", code=error.code) from None
        wanted = set(deal_ids)
        return {str(row["id"]): row["properties"] for row in rows if str(row["id"]) in wanted}

    def _having(self, name: str, property_name: str) -> Iterator[Row]:
        above, is_more = None, True
        while is_more:
            try:
                rows, is_more = self._fields.having(Shape(name=name), property_name, above=above)
            except Skip as error:
                raise _unready(error) from None
            yield from rows
            above = str(max((int(row["id"]) for row in rows), default=0))

    def _task_columns(self) -> TaskColumns:
        if self._columns is None:
            self._columns = TaskColumns(ZoneInfo(self._structure.time_zone()))
        return self._columns


def _results(batch: Sequence[Outgoing], answer: Mapping[str, Any]) -> Sequence[WriteResult]:
    """One result a row: written, refused with HubSpot's words, or not mentioned (tried again)."""
    written = {str(row.get("objectWriteTraceId")): row for row in answer["results"]}
    errors = {
        str(trace): error for error in answer.get("errors") or () for trace in _named(error, batch)
    }
    results = []
    for each in batch:
        trace = str(each.place)
        if trace in errors:
            words, is_passing = row_error(errors[trace])
            results.append(refused(each, words, "retry" if is_passing else "parked"))
        elif trace in written:
            row = written[trace]
            results.append(
                WriteResult(
                    key=each.key,
                    outcome="written",
                    crm_id=str(row["id"]),
                    created=bool(row.get("new")),
                )
            )
        else:
            results.append(refused(each, "HubSpot told nothing of this row", "retry"))
    return results


def _named(error: Mapping[str, Any], batch: Sequence[Outgoing]) -> Sequence[str]:
    """The rows (trace ids) that an error of a batch is about."""
    context = error.get("context") or {}
    if context.get("objectWriteTraceId"):
        return [str(trace) for trace in context["objectWriteTraceId"]]
    ids = {str(crm_id) for name in ("ids", "id") for crm_id in context.get(name) or ()}
    return [str(each.place) for each in batch if str(each.row.get("id")) in ids]


def _result(flag: FlagWrite, deal: WriteResult | None, *, crm_id: str, is_new: bool) -> WriteResult:
    if deal is None and flag.status in _ENDED:
        return WriteResult(key=flag.key, outcome="written", crm_id=crm_id)
    if deal is None:
        error = f"the deal {flag.deal_crm_id} is deleted, or merged into another one"
        return WriteResult(key=flag.key, outcome="parked", error=error)
    if deal.outcome != "written":
        return _renamed(deal, key=flag.key)
    return WriteResult(key=flag.key, outcome="written", crm_id=crm_id, created=is_new)


def _renamed(result: WriteResult, *, key: str) -> WriteResult:
    return WriteResult(key=key, outcome=result.outcome, crm_id=None, error=result.error)


def _flag_id(deal_id: str, key: str) -> str:
    return f"{deal_id}{_SEPARATOR}{key}"


def _unready(error: Skip) -> Fatal:
    return Fatal(f"{_NOT_SET_UP}, or its token lacks a scope: {error}", code=error.code)
