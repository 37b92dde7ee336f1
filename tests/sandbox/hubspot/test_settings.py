"""Properties and groups, pipelines, owners, users, teams and the account."""

from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.properties import PropertyCreate, PropertyGroupCreate
from hubspot.crm.properties.exceptions import ApiException

from tests.sandbox.fixtures import Sandbox
from tests.sandbox.hubspot.conftest import caller

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
OWN: dict[str, Any] = {
    "name": "our_flags",
    "label": "Our flags",
    "type": "enumeration",
    "field_type": "checkbox",
    "group_name": "ours",
    "options": [
        {"label": "Late", "value": "late", "displayOrder": 0, "hidden": False},
        {"label": "Slipped", "value": "slipped", "displayOrder": 1, "hidden": False},
    ],
}


def test_a_group_and_a_property_are_made_once(fresh_portal: Sandbox) -> None:
    hubspot = HubSpot(access_token="pat-sandbox-forestage", host=fresh_portal.base_url)
    group = PropertyGroupCreate(name="ours", label="Ours", display_order=1)
    properties = hubspot.crm.properties
    properties.groups_api.create("deals", group)
    with pytest.raises(ApiException) as taken:
        properties.groups_api.create("deals", group)
    assert taken.value.status == 409
    made = properties.core_api.create("deals", PropertyCreate(**OWN))
    assert made.name == "our_flags"
    with pytest.raises(ApiException) as taken:
        properties.core_api.create("deals", PropertyCreate(**OWN))
    assert taken.value.status == 409
    assert "Properties.PROPERTY_WITH_NAME_EXISTS" in taken.value.body
    listed = {each.name for each in properties.core_api.get_all("deals").results}
    assert {"our_flags", "dealname", "hs_is_closed"} <= listed
    with caller(fresh_portal) as http:
        options_are_replaced_and_an_archived_name_comes_back(http)


def options_are_replaced_and_an_archived_name_comes_back(http: httpx.Client) -> None:
    deal = http.get("/crm/v3/objects/deals?limit=1").json()["results"][0]["id"]
    path, deal_path = "/crm/properties/2026-09/deals/our_flags", f"/crm/v3/objects/deals/{deal}"

    def flag(value: str) -> httpx.Response:
        return http.patch(deal_path, json={"properties": {"our_flags": value}})

    assert flag("late").status_code == 200
    assert flag(";slipped").json()["properties"]["our_flags"] == "late;slipped"
    only = [{"label": "Late", "value": "late"}]
    assert len(http.patch(path, json={"options": only}).json()["options"]) == 1
    assert flag("slipped").status_code == 400
    assert http.delete(path).status_code == 204
    assert http.get(path).status_code == 404
    assert http.get(path, params={"archived": True}).json()["archived"] is True
    shown = http.get(f"{deal_path}?properties=our_flags").json()["properties"]
    assert "our_flags" not in shown
    told = {key: OWN[key] for key in ("name", "label", "type", "options")}
    back = told | {"fieldType": "checkbox", "groupName": "ours"}
    assert http.post("/crm/properties/2026-09/deals", json=back).status_code == 201
    assert http.get(path).json()["archived"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"label": ""},
        {"type": "word"},
        {"fieldType": "date"},
        {"groupName": "nowhere"},
        {"name": "Not Allowed"},
        {"options": [{"label": "A", "value": "x"}, {"label": "B", "value": "x"}]},
        {"type": "bool", "fieldType": "booleancheckbox", "options": []},
    ],
)
def test_a_property_that_makes_no_sense_is_refused(
    http: httpx.Client, change: dict[str, Any]
) -> None:
    told = {
        "name": "refused",
        "label": "Refused",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "dealinformation",
        "options": [],
    }
    assert http.post("/crm/v3/properties/deals", json=told | change).status_code == 400
    assert http.get("/crm/v3/properties/deals/refused").status_code == 404


def test_a_batch_of_properties_fails_row_by_row(http: httpx.Client) -> None:
    row = {"label": "B", "type": "string", "fieldType": "text", "groupName": "task"}
    inputs = [row | {"name": name} for name in ("batch_one", "hs_task_body")]
    reply = http.post("/crm/v3/properties/tasks/batch/create", json={"inputs": inputs})
    assert reply.status_code == 207
    assert [each["name"] for each in reply.json()["results"]] == ["batch_one"]
    assert reply.json()["errors"][0]["context"]["name"] == ["hs_task_body"]


def test_pipelines_have_ordered_stages_with_metadata_of_text(hubspot: HubSpot) -> None:
    pipelines = hubspot.crm.pipelines.pipelines_api.get_all("deals").results
    assert [each.label for each in pipelines] == ["New Business", "Renewal"]
    for pipeline in pipelines:
        orders = [stage.display_order for stage in pipeline.stages]
        assert orders == sorted(orders)
        won, lost = pipeline.stages[-2:]
        assert won.metadata == {"isClosed": "true", "probability": "1.0"}
        assert lost.metadata == {"isClosed": "true", "probability": "0.0"}


def test_renaming_a_stage_is_audited_and_its_deals_follow(fresh_portal: Sandbox) -> None:
    path = "/crm/pipelines/2026-09/deals/default/stages/closedlost"
    query = "/crm/v3/objects/deals?limit=100&properties=dealstage,hs_is_closed"
    with caller(fresh_portal) as http:
        change = {"label": "Gone", "metadata": {"isClosed": "false", "probability": "0.2"}}
        assert http.patch(path, json=change).json()["label"] == "Gone"
        audit = http.get(f"{path}/audit").json()["results"]
        assert [each["action"] for each in audit] == ["UPDATE", "CREATE"]
        assert audit[0]["rawObject"]["label"] == "Gone"
        deals = [each["properties"] for each in http.get(query).json()["results"]]
        states = {e["hs_is_closed"] for e in deals if e["dealstage"] == "closedlost"}
        assert states == {"false"}


def test_a_stage_in_use_is_guarded_by_the_newest_version_only(fresh_portal: Sandbox) -> None:
    place = "deals/default/stages/closedwon"
    with caller(fresh_portal) as http:
        assert http.delete(f"/crm/pipelines/2026-09/{place}").status_code == 400
        assert http.delete(f"/crm/v3/pipelines/{place}").status_code == 204
        stages = http.get("/crm/v3/pipelines/deals/default").json()["stages"]
        assert "closedwon" not in {each["id"] for each in stages}
        new = {"label": "Legal", "displayOrder": 3, "metadata": {"probability": "0.5"}}
        made = http.post("/crm/v3/pipelines/deals/default/stages", json=new).json()
        assert made["metadata"] == {"isClosed": "false", "probability": "0.5"}
        deal = {"properties": {"dealname": "Legal", "dealstage": made["id"]}}
        assert http.post("/crm/v3/objects/deals", json=deal).status_code == 201


def test_owners_who_left_come_in_a_pass_of_their_own(hubspot: HubSpot) -> None:
    api = hubspot.crm.owners.owners_api
    here, gone = api.get_page(), api.get_page(archived=True)
    assert len(here.results) > 8
    assert [each.archived for each in gone.results] == [True]
    left = gone.results[0]
    assert left.user_id is None
    assert left.user_id_including_inactive is not None
    assert api.get_by_id(int(here.results[0].id)).email == here.results[0].email
    with_team = [each for each in here.results if each.teams]
    assert all(each.teams[0].primary for each in with_team)


def test_owners_are_paged(http: httpx.Client) -> None:
    seen, after = [], ""
    while True:
        page = http.get("/crm/owners/2026-09", params={"limit": 3, "after": after}).json()
        seen += [each["id"] for each in page["results"]]
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]
    assert len(seen) == len(set(seen)) > 8
    assert http.get("/crm/v3/owners/?limit=501").status_code == 400


def test_teams_name_their_users_but_not_their_manager(hubspot: HubSpot) -> None:
    users = {each.id for each in hubspot.settings.users.users_api.get_page().results}
    teams = hubspot.settings.users.teams_api.get_all().results
    members = [user for team in teams for user in team.user_ids]
    assert members
    assert set(members) <= users
    assert not any("manager" in name for name in teams[0].to_dict())


def test_the_sandbox_itself_tells_who_manages_whom(
    hubspot_sandbox: Sandbox, http: httpx.Client
) -> None:
    managers = hubspot_sandbox.state()["managers"]
    owners = {each["id"] for each in http.get("/crm/v3/owners").json()["results"]}
    teams = http.get("/settings/v3/users/teams").json()["results"]
    assert set(managers.values()) <= owners
    sales = [each["id"] for each in teams if each["name"].startswith("Sales Team")]
    assert sales
    assert all(f"team:{each}" in managers for each in sales)


def test_the_account_tells_zone_and_currency(http: httpx.Client) -> None:
    for path in ("/account-info/v3/details", "/account-info/2026-09/details"):
        found = http.get(path).json()
        assert found["timeZone"] == "America/New_York"
        assert found["companyCurrency"] == "USD"
        assert found["utcOffsetMilliseconds"] in (-18_000_000, -14_400_000)
