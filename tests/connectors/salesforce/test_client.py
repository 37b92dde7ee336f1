import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import ConnectorError, Fatal, Reauthorise, Retry, Skip
from connectors.salesforce import connect
from connectors.salesforce.auth import ClientCredentials, host_of
from connectors.salesforce.client import Client, chunks, in_list, quoted
from connectors.salesforce.session import CrmSession
from tests.connectors.salesforce.conftest import SECRET
from tests.connectors.salesforce.fake import EXPIRED, Answer, FakeOrg

LIMITS = r"/limits$"


def errors(code: str, message: str = "no") -> list[dict[str, str]]:
    return [{"message": message, "errorCode": code}]


def page(*ids: str, more: str | None = None, total: int = 4) -> dict[str, object]:
    body: dict[str, object] = {"totalSize": total, "done": more is None}
    if more:
        body["nextRecordsUrl"] = f"/services/data/v66.0/query/{more}"
    return {**body, "records": [{"Id": crm_id} for crm_id in ids]}


def test_passing_trouble_is_waited_out_as_long_as_the_server_asks(
    org: FakeOrg, client: Client, naps: list[float]
) -> None:
    busy = Answer("busy", status=503, headers={"Retry-After": "7"})
    org.answer("GET", LIMITS, busy, busy, {"ok": 1})
    assert client.get("limits") == {"ok": 1}
    assert len(naps) == 2
    assert all(7 <= nap <= 20 for nap in naps)
    assert client.calls == 4  # the login, and three tries


def test_a_long_wait_is_left_to_the_caller(org: FakeOrg, client: Client, naps: list[float]) -> None:
    org.answer("GET", LIMITS, Answer("busy", status=503, headers={"Retry-After": "600"}))
    with pytest.raises(Retry, match="answered 503") as told:
        client.get("limits")
    assert told.value.after == 600
    assert naps == []


def test_retry_after_may_be_a_date_by_the_servers_own_clock(
    org: FakeOrg, client: Client, naps: list[float]
) -> None:
    at = "Mon, 01 Jun 2026 12:00:09 GMT"
    org.answer("GET", LIMITS, Answer("", status=429, headers={"Retry-After": at}), {"ok": 1})
    client.get("limits")
    assert 9 <= naps[0] <= 10


def test_trouble_without_end_becomes_a_retry_after_five_tries(
    org: FakeOrg, client: Client, naps: list[float]
) -> None:
    org.answer("GET", LIMITS, Answer("down", status=502))
    with pytest.raises(Retry, match="502"):
        client.get("limits")
    assert len(org.sent("GET", LIMITS)) == 5
    assert len(set(naps)) == 4, "the waits are jittered"


def test_a_connection_cut_within_the_answer_is_tried_again(org: FakeOrg, client: Client) -> None:
    org.answer("GET", LIMITS, Answer({"ok": "x" * 100}, is_cut=True), {"ok": 1})
    assert client.get("limits") == {"ok": 1}


def test_a_host_that_does_not_answer_becomes_a_retry(naps: list[float]) -> None:
    with CrmSession(waiter=naps.append) as session:
        tokens = ClientCredentials(
            session, base_url="http://127.0.0.1:9", consumer_key="k", consumer_secret=SECRET
        )
        with pytest.raises(Retry, match=r"127\.0\.0\.1:9 could not be reached") as told:
            Client(tokens, session, "66.0").get("limits")
    assert SECRET not in str(told.value)


def test_a_page_of_html_is_passing_trouble_not_data(org: FakeOrg, client: Client) -> None:
    org.answer("GET", LIMITS, Answer(b"<html>maintenance</html>"))
    with pytest.raises(Retry, match="no JSON"):
        client.get("limits")


@pytest.mark.parametrize(
    "body", [EXPIRED, {"error": "invalid_token"}, EXPIRED[0]], ids=["list", "oauth", "object"]
)
def test_an_expired_session_is_renewed_once_and_the_call_keeps_its_headers(
    org: FakeOrg, client: Client, body: object
) -> None:
    org.answer("PATCH", "/composite/sobjects/", Answer(body, status=401), [{"success": True}])
    assert client.send("PATCH", "composite/sobjects/Task/Key__c", {"a": 1}) == [{"success": True}]
    first, second = org.sent("PATCH", "/composite/")
    assert org.logins == 2
    assert first.headers["Authorization"] == "Bearer token-1"
    assert second.headers["Authorization"] == "Bearer token-2"
    assert second.headers["Sforce-Call-Options"] == "client=forestage"
    assert second.body == first.body == b'{"a":1}'


def test_a_session_refused_for_ever_ends_after_one_renewal(org: FakeOrg, client: Client) -> None:
    org.answer("GET", LIMITS, Answer(EXPIRED, status=401))
    with pytest.raises(Reauthorise, match="Session expired"):
        client.get("limits")
    assert org.logins == 2


def test_threads_that_find_one_token_stale_cause_one_login(
    org: FakeOrg, tokens: ClientCredentials
) -> None:
    stale = tokens.token()
    threads = [threading.Thread(target=tokens.renew, args=(stale,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert org.logins == 2
    assert tokens.token().value == "token-2"


def test_refused_credentials_are_not_tried_again_and_not_shown(
    org: FakeOrg, client: Client, tokens: ClientCredentials
) -> None:
    refusal = {"error": "invalid_client", "error_description": "invalid client credentials"}
    org.answer("POST", "/oauth2/token", Answer(refusal, status=400))
    for _ in range(3):
        with pytest.raises(Reauthorise, match="invalid client credentials") as told:
            client.get("limits")
        assert SECRET not in repr(told.value)
    assert len(org.sent("POST", "/oauth2/token")) == 1
    assert SECRET not in repr(tokens)


def test_a_secret_shows_in_no_representation() -> None:
    made = connect(
        {"base_url": "http://127.0.0.1:1"}, {"consumer_key": "k", "consumer_secret": SECRET}
    )
    assert SECRET not in repr(made)


def test_an_admins_session_is_used_as_it_is_and_cannot_be_renewed(org: FakeOrg) -> None:
    org.answer("GET", LIMITS, {"ok": 1}, Answer(EXPIRED, status=401))
    made = connect({"base_url": org.base_url}, {"access_token": "00D!admin"})
    client = made.reader()._client
    assert client.get("limits") == {"ok": 1}
    with pytest.raises(Reauthorise, match="give a new one"):
        client.get("limits")
    assert org.logins == 0


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        ("http://acme.my.salesforce.com", "expected https"),
        ("https://acme.lightning.force.com", "acme.my.salesforce.com"),
        ("https://salesforce.com.evil.example", "expected https"),
        ("https://evilsalesforce.com", "expected https"),
        ("https://login.salesforce.com", "My Domain"),
        ("acme", "expected https"),
        ("", "My Domain"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(base_url: str, message: str) -> None:
    with pytest.raises(Fatal, match=message):
        connect({"base_url": base_url}, {"consumer_key": "k", "consumer_secret": "s"})


@pytest.mark.parametrize(
    "base_url",
    [
        "https://acme.my.salesforce.com",
        "https://acme--uat.sandbox.my.salesforce.com/",
        "http://127.0.0.1:8080",
        "http://localhost:1",
    ],
)
def test_real_addresses_and_loopback_are_taken(base_url: str) -> None:
    assert host_of(base_url)


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(Fatal, match="consumer_secret"):
        connect({"base_url": "https://acme.my.salesforce.com"}, {"consumer_key": "k"})


@pytest.mark.parametrize(
    ("status", "code", "kind", "after"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", Retry, 900),
        (400, "QUERY_TIMEOUT", Retry, 60),
        (400, "INVALID_QUERY_LOCATOR", Retry, None),
        (400, "INVALID_FIELD", Skip, None),
        (400, "INVALID_TYPE", Skip, None),
        (404, "NOT_FOUND", Skip, None),
        (400, "MALFORMED_QUERY", Fatal, None),
        (403, "API_DISABLED_FOR_ORG", Fatal, None),
        (403, "TXN_SECURITY_METERING_ERROR", Fatal, None),
        (400, "OPERATION_TOO_LARGE", Fatal, None),
        (410, "UNSUPPORTED_API_VERSION", Fatal, None),
    ],
)
def test_each_error_code_means_what_the_caller_must_do(
    org: FakeOrg,
    client: Client,
    *,
    status: int,
    code: str,
    kind: type[ConnectorError],
    after: float | None,
) -> None:
    org.answer("GET", LIMITS, Answer(errors(code, "their words"), status=status))
    with pytest.raises(kind, match="their words") as told:
        client.get("limits")
    assert type(told.value) is kind
    assert told.value.code == code
    assert getattr(told.value, "after", None) == after


def test_a_401_that_is_no_expired_session_needs_an_admin_without_a_login_storm(
    org: FakeOrg, client: Client
) -> None:
    words = "This session is not valid for use with the REST API"
    org.answer("GET", LIMITS, Answer(errors("INVALID_AUTH", words), status=401))
    with pytest.raises(Fatal, match="not valid for use"):
        client.get("limits")
    assert org.logins == 1


def test_pages_are_followed_to_the_end(org: FakeOrg, client: Client) -> None:
    org.answer("GET", r"/query/\?q=", page("1", "2", more="0r8-2"))
    org.answer("GET", "/query/0r8-2", page("3", "4"))
    assert [row["Id"] for row in client.rows("SELECT Id FROM Account")] == ["1", "2", "3", "4"]


def test_a_page_that_comes_twice_is_not_taken_for_the_next(org: FakeOrg, client: Client) -> None:
    org.answer("GET", "/query/", page("1", "2", more="0r8-2"))
    with pytest.raises(Retry, match="a page twice"):
        client.rows("SELECT Id FROM Account")
    assert len(org.sent("GET", "/query/")) == 2


def test_the_crms_clock_and_its_call_budget_are_remembered(org: FakeOrg, client: Client) -> None:
    used = Answer({"ok": 1}, headers={"Sforce-Limit-Info": "api-usage=18/5000"})
    org.answer("GET", LIMITS, used)
    client.get("limits")
    assert client.now() == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert client.usage == "api-usage=18/5000"


def test_neither_netrc_nor_proxy_settings_come_between_us_and_loopback(
    org: FakeOrg, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    org.answer("GET", LIMITS, {"ok": 1})
    client.get("limits")
    assert org.requests[-1].headers["Authorization"] == "Bearer token-1"


def test_a_literal_cannot_leave_its_quotes() -> None:
    assert quoted("O'Brien \\") == r"'O\'Brien \\'"


def test_portions_of_ids_fit_into_a_uri_and_keep_their_order() -> None:
    ids = [f"006bm00000LK{number:06d}" for number in range(5000)]
    portions = list(chunks(ids))
    assert [crm_id for portion in portions for crm_id in portion] == ids
    assert 300 <= len(portions[0]) <= 410
    assert list(chunks([])) == []


def test_a_request_with_a_full_portion_stays_under_16384_bytes(
    org: FakeOrg, client: Client
) -> None:
    org.rows("/query")
    ids = next(iter(chunks([f"006bm00000LK{number:06d}" for number in range(5000)])))
    select = ", ".join(f"LongishFieldName{number}" for number in range(40))
    client.rows(f"SELECT {select} FROM OpportunityHistory WHERE OpportunityId IN {in_list(ids)}")
    assert org.requests[-1].size < 16_384 - 2_500, "a long access token must fit as well"
