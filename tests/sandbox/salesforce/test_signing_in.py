from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from tests.sandbox.fixtures import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    PASSWORD,
    TIMEOUT_S,
    USERNAME,
    Sandbox,
)


def ask(sandbox: Sandbox, **form: str) -> requests.Response:
    url = f"{sandbox.base_url}/services/oauth2/token"
    return requests.post(url, data=form, timeout=TIMEOUT_S)


def test_client_credentials_work_in_the_form_and_as_basic_header(
    salesforce_sandbox: Sandbox,
) -> None:
    form = ask(
        salesforce_sandbox,
        grant_type="client_credentials",
        client_id=CONSUMER_KEY,
        client_secret=CONSUMER_SECRET,
    ).json()
    basic = requests.post(
        f"{salesforce_sandbox.base_url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(CONSUMER_KEY, CONSUMER_SECRET),
        timeout=TIMEOUT_S,
    ).json()
    assert form["access_token"] != basic["access_token"]
    assert basic["instance_url"] == salesforce_sandbox.base_url
    assert basic["token_type"] == "Bearer"
    assert "expires_in" not in basic


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials"}, "invalid_client_id"),
        (
            {
                "grant_type": "client_credentials",
                "client_id": CONSUMER_KEY,
                "client_secret": "wrong",
            },
            "invalid_client",
        ),
        ({"grant_type": "device"}, "unsupported_grant_type"),
    ],
)
def test_a_refused_sign_in_is_told_as_an_object(
    salesforce_sandbox: Sandbox, form: dict[str, str], error: str
) -> None:
    reply = ask(salesforce_sandbox, **form)
    assert reply.status_code == 400
    assert reply.json()["error"] == error
    assert reply.json()["error_description"]


def test_a_password_gives_a_refresh_token_that_gives_a_new_access_token(
    salesforce_sandbox: Sandbox,
) -> None:
    key = {"client_id": CONSUMER_KEY, "client_secret": CONSUMER_SECRET}
    first = ask(
        salesforce_sandbox, grant_type="password", username=USERNAME, password=PASSWORD, **key
    ).json()
    second = ask(
        salesforce_sandbox,
        grant_type="refresh_token",
        refresh_token=first["refresh_token"],
        **key,
    ).json()
    assert second["access_token"] != first["access_token"]
    never = ask(salesforce_sandbox, grant_type="refresh_token", refresh_token="never", **key)
    assert never.json()["error_description"] == "expired access/refresh token"


def test_simple_salesforce_logs_in_by_soap_up_to_version_64(salesforce_sandbox: Sandbox) -> None:
    options: dict[str, Any] = {
        "username": USERNAME,
        "security_token": "",
        "session": salesforce_sandbox.session(),
    }
    client = Salesforce(password=PASSWORD, **options)
    assert client.query("SELECT COUNT() FROM User")["totalSize"] > 0
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(password="wrong", **options)
    with pytest.raises(SalesforceAuthenticationFailed, match="UNSUPPORTED_API_VERSION"):
        Salesforce(password=PASSWORD, version="65.0", **options)


def test_an_unknown_token_gets_the_list_that_clients_look_for(salesforce_sandbox: Sandbox) -> None:
    reply = requests.get(
        f"{salesforce_sandbox.base_url}/services/data/v66.0/limits",
        headers={"Authorization": "Bearer nonsense"},
        timeout=TIMEOUT_S,
    )
    assert reply.status_code == 401
    assert reply.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    assert reply.headers["Sforce-Limit-Info"].startswith("api-usage=")


def test_a_revoked_token_is_no_longer_served(salesforce_sandbox: Sandbox) -> None:
    token = ask(
        salesforce_sandbox,
        grant_type="client_credentials",
        client_id=CONSUMER_KEY,
        client_secret=CONSUMER_SECRET,
    ).json()["access_token"]
    url = f"{salesforce_sandbox.base_url}/services/oauth2/revoke"
    assert requests.post(url, data={"token": token}, timeout=TIMEOUT_S).status_code == 200
    client = Salesforce(
        session_id=token,
        instance_url="https://sandbox.my.salesforce.com",
        session=salesforce_sandbox.session(),
    )
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM User")


def test_the_identity_names_the_user_and_the_organisation(salesforce_sandbox: Sandbox) -> None:
    told = salesforce_sandbox.client().oauth2("userinfo")
    assert told["user_id"] == salesforce_sandbox.state()["user_id"]
    assert told["organization_id"].startswith("00D")
