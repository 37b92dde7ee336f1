"""Owner and next step from OpportunityFieldHistory, against the practice Salesforce."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from connectors.records import ChangeRecord
from connectors.salesforce import field_history
from connectors.salesforce.client import Client
from connectors.salesforce.connection import SalesforceConnection
from tests.connectors.salesforce.practice import PracticeOrg, practising
from tests.connectors.salesforce.test_reading_practice import Copy

AT = "2026-05-01T10:00:00.000+0000"
TRACKED = ("owner", "next_step")
DEAL = {"Id": "006", "CreatedDate": AT}


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOrg]:
    directory = tmp_path_factory.mktemp("org")
    with practising(directory, deals=150, seed=7, tracked_days=900) as made:
        yield made


@pytest.fixture(scope="module")
def everything(org: PracticeOrg) -> Copy:
    copy = Copy()
    copy.read(org)
    return copy


def client_of(connection: SalesforceConnection) -> Client:
    return connection.reader()._client


def of_field(changes: list[ChangeRecord], field: str) -> list[ChangeRecord]:
    return [change for change in changes if change.field == field]


def test_every_change_of_owner_and_next_step_is_told_once_with_who_and_when(
    org: PracticeOrg, everything: Copy
) -> None:
    soql = (
        "SELECT Id, OpportunityId, CreatedById, NewValue, CreatedDate FROM "
        "OpportunityFieldHistory WHERE Field = 'NextStep' OR (Field = 'Owner' AND "
        "DataType = 'EntityId')"
    )
    rows = {row["Id"]: row for row in client_of(org.connect()).rows(soql, deleted=True)}
    told = [
        change
        for history in everything.histories.values()
        for change in history
        if (change.field in TRACKED and change.old is not None) or change.source_ref in rows
    ]
    assert len(rows) > 20
    assert sorted(change.source_ref for change in told) == sorted(rows)
    for change in told:
        row = rows[change.source_ref]
        assert (change.new, change.by_crm_id) == (row["NewValue"], row["CreatedById"])


def test_a_tracked_history_begins_at_the_creation_is_chained_and_ends_as_the_deal_is(
    everything: Copy,
) -> None:
    moved = 0
    for crm_id, deal in everything.deals.items():
        now = {"owner": deal.owner_crm_id, "next_step": deal.next_step}
        for field in TRACKED:
            rows = of_field(everything.histories[crm_id], field)
            if not rows:
                continue
            moved += 1
            assert rows[0].old is None
            assert abs(rows[0].at - deal.created_at) <= timedelta(seconds=5)
            assert [row.old for row in rows[1:]] == [row.new for row in rows[:-1]]
            assert rows[-1].new == now[field]
    assert moved > 20


def test_the_other_fields_still_come_from_the_history_that_is_always_on(everything: Copy) -> None:
    for history in everything.histories.values():
        refs = {row.source_ref[:3] for row in history if row.field not in TRACKED}
        assert refs <= {"008", "006"}


def test_after_two_weeks_an_incremental_read_with_field_history_equals_a_full_one(
    org: PracticeOrg, everything: Copy
) -> None:
    org.advance(14)
    copy = Copy(
        companies=dict(everything.companies),
        deals=dict(everything.deals),
        histories=dict(everything.histories),
        contacts=dict(everything.contacts),
        activities=dict(everything.activities),
        cursors=dict(everything.cursors),
    )
    copy.read(org)
    fresh = Copy()
    fresh.read(org)
    assert copy.same_as(fresh)


def test_history_that_is_switched_on_later_is_read_from_then_on_and_its_gap_is_told(
    tmp_path: Any,
) -> None:
    with practising(tmp_path, deals=40, seed=3) as org:
        copy = Copy()
        copy.read(org)
        assert copy.warnings == []
        assert "tracked" not in orjson.loads(copy.cursors["history"] or "")
        org.settings(field_history=True)
        org.advance(30)
        copy.read(org)
        told = [row for rows in copy.histories.values() for row in rows if row.field in TRACKED]
        assert told
        assert orjson.loads(copy.cursors["history"] or "")["tracked"] is True
        fresh = Copy()
        fresh.read(org)
        assert copy.histories == fresh.histories
        assert len(fresh.warnings) == 1
        assert "OpportunityFieldHistory begins on" in fresh.warnings[0]


def row(crm_id: str, name: str, old: Any, new: Any, **values: Any) -> dict[str, Any]:
    base = {"Id": crm_id, "OpportunityId": "006", "Field": name, "CreatedDate": AT}
    return {**base, "OldValue": old, "NewValue": new, "CreatedById": "005A", **values}


def test_names_of_owners_and_texts_too_long_to_keep_are_no_changes() -> None:
    rows = [
        row("017a", "Owner", "Ann", "Bob"),
        row("017b", "Owner", "005000000000001AAA", "005000000000002AAA"),
        row("017c", "NextStep", None, None),
        row("017d", "Owner", "Ann Mayer-Lopez", "Bob Cunningham 1", DataType="Text"),
    ]
    (change,) = field_history.changes(DEAL, rows)
    assert (change.field, change.old, change.new) == (
        "owner", "005000000000001AAA", "005000000000002AAA",
    )  # fmt: skip


def test_without_the_row_of_the_creation_nobody_knows_what_the_deal_began_with() -> None:
    edits = [row("017a", "NextStep", "Call", "Meet", CreatedDate=AT.replace("05-01", "05-09"))]
    assert [change.old for change in field_history.changes(DEAL, edits)] == ["Call"]
    whole = field_history.changes(DEAL, [row("0179", "created", None, None), *edits])
    assert [(change.old, change.new) for change in whole] == [(None, "Call"), ("Call", "Meet")]
