"""What the contract suite does to a CRM from outside, whichever CRM it is."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from connectors.base import Reader, Writer
from connectors.sandbox import acts

BEGAN = datetime(2026, 6, 15, 14, tzinfo=UTC)
PEOPLE = ("person-rep-000", "person-rep-001", "person-rep-002", "person-manager-000", "person-ops")


class Wall:
    """Real time as the tests tell it."""

    def __init__(self) -> None:
        self.at = BEGAN

    def __call__(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Door(Protocol):
    """One tiny CRM account that the test alone works in. Deals go by the test's own keys."""

    wall: Wall

    def reader(self) -> Reader: ...

    def writer(self) -> Writer | None:
        """None: nothing can be written there."""
        ...

    def deals(self) -> list[str]:
        """Keys of the deals that stand."""
        ...

    def stages(self, deal: str) -> list[str]: ...

    def crm_id(self, deal: str) -> str:
        """The id of now: merged deals have another one than before."""
        ...

    def edit(self, deal: str, *, by: str, late_s: float = 0, **fields: Any) -> None:
        """A save of stage, amount, close_on, owner, next_step by a person; `late_s`: it was
        begun so long ago, and is seen only now.
        """
        ...

    def edit_by_program(self, deal: str, **fields: Any) -> None:
        """The same by a program."""
        ...

    def call(self, deal: str, *, by: str) -> None:
        """A call is logged on the deal."""
        ...

    def delete(self, deal: str, *, by: str) -> None: ...

    def undelete(self, deal: str) -> None: ...

    def merge(self, deal: str, other: str) -> None:
        """NotImplementedError where a CRM does not merge deals."""
        ...

    def faults(self, *told: dict[str, Any]) -> None: ...

    def calls_by_path(self) -> dict[str, int]: ...


class Crowd:
    """The people of a practice CRM, whose acts `play` takes."""

    def __init__(self, store: Any, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._serial = 0

    def id_of(self, key: str) -> str:
        return str(self._store.id_of(key))

    def deals(self, first: str) -> list[str]:
        """Keys of all deals; `first`: what their ids begin with."""
        rows = self._store.select("SELECT key, id FROM _key ORDER BY key")
        return [key for key, crm_id in rows if key.startswith("deal-") and crm_id.startswith(first)]

    def edit(self, deal: str, *, by: str, late_s: float, **fields: Any) -> acts.Act:
        at = self._now() - timedelta(seconds=late_s)
        return acts.EditDeal(at=at, by=by, deal=deal, **fields)

    def delete(self, deal: str, *, by: str) -> acts.Act:
        return acts.DeleteDeal(at=self._now(), by=by, deal=deal)

    def call(self, deal: str, *, by: str) -> acts.Act:
        self._serial += 1
        return acts.LogCall(
            at=self._now(),
            by=by,
            key=f"{deal}-further-call{self._serial}",
            subject="Call",
            owner=by,
            minutes=12,
            outcome="connected",
            deal=deal,
        )


def day(text: str) -> date:
    return date.fromisoformat(text)
