"""Refresh: what vanished from the CRM, or came into sight, is found by its ids."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.clock import FixedClock
from app.services.refresh import SyncReport, refresh
from app.store import deals
from app.store.database import Database
from tests.app.fakes import FakeCrm, FakeReader
from tests.app.services.story import DAY, connect, small_crm
from tests.connectors.salesforce.practice import practising


class CountingReader(FakeReader):
    """Of a CRM that can tell all its ids; what changed is told for the deals in `told` only."""

    listed = 0

    def deal_ids(self) -> Iterator[Sequence[str]]:
        self.listed += 1
        standing = [deal.crm_id for deal in self.crm.deals if not deal.is_deleted]
        yield standing[:2]
        yield standing[2:]


def sync(
    db: Database, connection_id: int, crm: FakeCrm, *, full: bool = False
) -> tuple[int, SyncReport]:
    reader = CountingReader(crm)
    report = refresh(db, connection_id, reader, clock=FixedClock(crm.now), full=full)
    return reader.listed, report


def standing(db: Database, connection_id: int) -> set[str]:
    with db.read() as conn:
        found = deals.views(conn, connection_id)
    return {deal.crm_id for deal in found if deal.deleted_at is None}


def test_a_deal_that_vanished_counts_as_deleted_within_a_week(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    assert sync(database, connection_id, crm)[0] == 0
    crm.deals = [deal for deal in crm.deals if deal.crm_id != "d3"]
    crm.now += 6 * DAY
    assert sync(database, connection_id, crm)[0] == 0
    assert "d3" in standing(database, connection_id)
    crm.now += DAY
    listed, report = sync(database, connection_id, crm)
    assert (listed, report.updated) == (1, 1)
    assert standing(database, connection_id) == {"d1", "d2", "d4", "d5", "d6", "d7"}
    with database.read() as conn:
        assert deals.view(conn, connection_id, crm_id="d3").deleted_at == crm.now
    assert sync(database, connection_id, crm)[0] == 0, "not again before the next week"


def test_a_full_refresh_compares_at_once_but_the_first_one_has_nothing_to_compare(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm()
    assert sync(database, connection_id, crm, full=True)[0] == 0
    crm.deals.pop()
    assert sync(database, connection_id, crm, full=True)[0] == 1
    assert len(standing(database, connection_id)) == 6


def test_a_deal_that_can_be_seen_again_stands_again(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    sync(database, connection_id, crm)
    hidden = crm.deals.pop()
    sync(database, connection_id, crm, full=True)
    assert hidden.crm_id not in standing(database, connection_id)
    crm.deals.append(hidden)
    sync(database, connection_id, crm, full=True)
    assert hidden.crm_id in standing(database, connection_id)


def test_so_many_gone_at_once_are_kept_with_a_warning(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(60)
    sync(database, connection_id, crm)
    crm.deals = crm.deals[:30]
    _, report = sync(database, connection_id, crm, full=True)
    assert len(standing(database, connection_id)) == 60
    assert [text for text in report.warnings if "30 of 60 deals can no longer be seen" in text]


@pytest.mark.parametrize("count", [1, 15])
def test_purged_opportunities_of_a_practice_salesforce_are_found(
    database: Database, tmp_path: Path, count: int
) -> None:
    with practising(tmp_path, deals=60, seed=2) as org:
        connection_id = connect(database)

        def again(*, full: bool) -> SyncReport:
            reader = org.connect().reader()
            clock = FixedClock(reader.account().now)
            return refresh(database, connection_id, reader, clock=clock, full=full)

        again(full=False)
        before = standing(database, connection_id)
        purged = set(sorted(before)[:count])
        org.purge("Opportunity", sorted(purged))
        again(full=False)
        assert standing(database, connection_id) == before
        again(full=True)
        assert standing(database, connection_id) == before - purged
