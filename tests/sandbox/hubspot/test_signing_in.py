"""Tokens: static ones with their scopes, OAuth's with their half hour."""

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.deals.exceptions import ApiException

from tests.sandbox.fixtures import Sandbox
from tests.sandbox.hubspot.conftest import caller, connect

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
FORM = {
    "grant_type": "refresh_token",
    "client_id": "forestage-sandbox",
    "client_secret": "forestage-sandbox-secret",
    "refresh_token": "forestage-sandbox-refresh",
}
PATHS = [f"/oauth/{version}/token" for version in ("v1", "v3", "2026-03", "2026-09")]


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc", "Bearer"])
def test_a_call_without_a_good_token_is_refused(
    hubspot_sandbox: Sandbox, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = httpx.get(f"{hubspot_sandbox.base_url}/crm/v3/objects/deals", headers=headers)
    assert reply.status_code == 401
    body = reply.json()
    assert body["category"] == "INVALID_AUTHENTICATION"
    assert body["message"].startswith("Authentication credentials not found.")
    assert body["correlationId"]


def test_a_missing_scope_is_named(hubspot_sandbox: Sandbox) -> None:
    with caller(hubspot_sandbox, "pat-sandbox-deals-only") as http:
        assert http.get("/crm/v3/objects/deals").status_code == 200
        for path, scope in (
            ("/crm/v3/objects/tasks", "crm.objects.contacts.read"),
            ("/crm/v3/objects/0-47", "crm.objects.contacts.read"),
            ("/settings/v3/users/teams", "settings.users.teams.read"),
        ):
            reply = http.get(path)
            assert reply.status_code == 403
            assert reply.json()["category"] == "MISSING_SCOPES"
            assert reply.json()["errors"][0]["context"]["requiredGranularScopes"] == [scope]
        reply = http.post("/crm/v3/objects/deals", json={"properties": {}})
        assert reply.status_code == 403


def test_a_reader_may_search_and_read_in_batches_but_not_write(hubspot_sandbox: Sandbox) -> None:
    with caller(hubspot_sandbox, "pat-sandbox-read-only") as http:
        assert http.post("/crm/v3/objects/deals/search", json={}).status_code == 200
        body: dict[str, list[str]] = {"inputs": [], "properties": []}
        assert http.post("/crm/v3/objects/deals/batch/read", json=body).status_code == 200
        assert http.post("/crm/v3/objects/deals/batch/update", json=body).status_code == 403
        assert http.post("/crm/v3/properties/deals/groups", json={}).status_code == 403


def test_further_tokens_can_be_given_any_scopes(hubspot_sandbox: Sandbox) -> None:
    told = {"token": "pat-just-owners", "scopes": ["crm.objects.owners.read"]}
    httpx.post(f"{hubspot_sandbox.base_url}/_sandbox/tokens", json=told).raise_for_status()
    with caller(hubspot_sandbox, "pat-just-owners") as http:
        assert http.get("/crm/v3/owners").status_code == 200
        assert http.get("/crm/v3/objects/deals").status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_refresh_token_gives_an_access_token(hubspot_sandbox: Sandbox, path: str) -> None:
    reply = httpx.post(hubspot_sandbox.base_url + path, data=FORM)
    told = reply.json()
    assert (told["token_type"], told["expires_in"]) == ("bearer", 1800)
    assert told["refresh_token"] == FORM["refresh_token"]
    with caller(hubspot_sandbox, told["access_token"]) as http:
        reply = http.get("/crm/v3/objects/deals")
    assert reply.status_code == 200
    assert "X-HubSpot-RateLimit-Remaining" in reply.headers
    assert "X-HubSpot-RateLimit-Daily" not in reply.headers


def test_the_client_refreshes_too(hubspot_sandbox: Sandbox) -> None:
    nobody = HubSpot(host=hubspot_sandbox.base_url)
    told = nobody.oauth.tokens_api.create(**FORM)
    assert connect(hubspot_sandbox, told.access_token).crm.deals.basic_api.get_page().results


@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"refresh_token": "wrong"}, "invalid_grant", "BAD_REFRESH_TOKEN"),
        ({"client_id": "wrong"}, "invalid_client", "BAD_CLIENT_ID"),
        ({"client_secret": "wrong"}, "invalid_client", "BAD_CLIENT_SECRET"),
        ({"grant_type": "password"}, "unsupported_grant_type", "BAD_GRANT_TYPE"),
    ],
)
def test_refusals_are_told_both_ways(
    hubspot_sandbox: Sandbox, change: dict[str, str], error: str, status: str
) -> None:
    reply = httpx.post(hubspot_sandbox.base_url + PATHS[-1], data=FORM | change)
    assert reply.status_code == 400
    assert (reply.json()["error"], reply.json()["status"]) == (error, status)
    assert reply.json()["error_description"] == reply.json()["message"]


def test_an_access_token_ends_after_half_an_hour_of_the_sandbox(fresh_portal: Sandbox) -> None:
    token = httpx.post(fresh_portal.base_url + PATHS[0], data=FORM).json()["access_token"]
    client = connect(fresh_portal, token)
    assert client.crm.deals.basic_api.get_page().results
    fresh_portal.advance(1)
    with pytest.raises(ApiException) as over:
        client.crm.deals.basic_api.get_page()
    assert over.value.status == 401
    assert "EXPIRED_AUTHENTICATION" in over.value.body
    with caller(fresh_portal) as http:
        assert http.get("/crm/v3/objects/deals").status_code == 200
