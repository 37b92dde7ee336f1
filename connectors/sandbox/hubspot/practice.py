"""The practice portal behind the API: its records, its clock and its people."""

from collections.abc import Iterator
from pathlib import Path

from connectors.sandbox.clock import Wall, wall_clock
from connectors.sandbox.hubspot.catalog import TYPES
from connectors.sandbox.hubspot.edition import Edition
from connectors.sandbox.hubspot.load import Loader
from connectors.sandbox.hubspot.stages import Stages
from connectors.sandbox.hubspot.store import Store
from connectors.sandbox.hubspot.values import stamp
from connectors.sandbox.workforce import Workforce

_DATABASE = "hubspot.db"


class Practice:
    """One portal with its state in a directory; opened again, it goes on."""

    def __init__(self, state_dir: Path, *, seed: int, deals: int, wall: Wall = wall_clock) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.store = Store(state_dir / _DATABASE)
        self.stages = Stages(self.store)
        self.edition = Edition(self.store)
        self._people = Workforce(self.store, seed=seed, deals=deals, wall=wall)
        self.clock = self._people.clock
        if self._people.is_new:
            self._people.found(self._loader().play)

    def now(self) -> str:
        """The simulated present as the API writes it, in milliseconds."""
        return stamp(self.clock.precisely())

    def time_zone(self) -> str:
        """The portal's time zone."""
        return str(self.store.meta("account")["timeZone"])

    def advance(self, days: int) -> int:
        """People work on for `days`, and the clock moves; gives the number of their acts."""
        return self._people.advance(days, self._loader().play)

    def truth(self) -> Iterator[str]:
        """JSON lines of what was meant, `deal` by its id here (that of the merged deal, if)."""
        return self._people.truth(self._deal_id)

    def counts(self) -> dict[str, int]:
        """Records by type, archived ones too."""
        found = dict(self.store.select("SELECT type, COUNT(*) FROM object GROUP BY type"))
        return {each.name: found.get(each.id, 0) for each in TYPES.values()}

    def _deal_id(self, key: str) -> str | None:
        found = self.store.id_of(key)
        if found is None:
            return None
        alias = self.store.select(
            "SELECT current FROM alias WHERE type = '0-3' AND id = ?", (int(found),)
        )
        return str(alias[0][0]) if alias else found

    def _loader(self) -> Loader:
        return Loader(self.store, self.stages, self._people.place)
