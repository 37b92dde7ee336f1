"""Portals that have less: hidden properties, and the editions that HubSpot sells."""

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.fixtures import Sandbox
from tests.sandbox.hubspot.conftest import caller

DEALS = "/crm/v3/objects/deals"


@pytest.fixture
def portal(fresh_portal: Sandbox) -> Iterator[httpx.Client]:
    with caller(fresh_portal) as http:
        yield http


def test_a_hidden_property_is_as_if_it_did_not_exist(portal: httpx.Client) -> None:
    deal = portal.get(DEALS).json()["results"][0]["id"]
    hide = {"hide": ["deals.hs_next_step"]}
    assert portal.post("/_sandbox/permissions", json=hide).json() == {"hidden": 1}
    path = f"{DEALS}/{deal}?properties=hs_next_step&propertiesWithHistory=hs_next_step"
    shown = portal.get(path).json()
    assert "hs_next_step" not in shown["properties"]
    assert "propertiesWithHistory" not in shown
    refused = portal.patch(f"{DEALS}/{deal}", json={"properties": {"hs_next_step": "x"}})
    assert refused.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    names = {e["name"] for e in portal.get("/crm/v3/properties/deals").json()["results"]}
    assert "hs_next_step" not in names
    assert portal.get("/crm/v3/properties/deals/hs_next_step").status_code == 404
    told = {"propertyName": "hs_next_step", "operator": "HAS_PROPERTY"}
    body = {"filterGroups": [{"filters": [told]}]}
    assert portal.post(f"{DEALS}/search", json=body).status_code == 400
    portal.post("/_sandbox/permissions", json={"hide": []})
    assert portal.post(f"{DEALS}/search", json=body).json()["total"] > 0


@pytest.mark.parametrize("name", ["deals.nothing", "planets.name", "deals.hs_object_id"])
def test_what_can_not_be_hidden_is_refused(portal: httpx.Client, name: str) -> None:
    assert portal.post("/_sandbox/permissions", json={"hide": [name]}).status_code == 400


def test_starter_has_no_teams_no_forecast_and_fewer_calls(portal: httpx.Client) -> None:
    stage = "hs_v2_date_entered_1230000002"
    path = f"{DEALS}?limit=100&properties={stage},hs_manual_forecast_category"
    before = [each["properties"] for each in portal.get(path).json()["results"]]
    assert any(each[stage] for each in before)
    assert all("hs_manual_forecast_category" in each for each in before)
    portal.post("/_sandbox/settings", json={"edition": "starter"}).raise_for_status()
    reply = portal.get(path)
    assert reply.headers["X-HubSpot-RateLimit-Max"] == "100"
    assert reply.headers["X-HubSpot-RateLimit-Daily"] == "250000"
    after = [each["properties"] for each in reply.json()["results"]]
    assert not any({stage, "hs_manual_forecast_category"} & set(each) for each in after)
    assert portal.get("/settings/v3/users/teams").json()["results"] == []
    assert not any(each["teams"] for each in portal.get("/crm/v3/owners").json()["results"])
    assert portal.post("/_sandbox/settings", json={"edition": "free"}).status_code == 400
