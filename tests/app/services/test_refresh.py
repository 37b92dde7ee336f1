"""Refresh: what a CRM tells ends in the store, once, whatever happens on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import polars as pl
import pytest
import sqlalchemy as sa

from app.clock import FixedClock
from app.errors import Conflict
from app.services import setup
from app.services.refresh import SyncReport, refresh
from app.store import connections, deals, ledger
from app.store.database import Database
from app.store.deals import DEALS
from app.store.frames import load_tables
from app.store.ledger import STAGE_CHANGES
from connectors.errors import Retry
from connectors.records import ChangeRecord, PersonRecord
from rules.tables import ACTIVITY_KINDS, ROLES
from tests.app.fakes import FakeCrm, FakeReader
from tests.app.services.story import (
    DAY,
    activity,
    change,
    connect,
    deal,
    history,
    role,
    small_crm,
    stage,
    told,
)
from tests.conftest import NOON


def _sync(db: Database, connection_id: int, crm: FakeCrm, **reader: int) -> SyncReport:
    return refresh(db, connection_id, FakeReader(crm, **reader), clock=FixedClock(crm.now))


def _generations(db: Database) -> dict[str, int]:
    with db.read() as conn:
        return dict(conn.execute(sa.select(DEALS.c.crm_id, DEALS.c.generation)).all())


def _rows(db: Database, connection_id: int, crm_id: str, field: str) -> list[ledger.ChangeView]:
    with db.read() as conn:
        deal_id = deals.view(conn, connection_id, crm_id=crm_id).id
        return [row for row in ledger.timeline(conn, connection_id, deal_id) if row.field == field]


def test_a_first_refresh_stores_all_that_the_crm_tells(database: Database) -> None:
    connection_id = connect(database)
    report = _sync(database, connection_id, small_crm())
    stages = [
        (row.at, row.old, row.new, row.by) for row in _rows(database, connection_id, "d1", "stage")
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
    _sync(database, connection_id, crm)
    before, generations = told(database, connection_id), _generations(database)
    report = _sync(database, connection_id, crm)
    assert (report.inserted, report.updated, report.changes) == (0, 0, 0)
    assert report.read > 0
    assert told(database, connection_id) == before
    assert _generations(database) == generations


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_pages_does_not_matter(sqlite_database: Database, seed: int) -> None:
    connection_id, crm = connect(sqlite_database), small_crm()
    _sync(sqlite_database, connection_id, crm)
    in_order = told(sqlite_database, connection_id)
    with sqlite_database.write() as conn:
        other = connections.create(conn, name="b", crm="files", config={}, secret=None, at=NOON)
    _sync(sqlite_database, other, crm, shuffle=seed, page_size=2)
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
    assert len(_rows(database, connection_id, "d7", "stage")) == 2


def test_history_of_a_deal_that_can_not_be_read_is_a_warning(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    crm.changes += history("hidden")
    report = _sync(database, connection_id, crm)
    assert report.warnings == ("history of the deal hidden, which can't be read",)


def test_killed_between_any_two_pages_a_restart_ends_with_the_same_store(
    sqlite_database: Database,
) -> None:
    crm = small_crm()
    whole = connect(sqlite_database)
    pages = _sync(sqlite_database, whole, crm).calls
    expected = told(sqlite_database, whole)
    for fail_after in range(pages):
        with sqlite_database.write() as conn:
            connections.update(conn, whole, name=f"kept {fail_after}")
        connection_id = connect(sqlite_database)
        with pytest.raises(Retry):
            _sync(sqlite_database, connection_id, crm, fail_after=fail_after)
        with sqlite_database.read() as conn:
            assert connections.by_id(conn, connection_id).first_synced_at is None
        _sync(sqlite_database, connection_id, crm)
        got = told(sqlite_database, connection_id)
        assert (got["deals"], got["ledger"]) == (expected["deals"], expected["ledger"])
        whole = connection_id


def test_a_crash_at_any_transaction_leaves_a_store_that_the_next_refresh_makes_whole(
    sqlite_database: Database,
) -> None:
    crm = small_crm(4)
    crm.change_deal("d1", owner_crm_id="m1", modified_at=NOON - DAY)
    first = connect(sqlite_database)
    _sync(sqlite_database, first, crm)
    expected = told(sqlite_database, first)
    for crash_at in count(1):
        with sqlite_database.write() as conn:
            connections.update(conn, first, name=f"kept {crash_at}")
        first = connect(sqlite_database)
        survived = _refresh_with_crash(sqlite_database, first, crm, crash_at=crash_at)
        _sync(sqlite_database, first, crm)
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
        _sync(dying, connection_id, crm)
    except KeyboardInterrupt:
        return False
    finally:
        dying.close()
    return True


def test_a_difference_without_history_becomes_an_observed_change(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    _sync(database, connection_id, crm)
    generations = _generations(database)
    crm.now += 2 * DAY
    crm.change_deal("d1", owner_crm_id="m1", modified_at=NOON + DAY)
    report = _sync(database, connection_id, crm)
    first, second = _rows(database, connection_id, "d1", "owner")
    assert (first.old, first.new, first.source, first.at) == (
        None, "Rob Rep", "observed", NOON - 40 * DAY,
    )  # fmt: skip
    assert (second.old, second.new, second.source) == ("Rob Rep", "Mia Manager", "observed")
    assert (second.at, second.seen_at, second.by) == (NOON + DAY, NOON + 2 * DAY, None)
    assert (report.inserted, report.updated, report.changes) == (0, 1, 1)
    raised = {name for name, at in _generations(database).items() if at > generations[name]}
    assert raised == {"d1"}


def test_what_is_found_at_the_first_read_carries_the_instant_of_first_sight(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm()
    crm.change_deal("d1", amount=9_0000)  # its history says 50,000
    _sync(database, connection_id, crm)
    *_, last = _rows(database, connection_id, "d1", "amount")
    tables = load_tables(database, connection_id)
    assert (last.source, last.new, last.at) == ("observed", 9_0000, NOON - 5 * DAY)
    assert last.seen_at == tables.deals["first_seen_at"][0]


def test_a_field_without_any_history_gets_a_first_row_at_creation(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.changes = []
    _sync(database, connection_id, crm)
    for field, value in (
        ("stage", "Prove"),
        ("close_date", date(2026, 5, 31)),
        ("owner", "Rob Rep"),
        ("pipeline", "New business"),
        ("forecast", "pipeline"),
        ("next_step", "Call back"),
    ):
        (row,) = _rows(database, connection_id, "d1", field)
        assert (row.old, row.new, row.at, row.by) == (None, value, NOON - 40 * DAY, "Rob Rep")
        assert row.source == "observed"


def test_history_that_comes_late_takes_back_what_was_only_observed(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    _sync(database, connection_id, crm)
    crm.now += 2 * DAY
    crm.change_deal("d1", stage_crm_id="propose", modified_at=NOON + DAY)
    _sync(database, connection_id, crm)
    assert [row.source for row in _rows(database, connection_id, "d1", "stage")][-1] == "observed"
    late = change("d1", "stage", NOON + DAY + timedelta(seconds=1), old="prove", new="propose")
    crm.changes.append(late)
    _sync(database, connection_id, crm)
    rows = _rows(database, connection_id, "d1", "stage")
    assert [(row.new, row.source) for row in rows] == [
        ("Qualify", "user"), ("Prove", "user"), ("Propose", "user"),
    ]  # fmt: skip


def test_a_history_that_is_ahead_of_the_deal_makes_no_change_back(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    crm.changes.append(change("d1", "stage", NOON - DAY, old="prove", new="propose"))
    _sync(database, connection_id, crm)
    assert [row.source for row in _rows(database, connection_id, "d1", "stage")] == ["user"] * 3


def test_edits_of_one_second_are_no_reason_for_an_observed_change(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    moved = NOON - 5 * DAY
    crm.changes += [
        replace(change("d1", "stage", moved, old="prove", new="propose"), source_ref="h-z"),
        replace(change("d1", "stage", moved, old="propose", new="qualify"), source_ref="h-a"),
    ]
    crm.change_deal("d1", stage_crm_id="qualify")
    _sync(database, connection_id, crm)
    assert {row.source for row in _rows(database, connection_id, "d1", "stage")} == {"user"}


def test_a_row_that_came_late_between_two_others_corrects_the_later_one(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    between = change(
        "d1", "close_date", NOON - 7 * DAY, old=date(2026, 4, 30), new=date(2026, 5, 5)
    )
    _sync(database, connection_id, crm)
    last = crm.changes.pop()
    crm.changes += [between, replace(last, old=date(2026, 5, 5))]
    report = _sync(database, connection_id, crm)
    rows = _rows(database, connection_id, "d1", "close_date")
    assert [(row.old, row.new) for row in rows][1:] == [
        (date(2026, 4, 30), date(2026, 5, 5)), (date(2026, 5, 5), date(2026, 5, 31)),
    ]  # fmt: skip
    assert (report.changes, report.updated) == (1, 1)


def test_history_that_the_crm_forgets_is_kept(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    _sync(database, connection_id, crm)
    before = told(database, connection_id)["ledger"]
    crm.changes = crm.changes[-1:]
    _sync(database, connection_id, crm)
    assert told(database, connection_id)["ledger"] == before


def test_an_older_reading_of_a_deal_never_overwrites_a_newer_one(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    newer = replace(crm.deals[0], name="New name", modified_at=NOON - DAY)
    crm.deals = [newer, *crm.deals]
    _sync(database, connection_id, crm, page_size=1)
    with database.read() as conn:
        assert deals.view(conn, connection_id, crm_id="d1").name == "New name"


def test_a_deleted_deal_is_marked_and_comes_back_when_restored(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    _sync(database, connection_id, crm)
    for deleted, stands in ((True, 1), (False, 2)):
        crm.now += DAY
        crm.change_deal("d1", is_deleted=deleted, modified_at=crm.now)
        _sync(database, connection_id, crm)
        with database.read() as conn:
            assert deals.count(conn, connection_id) == stands
            view = deals.view(conn, connection_id, crm_id="d1")
        assert view.deleted_at == (crm.now if deleted else None)


def test_a_deleted_activity_feeds_no_rule_and_is_not_deleted_twice(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    _sync(database, connection_id, crm)
    crm.activities[0] = replace(crm.activities[0], is_deleted=True)
    for expected in (1, 0):
        crm.now += DAY
        assert _sync(database, connection_id, crm).updated == expected
    kinds = load_tables(database, connection_id).activities["kind"].to_list()
    assert sorted(kinds) == [ACTIVITY_KINDS.index("meeting"), ACTIVITY_KINDS.index("call")]


def test_an_activity_without_a_deal_reaches_the_deals_it_may_be_about(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    crm.deals.append(deal("d9", company_crm_id="c2"))
    crm.contacts.append(role("r9", "d9", contact_crm_id="k9"))
    _sync(database, connection_id, crm)
    for values, expected in (
        ({"company_crm_id": "c1", "contact_crm_ids": ()}, {"d1", "d2"}),
        ({"company_crm_id": None, "contact_crm_ids": ("k9",)}, {"d9"}),
        ({"company_crm_id": "c2", "key": "OURS", "contact_crm_ids": ()}, set()),
    ):
        before = _generations(database)
        crm.activities.append(activity(f"new{len(crm.activities)}", deal_crm_id=None, **values))
        _sync(database, connection_id, crm)
        raised = {name for name, at in _generations(database).items() if at > before[name]}
        assert raised == expected


def test_a_stage_that_only_history_names_has_no_position(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.changes[0] = change("d1", "stage", NOON - 40 * DAY, old=None, new="retired")
    _sync(database, connection_id, crm)
    assert _rows(database, connection_id, "d1", "stage")[0].new == "retired"
    stages = load_tables(database, connection_id).stages
    row = stages.row(by_predicate=pl.col("label") == "retired", named=True)
    assert (row["position"], row["role"], row["is_closed"]) == (None, None, False)


def test_stages_get_positions_and_roles_and_a_new_order_begins_a_new_period(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm(1)
    _sync(database, connection_id, crm)
    generations = _generations(database)
    crm.now += DAY
    crm.stages = [
        replace(row, label="Demo") if row.crm_id == "prove" else row for row in crm.stages
    ]
    crm.stages.append(stage("Scope", sort_order=0))
    crm.stages[0] = stage("Qualify", sort_order=-1)
    _sync(database, connection_id, crm)
    stages = load_tables(database, connection_id).stages.sort("stage_id", "valid_from")
    periods = {
        label: rows.select("position", "role", "valid_to").rows()
        for (label,), rows in stages.group_by("label", maintain_order=True)
    }
    early, middle, late = (ROLES.index(name) for name in ("early", "middle", "late"))
    assert periods["Qualify"] == [(0, early, None)]
    assert periods["Demo"] == [(1, middle, crm.now), (2, middle, None)]
    assert periods["Propose"] == [(2, late, crm.now), (3, late, None)]
    assert periods["Scope"] == [(1, middle, None)]
    assert periods["Won"] == [(None, ROLES.index("closed"), None)]
    assert _generations(database)["d1"] > generations["d1"]


def test_what_an_admin_confirmed_outlives_the_next_refresh(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    _sync(database, connection_id, crm)
    proposal = setup.propose(database, connection_id)
    (pipeline,) = proposal.pipelines
    stages = [
        {**row, "role": "parking"} if row["crm_id"] == "prove" else row
        for row in pipeline["stages"]
    ]
    edited = replace(proposal, pipelines=[{**pipeline, "stages": stages}], integration_users=["m1"])
    setup.accept(database, connection_id, edited, by="admin", clock=FixedClock(NOON))
    confirmed = told(database, connection_id)
    crm.now += DAY
    report = _sync(database, connection_id, crm)
    assert (report.inserted, report.updated, report.changes) == (0, 0, 0)
    assert told(database, connection_id) == confirmed
    tables = load_tables(database, connection_id)
    assert tables.people["is_integration"].sum() == 1
    crm.stages[0] = stage("Qualify", sort_order=7)
    _sync(database, connection_id, crm)
    standing = load_tables(database, connection_id).stages.filter(pl.col("valid_to").is_null())
    places = {label: place for label, *place in standing.select("label", "position", "role").rows()}
    assert places["Prove"] == [None, ROLES.index("parking")]
    assert places["Propose"] == [0, ROLES.index("late")]
    assert places["Qualify"] == [1, ROLES.index("early")]


def test_an_unknown_person_gets_a_row_until_the_crm_names_them(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.change_deal("d1", owner_crm_id="u404")
    _sync(database, connection_id, crm)
    with database.read() as conn:
        assert deals.view(conn, connection_id, crm_id="d1").owner == "Unknown person u404"
    crm.people.append(PersonRecord(crm_id="u404", name="Nina New"))
    _sync(database, connection_id, crm)
    with database.read() as conn:
        assert deals.view(conn, connection_id, crm_id="d1").owner == "Nina New"


def test_a_new_manager_begins_a_new_period_and_marks_the_deals(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    _sync(database, connection_id, crm)
    generations = _generations(database)
    crm.now += DAY
    crm.people = [
        PersonRecord(crm_id="m1", name="Mia Manager"),
        PersonRecord(crm_id="m2", name="Max Manager"),
        PersonRecord(crm_id="u1", name="Rob Rep", manager_crm_id="m2"),
    ]
    _sync(database, connection_id, crm)
    periods = load_tables(database, connection_id).management.sort("valid_from")
    assert periods["valid_to"].to_list() == [crm.now, None]
    assert periods["valid_from"][1] == crm.now
    assert _generations(database)["d1"] > generations["d1"]


def test_a_changed_contact_role_begins_a_new_period_and_a_deleted_one_ends(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm(2)
    _sync(database, connection_id, crm)
    crm.now += DAY
    crm.contacts = [role("r1", "d1", contact_crm_id="k2"), role("r2", "d2", is_deleted=True)]
    _sync(database, connection_id, crm)
    periods = load_tables(database, connection_id).contact_roles.sort("deal_id", "valid_from")
    assert periods["valid_to"].to_list() == [crm.now, None, crm.now]


def test_a_full_refresh_reads_everything_again(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    first = _sync(database, connection_id, crm)
    with database.write() as conn:
        connections.set_cursor(conn, connection_id, "deals", value="2", at=NOON)
    reader = FakeReader(crm)
    report = refresh(database, connection_id, reader, clock=FixedClock(NOON), full=True)
    assert report.read == first.read


def test_another_account_behind_the_same_credentials_is_refused(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    _sync(database, connection_id, crm)
    crm.crm_id = "00D2"
    with pytest.raises(Conflict, match="two accounts never mix"):
        _sync(database, connection_id, crm)


def test_a_row_that_crosses_two_connections_can_not_be_stored(database: Database) -> None:
    mine, crm = connect(database), small_crm(1)
    _sync(database, mine, crm)
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


def test_a_deal_that_changed_pipeline_keeps_its_old_stages_in_the_old_one(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm(1)
    _sync(database, connection_id, crm)
    before = _rows(database, connection_id, "d1", "stage")
    crm.now += 2 * DAY
    crm.stages += [
        stage(name, pipeline_crm_id="p2", pipeline_name="Partners") for name in ("Qualify", "Prove")
    ]
    crm.change_deal("d1", pipeline_crm_id="p2", modified_at=NOON + DAY)
    for _ in range(2):
        _sync(database, connection_id, crm)
        rows = _rows(database, connection_id, "d1", "pipeline")
        assert [(row.old, row.new) for row in rows] == [
            (None, "New business"), ("New business", "Partners"),
        ]  # fmt: skip
        assert _rows(database, connection_id, "d1", "stage")[: len(before)] == before


def test_only_records_of_the_known_types_are_stored(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.changes.append(
        ChangeRecord(
            deal_crm_id="d1", field="amount", at=NOON, old=None, new="12", source_ref="bad"
        )
    )
    with pytest.raises(TypeError, match="a change of amount can't be '12'"):
        _sync(database, connection_id, crm)
