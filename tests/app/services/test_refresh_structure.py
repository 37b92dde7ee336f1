"""Refresh: stages, people, activities and contact roles, since when and for which deals."""

from dataclasses import replace

import polars as pl

from app.clock import FixedClock
from app.services import setup
from app.store import deals
from app.store.database import Database
from app.store.frames import load_tables
from connectors.records import PersonRecord
from rules.tables import ACTIVITY_KINDS, ROLES
from tests.app.services.story import (
    DAY,
    activity,
    connect,
    deal,
    generations_of,
    role,
    small_crm,
    stage,
    sync,
    told,
)
from tests.conftest import NOON


def test_a_deleted_activity_feeds_no_rule_and_is_not_deleted_twice(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    sync(database, connection_id, crm)
    crm.activities[0] = replace(crm.activities[0], is_deleted=True)
    for expected in (1, 0):
        crm.now += DAY
        assert sync(database, connection_id, crm).updated == expected
    kinds = load_tables(database, connection_id).activities["kind"].to_list()
    assert sorted(kinds) == [ACTIVITY_KINDS.index("meeting"), ACTIVITY_KINDS.index("call")]


def test_an_activity_without_a_deal_reaches_the_deals_it_may_be_about(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(2)
    crm.deals.append(deal("d9", company_crm_id="c2"))
    crm.contacts.append(role("r9", "d9", contact_crm_id="k9"))
    sync(database, connection_id, crm)
    for values, expected in (
        ({"company_crm_id": "c1", "contact_crm_ids": ()}, {"d1", "d2"}),
        ({"company_crm_id": None, "contact_crm_ids": ("k9",)}, {"d9"}),
        ({"company_crm_id": "c2", "key": "OURS", "contact_crm_ids": ()}, set()),
    ):
        before = generations_of(database)
        crm.activities.append(activity(f"new{len(crm.activities)}", deal_crm_id=None, **values))
        sync(database, connection_id, crm)
        raised = {name for name, at in generations_of(database).items() if at > before[name]}
        assert raised == expected


def test_stages_get_positions_and_roles_and_a_new_order_begins_a_new_period(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm(1)
    sync(database, connection_id, crm)
    generations = generations_of(database)
    crm.now += DAY
    crm.stages = [
        replace(row, label="Demo") if row.crm_id == "prove" else row for row in crm.stages
    ]
    crm.stages.append(stage("Scope", sort_order=0))
    crm.stages[0] = stage("Qualify", sort_order=-1)
    sync(database, connection_id, crm)
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
    assert generations_of(database)["d1"] > generations["d1"]


def test_what_an_admin_confirmed_outlives_the_next_refresh(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    sync(database, connection_id, crm)
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
    report = sync(database, connection_id, crm)
    assert (report.inserted, report.updated, report.changes) == (0, 0, 0)
    assert told(database, connection_id) == confirmed
    tables = load_tables(database, connection_id)
    assert tables.people["is_integration"].sum() == 1
    crm.stages[0] = stage("Qualify", sort_order=7)
    sync(database, connection_id, crm)
    standing = load_tables(database, connection_id).stages.filter(pl.col("valid_to").is_null())
    places = {label: place for label, *place in standing.select("label", "position", "role").rows()}
    assert places["Prove"] == [None, ROLES.index("parking")]
    assert places["Propose"] == [0, ROLES.index("late")]
    assert places["Qualify"] == [1, ROLES.index("early")]


def test_an_unknown_person_gets_a_row_until_the_crm_names_them(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    crm.change_deal("d1", owner_crm_id="u404")
    sync(database, connection_id, crm)
    with database.read() as conn:
        assert deals.view(conn, connection_id, crm_id="d1").owner == "Unknown person u404"
    crm.people.append(PersonRecord(crm_id="u404", name="Nina New"))
    sync(database, connection_id, crm)
    with database.read() as conn:
        assert deals.view(conn, connection_id, crm_id="d1").owner == "Nina New"


def test_a_new_manager_begins_a_new_period_and_marks_the_deals(database: Database) -> None:
    connection_id, crm = connect(database), small_crm(1)
    sync(database, connection_id, crm)
    generations = generations_of(database)
    crm.now += DAY
    crm.people = [
        PersonRecord(crm_id="m1", name="Mia Manager"),
        PersonRecord(crm_id="m2", name="Max Manager"),
        PersonRecord(crm_id="u1", name="Rob Rep", manager_crm_id="m2"),
    ]
    sync(database, connection_id, crm)
    periods = load_tables(database, connection_id).management.sort("valid_from")
    assert periods["valid_to"].to_list() == [crm.now, None]
    assert periods["valid_from"][1] == crm.now
    assert generations_of(database)["d1"] > generations["d1"]


def test_a_changed_contact_role_begins_a_new_period_and_a_deleted_one_ends(
    database: Database,
) -> None:
    connection_id, crm = connect(database), small_crm(2)
    sync(database, connection_id, crm)
    crm.now += DAY
    crm.contacts = [role("r1", "d1", contact_crm_id="k2"), role("r2", "d2", is_deleted=True)]
    sync(database, connection_id, crm)
    periods = load_tables(database, connection_id).contact_roles.sort("deal_id", "valid_from")
    assert periods["valid_to"].to_list() == [crm.now, None, crm.now]
