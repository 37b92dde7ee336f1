"""The same seed is the same selling, whichever CRM it was done in."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.sandbox.hubspot.practice import Practice as HubSpot
from connectors.sandbox.hubspot.store import record_from
from connectors.sandbox.salesforce.practice import Practice as Salesforce

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
DEALS = 150


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Salesforce, HubSpot]]:
    folder = tmp_path_factory.mktemp("both")
    salesforce = Salesforce(Path(folder / "sf"), seed=3, deals=DEALS, wall=lambda: NOW)
    hubspot = HubSpot(Path(folder / "hs"), seed=3, deals=DEALS, wall=lambda: NOW)
    with closing(salesforce.store), closing(hubspot.store):
        yield salesforce, hubspot


def hubspot_deals(practice: HubSpot) -> list[tuple[object, ...]]:
    labels = {
        stage["id"]: stage["label"]
        for pipeline in practice.stages.pipelines.values()
        for stage in pipeline["stages"]
    }
    rows = practice.store.select("SELECT * FROM object WHERE type = '0-3'")
    found = []
    for record in map(record_from, rows):
        props = record.props
        amount = float(props["amount"]) if "amount" in props else None
        is_won = props["hs_is_closed_won"] == "true"
        stage = labels[props["dealstage"]]
        found.append((props["dealname"], amount, stage, is_won, record.created_at[:19]))
    return sorted(found, key=str)


def salesforce_deals(practice: Salesforce) -> list[tuple[object, ...]]:
    rows = practice.store.select(
        'SELECT "Name", "Amount", "StageName", "IsWon", "CreatedDate" FROM "Opportunity"'
    )
    return sorted(((*row[:3], bool(row[3]), row[4][:19]) for row in rows), key=str)


def test_deals_are_the_same(both: tuple[Salesforce, HubSpot]) -> None:
    salesforce, hubspot = both
    assert len(hubspot_deals(hubspot)) == DEALS
    assert hubspot_deals(hubspot) == salesforce_deals(salesforce)


def test_the_truth_is_the_same_but_for_the_ids(both: tuple[Salesforce, HubSpot]) -> None:
    def told(practice: Salesforce | HubSpot) -> list[str]:
        return [line.partition('"rule"')[2] for line in practice.truth()]

    assert told(both[0]) == told(both[1])


def test_close_dates_of_open_deals_are_the_same_days_but_for_hubspots_default(
    both: tuple[Salesforce, HubSpot],
) -> None:
    salesforce, hubspot = both
    rows = hubspot.store.select("SELECT * FROM object WHERE type = '0-3'")
    shown: dict[tuple[str, str], date] = {}
    for record in map(record_from, rows):
        moment = datetime.fromisoformat(record.props["closedate"])
        if record.props["hs_is_closed"] == "false":
            key = record.props["dealname"], record.created_at[:19]
            shown[key] = moment.astimezone(ZONE).date()
    sql = 'SELECT "Name", "CreatedDate", "CloseDate" FROM "Opportunity" WHERE "IsClosed" = 0'
    days = {(row[0], row[1][:19]): row[2] for row in salesforce.store.select(sql)}
    differing = [day for key, day in shown.items() if day.isoformat() != days[key]]
    assert len(shown) > 10
    # A lead's conversion leaves a default: here the end of the month, there of the quarter.
    assert len(differing) < len(shown) / 4
    assert all((day + timedelta(days=1)).day == 1 for day in differing)
