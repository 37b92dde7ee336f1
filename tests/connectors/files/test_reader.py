from datetime import UTC, datetime

import pytest

from connectors.files import ExportSettings, FileError, FilesReader, connect
from connectors.records import ActivityRecord
from tests.connectors.files.export import DEALS, HISTORY, NOW, Export, changes, deals


def activities(reader: FilesReader) -> dict[str, ActivityRecord]:
    return {row.crm_id: row for page in reader.read("activities", None) for row in page.activities}


def test_short_and_full_salesforce_ids_are_one(export: Export) -> None:
    export.write("deals", DEALS.replace("D1", "006bm00000LKJNN"))
    export.write("history", HISTORY.replace("D1", "006bm00000LKJNNAA5"))
    reader = export.open()
    assert list(deals(reader)) == ["006bm00000LKJNNAA5"]
    assert not reader.problems


def test_an_export_of_salesforce_reports_is_understood_by_its_labels(export: Export) -> None:
    export.write(
        "deals",
        "Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date,Opportunity Owner,"
        "Account Name,Probability (%)\n"
        '006bm00000LKJNN,Pumps,Proposal,"USD 1,500.00",6/30/2026,1/5/2026,Ann Rep,Acme,60\n',
    )
    export.write(
        "history",
        "Opportunity ID,Edit Date,Field / Event,Old Value,New Value,Edited By\n"
        "006bm00000LKJNN,2/20/2026 9:00 AM,Stage,Prospecting,Proposal,Ann Rep\n",
    )
    reader = export.open()
    assert not reader.problems
    [deal] = deals(reader).values()
    assert (deal.name, deal.amount, deal.currency) == ("Pumps", 15_000_000, "USD")
    assert (deal.owner_crm_id, deal.company_crm_id) == ("Ann Rep", "Acme")
    assert [(c.old, c.new) for c in changes(reader, "stage")] == [
        (None, "Prospecting"),
        ("Prospecting", "Proposal"),
    ]


def test_an_export_of_hubspot_is_understood_by_its_internal_names(export: Export) -> None:
    export.write(
        "deals",
        "hs_object_id,dealname,dealstage,pipeline,amount,closedate,createdate,hubspot_owner_id,"
        "hs_lastmodifieddate,deal_currency_code,dealtype,hs_is_closed,hs_is_closed_won\n"
        "77,Pumps,appointmentscheduled,default,1500,2026-06-30T00:00:00Z,2026-01-05T09:00:00.123Z,"
        "5,2026-02-05T09:00:00Z,EUR,newbusiness,false,false\n",
    )
    export.write(
        "history",
        "deal_id,name,value,timestamp,source,source_id\n"
        "77,dealstage,appointmentscheduled,2026-01-05T09:00:00.123Z,CRM_UI,userId:5\n"
        "77,closedate,2026-05-31T00:00:00Z,2026-01-05T09:00:00.123Z,CRM_UI,userId:5\n"
        "77,closedate,2026-06-30T00:00:00Z,2026-02-05T09:00:00Z,CRM_UI,userId:5\n"
        "77,dealname,Pumps,2026-01-05T09:00:00.123Z,CRM_UI,userId:5\n",
    )
    export.write(
        "stages",
        "pipeline_id,stage_id,label,display_order,is_closed,closed_won,probability\n"
        "default,appointmentscheduled,Appointment Scheduled,0,FALSE,FALSE,0.2\n"
        "default,closedwon,Closed Won,1,TRUE,TRUE,1.0\n",
    )
    reader = export.open()
    assert not reader.problems
    assert [stage.label for stage in reader.stages()] == ["Appointment Scheduled", "Closed Won"]
    assert deals(reader)["77"].stage_crm_id == "appointmentscheduled"
    assert len(changes(reader, "close_date")) == 2
    assert {person.crm_id for person in reader.people()} == {"5"}


def test_stages_without_a_pipeline_are_those_of_every_pipeline_in_use(export: Export) -> None:
    two = DEALS.replace("deal_id,", "pipeline,deal_id,").replace("D1,", "North,D1,")
    export.write("deals", two + two.splitlines()[1].replace("North,D1", "South,D2"))
    reader = export.open()
    assert {stage.pipeline_crm_id for stage in reader.stages()} == {"North", "South"}
    assert len(reader.stages()) == 10


def test_roles_of_the_stages_file_are_told_by_pipeline(export: Export) -> None:
    export.write(
        "stages", "stage,position,role,is_closed,is_won\nProspecting,0,early,no,no\nProposal,1,,,\n"
    )
    reader = export.open()
    assert reader.stage_roles == {("default", "Prospecting"): "early"}


def test_without_stages_deals_must_say_whether_they_are_closed(export: Export) -> None:
    paths = {
        "deals": export.write("deals", DEALS),
        "history": export.write("history", HISTORY),
    }
    with pytest.raises(FileError, match="is_closed and is_won") as caught:
        connect(paths, name="acme", now=NOW, settings=ExportSettings())
    assert caught.value.option == "stages"


def test_the_clock_of_an_export_stands_at_the_end_of_its_last_day(export: Export) -> None:
    assert export.open().account().now == datetime(2026, 2, 6, tzinfo=UTC)
    same_day = datetime(2026, 2, 5, 10, tzinfo=UTC)
    assert export.open(now=same_day).account().now == same_day


def test_a_history_row_from_the_future_is_refused(export: Export) -> None:
    reader = export.open(now=datetime(2026, 2, 1, tzinfo=UTC))
    assert [(p.kind, p.line) for p in reader.problems] == [("future", 3)]


@pytest.mark.parametrize(
    ("row", "held", "two_way"),
    [
        ("meeting,,held,,C1", True, True),
        ("meeting,,held,,", True, None),
        ("meeting,,no show,,C1", False, False),
        ("meeting,,,60,C1", None, None),
        ("call,outbound,connected,1,C1", True, True),
        ("call,outbound,,2,C1", True, True),
        ("call,outbound,,1,C1", False, False),
        ("call,outbound,left voicemail,5,C1", False, False),
        ("call,,,,C1", None, None),
        ("email,inbound,,,C1", None, True),
        ("email,outbound,,,C1", None, False),
        ("email,,,,C1", None, None),
        ("task,,completed,,", None, False),
        ("note,,,,", None, False),
    ],
)
def test_what_an_activity_proves(
    export: Export, row: str, held: bool | None, two_way: bool | None
) -> None:
    export.write(
        "activities",
        f"activity_id,at,kind,direction,outcome,minutes,contact_ids\nA,2026-01-09 09:00,{row}\n",
    )
    reader = export.open()
    assert not reader.problems
    record = activities(reader)["A"]
    assert (record.is_held, record.is_two_way) == (held, two_way)


def test_salesforce_events_are_meetings_and_their_subject_is_a_deal_or_an_account(
    export: Export,
) -> None:
    export.write("deals", DEALS.replace("D1", "006bm00000LKJNNAA5"))
    export.write("history", HISTORY.replace("D1", "006bm00000LKJNNAA5"))
    export.write(
        "activities",
        "Id,WhatId,WhoId,OwnerId,StartDateTime,DurationInMinutes,CreatedDate\n"
        "00U1,006bm00000LKJNN,003A,P1,2026-01-09T09:00:00Z,60,2026-01-08T09:00:00Z\n"
        "00U2,001bm00001ZL8UCAA1,003A,P1,2026-01-09T09:00:00Z,60,2026-01-08T09:00:00Z\n"
        "00U3,,003A,P1,2026-12-09T09:00:00Z,60,2026-01-08T09:00:00Z\n",
    )
    found = activities(export.open())
    assert (found["00U1"].deal_crm_id, found["00U1"].is_held) == ("006bm00000LKJNNAA5", True)
    assert (found["00U2"].deal_crm_id, found["00U2"].company_crm_id) == (None, "001bm00001ZL8UCAA1")
    assert found["00U3"].is_held is False  # still to come
    assert {row.kind for row in found.values()} == {"meeting"}


def test_of_several_managers_the_present_one_counts(export: Export) -> None:
    export.write(
        "people",
        "person_id,name,manager_id,from,to\n"
        "P1,Ann,M1,2025-01-01,2026-05-31\n"
        "P1,Ann,M2,2026-06-01,\n"
        "P1,Ann,M3,2027-01-01,\n",
    )
    people = {person.crm_id: person for person in export.open().people()}
    assert people["P1"].manager_crm_id == "M2"
    assert people["M2"].name == "M2"


def test_named_deals_come_with_their_whole_history(export: Export) -> None:
    reader = export.open()
    page = reader.deals_by_id(["D1", "D404"])
    assert [deal.crm_id for deal in page.deals] == ["D1"]
    assert page.complete_histories == {"D1"}
    assert list(page.changes) == changes(reader)


def test_dates_of_one_file_may_be_decided_by_another(export: Export) -> None:
    export.write("deals", DEALS.replace("2026-06-30", "04/03/26"))
    export.write(
        "history", HISTORY.replace("2026-05-31", "23/05/26").replace("2026-06-30", "04/03/26")
    )
    assert str(deals(export.open())["D1"].close_on) == "2026-03-04"


def test_files_that_contradict_each_other_keep_their_own_order(export: Export) -> None:
    export.write("deals", DEALS.replace("2026-06-30", "06/30/26"))
    export.write(
        "history", HISTORY.replace("2026-05-31", "31/05/26").replace("2026-06-30", "30/06/26")
    )
    reader = export.open()
    assert str(deals(reader)["D1"].close_on) == "2026-06-30"
    assert str(changes(reader, "close_date")[-1].new) == "2026-06-30"


@pytest.mark.parametrize("kind", ["deals", "history"])
def test_a_file_that_proves_both_orders_is_refused_as_a_whole(export: Export, kind: str) -> None:
    export.write("deals", DEALS)
    export.write("history", HISTORY)
    text = export.paths[kind].read_text()
    row = text.splitlines()[1].replace("D1", "D2")
    dated = {"deals": "2026-06-30", "history": "2026-05-31"}[kind]
    export.write(
        kind, f"{text}{row.replace(dated, '23/02/26')}\n{row.replace(dated, '02/23/26')}\n"
    )
    with pytest.raises(FileError, match="both") as caught:
        export.open()
    assert caught.value.option == "date-order"


def test_a_header_without_rows_is_no_export(export: Export) -> None:
    export.write("deals", DEALS.splitlines()[0])
    with pytest.raises(FileError, match="a header and no rows"):
        export.open()


def test_deals_of_which_none_can_be_read_tell_the_first_reason(export: Export) -> None:
    export.write("deals", DEALS.replace("2026-01-05T09:00:00Z", "soon"))
    with pytest.raises(FileError, match="line 2, column created_at: 'soon' is not a date"):
        export.open()


def test_a_value_that_only_history_keeps_is_its_last_one(export: Export) -> None:
    export.write("deals", DEALS.replace("amount,", "").replace("1000,", ""))
    export.write("history", HISTORY.replace("1000,P1\n", "2000,P1\n"))
    assert deals(export.open())["D1"].amount == 20_000_000


def test_of_many_notes_of_a_kind_a_thousand_are_listed_and_all_are_counted(export: Export) -> None:
    header, row = DEALS.splitlines()
    export.write(
        "deals", "\n".join([header, *(row.replace("D1", f"D{n}") for n in range(1, 1503))])
    )
    reader = export.open()
    assert reader.problems_by_kind == {"refused": {}, "noted": {"no_history": 1501}}
    assert len(reader.problems) == 1000


def test_a_stage_that_only_history_names_is_kept_and_noted_once(export: Export) -> None:
    more = HISTORY.splitlines()[1]
    export.write(
        "history",
        HISTORY
        + more.replace("2026-01-05", "2026-03-05").replace("Prospecting", "Propsal")
        + "\n"
        + more.replace("2026-01-05", "2026-03-06").replace("Prospecting", "Propsal")
        + "\n",
    )
    reader = export.open()
    [problem] = reader.problems
    assert (problem.kind, problem.line) == ("unknown_stage", 4)
    assert "nearest: Proposal" in problem.reason
    assert changes(reader, "stage")[-1].new == "Propsal"
