"""The tests' plain-Python oracle on a whole store: read with our reader, judge deal by deal."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from organisation import AS_OF, CONNECTION
from verdicts import digest

from app.store.database import Database
from app.store.frames import load_tables
from rules.rule import Severity
from rules.tables import Tables
from tests.rules.oracle.organisation import Deal, Organisation
from tests.rules.oracle.rules import ORACLES


class _OfDeal:
    """Rows of the deal at hand, where the oracle would look through all of them."""

    def __init__(self, rows: dict[int, list[dict[str, Any]]]) -> None:
        self._rows = rows
        self.deal = 0

    def iter_rows(self, *, named: bool) -> Iterator[dict[str, Any]]:
        """The rows, as a frame gives them."""
        assert named
        return iter(self._rows.get(self.deal, ()))


class _Fast(Organisation):
    """The oracle's organisation with its rows sorted by deal beforehand."""

    def __init__(self, tables: Tables) -> None:
        self.views = {
            name: _OfDeal(_by_deal(getattr(tables, name).iter_rows(named=True)))
            for name in (
                "stage_changes",
                "close_date_changes",
                "owner_changes",
                "forecast_changes",
                "contact_roles",
            )
        }
        self.views |= _activities_of(tables)
        for name, view in self.views.items():
            object.__setattr__(tables, name, view)
        super().__init__(tables, AS_OF)

    def at(self, deal: int) -> None:
        """Look at this deal from now on."""
        for view in self.views.values():
            view.deal = deal

    def _deal(self, row: dict[str, Any]) -> Deal:
        self.at(row["deal_id"])
        return super()._deal(row)


def _by_deal(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["deal_id"]].append(row)
    return grouped


def _activities_of(tables: Tables) -> dict[str, _OfDeal]:
    """Activities that could tell something of a deal, and who took part in them."""
    present: dict[int, list[int]] = defaultdict(list)
    for row in tables.activity_contacts.iter_rows(named=True):
        present[row["activity_id"]].append(row["contact_id"])
    deals_of: dict[int, list[int]] = defaultdict(list)
    for row in tables.contact_roles.iter_rows(named=True):
        deals_of[row["contact_id"]].append(row["deal_id"])
    activities: dict[int, list[dict[str, Any]]] = defaultdict(list)
    links: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in tables.activities.iter_rows(named=True):
        deals = {row["deal_id"]}
        if row["deal_id"] is None:
            deals = {deal for one in present[row["activity_id"]] for deal in deals_of[one]}
        for deal in deals:
            activities[deal].append(row)
            links[deal] += [
                {"activity_id": row["activity_id"], "contact_id": one}
                for one in present[row["activity_id"]]
            ]
    return {"activities": _OfDeal(activities), "activity_contacts": _OfDeal(links)}


def by_oracle(store: Path) -> dict[str, Any]:
    """Read with our reader, judge deal by deal in plain Python."""
    with closing(Database(f"sqlite:///{store}")) as database:
        org = _Fast(load_tables(database, CONNECTION))
    verdicts = []
    for deal in org.deals:
        org.at(deal.id)
        for rule, judge in ORACLES.items():
            verdict = judge(org, deal)
            if verdict is not None:
                verdicts.append((rule, deal.id, int(Severity[verdict[0].upper()])))
    return digest(verdicts)
