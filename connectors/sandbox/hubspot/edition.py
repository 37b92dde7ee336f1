"""What a portal has depends on what its company pays for, and on what is hidden in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.sandbox.hubspot.catalog import DEAL, object_type
from connectors.sandbox.hubspot.store import Store

_STAGE_DATES = "hs_v2_date_entered_"
# Forecasts and the calculated dates of stages come with Professional.
_PROFESSIONAL = frozenset(
    {
        (DEAL, "hs_manual_forecast_category"),
        (DEAL, "hs_forecast_probability"),
        (DEAL, "hs_forecast_amount"),
        (DEAL, f"{_STAGE_DATES}current_stage"),
    }
)
_NEVER_HIDDEN = frozenset({"hs_object_id", "hs_lastmodifieddate", "lastmodifieddate", "createdate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Calls that an edition allows, as `limits.Allowed` names them."""

    ten_secondly: int
    daily: int
    search_per_second: int = 5


EDITIONS = {
    "starter": Grant(ten_secondly=100, daily=250_000),
    "professional": Grant(ten_secondly=190, daily=625_000),
    "enterprise": Grant(ten_secondly=190, daily=1_000_000),
}


class Edition:
    """One portal's edition, and the properties that its administrator hides."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.name = str(store.meta("edition") or "enterprise")
        self.hidden: Sequence[str] = store.meta("hidden") or []
        self._apply()

    @property
    def has_teams(self) -> bool:
        """Starter has none."""
        return self.name != "starter"

    @property
    def has_stage_dates(self) -> bool:
        """Whether each stage has a calculated date of entering it."""
        return self.name != "starter"

    def change(self, name: str) -> Grant:
        """Another edition; ValueError if there is none of that name. Gives its limits."""
        if name not in EDITIONS:
            raise ValueError(f"no edition {name!r}: {', '.join(EDITIONS)}")
        self.name = name
        self._store.save_meta("edition", name)
        self._apply()
        return EDITIONS[name]

    def hide(self, names: Iterable[str]) -> int:
        """Hide properties (`deals.hs_next_step`), and show those hidden before; ValueError for
        what there is not or can't be hidden.
        """
        wanted = list(dict.fromkeys(names))
        for each in wanted:
            kind_name, _, name = each.partition(".")
            kind = object_type(kind_name)
            if kind is None or name not in self._store.properties[kind.id]:
                raise ValueError(f"there is no {each}")
            if name in _NEVER_HIDDEN:
                raise ValueError(f"{each} can't be hidden")
        self.hidden = wanted
        self._store.save_meta("hidden", wanted)
        self._apply()
        return len(wanted)

    def _apply(self) -> None:
        hidden = set() if self.has_teams else set(_PROFESSIONAL)
        for each in self.hidden:
            kind_name, _, name = each.partition(".")
            kind = object_type(kind_name)
            if kind is not None:
                hidden.add((kind.id, name))
        self._store.hidden = frozenset(hidden)
