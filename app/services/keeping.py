"""A connection's secret where using it changes it: stored anew, sealed, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass

from app.secrets import SecretBox
from app.store import connections
from app.store.database import Database
from connectors.keeping import Secret


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A `connectors.keeping.SecretKeeper` on our own store.

    The transaction is open while the CRM is asked, a second or two every two hours: what it
    answers must be stored before anybody uses either token again.
    """

    db: Database
    box: Callable[[], SecretBox]
    connection_id: int

    def exchange(self, renew: Callable[[Secret], Secret]) -> None:
        """See `SecretKeeper`."""
        with self.db.write() as conn:
            present = self.box().open(connections.locked_secret(conn, self.connection_id))
            renewed = renew(present)
            if renewed != present:
                sealed = self.box().seal(renewed)
                connections.update(conn, self.connection_id, secret=sealed)
