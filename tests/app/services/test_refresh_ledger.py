"""Refresh: the ledgers agree with the deals, by told history or by what was observed."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from app.store.database import Database
from app.store.frames import load_tables
from connectors.records import ChangeRecord
from tests.app.services.story import (
    DAY,
    change,
    connect,
    generations_of,
    ledger_of,
    small_crm,
    stage,
    sync,
    told,
)
from tests.conftest import NOON


def test_a_difference_without_history_becomes_an_observed_change(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    sync(database, connection_id, crm)
    generations = generations_of(database)
    crm.now += 2 * DAY
    crm.change_deal("d1", owner_crm_id="m1", modified_at=NOON + DAY)
    report = sync(database, connection_id, crm)
    first, second = ledger_of(database, connection_id, "d1", "owner")
    assert (first.old, first.new, first.source, first.at) == (
        None, "Rob Rep", "observed", NOON - 40 * DAY,
    )  # fmt: skip
    assert (second.old, second.new, second.source) == ("Rob Rep", "Mia Manager", "observed")
    assert (second.at, second.seen_at, second.by) == (NOON + DAY, NOON + 2 * DAY, None)
    assert (report.inserted, report.updated, report.changes) == (0, 1, 1)
    raised = {name for name, at in generations_of(database).items() if at > generations[name]}
    assert raised == {"d1"}


def test_what_is_found_at_the_first_read_carries_the_instant_of_first_sight(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm()
    crm.change_deal("d1", amount=9_0000)  # its history says 50,000
    sync(database, connection_id, crm)
    *_, last = ledger_of(database, connection_id, "d1", "amount")
    tables = load_tables(database, connection_id)
    assert (last.source, last.new, last.at) == ("observed", 9_0000, NOON - 5 * DAY)
    assert last.seen_at == tables.deals["first_seen_at"][0]


def test_a_field_without_any_history_gets_a_first_row_at_creation(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.changes = []
    sync(database, connection_id, crm)
    for field, value in (
        ("stage", "Prove"),
        ("close_date", date(2026, 5, 31)),
        ("owner", "Rob Rep"),
        ("pipeline", "New business"),
        ("forecast", "pipeline"),
        ("next_step", "Call back"),
    ):
        (row,) = ledger_of(database, connection_id, "d1", field)
        assert (row.old, row.new, row.at, row.by) == (None, value, NOON - 40 * DAY, "Rob Rep")
        assert row.source == "observed"


def test_history_that_comes_late_takes_back_what_was_only_observed(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    sync(database, connection_id, crm)
    crm.now += 2 * DAY
    crm.change_deal("d1", stage_crm_id="propose", modified_at=NOON + DAY)
    sync(database, connection_id, crm)
    assert [row.source for row in ledger_of(database, connection_id, "d1", "stage")][
        -1
    ] == "observed"
    late = change("d1", "stage", NOON + DAY + timedelta(seconds=1), old="prove", new="propose")
    crm.changes.append(late)
    sync(database, connection_id, crm)
    rows = ledger_of(database, connection_id, "d1", "stage")
    assert [(row.new, row.source) for row in rows] == [
        ("Qualify", "user"), ("Prove", "user"), ("Propose", "user"),
    ]  # fmt: skip


def test_a_history_that_is_ahead_of_the_deal_makes_no_change_back(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    crm.changes.append(change("d1", "stage", NOON - DAY, old="prove", new="propose"))
    sync(database, connection_id, crm)
    assert [row.source for row in ledger_of(database, connection_id, "d1", "stage")] == ["user"] * 3


def test_edits_of_one_second_are_no_reason_for_an_observed_change(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    moved = NOON - 5 * DAY
    crm.changes += [
        replace(change("d1", "stage", moved, old="prove", new="propose"), source_ref="h-z"),
        replace(change("d1", "stage", moved, old="propose", new="qualify"), source_ref="h-a"),
    ]
    crm.change_deal("d1", stage_crm_id="qualify")
    sync(database, connection_id, crm)
    assert {row.source for row in ledger_of(database, connection_id, "d1", "stage")} == {"user"}


def test_a_row_that_came_late_between_two_others_corrects_the_later_one(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    between = change(
        "d1", "close_date", NOON - 7 * DAY, old=date(2026, 4, 30), new=date(2026, 5, 5)
    )
    sync(database, connection_id, crm)
    last = crm.changes.pop()
    crm.changes += [between, replace(last, old=date(2026, 5, 5))]
    report = sync(database, connection_id, crm)
    rows = ledger_of(database, connection_id, "d1", "close_date")
    assert [(row.old, row.new) for row in rows][1:] == [
        (date(2026, 4, 30), date(2026, 5, 5)), (date(2026, 5, 5), date(2026, 5, 31)),
    ]  # fmt: skip
    assert (report.changes, report.updated) == (1, 1)


def test_history_that_the_crm_forgets_is_kept(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    sync(database, connection_id, crm)
    before = told(database, connection_id)["ledger"]
    crm.changes = crm.changes[-1:]
    sync(database, connection_id, crm)
    assert told(database, connection_id)["ledger"] == before


def test_a_stage_that_only_history_names_has_no_position(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.changes[0] = change("d1", "stage", NOON - 40 * DAY, old=None, new="retired")
    sync(database, connection_id, crm)
    assert ledger_of(database, connection_id, "d1", "stage")[0].new == "retired"
    stages = load_tables(database, connection_id).stages
    row = stages.row(by_predicate=pl.col("label") == "retired", named=True)
    assert (row["position"], row["role"], row["is_closed"]) == (None, None, False)


def test_a_deal_that_changed_pipeline_keeps_its_old_stages_in_the_old_one(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm(1)
    sync(database, connection_id, crm)
    before = ledger_of(database, connection_id, "d1", "stage")
    crm.now += 2 * DAY
    crm.stages += [
        stage(name, pipeline_crm_id="p2", pipeline_name="Partners") for name in ("Qualify", "Prove")
    ]
    crm.change_deal("d1", pipeline_crm_id="p2", modified_at=NOON + DAY)
    for _ in range(2):
        sync(database, connection_id, crm)
        rows = ledger_of(database, connection_id, "d1", "pipeline")
        assert [(row.old, row.new) for row in rows] == [
            (None, "New business"), ("New business", "Partners"),
        ]  # fmt: skip
        assert ledger_of(database, connection_id, "d1", "stage")[: len(before)] == before


def test_only_records_of_the_known_types_are_stored(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.changes.append(
        ChangeRecord(
            deal_crm_id="d1", field="amount", at=NOON, old=None, new="12", source_ref="bad"
        )
    )
    with pytest.raises(TypeError, match="a change of amount can't be '12'"):
        sync(database, connection_id, crm)


def test_a_history_that_begins_late_goes_on_from_what_was_observed(database: Database) -> None:
    connection_id, crm = connect(database), small_crm()
    sync(database, connection_id, crm)
    crm.now += 2 * DAY
    crm.change_deal("d1", owner_crm_id="m1", modified_at=NOON + DAY)
    sync(database, connection_id, crm)
    crm.now += 2 * DAY
    crm.changes.append(change("d1", "owner", NOON + 3 * DAY, old="m1", new="u1"))
    crm.change_deal("d1", owner_crm_id="u1", modified_at=NOON + 3 * DAY)
    for _ in range(2):
        sync(database, connection_id, crm)
        rows = ledger_of(database, connection_id, "d1", "owner")
        assert [(row.old, row.new, row.source) for row in rows] == [
            (None, "Rob Rep", "observed"),
            ("Rob Rep", "Mia Manager", "observed"),
            ("Mia Manager", "Rob Rep", "user"),
        ]


@pytest.mark.parametrize("old", ["m1", None])
def test_a_history_that_begins_late_gets_a_first_row_from_what_it_goes_on_from(
    database: Database, old: str | None
) -> None:
    connection_id, crm = connect(database), small_crm()
    crm.changes.append(change("d1", "owner", NOON - DAY, old=old, new="u1"))
    sync(database, connection_id, crm)
    rows = ledger_of(database, connection_id, "d1", "owner")
    name = "Mia Manager" if old else None
    first = [(None, name, NOON - 40 * DAY)] if old else []
    assert [(row.old, row.new, row.at) for row in rows] == [
        *first, (name, "Rob Rep", NOON - DAY),
    ]  # fmt: skip
