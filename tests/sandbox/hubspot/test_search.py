"""Search with its limits, on hubspot-api-client and on plain HTTP."""

import time
from datetime import datetime
from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.deals import PublicObjectSearchRequest
from hubspot.crm.deals.exceptions import ApiException

from tests.sandbox.fixtures import Sandbox
from tests.sandbox.hubspot.conftest import caller

PATH = "/crm/v3/objects/deals/search"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def epoch_ms(text: str) -> str:
    return str(round(datetime.fromisoformat(text).timestamp() * 1000))


def where(name: str, operator: str, **operands: Any) -> dict[str, Any]:
    told = {"propertyName": name, "operator": operator, **operands}
    return {"filterGroups": [{"filters": [told]}], "limit": 200}


def all_deals(http: httpx.Client) -> list[dict[str, Any]]:
    found, after = [], "0"
    names = "dealname,amount,closedate,dealstage,hs_next_step,hs_lastmodifieddate,hs_object_id"
    while after:
        page = http.get(
            "/crm/v3/objects/deals", params={"limit": 100, "after": after, "properties": names}
        ).json()
        found += [each["properties"] for each in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
    return found


def ids(reply: httpx.Response) -> set[str]:
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["total"] == len(body["results"])
    return {each["id"] for each in body["results"]}


def same(http: httpx.Client, body: dict[str, Any], keep: Any) -> None:
    expected = {each["hs_object_id"] for each in all_deals(http) if keep(each)}
    assert ids(http.post(PATH, json=body)) == expected
    assert 0 < len(expected) < 200


def test_each_operator_finds_what_a_plain_reading_finds(http: httpx.Client) -> None:
    deals = all_deals(http)
    stage = deals[0]["dealstage"]
    amounts = sorted(float(each["amount"]) for each in deals if each["amount"])
    middle, high = amounts[len(amounts) // 2], amounts[-2]
    word = deals[0]["dealname"].split()[0]

    def amount(each: dict[str, Any]) -> float:
        return float(each["amount"] or -1)

    same(http, where("dealstage", "EQ", value=stage), lambda e: e["dealstage"] == stage)
    same(http, where("dealstage", "NEQ", value=stage), lambda e: e["dealstage"] != stage)
    same(http, where("amount", "GT", value=str(middle)), lambda e: amount(e) > middle)
    same(http, where("amount", "LTE", value=middle), lambda e: 0 <= amount(e) <= middle)
    between = where("amount", "BETWEEN", value=middle, highValue=high)
    same(http, between, lambda e: middle <= amount(e) <= high)
    same(http, where("hs_next_step", "HAS_PROPERTY"), lambda e: e["hs_next_step"])
    same(http, where("hs_next_step", "NOT_HAS_PROPERTY"), lambda e: not e["hs_next_step"])
    listed = [deals[0]["hs_object_id"], deals[5]["hs_object_id"]]
    among = where("hs_object_id", "IN", values=listed)
    same(http, among, lambda e: e["hs_object_id"] in listed)
    same(
        http,
        where("dealname", "CONTAINS_TOKEN", value=f"{word[:3]}*"),
        lambda e: any(part.startswith(word[:3]) for part in e["dealname"].split()),
    )


def test_groups_are_either_or_and_filters_are_both(http: httpx.Client) -> None:
    deals = all_deals(http)
    one, two = deals[1]["hs_object_id"], deals[2]["hs_object_id"]
    groups = [
        {"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": each}]}
        for each in (one, two)
    ]
    assert ids(http.post(PATH, json={"filterGroups": groups})) == {one, two}
    both = {"filterGroups": [{"filters": [*groups[0]["filters"], *groups[1]["filters"]]}]}
    assert ids(http.post(PATH, json=both)) == set()


def test_words_are_found_only_in_lower_case(http: httpx.Client) -> None:
    name = all_deals(http)[0]["dealname"]
    exact = where("dealname", "EQ", value=name.upper())
    assert ids(http.post(PATH, json=exact))
    assert not ids(http.post(PATH, json=where("dealname", "IN", values=[name])))
    assert ids(http.post(PATH, json=where("dealname", "IN", values=[name.lower()])))


def test_a_window_of_time_is_told_in_epoch_milliseconds(
    hubspot: HubSpot, http: httpx.Client
) -> None:
    stamps = sorted(each["hs_lastmodifieddate"] for each in all_deals(http))
    first, last = stamps[10], stamps[-10]

    body = {
        "filterGroups": [
            {
                "filters": [
                    {
                        "propertyName": "hs_lastmodifieddate",
                        "operator": "GTE",
                        "value": epoch_ms(first),
                    },
                    {
                        "propertyName": "hs_lastmodifieddate",
                        "operator": "LTE",
                        "value": epoch_ms(last),
                    },
                ]
            }
        ],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "limit": 200,
    }
    found = hubspot.crm.deals.search_api.do_search(PublicObjectSearchRequest(**snake(body)))
    assert found.total == sum(first <= each <= last for each in stamps)
    assert [int(each.id) for each in found.results] == sorted(int(e.id) for e in found.results)


def snake(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "filter_groups": body["filterGroups"],
        "sorts": body["sorts"],
        "limit": body["limit"],
    }


def test_search_pages_by_offset(http: httpx.Client) -> None:
    seen, after = [], "0"
    while after:
        body = {"limit": 50, "after": after, "sorts": ["-hs_object_id"]}
        page = http.post(PATH, json=body).json()
        seen += [int(each["id"]) for each in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
        assert after is None or int(after) == len(seen)
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == page["total"]


def test_an_association_can_be_searched_by(http: httpx.Client) -> None:
    deals = http.get("/crm/v3/objects/deals?associations=contacts&limit=100").json()["results"]
    deal = next(each for each in deals if "associations" in each)
    contact = deal["associations"]["contacts"]["results"][0]["id"]
    found = http.post(PATH, json=where("associations.contact", "EQ", value=contact))
    assert deal["id"] in ids(found)


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 200, "after": "9801"},
        {"limit": 10, "after": "10000"},
        {"filterGroups": [{"filters": []}] * 6},
        {
            "filterGroups": [
                {"filters": [{"propertyName": "amount", "operator": "LT", "value": 1}] * 7}
            ]
        },
        {
            "filterGroups": [
                {"filters": [{"propertyName": "amount", "operator": "LIKE", "value": 1}]}
            ]
        },
        {
            "filterGroups": [
                {"filters": [{"propertyName": "nothing", "operator": "EQ", "value": 1}]}
            ]
        },
        {"sorts": ["amount", "dealname"]},
        {"query": "x" * 3000},
    ],
)
def test_what_hubspot_does_not_search_is_refused(http: httpx.Client, body: dict[str, Any]) -> None:
    assert http.post(PATH, json=body).status_code == 400


def test_search_knows_no_archived_deals_and_no_history(
    hubspot: HubSpot, http: httpx.Client
) -> None:
    made = http.post(
        "/crm/v3/objects/deals", json={"properties": {"dealname": "Binned soon"}}
    ).json()
    body = where("dealname", "EQ", value="Binned soon") | {"propertiesWithHistory": ["dealname"]}
    found = http.post(PATH, json=body).json()["results"]
    assert [each["id"] for each in found] == [made["id"]]
    assert "propertiesWithHistory" not in found[0]
    hubspot.crm.deals.basic_api.archive(made["id"])
    assert http.post(PATH, json=body).json()["total"] == 0


def test_the_index_may_lag_while_reading_by_id_does_not(fresh_portal: Sandbox) -> None:
    with caller(fresh_portal) as http:
        deal = http.get("/crm/v3/objects/deals?limit=1").json()["results"][0]
        old = deal["properties"]["dealname"]
        assert http.post("/_sandbox/limits", json={"index_lag_seconds": 1.5}).status_code == 200
        path = f"/crm/v3/objects/deals/{deal['id']}"
        http.patch(path, json={"properties": {"dealname": "Renamed"}})
        http.post("/crm/v3/objects/deals", json={"properties": {"dealname": "Renamed"}})
        assert http.get(path).json()["properties"]["dealname"] == "Renamed"
        new_name, old_name = (where("dealname", "EQ", value=each) for each in ("Renamed", old))
        assert http.post(PATH, json=new_name).json()["total"] == 0
        assert deal["id"] in {e["id"] for e in http.post(PATH, json=old_name).json()["results"]}
        time.sleep(1.7)
        assert http.post(PATH, json=new_name).json()["total"] == 2


def test_the_client_raises_on_a_refused_search(hubspot: HubSpot) -> None:
    with pytest.raises(ApiException) as refused:
        hubspot.crm.deals.search_api.do_search(PublicObjectSearchRequest(limit=500))
    assert refused.value.status == 400
