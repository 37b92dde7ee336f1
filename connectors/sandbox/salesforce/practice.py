"""The practice organisation behind the API: its records, its clock and its people."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from connectors.sandbox.clock import Wall, wall_clock
from connectors.sandbox.salesforce import effects, field_history
from connectors.sandbox.salesforce.load import Loader
from connectors.sandbox.salesforce.load_setup import refresh_stages
from connectors.sandbox.salesforce.soql_dates import Calendar
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import stamp
from connectors.sandbox.workforce import Workforce

_DATABASE = "salesforce.db"


class Practice:
    """One organisation with its state in a directory; opened again, it goes on.

    `tracked_days`: in a new one field history was switched on so long ago; None: it is off.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        seed: int,
        deals: int,
        wall: Wall = wall_clock,
        tracked_days: int | None = None,
    ) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.store = Store(state_dir / _DATABASE)
        self._stage_rows: dict[str, effects.StageRow] = {}
        self._blank_history = self.store.blank("OpportunityHistory")
        self._start_month: int | None = None
        self._people = Workforce(self.store, seed=seed, deals=deals, wall=wall)
        self.clock = self._people.clock
        self._tracking = self._open_tracking()
        if self._people.is_new:
            if tracked_days is not None:
                self.track_fields(self.clock.now() - timedelta(days=tracked_days))
            self._people.found(self._loader().play)
        else:
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
            tracking=lambda: self._tracking,
        )

    def advance(self, days: int) -> int:
        """People work on for `days`, and the clock moves; gives the number of their acts."""
        return self._people.advance(days, self._loader().play)

    def hide(self, names: Sequence[str]) -> None:
        """Take objects and fields from the API user; see `Catalog.hide`."""
        with self.store.transaction():
            self.store.catalog.hide(names)
            self.store.save_meta("hidden", list(names))

    def refuse_in_bulk(self, names: Sequence[str]) -> None:
        """Objects that bulk queries are refused for."""
        with self.store.transaction():
            self.store.save_meta("not_in_bulk", list(names))

    def not_in_bulk(self) -> Sequence[str]:
        """Those."""
        return list(self.store.meta("not_in_bulk") or ())

    def track_fields(self, since: datetime | None) -> None:
        """Keep field history of what is saved from `since` on; None: of nothing."""
        with self.store.transaction():
            self.store.save_meta("tracked_since", since and stamp(since))
            self._tracking = self._open_tracking()

    def truth(self) -> Iterator[str]:
        """JSON lines of what was meant, `deal` by its id here."""
        return self._people.truth(self.store.id_of)

    def counts(self) -> dict[str, int]:
        """Records by object."""
        return {
            name: self.store.select(f'SELECT COUNT(*) FROM "{name}"')[0][0]
            for name in self.store.catalog.all
        }

    def _open_tracking(self) -> field_history.Tracking | None:
        since = self.store.meta("tracked_since")
        self.store.catalog.switch(field_history.OBJECT, is_on=since is not None)
        if since is None:
            return None
        return field_history.Tracking(
            since=since,
            blank=self.store.blank(field_history.OBJECT),
            new_id=lambda: self.store.new_id(field_history.OBJECT),
            name_of=self._user_name,
        )

    def _user_name(self, user_id: str) -> str:
        return str((self.store.get("User", user_id) or {}).get("Name"))

    def _loader(self) -> Loader:
        return Loader(self.store, self.context(), self._people.place)

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
