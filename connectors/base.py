"""The contract between Forestage and a CRM. The docstrings are the contract.

Every method may raise `connectors.errors.ConnectorError` and nothing else. A connector
sleeps and retries passing trouble by itself within its time-outs; what still fails is
raised as `Retry`, so that the caller's cursor stands where the last stored page ended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from connectors.checks import Check
from connectors.records import (
    AccountInfo,
    FlagWrite,
    Page,
    PersonRecord,
    StageRecord,
    Standing,
    TaskWrite,
    WriteResult,
)

Stream = Literal["companies", "deals", "history", "contacts", "activities"]
STREAMS: tuple[Stream, ...] = ("companies", "deals", "history", "contacts", "activities")


class Reader(Protocol):
    """Reads one CRM account."""

    @property
    def calls(self) -> int:
        """HTTP calls made so far by this reader (0 for files)."""
        ...

    def account(self) -> AccountInfo:
        """The account's identity, time zone, fiscal year and clock."""
        ...

    def stages(self) -> Sequence[StageRecord]:
        """All stages of all pipelines, inactive ones too (old history uses them)."""
        ...

    def people(self) -> Sequence[PersonRecord]:
        """All users, inactive ones too."""
        ...

    def read(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Pages of a stream from `cursor` (None: everything) to the CRM's present.

        Incremental pages contain at least what changed since the cursor (look-back
        included); the caller upserts, so a page read twice changes nothing. Stopping
        between two pages loses nothing: reading from the last stored cursor goes on.
        `history` yields whole histories: `complete_histories` names the deals.
        """
        ...

    def deals_by_id(self, crm_ids: Sequence[str]) -> Page:
        """The named deals with their whole history, as they are now."""
        ...


@runtime_checkable
class Census(Protocol):
    """A Reader of a CRM from which deals can vanish without a trace."""

    def deal_ids(self) -> Iterator[Sequence[str]]:
        """The ids of all deals that the user can see now, deleted ones left out, page by page."""
        ...

    def deals_by_id(self, crm_ids: Sequence[str]) -> Page:
        """As a Reader's."""
        ...


class Writer(Protocol):
    """Writes flags and coaching tasks; the only code that changes a CRM."""

    @property
    def calls(self) -> int:
        """HTTP calls made so far by this writer."""
        ...

    def write_flags(self, flags: Sequence[FlagWrite]) -> Sequence[WriteResult]:
        """Upsert by key, in full batches; one result a flag, in order. One bad row never
        stops the others.
        """
        ...

    def write_tasks(self, tasks: Sequence[TaskWrite]) -> Sequence[WriteResult]:
        """Upsert by key, in full batches; one result a task, in order."""
        ...

    def standing_flags(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        """What stands in the CRM for these keys (None: all of ours), by key."""
        ...

    def standing_tasks(self, keys: Sequence[str] | None = None) -> Mapping[str, Standing]:
        """Likewise for coaching tasks."""
        ...

    def as_stored(self, record: FlagWrite | TaskWrite) -> Mapping[str, object]:
        """`record` as the CRM would store it: comparable with `Standing.values`."""
        ...

    def remove(
        self, kind: Literal["flag", "task"], crm_ids: Sequence[str]
    ) -> Sequence[WriteResult]:
        """Delete what Forestage wrote (`undo`); `key` of a result is the crm_id."""
        ...


class Setup(Protocol):
    """Installs what Forestage needs inside the CRM, with an admin's own session."""

    @property
    def calls(self) -> int:
        """HTTP calls made so far."""
        ...

    def missing(self) -> Sequence[str]:
        """Plain names of what is not installed yet or not visible; empty when complete."""
        ...

    def install(self) -> Sequence[str]:
        """Deploy the package; returns what was installed. Doing it twice changes nothing."""
        ...


class Doctor(Protocol):
    """Looks whether everything is there that reading and writing need."""

    def checks(self, now: Callable[[], datetime]) -> Sequence[Check]:
        """What was found, in order; only looks, writes nothing. `now` tells our own clock.

        What can't be reached or read is a check of its own and no error; where the CRM can't
        be reached at all, that check is the last.
        """
        ...
