"""Associations over real HTTP, v4 with hubspot-api-client and date-based."""

from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import (
    BatchInputPublicAssociationMultiPost,
    BatchInputPublicFetchAssociationsBatchRequest,
)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def some(http: httpx.Client, name: str, count: int = 1) -> list[str]:
    results = http.get(f"/crm/v3/objects/{name}", params={"limit": count}).json()["results"]
    return [each["id"] for each in results]


def fresh_deal(http: httpx.Client) -> str:
    made = http.post("/crm/v3/objects/deals", json={"properties": {"dealname": "Linked"}})
    return str(made.json()["id"])


def link(target: str, type_id: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    return {"to": {"id": target}, "types": types}


def read(http: httpx.Client, source: str, target: str, *ids: str) -> dict[str, Any]:
    body = {"inputs": [{"id": each} for each in ids]}
    path = f"/crm/associations/2026-09/{source}/{target}/batch/read"
    found: dict[str, Any] = http.post(path, json=body).json()
    return found


def test_activities_contacts_and_companies_hang_on_deals(
    hubspot: HubSpot, http: httpx.Client
) -> None:
    deals = some(http, "deals", 40)
    for target, type_id in (("meetings", 211), ("calls", 205), ("emails", 209), ("contacts", 3)):
        wanted = BatchInputPublicFetchAssociationsBatchRequest(
            inputs=[{"id": each} for each in deals]
        )
        found = hubspot.crm.associations.v4.batch_api.get_page("deals", target, wanted)
        kinds = {
            kind.type_id
            for result in found.results
            for each in result.to
            for kind in each.association_types
            if kind.category == "HUBSPOT_DEFINED"
        }
        assert kinds == {type_id}
    found = read(http, "deals", "companies", *deals)
    assert {len(each["to"]) for each in found["results"]} == {1}
    types = found["results"][0]["to"][0]["associationTypes"]
    assert [(each["typeId"], each["label"]) for each in types] == [(5, "Primary"), (341, None)]


def test_contact_roles_are_the_portals_own_labels(http: httpx.Client) -> None:
    labels = http.get("/crm/v4/associations/deals/contacts/labels").json()["results"]
    own = {each["typeId"]: each["label"] for each in labels if each["category"] == "USER_DEFINED"}
    assert own
    found = read(http, "deals", "contacts", *some(http, "deals", 40))
    for result in found["results"]:
        for each in result["to"]:
            kinds = {kind["typeId"]: kind["label"] for kind in each["associationTypes"]}
            assert 3 in kinds
            assert own.items() >= {k: v for k, v in kinds.items() if k != 3}.items()


def test_what_has_no_association_is_told_beside_the_rest(http: httpx.Client) -> None:
    lonely = fresh_deal(http)
    reply = http.post(
        "/crm/v4/associations/deals/contacts/batch/read", json={"inputs": [{"id": lonely}]}
    )
    assert reply.status_code == 207
    error = reply.json()["errors"][0]
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error["context"]["fromObjectId"] == [lonely]


def test_v4_tells_ids_as_numbers_and_dated_paths_as_text(http: httpx.Client) -> None:
    deal = next(iter(some(http, "deals")))
    body = {"inputs": [{"id": deal}]}
    v4 = http.post("/crm/v4/associations/deals/companies/batch/read", json=body).json()
    dated = read(http, "0-3", "0-2", deal)
    ids = [each["results"][0]["to"][0]["toObjectId"] for each in (v4, dated)]
    assert isinstance(ids[0], int)
    assert ids[1] == str(ids[0])


def test_an_association_is_made_read_from_both_ends_and_taken_away(
    hubspot: HubSpot, http: httpx.Client
) -> None:
    deal, contact = fresh_deal(http), some(http, "contacts")[0]
    batch = BatchInputPublicAssociationMultiPost(
        inputs=[
            {
                "from": {"id": deal},
                "to": {"id": contact},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}],
            }
        ]
    )
    hubspot.crm.associations.v4.batch_api.create("deals", "contacts", batch)
    there = hubspot.crm.associations.v4.basic_api.get_page("deals", deal, "contacts")
    assert [str(each.to_object_id) for each in there.results] == [contact]
    back = read(http, "contacts", "deals", contact)["results"][0]["to"]
    mine = [each for each in back if each["toObjectId"] == deal]
    assert mine[0]["associationTypes"][0]["typeId"] == 4
    away = {"inputs": [{"from": {"id": deal}, "to": [{"id": contact}]}]}
    path = "/crm/associations/2026-09/deals/contacts/batch/archive"
    assert http.post(path, json=away).status_code == 204
    assert read(http, "deals", "contacts", deal)["results"] == []


def test_a_default_association_needs_no_type(hubspot: HubSpot, http: httpx.Client) -> None:
    deal, company = fresh_deal(http), some(http, "companies")[0]
    made = hubspot.crm.associations.v4.basic_api.create_default("deals", deal, "companies", company)
    assert {each.association_spec.association_type_id for each in made.results} == {341, 342}
    reply = http.post(
        "/crm/associations/2026-09/deals/companies/batch/associate/default",
        json={"inputs": [{"from": {"id": deal}, "to": {"id": "1"}}]},
    )
    assert reply.status_code == 207
    assert reply.json()["errors"][0]["category"] == "OBJECT_NOT_FOUND"


def test_a_task_is_made_on_a_deal_in_one_call(http: httpx.Client) -> None:
    deal = fresh_deal(http)
    row = {
        "properties": {"hs_timestamp": "2030-01-01T00:00:00Z"},
        "associations": [link(deal, 216)],
    }
    made = http.post("/crm/objects/2026-09/tasks/batch/create", json={"inputs": [row]})
    assert made.status_code == 201
    task = made.json()["results"][0]["id"]
    to = read(http, "deals", "tasks", deal)["results"][0]["to"]
    assert to[0]["toObjectId"] == task
    assert to[0]["associationTypes"][0]["typeId"] == 215
    wrong = link(deal, 3)
    refused = http.post(
        "/crm/v3/objects/tasks", json={"properties": row["properties"], "associations": [wrong]}
    )
    assert refused.status_code == 400


def test_at_most_a_thousand_are_read_and_a_hundred_taken_away(http: httpx.Client) -> None:
    many = {"inputs": [{"id": "1"}] * 1001}
    assert http.post("/crm/v4/associations/deals/contacts/batch/read", json=many).status_code == 400
    away = {"inputs": [{"from": {"id": "1"}, "to": [{"id": "2"}]}] * 101}
    path = "/crm/v4/associations/deals/contacts/batch/archive"
    assert http.post(path, json=away).status_code == 400
