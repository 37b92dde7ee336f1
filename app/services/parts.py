"""What the services are given: the database, the clock, the secrets, the way to a CRM."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from app.clock import Clock
from app.errors import CrmTrouble
from app.secrets import SecretBox
from app.services.keeping import StoredSecret
from app.store import calls
from app.store.connections import ConnectionRow
from app.store.database import Database
from connectors.base import Doctor, Reader, Setup, Writer
from connectors.budget import Budget
from connectors.errors import ConnectorError, Reauthorise, Retry
from connectors.keeping import SecretKeeper

_LONG_S = 120


class Crm(Protocol):
    """One CRM account, with credentials, whatever the vendor."""

    @property
    def budget(self) -> Budget:
        """The calls that all parts of this CRM share."""
        ...

    def reader(self) -> Reader:
        """Reads it."""
        ...

    def writer(self) -> Writer:
        """Writes flags and coaching tasks into it."""
        ...

    def setup(self) -> Setup:
        """Installs what Forestage needs inside it."""
        ...

    def doctor(self) -> Doctor:
        """Looks whether everything is there that it needs."""
        ...


class OpenCrm(Protocol):
    """Opens a CRM account. BadInput where the configuration is incomplete."""

    def __call__(
        self,
        crm: str,
        config: Mapping[str, Any],
        secret: Mapping[str, str],
        *,
        keeper: SecretKeeper | None = None,
    ) -> Crm:
        """No call is made before something is read. `keeper` keeps a secret that use changes."""
        ...


class Secrets(Protocol):
    """Gives the box of stored secrets; its key may be made at the first call."""

    def __call__(self) -> SecretBox:
        """The box."""
        ...


class Engine(Protocol):
    """What does the queued runs, seen from where they are queued."""

    def wake(self) -> None:
        """Tell it that a run waits; returns at once."""
        ...

    def state(self) -> Mapping[str, bool]:
        """Which of its parts are alive: `worker`, `clock`."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a use case is built from; made by bootstrap alone."""

    db: Database
    clock: Clock
    secrets: Secrets
    open_crm: OpenCrm

    def crm(self, row: ConnectionRow) -> Crm:
        """The CRM behind a connection, with what is left of its calls of the day."""
        secret = self.secrets().open(row.secret)
        crm = self.open_crm(row.crm, row.config, secret, keeper=self.keeper(row))
        with self.db.read() as conn:
            crm.budget.carry(calls.of_the_day(conn, row.id, at=self.clock.now()))
        return crm

    def keeper(self, row: ConnectionRow) -> SecretKeeper:
        """What stores the connection's secret where it changes."""
        return StoredSecret(self.db, self.secrets, row.id)

    @contextmanager
    def counted(self, row: ConnectionRow, *, dry_run: bool = False) -> Iterator[Crm]:
        """The same; the calls made by the end of the block are kept for the next ones, also
        where it fails. Those of a process that is killed are lost, and those of a dry run,
        which may store nothing.
        """
        crm = self.crm(row)
        try:
            yield crm
        finally:
            if not dry_run:
                with self.db.write() as conn:
                    calls.add(conn, row.id, crm.budget.made, at=self.clock.now())


def trouble(error: ConnectorError) -> CrmTrouble:
    """A connector's error as a person reads it, with what to do."""
    match error:
        case Reauthorise():
            advice = "check the credentials: `forestage connections add --replace`"
        case Retry(after=seconds) if seconds and seconds >= _LONG_S:
            advice = f"nothing is lost: run it again in {seconds / 60:.0f} minutes"
        case Retry():
            advice = "passing trouble, nothing is lost: run it again"
        case _:
            advice = "an admin of the CRM must look"
    code = f" [{error.code}]" if error.code and error.code not in str(error) else ""
    return CrmTrouble(f"the CRM said: {error}{code} ({advice})")
