"""Refresh: what a CRM tells ends in the store, once, whatever happens on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
import sqlalchemy as sa

from app.clock import FixedClock
from app.errors import Conflict
from app.services.refresh import refresh
from app.store import connections, deals
from app.store.database import Database
from app.store.ledger import STAGE_CHANGES
from connectors.errors import Retry
from tests.app.fakes import FakeCrm, FakeReader
from tests.app.services.story import (
    DAY,
    connect,
    generations_of,
    history,
    ledger_of,
    small_crm,
    sync,
    told,
)
from tests.conftest import NOON


def test_a_first_refresh_stores_all_that_the_crm_tells(database: Database) -> None:
    connection_id = connect(database)
    report = sync(database, connection_id, small_crm())
    stages = [
        (row.at, row.old, row.new, row.by)
        for row in ledger_of(database, connection_id, "d1", "stage")
    ]
    assert stages == [
        (NOON - 40 * DAY, None, "Qualify", "Rob Rep"),
        (NOON - 10 * DAY, "Qualify", "Prove", "Rob Rep"),
    ]
    with database.read() as conn:
        row = connections.get(conn, "acme")
    assert (row.first_synced_at, row.crm_seen_at, row.account_name) == (NOON, NOON, "Acme")
    assert (row.time_zone, row.home_currency, row.fiscal_start_month) == ("Europe/Berlin", "EUR", 2)
    assert report.calls > 0
    assert report.warnings == ()


def test_the_same_pages_again_change_nothing_and_raise_no_generation(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    sync(database, connection_id, crm)
    before, generations = told(database, connection_id), generations_of(database)
    report = sync(database, connection_id, crm)
    assert (report.inserted, report.updated, report.changes) == (0, 0, 0)
    assert report.read > 0
    assert told(database, connection_id) == before
    assert generations_of(database) == generations


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_pages_does_not_matter(sqlite_database: Database, seed: int) -> None:
    connection_id, crm = connect(sqlite_database), small_crm()
    sync(sqlite_database, connection_id, crm)
    in_order = told(sqlite_database, connection_id)
    with sqlite_database.write() as conn:
        other = connections.create(conn, name="b", crm="files", config={}, secret=None, at=NOON)
    sync(sqlite_database, other, crm, shuffle=seed, page_size=2)
    shuffled = told(sqlite_database, other)
    assert (shuffled["deals"], shuffled["ledger"]) == (in_order["deals"], in_order["ledger"])


def test_history_read_before_its_deal_brings_the_deal_along(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()

    class LateDeals(FakeReader):
        """A CRM whose deal d7 was created after the stream of deals was read."""

        def _pages(self, stream):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
            pages = super()._pages(stream)
            return pages[:-1] if stream == "deals" else pages

    refresh(database, connection_id, LateDeals(crm), clock=FixedClock(NOON))
    assert len(ledger_of(database, connection_id, "d7", "stage")) == 2


def test_history_of_a_deal_that_can_not_be_read_is_a_warning(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    crm.changes += history("hidden")
    report = sync(database, connection_id, crm)
    assert report.warnings == ("history of the deal hidden, which can't be read",)


def test_killed_between_any_two_pages_a_restart_ends_with_the_same_store(
    sqlite_database: Database,
) -> None:
    crm = small_crm()
    whole = connect(sqlite_database)
    pages = sync(sqlite_database, whole, crm).calls
    expected = told(sqlite_database, whole)
    for fail_after in range(pages):
        with sqlite_database.write() as conn:
            connections.update(conn, whole, name=f"kept {fail_after}")
        connection_id = connect(sqlite_database)
        with pytest.raises(Retry):
            sync(sqlite_database, connection_id, crm, fail_after=fail_after)
        with sqlite_database.read() as conn:
            assert connections.by_id(conn, connection_id).first_synced_at is None
        sync(sqlite_database, connection_id, crm)
        got = told(sqlite_database, connection_id)
        assert (got["deals"], got["ledger"]) == (expected["deals"], expected["ledger"])
        whole = connection_id


def test_a_crash_at_any_transaction_leaves_a_store_that_the_next_refresh_makes_whole(
    sqlite_database: Database,
) -> None:
    crm = small_crm(4)
    crm.change_deal("d1", owner_crm_id="m1", modified_at=NOON - DAY)
    first = connect(sqlite_database)
    sync(sqlite_database, first, crm)
    expected = told(sqlite_database, first)
    for crash_at in count(1):
        with sqlite_database.write() as conn:
            connections.update(conn, first, name=f"kept {crash_at}")
        first = connect(sqlite_database)
        survived = _refresh_with_crash(sqlite_database, first, crm, crash_at=crash_at)
        sync(sqlite_database, first, crm)
        got = told(sqlite_database, first)
        assert (got["deals"], got["ledger"]) == (expected["deals"], expected["ledger"])
        if survived:
            break
    assert crash_at > 10


def _refresh_with_crash(db: Database, connection_id: int, crm: FakeCrm, *, crash_at: int) -> bool:
    """A refresh whose database dies before the commit of a write; True: it was done before."""

    class Dying(Database):
        """Dies once, before the commit of its `crash_at`th write."""

        writes = 0

        @contextmanager
        def write(self, *, urgent: bool = False) -> Iterator[sa.Connection]:
            with super().write(urgent=urgent) as conn:
                yield conn
                self.writes += 1
                if self.writes == crash_at:
                    raise KeyboardInterrupt

    dying = Dying(db.url.render_as_string())
    try:
        sync(dying, connection_id, crm)
    except KeyboardInterrupt:
        return False
    finally:
        dying.close()
    return True


def test_an_older_reading_of_a_deal_never_overwrites_a_newer_one(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    newer = replace(crm.deals[0], name="New name", modified_at=NOON - DAY)
    crm.deals = [newer, *crm.deals]
    sync(database, connection_id, crm, page_size=1)
    with database.read() as conn:
        assert deals.view(conn, connection_id, crm_id="d1").name == "New name"


def test_a_deleted_deal_is_marked_and_comes_back_when_restored(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    sync(database, connection_id, crm)
    for deleted, stands in ((True, 1), (False, 2)):
        crm.now += DAY
        crm.change_deal("d1", is_deleted=deleted, modified_at=crm.now)
        sync(database, connection_id, crm)
        with database.read() as conn:
            assert deals.count(conn, connection_id) == stands
            view = deals.view(conn, connection_id, crm_id="d1")
        assert view.deleted_at == (crm.now if deleted else None)


def test_a_full_refresh_reads_everything_again(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    first = sync(database, connection_id, crm)
    with database.write() as conn:
        connections.set_cursor(conn, connection_id, "deals", value="2", at=NOON)
    reader = FakeReader(crm)
    report = refresh(database, connection_id, reader, clock=FixedClock(NOON), full=True)
    assert report.read == first.read


def test_another_account_behind_the_same_credentials_is_refused(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    sync(database, connection_id, crm)
    crm.crm_id = "00D2"
    with pytest.raises(Conflict, match="two accounts never mix"):
        sync(database, connection_id, crm)


def test_a_row_that_crosses_two_connections_can_not_be_stored(database: Database) -> None:
    mine, crm = connect(database), small_crm(1)
    sync(database, mine, crm)
    with database.write() as conn:
        other = connections.create(conn, name="b", crm="files", config={}, secret=None, at=NOON)
        deal_id = deals.view(conn, mine, crm_id="d1").id
    row = {
        "connection_id": other, "deal_id": deal_id, "at": NOON, "seen_at": NOON,
        "source": 0, "source_ref": "x",
    }  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError), database.write() as conn:
        conn.execute(sa.insert(STAGE_CHANGES).values(row))


def test_progress_names_each_stream_and_ends_with_the_ledger(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    steps: list[tuple[str, int]] = []
    refresh(
        database,
        connection_id,
        FakeReader(crm),
        clock=FixedClock(NOON),
        progress=lambda step, done, _total: steps.append((step, done)),
    )
    assert list(dict.fromkeys(step for step, _ in steps)) == [
        "companies", "deals", "history", "contacts", "activities", "ledger",
    ]  # fmt: skip
    assert steps[-1] == ("ledger", 7)
