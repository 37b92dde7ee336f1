"""The sandbox as a process: its people working on, restarts, limits, faults."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.sandbox.fixtures import Sandbox, running_sandbox
from tests.sandbox.hubspot.conftest import caller

DEALS = "/crm/v3/objects/deals"


@pytest.fixture
def portal(fresh_portal: Sandbox) -> Iterator[httpx.Client]:
    with caller(fresh_portal) as http:
        yield http


def newest(http: httpx.Client) -> str:
    body = {"sorts": ["-hs_lastmodifieddate"], "limit": 1}
    found = http.post(f"{DEALS}/search", json=body).json()["results"][0]
    return str(found["properties"]["hs_lastmodifieddate"])


def test_people_work_on_when_the_clock_is_advanced(
    fresh_portal: Sandbox, portal: httpx.Client
) -> None:
    before, seen = fresh_portal.state()["now"], newest(portal)
    planted = len(fresh_portal.truth())
    assert fresh_portal.advance(28) > 0
    after = fresh_portal.state()["now"]
    passed = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    assert timedelta(days=28) <= passed < timedelta(days=28, minutes=5)
    assert seen < before <= newest(portal) <= after
    assert len(fresh_portal.truth()) >= planted
    day = datetime.fromisoformat(after).strftime("%d %b %Y")
    assert day in portal.get(DEALS).headers["Date"]


def test_the_truth_names_deals_that_are_there(fresh_portal: Sandbox, portal: httpx.Client) -> None:
    rows = fresh_portal.truth()
    live = portal.get(f"{DEALS}?limit=100").json()["results"]
    gone = portal.get(f"{DEALS}?limit=100&archived=true").json()["results"]
    assert rows
    assert {row["deal"] for row in rows} <= {each["id"] for each in [*live, *gone]}
    assert portal.get("/_sandbox/truth").text == fresh_portal.truth_path.read_text("utf-8")


def test_people_go_on_with_merged_deals_and_leave_binned_ones(
    fresh_portal: Sandbox, portal: httpx.Client
) -> None:
    query = {
        "filterGroups": [
            {"filters": [{"propertyName": "hs_is_closed", "operator": "EQ", "value": "false"}]}
        ]
    }
    opened = [e["id"] for e in portal.post(f"{DEALS}/search", json=query).json()["results"]]
    assert len(opened) >= 3
    merged = portal.post(
        f"{DEALS}/merge", json={"primaryObjectId": opened[0], "objectIdToMerge": opened[1]}
    ).json()
    portal.delete(f"{DEALS}/{opened[2]}")
    path = f"{DEALS}/{opened[2]}?archived=true"
    binned = portal.get(path).json()["properties"]["dealstage"]
    assert fresh_portal.advance(60) > 0
    assert portal.get(f"{DEALS}/{opened[0]}").json()["id"] == merged["id"]
    assert portal.get(path).json()["properties"]["dealstage"] == binned
    told = {row["deal"] for row in fresh_portal.truth()}
    assert not told & set(opened[:2])


def test_archived_deals_are_gone_after_ninety_days(
    fresh_portal: Sandbox, portal: httpx.Client
) -> None:
    deal = portal.get(DEALS).json()["results"][0]["id"]
    portal.delete(f"{DEALS}/{deal}")
    fresh_portal.advance(89)
    assert portal.get(f"{DEALS}/{deal}?archived=true").status_code == 200
    fresh_portal.advance(2)
    assert portal.get(f"{DEALS}/{deal}?archived=true").status_code == 404
    listed = portal.get(f"{DEALS}?archived=true&limit=100").json()["results"]
    assert deal not in {each["id"] for each in listed}


def test_a_restart_goes_on_where_it_stopped_even_after_a_kill(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, crm="hubspot", deals=30) as sandbox, caller(sandbox) as http:
        made = http.post(DEALS, json={"properties": {"dealname": "Kept"}}).json()["id"]
        definition = {"name": "kept", "label": "Kept", "type": "string", "fieldType": "text"}
        http.post("/crm/v3/properties/deals", json=definition | {"groupName": "dealinformation"})
        sandbox.advance(14)
        counts, now = sandbox.state()["counts"], sandbox.state()["now"]
        sandbox.process.kill()
    with (
        running_sandbox(tmp_path, crm="hubspot", deals=999, seed=7) as sandbox,
        caller(sandbox) as http,
    ):
        assert sandbox.state()["counts"] == counts
        passed = datetime.fromisoformat(sandbox.state()["now"]) - datetime.fromisoformat(now)
        assert timedelta() <= passed < timedelta(minutes=5)
        assert http.get(f"{DEALS}/{made}").json()["properties"]["dealname"] == "Kept"
        written = http.patch(f"{DEALS}/{made}", json={"properties": {"kept": "yes"}})
        assert written.status_code == 200
        new = http.post(DEALS, json={"properties": {"dealname": "New"}}).json()["id"]
        assert int(new) > int(made)
        assert sandbox.advance(14) > 0


def test_the_window_of_ten_seconds_is_kept(portal: httpx.Client) -> None:
    portal.post("/_sandbox/limits", json={"ten_secondly": 3}).raise_for_status()
    replies = [portal.get(DEALS) for _ in range(4)]
    assert [each.status_code for each in replies] == [200, 200, 200, 429]
    left = [each.headers["X-HubSpot-RateLimit-Remaining"] for each in replies]
    assert left == ["2", "1", "0", "0"]
    assert replies[0].headers["X-HubSpot-RateLimit-Max"] == "3"
    body = replies[3].json()
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")


def test_searches_are_counted_by_the_second_and_carry_no_headers(portal: httpx.Client) -> None:
    portal.post("/_sandbox/limits", json={"search_per_second": 2}).raise_for_status()
    replies = [portal.post(f"{DEALS}/search", json={}) for _ in range(3)]
    assert [each.status_code for each in replies] == [200, 200, 429]
    assert not any("RateLimit" in name for each in replies for name in each.headers)
    assert replies[2].json()["message"] == "You have reached your secondly limit."
    time.sleep(1.1)
    assert portal.post(f"{DEALS}/search", json={}).status_code == 200


def test_the_day_ends_at_midnight_of_the_portal(
    fresh_portal: Sandbox, portal: httpx.Client
) -> None:
    portal.post("/_sandbox/limits", json={"daily": 2}).raise_for_status()
    replies = [portal.get(DEALS) for _ in range(3)]
    assert [each.status_code for each in replies] == [200, 200, 429]
    assert replies[2].json()["policyName"] == "DAILY"
    assert replies[2].headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    fresh_portal.advance(1)
    assert portal.get(DEALS).status_code == 200


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("401", (401, "INVALID_AUTHENTICATION")),
        ("403", (403, "MISSING_SCOPES")),
        ("423", (423, "LOCKED")),
        ("429", (429, "TEN_SECONDLY_ROLLING")),
        ("429_daily", (429, "DAILY")),
        ("477", (477, "MIGRATION_IN_PROGRESS")),
        ("500", (500, "SERVER_ERROR")),
        ("502", (502, "<html>")),
        ("503", (503, "SERVICE_UNAVAILABLE")),
        ("504", (504, "<html>")),
        ("521", (521, "<html>")),
        ("524", (524, "<html>")),
    ],
)
def test_a_fault_fails_its_calls_and_is_over(
    hubspot_sandbox: Sandbox, http: httpx.Client, kind: str, reply: tuple[int, str]
) -> None:
    hubspot_sandbox.fail({"kind": kind, "path": "objects/notes", "times": 2})
    for _ in range(2):
        failed = http.get("/crm/v3/objects/notes")
        assert failed.status_code == reply[0]
        assert reply[1] in failed.text
    assert http.get("/crm/v3/objects/notes").status_code == 200


@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_broken_connection_is_an_error_of_transport(
    hubspot_sandbox: Sandbox, http: httpx.Client, kind: str
) -> None:
    hubspot_sandbox.fail({"kind": kind, "path": "objects/notes"})
    with pytest.raises(httpx.TransportError):
        http.get("/crm/v3/objects/notes")
    assert http.get("/crm/v3/objects/notes").status_code == 200


def test_a_write_that_is_cut_has_been_done_and_one_that_is_reset_has_not(
    hubspot_sandbox: Sandbox, http: httpx.Client
) -> None:
    for kind, count in (("cut", 1), ("reset", 0)):
        name = f"written though {kind}"
        hubspot_sandbox.fail({"kind": kind, "path": "POST .*objects/deals"})
        with pytest.raises(httpx.TransportError):
            http.post(DEALS, json={"properties": {"dealname": name}})
        told = {"propertyName": "dealname", "operator": "EQ", "value": name}
        body = {"filterGroups": [{"filters": [told]}]}
        assert http.post(f"{DEALS}/search", json=body).json()["total"] == count


def test_nonsense_to_the_sandbox_itself_is_refused(http: httpx.Client) -> None:
    for name, body in (
        ("faults", [{"kind": "fire"}]),
        ("advance", {"days": -1}),
        ("limits", {"weekly": 3}),
        ("limits", {"daily": 0}),
        ("limits", {"index_lag_seconds": -1}),
        ("tokens", {"token": "x"}),
        ("demands", [{"type": "planets", "property": "x"}]),
    ):
        reply = http.post(f"/_sandbox/{name}", json=body)
        assert reply.status_code == 400
        assert reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/crm/v3/objects/planets", 400),
        ("GET", "/crm/v3/objects/deals/1", 404),
        ("GET", "/crm/v3/objects/deals/one", 400),
        ("PUT", "/crm/v3/objects/deals", 405),
        ("GET", "/crm/v9/objects/deals", 404),
        ("GET", "/crm/v3/pipelines/deals/none", 404),
        ("POST", "/crm/v3/objects/deals", 400),
    ],
)
def test_what_is_not_there_is_said_in_hubspots_words(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    reply = http.request(method, path, content=b"{" if method == "POST" else None)
    assert reply.status_code == status
    assert reply.json()["status"] == "error"
    assert reply.headers["X-HubSpot-Correlation-Id"]
