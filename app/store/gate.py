"""One writer at a time within a process, with a short way in for who must not wait."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class WriteGate:
    """A lock that is had in the order of asking (a bulk writer would else keep it for itself),
    but that urgent writers (a webhook's receiver) have before all others that wait.

    Not re-entrant: a write inside a write would wait for itself, so it raises.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holder: int | None = None
        self._urgent: deque[object] = deque()
        self._patient: deque[object] = deque()

    @contextmanager
    def hold(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for the gate, hold it, free it."""
        self._enter(self._urgent if urgent else self._patient)
        try:
            yield
        finally:
            with self._changed:
                self._holder = None
                self._changed.notify_all()

    def _enter(self, queue: deque[object]) -> None:
        me, ticket = threading.get_ident(), object()
        with self._changed:
            if self._holder == me:
                raise RuntimeError("a write transaction was opened inside another one")
            queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._holder is None and self._next() is ticket)
                self._holder = me
            finally:
                queue.remove(ticket)
                self._changed.notify_all()

    def _next(self) -> object:
        return (self._urgent or self._patient)[0]
