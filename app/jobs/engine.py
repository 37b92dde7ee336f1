"""The engine of `serve`: the worker and the clock, started and stopped together."""

from collections.abc import Mapping

from app.jobs.schedule import scheduler
from app.jobs.worker import Worker
from app.services.parts import Parts


class JobEngine:
    """Worker and clock of one process."""

    def __init__(self, parts: Parts, *, sync_minutes: int, stop_seconds: float) -> None:
        self._stop_seconds = stop_seconds
        self._worker = Worker(parts)
        self._clock = scheduler(parts, minutes=sync_minutes, wake=self._worker.wake)

    def start(self) -> None:
        """Start both."""
        self._worker.start()
        self._clock.start()

    def stop(self) -> None:
        """Stop both; the run in progress is left so that the next start takes it up."""
        if self._clock.running:
            self._clock.shutdown(wait=False)
        self._worker.stop(self._stop_seconds)

    def wake(self) -> None:
        """Tell the worker that a run waits."""
        self._worker.wake()

    def state(self) -> Mapping[str, bool]:
        """Which parts are alive."""
        return {"worker": self._worker.alive, "clock": bool(self._clock.running)}
