"""The practice organisation behind the API: its records, its clock and its people."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from connectors.sandbox.clock import SandboxClock, Wall, wall_clock
from connectors.sandbox.organisation import Organisation
from connectors.sandbox.salesforce import effects
from connectors.sandbox.salesforce.load import Loader
from connectors.sandbox.salesforce.load_setup import refresh_stages
from connectors.sandbox.salesforce.soql_dates import Calendar
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import stamp

_DATABASE = "salesforce.db"


class Practice:
    """One organisation with its state in a directory; opened again, it goes on."""

    def __init__(self, state_dir: Path, *, seed: int, deals: int, wall: Wall = wall_clock) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.store = Store(state_dir / _DATABASE)
        self._stage_rows: dict[str, effects.StageRow] = {}
        self._segments: list[tuple[datetime, float]] = [
            (datetime.fromisoformat(start), shift)
            for start, shift in self.store.meta("segments") or []
        ]
        self._blank_history = self.store.blank("OpportunityHistory")
        self._start_month: int | None = None
        if self.store.meta("clock") is None:
            self._found(seed, deals, wall)
        else:
            self.people = Organisation.from_state(self.store.meta("people"))
            self.clock = SandboxClock.from_json(self.store.meta("clock"), wall)
            refresh_stages(self.store)
        self.store.refresh_grants()
        self.store.catalog.hide(self.store.meta("hidden") or ())

    @property
    def organisation_id(self) -> str:
        """The id of the Organization record."""
        return str(self.store.select('SELECT "Id" FROM "Organization"')[0][0])

    @property
    def user_id(self) -> str:
        """The id of the API user."""
        return str(self.store.meta("api_user"))

    def now(self) -> str:
        """The simulated present as the API writes it."""
        return stamp(self.clock.now())

    def calendar(self) -> Calendar:
        """What date literals depend on."""
        return Calendar(
            now=self.clock.now(),
            time_zone=str(self.store.meta("time_zone")),
            fiscal_year_start_month=self._fiscal_year_start_month(),
        )

    def context(self) -> effects.SaveContext:
        """What saving an opportunity depends on."""
        return effects.SaveContext(
            stage=self._stage,
            fiscal_year_start_month=self._fiscal_year_start_month,
            new_history_id=lambda: self.store.new_id("OpportunityHistory"),
            blank_history=lambda: dict(self._blank_history),
        )

    def advance(self, days: int) -> int:
        """People work on for `days`, and the clock moves; gives the number of their acts.

        What has passed in real time since they last worked moves them along, so that
        nothing they do lies before the instant at which this was asked.
        """
        with self.store.transaction():
            idle = self.clock.now() - self._place(self.people.now)
            self._start_segment(idle)
            count = self._loader().play(self.people.advance(days))
            self.clock.advance(days)
            self.store.save_meta("clock", self.clock.as_json())
            self.store.save_meta("people", self.people.state())
        return count

    def hide(self, names: Sequence[str]) -> None:
        """Take objects and fields from the API user; see `Catalog.hide`."""
        with self.store.transaction():
            self.store.catalog.hide(names)
            self.store.save_meta("hidden", list(names))

    def truth(self) -> Iterator[str]:
        """JSON lines of what was meant, `deal` by its id here."""
        for row in self.people.truth():
            found = self.store.select("SELECT id FROM _key WHERE key = ?", (row.deal,))
            yield json.dumps(
                {
                    "deal": found[0][0] if found else None,
                    "rule": row.rule,
                    "at": self._place(row.at).isoformat(),
                    "decoy": row.is_decoy,
                    "kind": row.kind,
                }
            )

    def counts(self) -> dict[str, int]:
        """Records by object."""
        return {
            name: self.store.select(f'SELECT COUNT(*) FROM "{name}"')[0][0]
            for name in self.store.catalog.all
        }

    def _found(self, seed: int, deals: int, wall: Wall) -> None:
        end = wall().replace(microsecond=0)
        self.people = Organisation.create(seed=seed, deals=deals, end=end)
        self.clock = SandboxClock(began_at=end, started_at=end, wall=wall)
        with self.store.transaction():
            loader = self._loader()
            loader.play(self.people.setup_acts())
            loader.play(self.people.acts())
            self.store.save_meta("clock", self.clock.as_json())
            self.store.save_meta("people", self.people.state())

    def _loader(self) -> Loader:
        return Loader(self.store, self.context(), self._place)

    def _start_segment(self, idle: timedelta) -> None:
        """From the people's present on, what they do comes later by `idle`."""
        before = self._segments[-1][1] if self._segments else 0.0
        self._segments.append((self.people.now, before + idle.total_seconds()))
        saved = [(start.isoformat(), shift) for start, shift in self._segments]
        self.store.save_meta("segments", saved)

    def _place(self, at: datetime) -> datetime:
        """An instant of the people's time in the sandbox's."""
        for start, shift in reversed(self._segments):
            if at > start:
                return at + timedelta(seconds=shift)
        return at

    def _fiscal_year_start_month(self) -> int:
        if self._start_month is None:
            self._start_month = int(self.store.meta("fiscal_year_start_month"))
        return self._start_month

    def _stage(self, label: str) -> effects.StageRow:
        if label not in self._stage_rows:
            rows = self.store.select(
                'SELECT "DefaultProbability", "ForecastCategory", "ForecastCategoryName", '
                '"IsClosed", "IsWon" FROM "OpportunityStage" WHERE "ApiName" = ?',
                (label,),
            )
            if not rows:
                raise effects.no_such_stage(label)
            probability, code, name, is_closed, is_won = rows[0]
            self._stage_rows[label] = effects.StageRow(
                probability=probability,
                forecast_code=code,
                forecast_name=name,
                is_closed=bool(is_closed),
                is_won=bool(is_won),
            )
        return self._stage_rows[label]
