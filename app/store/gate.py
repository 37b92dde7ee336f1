"""One writer at a time within a process, with a short way in for who must not wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WriteGate:
    """A lock that urgent writers (a webhook's receiver) pass before all that wait.

    Not re-entrant: a write inside a write would wait for itself, so it raises.
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._holder: int | None = None
        self._urgent_waiting = 0

    @contextmanager
    def hold(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for the gate, hold it, free it."""
        self._enter(urgent=urgent)
        try:
            yield
        finally:
            with self._free:
                self._holder = None
                self._free.notify_all()

    def _enter(self, *, urgent: bool) -> None:
        me = threading.get_ident()
        with self._free:
            if self._holder == me:
                raise RuntimeError("a write transaction was opened inside another one")
            self._urgent_waiting += urgent
            try:
                self._free.wait_for(
                    lambda: self._holder is None and (urgent or not self._urgent_waiting)
                )
                self._holder = me
            finally:
                self._urgent_waiting -= urgent
