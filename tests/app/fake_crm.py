"""A writer that keeps a CRM's flags and tasks in memory, with trouble on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import count
from typing import Any, Literal

from connectors.errors import ConnectorError, Retry
from connectors.records import FlagWrite, Standing, TaskWrite, WriteResult

Record = FlagWrite | TaskWrite


@dataclass
class CrmRecords:
    """What stands in the CRM, by key, and every write that it took."""

    flags: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[Record] = field(default_factory=list)

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return self.flags if kind == "flag" else self.tasks


class FakeWriter:
    """Writes CrmRecords. `refuse`: keys that are parked; `busy`: keys to be tried again;
    `break_at`: after so many rows the line is cut, `answers` telling whether the rows of that
    call were stored all the same.
    """

    def __init__(
        self,
        crm: CrmRecords,
        *,
        refuse: Sequence[str] = (),
        busy: Sequence[str] = (),
        break_at: int | None = None,
        error: ConnectorError | None = None,
    ) -> None:
        self.crm = crm
        self.refuse = refuse
        self.busy = busy
        self.break_at = break_at
        self.error = error or Retry("the line was cut")
        self._calls = 0
        self._ids = count(len(crm.flags) + len(crm.tasks) + 1)

    @property
    def calls(self) -> int:
        return self._calls

    def write_flags(self, flags: Sequence[FlagWrite]) -> Sequence[WriteResult]:
        return self._write("flag", flags)

    def write_tasks(self, tasks: Sequence[TaskWrite]) -> Sequence[WriteResult]:
        return self._write("task", tasks)

    def standing_flags(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        return self._standing("flag", keys)

    def standing_tasks(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        return self._standing("task", keys)

    def as_stored(self, record: Record) -> Mapping[str, object]:
        """As this CRM keeps it: reasons are cut at 40 letters."""
        values = {one.name: getattr(record, one.name) for one in fields(record)}
        if isinstance(record, FlagWrite):
            values["reason"] = record.reason[:40]
        if record.owner_crm_id is None:
            del values["owner_crm_id"]
        return values

    def remove(
        self, kind: Literal["flag", "task"], crm_ids: Sequence[str]
    ) -> Sequence[WriteResult]:
        self._calls += 1
        stored = self.crm.of(kind)
        keys = {values["crm_id"]: key for key, values in stored.items()}
        for crm_id in crm_ids:
            stored.pop(keys[crm_id], None)
        return [WriteResult(key=crm_id, outcome="written", crm_id=crm_id) for crm_id in crm_ids]

    def _write(
        self, kind: Literal["flag", "task"], records: Sequence[Record]
    ) -> Sequence[WriteResult]:
        self._calls += 1
        results = []
        for record in records:
            if self.break_at is not None and len(self.crm.writes) >= self.break_at:
                raise self.error
            results.append(self._one(kind, record))
        return results

    def _one(self, kind: Literal["flag", "task"], record: Record) -> WriteResult:
        if record.key in self.refuse:
            return WriteResult(key=record.key, outcome="parked", error="FIELD_CUSTOM: not here")
        if record.key in self.busy:
            return WriteResult(key=record.key, outcome="retry", error="UNABLE_TO_LOCK_ROW")
        stored = self.crm.of(kind)
        created = record.key not in stored
        crm_id = f"{kind}-{next(self._ids)}" if created else stored[record.key]["crm_id"]
        stored[record.key] = {**self.as_stored(record), "crm_id": crm_id}
        self.crm.writes.append(record)
        return WriteResult(key=record.key, outcome="written", crm_id=crm_id, created=created)

    def _standing(
        self, kind: Literal["flag", "task"], keys: Sequence[str] | None
    ) -> Mapping[str, Standing]:
        self._calls += 1
        return {
            key: Standing(
                key=key,
                crm_id=values["crm_id"],
                kind=kind,
                values={name: value for name, value in values.items() if name != "crm_id"},
            )
            for key, values in self.crm.of(kind).items()
            if keys is None or key in keys
        }
