"""The worker: one thread that does the queued runs, oldest first."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from app.errors import ForestageError
from app.services import work
from app.services.parts import Parts
from app.services.progress import Progress
from app.store import connections, runs
from app.store.connections import ConnectionRow
from app.store.runs import RunKind, RunRow

POLL_SECONDS = 5.0
REPORT_SECONDS = 1.0

logger = structlog.get_logger(__name__)


class Do(Protocol):
    """Does a run that is marked as running (`app.services.work.concluded`)."""

    def __call__(
        self,
        parts: Parts,
        row: ConnectionRow,
        run_id: int,
        *,
        kind: RunKind,
        arguments: Mapping[str, Any],
        progress: Progress | None = None,
    ) -> Mapping[str, Any]:
        """Stores how it ended; Interrupted where it was left."""
        ...


class Worker:
    """Does runs until stopped. Every run may be cut anywhere and taken up again."""

    def __init__(self, parts: Parts, *, do: Do = work.concluded) -> None:
        self._parts = parts
        self._run = do
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it is at work, or waiting for some."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Queue again what a killed process left behind, then begin."""
        with self._parts.db.write() as conn:
            again = runs.requeue_interrupted(conn, at=self._parts.clock.now())
        if again:
            logger.info("interrupted runs queued again", runs=again)
        self._thread.start()

    def wake(self) -> None:
        """A run waits."""
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Stop at the next report of the run in progress, at most `seconds` from now."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(seconds)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                run = self._claim()
            except Exception:
                logger.exception("the queue can't be read")
                run = None
            if run is not None:
                self._do(run)
                continue
            self._woken.wait(POLL_SECONDS)
            self._woken.clear()

    def _claim(self) -> RunRow | None:
        with self._parts.db.read() as conn:
            if not runs.queued(conn):
                return None
        with self._parts.db.write() as conn:
            return runs.claim(conn, at=self._parts.clock.now())

    def _do(self, run: RunRow) -> None:
        log = logger.bind(run=run.id, kind=run.kind)
        log.info("run begins")
        try:
            with self._parts.db.read() as conn:
                row = connections.by_id(conn, run.connection_id)
            self._run(
                self._parts,
                row,
                run.id,
                kind=run.kind,
                arguments=run.arguments,
                progress=self._reporter(run.id),
            )
            log.info("run done", connection=row.name)
        except work.Interrupted:
            with self._parts.db.write() as conn:
                runs.requeue_interrupted(conn, at=self._parts.clock.now())
        except ForestageError as error:
            log.warning("run failed", error=str(error))
        except Exception:
            log.exception("run failed")

    def _reporter(self, run_id: int) -> Progress:
        last = 0.0

        def report(step: str, done: int, total: int | None) -> None:
            nonlocal last
            if self._stopping.is_set():
                raise work.Interrupted
            if time.monotonic() - last < REPORT_SECONDS:
                return
            last = time.monotonic()
            with self._parts.db.write() as conn:
                runs.report(conn, run_id, {"step": step, "done": done, "total": total})

        return report
