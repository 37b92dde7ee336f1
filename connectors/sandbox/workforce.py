"""The simulated people at work behind a practice CRM: their clock, and what they have done."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from connectors.sandbox.acts import Act
from connectors.sandbox.clock import SandboxClock, Wall
from connectors.sandbox.database import Database
from connectors.sandbox.organisation import Organisation

# Applies acts to a CRM's records, and gives how many there were.
Play = Callable[[Iterable[Act]], int]


class Workforce:
    """People whose state is in the database; opened again, they go on.

    Their time and the sandbox's drift apart, because real time passes between two calls of
    `advance`; `place` maps theirs to the sandbox's.
    """

    def __init__(self, database: Database, *, seed: int, deals: int, wall: Wall) -> None:
        self._db = database
        self._segments: list[tuple[datetime, float]] = [
            (datetime.fromisoformat(start), shift)
            for start, shift in database.meta("segments") or []
        ]
        self.is_new = database.meta("clock") is None
        if self.is_new:
            end = wall().replace(microsecond=0)
            self._people = Organisation.create(seed=seed, deals=deals, end=end)
            self.clock = SandboxClock(began_at=end, started_at=end, wall=wall)
        else:
            self._people = Organisation.from_state(database.meta("people"))
            self.clock = SandboxClock.from_json(database.meta("clock"), wall)

    def found(self, play: Play) -> None:
        """Let the company be set up and its past happen."""
        with self._db.transaction():
            play(self._people.setup_acts())
            play(self._people.acts())
            self._save()

    def advance(self, days: int, play: Play) -> int:
        """People work on for `days`, and the clock moves; gives the number of their acts.

        What has passed in real time since they last worked moves them along, so that
        nothing they do lies before the instant at which this was asked.
        """
        with self._db.transaction():
            self._start_segment(self.clock.now() - self.place(self._people.now))
            count = play(self._people.advance(days))
            self.clock.advance(days)
            self._save()
        return count

    def place(self, at: datetime) -> datetime:
        """An instant of the people's time in the sandbox's."""
        for start, shift in reversed(self._segments):
            if at > start:
                return at + timedelta(seconds=shift)
        return at

    def truth(self, current: Callable[[str], str | None]) -> Iterator[str]:
        """JSON lines of what was meant; `current` gives a deal's id by its key."""
        for row in self._people.truth():
            yield json.dumps(
                {
                    "deal": current(row.deal),
                    "rule": row.rule,
                    "at": self.place(row.at).isoformat(),
                    "decoy": row.is_decoy,
                    "kind": row.kind,
                }
            )

    def _save(self) -> None:
        self._db.save_meta("clock", self.clock.as_json())
        self._db.save_meta("people", self._people.state())

    def _start_segment(self, idle: timedelta) -> None:
        """From the people's present on, what they do comes later by `idle`."""
        before = self._segments[-1][1] if self._segments else 0.0
        self._segments.append((self._people.now, before + idle.total_seconds()))
        saved = [(start.isoformat(), shift) for start, shift in self._segments]
        self._db.save_meta("segments", saved)
