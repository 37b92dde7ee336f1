"""What HubSpot does by itself: at closing, on activities, on newer API versions."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.sandbox.fixtures import Sandbox
from tests.sandbox.hubspot.conftest import caller

DEALS = "/crm/objects/2026-09/deals"
ZONE = ZoneInfo("America/New_York")


def make(http: httpx.Client, **properties: str) -> str:
    told = {"dealname": "Effects", "dealstage": "1230000002"} | properties
    reply = http.post(DEALS, json={"properties": told})
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def change(http: httpx.Client, deal: str, **properties: str) -> None:
    reply = http.patch(f"{DEALS}/{deal}", json={"properties": properties})
    assert reply.status_code == 200, reply.text


def read(http: httpx.Client, deal: str, *names: str) -> dict[str, Any]:
    reply = http.get(f"{DEALS}/{deal}", params={"properties": ",".join(names)})
    found: dict[str, Any] = reply.json()["properties"]
    return found


@pytest.mark.parametrize(("stage", "won"), [("closedwon", "true"), ("closedlost", "false")])
def test_closing_rewrites_the_close_date_whether_won_or_lost(
    http: httpx.Client, stage: str, won: str
) -> None:
    deal = make(http, closedate="2030-06-30T12:00:00Z", amount="400")
    change(http, deal, dealstage=stage)
    names = ("closedate", "hs_is_closed", "hs_is_closed_won", "hs_closed_amount")
    found = read(http, deal, *names)
    closed_at = datetime.fromisoformat(found["closedate"])
    assert abs(datetime.now(UTC) - closed_at) < timedelta(minutes=5)
    assert (found["hs_is_closed"], found["hs_is_closed_won"]) == ("true", won)
    assert found["hs_closed_amount"] == ("400" if won == "true" else "0")
    history = http.get(f"{DEALS}/{deal}?propertiesWithHistory=closedate,dealstage").json()
    dates, stages = (history["propertiesWithHistory"][n] for n in ("closedate", "dealstage"))
    assert [each["value"] for each in dates] == [found["closedate"], "2030-06-30T12:00:00.000Z"]
    assert dates[0]["timestamp"] == stages[0]["timestamp"]


def test_a_close_date_told_while_closing_stays(http: httpx.Client) -> None:
    deal = make(http)
    change(http, deal, dealstage="closedwon", closedate="2026-01-05T12:00:00Z")
    assert read(http, deal, "closedate")["closedate"] == "2026-01-05T12:00:00.000Z"


def test_a_deal_that_is_opened_again_keeps_its_close_date(http: httpx.Client) -> None:
    deal = make(http)
    change(http, deal, dealstage="closedlost")
    closed = read(http, deal, "closedate")["closedate"]
    change(http, deal, dealstage="1230000003")
    found = read(http, deal, "closedate", "hs_is_closed", "hs_deal_stage_probability")
    assert found["closedate"] == closed
    assert (found["hs_is_closed"], found["hs_deal_stage_probability"]) == ("false", "0.35")


def test_a_new_owner_and_a_new_next_step_are_dated(http: httpx.Client) -> None:
    owners = http.get("/crm/owners/2026-09").json()["results"]
    deal = make(http)
    names = ("hubspot_owner_assigneddate", "hs_next_step_updated_at")
    assert set(read(http, deal, *names).values()) >= {None}
    change(http, deal, hubspot_owner_id=owners[-1]["id"], hs_next_step="Call")
    found = read(http, deal, *names)
    assert found["hubspot_owner_assigneddate"] == found["hs_lastmodifieddate"]
    assert found["hs_next_step_updated_at"] == found["hs_lastmodifieddate"]


def test_the_same_value_again_is_no_change(http: httpx.Client) -> None:
    deal = make(http, amount="5")
    before = read(http, deal, "amount")
    change(http, deal, amount="5")
    assert read(http, deal, "amount") == before


def test_activities_touch_their_deal_and_are_summed_up_on_it(http: httpx.Client) -> None:
    deal = make(http)
    names = ("num_notes", "notes_last_updated", "notes_next_activity_date")
    before = read(http, deal, *names)
    assert [before[name] for name in names] == [None, None, None]

    def add(kind: str, type_id: int, at: str, **more: str) -> None:
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        body = {
            "properties": {"hs_timestamp": at, **more},
            "associations": [{"to": {"id": deal}, "types": types}],
        }
        assert http.post(f"/crm/v3/objects/{kind}", json=body).status_code == 201

    add("calls", 206, "2026-02-01T10:00:00Z")
    add("notes", 214, "2026-02-03T10:00:00Z")
    add("tasks", 216, "2040-02-03T10:00:00Z", hs_task_status="COMPLETED")
    add("meetings", 212, "2040-01-01T10:00:00Z")
    found = read(http, deal, *names)
    assert found["num_notes"] == "4"
    assert found["notes_last_updated"] == "2026-02-03T10:00:00.000Z"
    assert found["notes_next_activity_date"] == "2040-01-01T10:00:00.000Z"
    assert found["hs_lastmodifieddate"] > before["hs_lastmodifieddate"]


def test_a_completed_task_is_dated(http: httpx.Client) -> None:
    made = http.post(
        "/crm/v3/objects/tasks", json={"properties": {"hs_timestamp": "2030-01-01T00:00:00Z"}}
    ).json()
    path = f"/crm/v3/objects/tasks/{made['id']}"
    http.patch(path, json={"properties": {"hs_task_status": "COMPLETED"}})
    found = http.get(f"{path}?properties=hs_task_completion_date,hs_task_is_completed").json()
    assert found["properties"]["hs_task_is_completed"] == "1"
    assert found["properties"]["hs_task_completion_date"] is not None


def test_people_close_deals_and_hubspot_dates_it(http: httpx.Client) -> None:
    query = "propertiesWithHistory=dealstage,closedate&properties=closedate,hs_is_closed&limit=50"
    closed = 0
    for deal in http.get(f"{DEALS}?{query}").json()["results"]:
        entries = deal["propertiesWithHistory"]["dealstage"]
        if entries[0]["value"] in ("closedwon", "closedlost") and entries[0]["sourceId"]:
            day = datetime.fromisoformat(deal["properties"]["closedate"]).astimezone(ZONE).date()
            at = datetime.fromisoformat(entries[0]["timestamp"]).astimezone(ZONE).date()
            closed += day == at
    assert closed > 5


def test_only_the_newest_version_enforces_what_the_administrator_demands(
    fresh_portal: Sandbox,
) -> None:
    demands = [
        {"type": "deals", "property": "amount"},
        {"type": "deals", "property": "closed_lost_reason", "when": {"dealstage": "closedlost"}},
    ]
    with caller(fresh_portal) as http:
        assert http.post("/_sandbox/demands", json=demands).json() == {"demands": 2}
        body = {"properties": {"dealname": "Demanding"}}
        refused = http.post(DEALS, json=body)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"
        deal = http.post("/crm/v3/objects/deals", json=body).json()["id"]
        lost = {"properties": {"dealstage": "closedlost"}}
        refused = http.patch(f"{DEALS}/{deal}", json=lost)
        assert refused.json()["errors"][0]["code"] == "MISSING_CONDITIONAL_REQUIRED_PROPERTY"
        assert http.patch(f"/crm/objects/2026-03/deals/{deal}", json=lost).status_code == 200
