"""The door, by both transports; what every error answer means; tokens; limits."""

from datetime import UTC, datetime

import pytest

from connectors.budget import USED_UP
from connectors.errors import ConnectorError, Fatal, Reauthorise, Retry, Skip
from connectors.hubspot import connect
from connectors.hubspot.auth import RefreshedTokens, base_of
from connectors.hubspot.client import Client, HttpxTransport, address, transport_for
from connectors.hubspot.limiter import Limiter
from connectors.keeping import Unshared
from tests.connectors.hubspot.conftest import SECRET
from tests.connectors.hubspot.fake import Answer, FakePortal, error

OWNERS = "/owners"
TOKEN = "/oauth/2026-09/token"


@pytest.mark.parametrize(
    ("place", "dated", "legacy"),
    [
        (
            "objects/deals/search",
            "/crm/objects/2026-09/deals/search",
            "/crm/v3/objects/deals/search",
        ),
        ("owners", "/crm/owners/2026-09", "/crm/v3/owners"),
        (
            "associations/deals/contacts/batch/read",
            "/crm/associations/2026-09/deals/contacts/batch/read",
            "/crm/v4/associations/deals/contacts/batch/read",
        ),
        ("account-info/details", "/account-info/2026-09/details", "/account-info/v3/details"),
    ],
)
def test_a_place_has_an_address_in_every_version(place: str, dated: str, legacy: str) -> None:
    assert address(place, "2026-09") == dated
    assert address(place, "v3") == legacy


def test_calls_carry_token_parameters_and_body(portal: FakePortal, client: Client) -> None:
    portal.answer("POST", OWNERS, {"ok": "\u00e9"})
    params = [("properties", "a"), ("properties", "b c")]
    assert client.call("POST", "owners", params=params, body={"x": "\u4e2d"}) == {"ok": "\u00e9"}
    sent = portal.requests[-1]
    assert sent.headers["Authorization"] == f"Bearer {SECRET}"
    assert sent.path.endswith("owners?properties=a&properties=b c") or (
        "properties=a&properties=b c" in sent.path
    )
    assert portal.bodies(OWNERS) == [{"x": "\u4e2d"}]
    assert client.calls == 1
    assert client.now() == datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "kind", "code", "after"),
    [
        (error(401, "INVALID_AUTHENTICATION"), Reauthorise, None, None),
        (error(403, "MISSING_SCOPES"), Skip, "MISSING_SCOPES", None),
        (error(403, "BANNED"), Fatal, "BANNED", None),
        (error(400, "VALIDATION_ERROR"), Skip, "VALIDATION_ERROR", None),
        (error(404, "OBJECT_NOT_FOUND"), Skip, "OBJECT_NOT_FOUND", None),
        (error(409, "OBJECT_ALREADY_EXISTS"), Skip, "OBJECT_ALREADY_EXISTS", None),
        (error(414, "URI_TOO_LONG"), Fatal, "URI_TOO_LONG", None),
        (error(423, "LOCKED"), Retry, "LOCKED", 2.0),
        (error(477, "MIGRATION_IN_PROGRESS"), Retry, "MIGRATION_IN_PROGRESS", 900.0),
        (error(502, "X"), Retry, "X", None),
        (error(524, "X"), Retry, "X", None),
        (
            Answer({"message": "their words", "policyName": "DAILY"}, 429),
            Retry,
            "429",
            3600.0,
        ),
        (
            Answer({"message": "their words", "policyName": "TEN_SECONDLY_ROLLING"}, 429),
            Retry,
            "429",
            10.0,
        ),
        (Answer({"message": "their words", "policyName": "SECONDLY"}, 429), Retry, "429", 1.0),
        (Answer(b"<html>their words</html>", 503), Retry, "503", None),
        (Answer(b"\xff\xfe their words", 418), Fatal, None, None),
    ],
)
def test_each_error_answer_means_what_the_caller_must_do(
    portal: FakePortal,
    client: Client,
    *,
    answer: Answer,
    kind: type[ConnectorError],
    code: str | None,
    after: float | None,
) -> None:
    portal.answer("GET", OWNERS, answer)
    with pytest.raises(ConnectorError) as told:
        client.call("GET", "owners")
    if answer.status == 418 and isinstance(told.value, Retry):
        return  # hubspot-api-client can't hand over an answer that is no UTF-8
    assert type(told.value) is kind
    assert SECRET not in repr(told.value)
    if kind is not Reauthorise:
        assert told.value.code == code
    assert getattr(told.value, "after", None) == after


def test_a_missing_scope_is_named(portal: FakePortal, client: Client) -> None:
    detail = {"context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}
    portal.answer("GET", OWNERS, error(403, "MISSING_SCOPES", errors=[detail]))
    with pytest.raises(Skip, match=r"lacks the scope crm\.objects\.deals\.read"):
        client.call("GET", "owners")


def test_passing_trouble_is_waited_out(
    portal: FakePortal, client: Client, naps: list[float]
) -> None:
    told = Answer({"message": "slow down"}, 429, {"Retry-After": "3"})
    cut = Answer({"results": list(range(100))}, is_cut=True)
    portal.answer("GET", OWNERS, told, error(503, "X"), cut, {"results": []})
    assert client.call("GET", "owners") == {"results": []}
    assert len(naps) == 3
    assert naps[0] >= 3
    assert client.calls == 4


def test_trouble_without_end_becomes_a_retry_after_five_tries(
    portal: FakePortal, client: Client
) -> None:
    portal.answer("GET", OWNERS, error(500, "X"))
    with pytest.raises(Retry):
        client.call("GET", "owners")
    assert client.calls == 5


def test_a_long_wait_is_left_to_the_caller(portal: FakePortal, client: Client) -> None:
    portal.answer("GET", OWNERS, Answer({"policyName": "DAILY"}, 429))
    with pytest.raises(Retry):
        client.call("GET", "owners")
    assert client.calls == 1


def test_a_page_without_json_is_trouble_and_no_data(portal: FakePortal, client: Client) -> None:
    portal.answer("GET", OWNERS, Answer(b"<html>maintenance</html>"))
    with pytest.raises(Retry, match="no JSON"):
        client.call("GET", "owners")


def test_pages_are_followed_to_the_end_and_a_circle_is_noticed(
    portal: FakePortal, client: Client
) -> None:
    first = {"results": [1], "paging": {"next": {"after": "7"}}}
    portal.answer("GET", OWNERS, first, {"results": [2]})
    assert [page["results"] for page in client.pages("owners")] == [[1], [2]]
    portal.answer("GET", OWNERS, first)
    with pytest.raises(Retry, match="twice"):
        list(client.pages("owners"))


def test_nobody_listening_is_a_retry() -> None:
    for version in ("2026-09", "v3"):
        made = connect(
            {"base_url": "http://127.0.0.1:9", "api_version": version}, {"access_token": SECRET}
        )
        reader = made.reader()
        reader._client._retrying.sleep = lambda _: None
        with pytest.raises(Retry, match="could not be reached") as told:
            reader.account()
        assert "127.0.0.1" not in str(told.value)


def test_the_days_calls_are_shared(portal: FakePortal) -> None:
    headers = {
        "X-HubSpot-RateLimit-Daily": "1000",
        "X-HubSpot-RateLimit-Daily-Remaining": "50",
    }
    portal.answer("GET", OWNERS, Answer({"results": []}, headers=headers))
    client = connect({"base_url": portal.base_url}, {"access_token": SECRET}).reader()._client
    client.call("GET", "owners")
    assert client.daily == (50, 1000)
    with pytest.raises(Retry, match="last tenth") as told:
        client.call("GET", "owners")
    assert told.value.code == USED_UP


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def tick(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_the_limiter_keeps_to_a_share_of_what_hubspot_allows() -> None:
    clock = Clock()
    limiter = Limiter(waiter=clock.sleep, tick=clock.tick)
    for _ in range(1000):
        limiter.wait(is_search=False)
    # 80 at once, then 8 a second.
    assert 114 <= clock.now - 100 <= 116


def test_the_limiter_learns_the_portals_own_limit_and_leaves_what_others_use() -> None:
    clock = Clock()
    limiter = Limiter(waiter=clock.sleep, tick=clock.tick)
    told = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Remaining": "189",
    }
    limiter.learn(told)
    for _ in range(152):
        limiter.wait(is_search=False)
    assert clock.slept == []
    limiter.learn({**told, "X-HubSpot-RateLimit-Remaining": "0"})
    limiter.wait(is_search=False)
    assert clock.slept


def test_searches_are_paced_at_four_a_second() -> None:
    clock = Clock()
    limiter = Limiter(waiter=clock.sleep, tick=clock.tick)
    for _ in range(41):
        limiter.wait(is_search=True)
    assert clock.now - 100 == pytest.approx(10.0)


def tokens(portal: FakePortal) -> RefreshedTokens:
    secret = {"client_id": "id", "client_secret": SECRET, "refresh_token": "refresh"}
    return RefreshedTokens(portal.base_url, Unshared(secret))


def test_a_stale_token_is_renewed_once_and_the_call_made_again(portal: FakePortal) -> None:
    portal.answer("POST", TOKEN, {"access_token": "one"}, {"access_token": "two"})
    portal.answer("GET", OWNERS, error(401, "EXPIRED_AUTHENTICATION"), {"results": []})
    client = Client(tokens(portal), HttpxTransport(portal.base_url), api_version="2026-09")
    assert client.call("GET", "owners") == {"results": []}
    assert portal.requests[-1].headers["Authorization"] == "Bearer two"
    assert client.calls == 4


def test_threads_that_find_one_token_stale_renew_it_once(portal: FakePortal) -> None:
    portal.answer("POST", TOKEN, {"access_token": "one"}, {"access_token": "two"})
    provider = tokens(portal)
    first = provider.token()
    assert provider.renew(first) == provider.renew(first) == "two"
    assert provider.calls == 2


def test_a_refresh_token_that_is_given_anew_is_kept(portal: FakePortal) -> None:
    answers = [
        {"access_token": f"token-{number}", "refresh_token": f"refresh-{number}"}
        for number in range(2)
    ]
    portal.answer("POST", TOKEN, *answers)
    keeper = Unshared({"client_id": "id", "client_secret": SECRET, "refresh_token": "first"})
    provider = RefreshedTokens(portal.base_url, keeper)
    provider.renew(provider.token())
    assert keeper.secret["refresh_token"] == "refresh-1"
    assert b"refresh_token=refresh-0" in portal.requests[-1].body


def test_a_refused_refresh_token_is_not_tried_again(portal: FakePortal) -> None:
    refusal = {"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN", "message": "missing"}
    portal.answer("POST", TOKEN, Answer(refusal, 400))
    provider = tokens(portal)
    for _ in range(2):
        with pytest.raises(Reauthorise, match="missing") as told:
            provider.token()
        assert SECRET not in repr(told.value)
    assert provider.calls == 1
    assert SECRET not in repr(provider)


def test_trouble_at_the_token_door_is_no_verdict_on_the_credentials(portal: FakePortal) -> None:
    page = Answer(b"<html>", 502)
    limited = Answer({"message": "slow"}, 429, {"Retry-After": "7"})
    portal.answer("POST", TOKEN, page, limited, {"access_token": "one"})
    provider = tokens(portal)
    with pytest.raises(Retry):
        provider.token()
    with pytest.raises(Retry) as told:
        provider.token()
    assert told.value.after == 7
    assert provider.token() == "one"


@pytest.mark.parametrize(
    ("config", "secret", "message"),
    [
        ({}, {}, "access_token: missing"),
        ({}, {"client_id": "x", "refresh_token": "y"}, "client_secret: missing"),
        ({"base_url": "http://api.hubapi.com"}, {"access_token": "x"}, "base_url"),
        ({"base_url": "https://hubapi.com.evil.example"}, {"access_token": "x"}, "base_url"),
        ({"api_version": "v2"}, {"access_token": "x"}, "api_version"),
        ({"managers": {"West": "1"}}, {"access_token": "x"}, "managers"),
        ({"fiscal_year_start_month": "13"}, {"access_token": "x"}, "month"),
        ({"call_share": "much"}, {"access_token": "x"}, "call_share"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    config: dict[str, object], secret: dict[str, str], message: str
) -> None:
    with pytest.raises(Fatal, match=message):
        connect(config, secret)


def test_secrets_show_in_no_representation() -> None:
    made = connect({}, {"access_token": SECRET})
    assert SECRET not in repr(made)
    assert base_of(None) == "https://api.hubapi.com"


def test_proxies_never_come_between_us_and_loopback(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for version in ("2026-09", "v3"):
        transport = transport_for(portal.base_url, version)
        answer = transport.send("GET", "/account-info/x", params=(), body=None, token="t")
        assert answer.status == 200
