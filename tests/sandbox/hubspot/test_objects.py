"""Records over real HTTP with hubspot-api-client, which is not ours."""

import re
from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.deals import (
    BatchInputSimplePublicObjectBatchInput,
    BatchReadInputSimplePublicObjectId,
    PublicMergeInput,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.deals.exceptions import ApiException, NotFoundException

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def make(hubspot: HubSpot, **properties: str) -> Any:
    told = {"dealname": "Made here", "pipeline": "default", "dealstage": "1230000001"}
    deal = SimplePublicObjectInputForCreate(properties=told | properties)
    return hubspot.crm.deals.basic_api.create(deal)


def history(hubspot: HubSpot, deal_id: str, name: str) -> list[Any]:
    read = hubspot.crm.deals.basic_api.get_by_id(deal_id, properties_with_history=[name])
    found: list[Any] = read.properties_with_history[name]
    return found


def test_every_page_together_has_every_deal_once(hubspot: HubSpot) -> None:
    api, after, pages = hubspot.crm.deals.basic_api, None, []
    while True:
        page = api.get_page(limit=40, after=after, properties=["dealname", "no_such_one"])
        pages.append(page.results)
        if page.paging is None:
            break
        after = page.paging.next.after
        assert after not in {each.id for each in page.results}
    ids = [int(each.id) for page in pages for each in page]
    assert len(pages) > 2
    assert [len(page) for page in pages[:-1]] == [40] * (len(pages) - 1)
    assert ids == sorted(set(ids))
    assert len(hubspot.crm.deals.get_all()) == len(ids)
    assert all("no_such_one" not in each.properties for each in pages[0])


def test_limits_of_a_page_are_those_of_hubspot(http: httpx.Client) -> None:
    assert len(http.get("/crm/v3/objects/deals").json()["results"]) == 10
    for query, status in (
        ("limit=100", 200),
        ("limit=101", 400),
        ("limit=50&propertiesWithHistory=amount", 200),
        ("limit=51&propertiesWithHistory=amount", 400),
    ):
        assert http.get(f"/crm/v3/objects/deals?{query}").status_code == status


def test_values_are_text_or_null_and_instants_have_milliseconds(http: httpx.Client) -> None:
    query = "limit=100&properties=amount,closedate,hs_next_step,hs_is_closed"
    deals = http.get(f"/crm/v3/objects/deals?{query}").json()["results"]
    values = [value for deal in deals for value in deal["properties"].values()]
    assert all(value is None or isinstance(value, str) for value in values)
    assert all(STAMP.match(deal["properties"]["closedate"]) for deal in deals)
    assert all(STAMP.match(deal["createdAt"]) for deal in deals)
    assert {deal["properties"]["hs_is_closed"] for deal in deals} == {"true", "false"}
    assert any(deal["properties"]["hs_next_step"] is None for deal in deals)


@pytest.mark.parametrize("path", ["/crm/v3/objects/deals", "/crm/objects/2026-03/0-3"])
def test_all_path_families_serve_one_store(http: httpx.Client, path: str) -> None:
    here = http.get("/crm/objects/2026-09/deals", params={"limit": 20}).json()["results"]
    assert http.get(path, params={"limit": 20}).json()["results"] == here


def test_list_parameters_may_be_repeated_or_joined(http: httpx.Client) -> None:
    joined = http.get("/crm/v3/objects/deals?properties=amount,dealname").json()["results"]
    path = "/crm/v3/objects/deals?properties=amount&properties=dealname"
    assert http.get(path).json()["results"] == joined


def test_every_kind_of_activity_is_there(http: httpx.Client) -> None:
    for name, type_id in (
        ("tasks", "0-27"),
        ("meetings", "0-47"),
        ("calls", "0-48"),
        ("emails", "0-49"),
        ("contacts", "0-1"),
        ("companies", "0-2"),
    ):
        by_name = http.get(f"/crm/v3/objects/{name}").json()["results"]
        assert by_name
        assert http.get(f"/crm/v3/objects/{type_id}").json()["results"] == by_name


def test_a_deal_is_made_changed_and_binned(hubspot: HubSpot) -> None:
    api = hubspot.crm.deals.basic_api
    made = make(hubspot, amount="1000")
    assert made.properties["hs_deal_stage_probability"] == "0.1"
    assert made.properties["hs_projected_amount"] == "100"
    api.update(made.id, SimplePublicObjectInput(properties={"amount": "2500.5"}))
    read = api.get_by_id(made.id, properties=["amount", "hs_object_source"])
    assert read.properties["amount"] == "2500.5"
    assert read.properties["hs_object_source"] == "INTEGRATION"
    api.archive(made.id)
    with pytest.raises(NotFoundException):
        api.get_by_id(made.id)
    binned = api.get_by_id(made.id, archived=True)
    assert binned.archived
    assert binned.archived_at is not None
    listed = api.get_page(archived=True, limit=100).results
    assert made.id in {each.id for each in listed}


def test_a_value_is_cleared_by_an_empty_text(hubspot: HubSpot) -> None:
    made = make(hubspot, hs_next_step="Call")
    patch = SimplePublicObjectInput(properties={"hs_next_step": ""})
    hubspot.crm.deals.basic_api.update(made.id, patch)
    read = hubspot.crm.deals.basic_api.get_by_id(made.id, properties=["hs_next_step"])
    assert read.properties["hs_next_step"] is None
    assert [each.value for each in history(hubspot, made.id, "hs_next_step")] == ["", "Call"]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"no_such_one": "x"}, "PROPERTY_DOESNT_EXIST"),
        ({"amount": "a lot"}, "INVALID_DOUBLE"),
        ({"closedate": "soon"}, "INVALID_DATE"),
        ({"dealtype": "sideways"}, "INVALID_OPTION"),
        ({"hs_is_closed": "true"}, "READ_ONLY_VALUE"),
        ({"deal_currency_code": "XXX"}, "INVALID_OPTION"),
        ({"dealstage": "1230000101"}, "INVALID_STAGE"),
    ],
)
def test_bad_values_are_refused_by_name(
    hubspot: HubSpot, properties: dict[str, str], code: str
) -> None:
    with pytest.raises(ApiException) as refused:
        make(hubspot, **properties)
    assert refused.value.status == 400
    assert code in refused.value.body
    assert next(iter(properties)) in refused.value.body


def test_history_is_newest_first_and_forgets_beyond_twenty(hubspot: HubSpot) -> None:
    made = make(hubspot, amount="0")
    for amount in range(1, 26):
        patch = SimplePublicObjectInput(properties={"amount": str(amount)})
        hubspot.crm.deals.basic_api.update(made.id, patch)
    found = history(hubspot, made.id, "amount")
    assert [each.value for each in found] == [str(amount) for amount in range(25, 5, -1)]
    assert {each.source_type for each in found} == {"INTEGRATION"}
    assert [each.timestamp for each in found] == sorted(
        (each.timestamp for each in found), reverse=True
    )


def test_people_leave_their_user_id_in_the_history(http: httpx.Client) -> None:
    deals = http.get("/crm/v3/objects/deals?propertiesWithHistory=dealstage&limit=50").json()
    entries = [
        entry
        for deal in deals["results"]
        for entry in deal["propertiesWithHistory"]["dealstage"]
        if entry["sourceType"] == "CRM_UI"
    ]
    assert entries
    assert all(each["sourceId"] == f"userId:{each['updatedByUserId']}" for each in entries)


def test_what_hubspot_calculates_has_no_past(hubspot: HubSpot) -> None:
    made = make(hubspot)
    for stage in ("1230000002", "1230000003"):
        patch = SimplePublicObjectInput(properties={"dealstage": stage})
        hubspot.crm.deals.basic_api.update(made.id, patch)
    found = history(hubspot, made.id, "hs_deal_stage_probability")
    assert [(each.value, each.source_type) for each in found] == [("0.35", "CALCULATED")]


def test_a_batch_tells_what_is_missing(hubspot: HubSpot) -> None:
    made = make(hubspot)
    read = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": made.id}, {"id": "1"}], properties=["dealname"], properties_with_history=[]
    )
    found = hubspot.crm.deals.batch_api.read(read)
    assert [each.id for each in found.results] == [made.id]
    assert found.num_errors == 1
    assert found.errors[0].context == {"ids": ["1"]}


def test_a_batch_update_fails_row_by_row(hubspot: HubSpot) -> None:
    made = [make(hubspot) for _ in range(2)]
    inputs = [
        {"id": made[0].id, "properties": {"amount": "7"}},
        {"id": made[1].id, "properties": {"amount": "x"}, "objectWriteTraceId": "row-2"},
        {"id": "1", "properties": {"amount": "7"}},
    ]
    batch = BatchInputSimplePublicObjectBatchInput(inputs=inputs)
    found = hubspot.crm.deals.batch_api.update(batch)
    assert [each.id for each in found.results] == [made[0].id]
    assert found.num_errors == 2
    assert found.errors[0].context["objectWriteTraceId"] == ["row-2"]
    assert found.errors[1].context["ids"] == ["1"]


def test_a_batch_create_needs_trace_ids_to_fail_row_by_row(http: httpx.Client) -> None:
    rows = [{"properties": {"dealname": "Good", "amount": amount}} for amount in ("1", "x")]
    before = http.get("/_sandbox/state").json()["counts"]["deals"]
    path = "/crm/v3/objects/deals/batch/create"
    assert http.post(path, json={"inputs": rows}).status_code == 400
    assert http.get("/_sandbox/state").json()["counts"]["deals"] == before
    traced = [row | {"objectWriteTraceId": f"t{i}"} for i, row in enumerate(rows)]
    reply = http.post(path, json={"inputs": traced})
    assert reply.status_code == 207
    assert [each["objectWriteTraceId"] for each in reply.json()["results"]] == ["t0"]
    assert reply.json()["errors"][0]["context"]["objectWriteTraceId"] == ["t1"]


def test_a_batch_holds_a_hundred_and_half_of_it_with_history(http: httpx.Client) -> None:
    ids = [each["id"] for each in http.get("/crm/v3/objects/deals?limit=51").json()["results"]]
    path = "/crm/objects/2026-09/deals/batch/read"
    for count, history_of, status in ((51, [], 200), (51, ["amount"], 400), (50, ["amount"], 200)):
        body = {
            "inputs": [{"id": each} for each in ids[:count]],
            "properties": ["amount"],
            "propertiesWithHistory": history_of,
        }
        assert http.post(path, json=body).status_code == status
    many = {"inputs": [{"id": str(number)} for number in range(101)], "properties": []}
    assert http.post(path, json=many).status_code == 400


def test_upsert_finds_by_a_unique_property_and_never_doubles(http: httpx.Client) -> None:
    definition = {
        "name": "our_key",
        "label": "Our key",
        "type": "string",
        "fieldType": "text",
        "groupName": "task",
        "hasUniqueValue": True,
    }
    assert http.post("/crm/v3/properties/tasks", json=definition).status_code == 201
    row = {
        "id": "A-1",
        "idProperty": "our_key",
        "properties": {"hs_timestamp": "1767225600000", "hs_task_subject": "One"},
    }
    path = "/crm/objects/2026-09/0-27/batch/upsert"
    first = http.post(path, json={"inputs": [row]}).json()["results"][0]
    row["properties"] = {"hs_task_subject": "Two"}
    again = http.post(path, json={"inputs": [row]}).json()["results"][0]
    assert (first["new"], again["new"], again["id"]) == (True, False, first["id"])
    assert first["properties"]["hs_timestamp"] == "2026-01-01T00:00:00.000Z"
    read = http.get("/crm/v3/objects/tasks/A-1?idProperty=our_key&properties=hs_task_subject")
    assert read.json()["properties"]["hs_task_subject"] == "Two"
    taken = {"properties": {"hs_timestamp": "1767225600000", "our_key": "A-1"}}
    assert http.post("/crm/v3/objects/tasks", json=taken).status_code == 400


def test_a_task_without_a_due_instant_is_refused(http: httpx.Client) -> None:
    reply = http.post("/crm/v3/objects/tasks", json={"properties": {"hs_task_subject": "When?"}})
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["context"] == {"properties": ["hs_timestamp"]}


def test_a_merge_makes_a_new_deal_with_both_histories(hubspot: HubSpot) -> None:
    api = hubspot.crm.deals.basic_api
    primary, other = make(hubspot, amount="10"), make(hubspot, amount="20", hs_next_step="Call")
    patch = SimplePublicObjectInput(properties={"dealstage": "1230000004"})
    api.update(other.id, patch)
    merged = api.merge(PublicMergeInput(primary_object_id=primary.id, object_id_to_merge=other.id))
    assert merged.id not in (primary.id, other.id)
    names = ["amount", "dealstage", "hs_next_step", "hs_merged_object_ids"]
    for old in (primary.id, other.id):
        read = api.get_by_id(old, properties=names)
        assert read.id == merged.id
    assert read.properties["amount"] == "10"
    assert read.properties["dealstage"] == "1230000001"
    assert read.properties["hs_next_step"] == "Call"
    assert read.properties["hs_merged_object_ids"] == f"{primary.id};{other.id}"
    stages = [each.value for each in history(hubspot, merged.id, "dealstage")]
    assert stages[0] == "1230000001"
    assert sorted(stages[1:]) == ["1230000001", "1230000001", "1230000004"]
    listed = {each.id for each in hubspot.crm.deals.get_all()}
    assert merged.id in listed
    assert not listed & {primary.id, other.id}
