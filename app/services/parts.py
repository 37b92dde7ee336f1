"""What the services are given: the database, the clock, the secrets, the way to a CRM."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.clock import Clock
from app.errors import CrmTrouble
from app.secrets import SecretBox
from app.store.connections import ConnectionRow
from app.store.database import Database
from connectors.base import Doctor, Reader, Setup, Writer
from connectors.errors import ConnectorError, Reauthorise, Retry


class Crm(Protocol):
    """One CRM account, with credentials, whatever the vendor."""

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

    def __call__(self, crm: str, config: Mapping[str, Any], secret: Mapping[str, str]) -> Crm:
        """No call is made before something is read."""
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
        """The CRM behind a connection."""
        return self.open_crm(row.crm, row.config, self.secrets().open(row.secret))


def trouble(error: ConnectorError) -> CrmTrouble:
    """A connector's error as a person reads it, with what to do."""
    match error:
        case Reauthorise():
            advice = "check the credentials: `forestage connections add --replace`"
        case Retry():
            advice = "passing trouble, nothing is lost: run it again"
        case _:
            advice = "an admin of the CRM must look"
    code = f" [{error.code}]" if error.code and error.code not in str(error) else ""
    return CrmTrouble(f"the CRM said: {error}{code} ({advice})")
