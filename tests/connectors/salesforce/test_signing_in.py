"""The ways to sign in, against the practice Salesforce."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.errors import ConnectorError, Fatal, Reauthorise
from connectors.keeping import Secret
from connectors.salesforce import connect
from connectors.salesforce.client import Client
from connectors.salesforce.connection import SalesforceConnection
from tests.connectors.salesforce.practice import CREDENTIALS, PracticeOrg, practising

KEY = CREDENTIALS["consumer_key"]
USERNAME = "integration@forestage.sandbox"
REFRESHING = {**CREDENTIALS, "refresh_token": "forestage-sandbox-refresh"}


@dataclass
class Kept:
    """A secret that is kept, with every version of it."""

    secret: Secret
    versions: list[Secret] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def exchange(self, renew: Callable[[Secret], Secret]) -> None:
        with self.lock:
            self.secret = renew(self.secret)
            self.versions.append(self.secret)


@pytest.fixture
def org(tmp_path: Any) -> Iterator[PracticeOrg]:
    with practising(tmp_path, deals=5, seed=1) as made:
        yield made


def opened(
    org: PracticeOrg, auth: str, secret: Mapping[str, str], keeper: Kept | None = None, **more: str
) -> SalesforceConnection:
    return connect({"base_url": org.base_url, "auth": auth, **more}, secret, keeper)


def client_of(connection: SalesforceConnection) -> Client:
    return connection.reader()._client


def pem(key: rsa.RSAPrivateKey) -> tuple[str, str]:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def by_jwt(org: PracticeOrg, private: str, **secret: str) -> SalesforceConnection:
    told = {"consumer_key": KEY, "username": USERNAME, "private_key": private, **secret}
    return opened(org, "jwt", told)


def test_a_private_key_opens_the_org_also_where_its_clock_is_not_ours_and_after_its_session(
    org: PracticeOrg, keys: tuple[str, str]
) -> None:
    private, public = keys
    org.settings(jwt_public_key=public)
    org.advance(3)
    client = client_of(by_jwt(org, private))
    assert client.user_name() == USERNAME
    org.advance(1)
    assert client.user_name() == USERNAME
    assert client_of(by_jwt(org, private.replace("\n", "\\n"))).user_name() == USERNAME


def test_a_key_that_the_app_does_not_know_a_stranger_and_another_audience_are_refused(
    org: PracticeOrg, keys: tuple[str, str]
) -> None:
    private, public = keys
    with pytest.raises(Reauthorise, match="invalid assertion"):
        client_of(by_jwt(org, private)).user_name()
    org.settings(jwt_public_key=public)
    with pytest.raises(Reauthorise, match="hasn't approved"):
        client_of(by_jwt(org, private, username="eve@acme.example")).user_name()
    told = {"consumer_key": KEY, "username": USERNAME, "private_key": private}
    elsewhere = opened(org, "jwt", told, audience="https://acme.my.salesforce.com")
    with pytest.raises(Reauthorise, match="audience is invalid"):
        client_of(elsewhere).user_name()


def test_what_is_no_key_is_a_wrong_setting_and_is_not_shown(org: PracticeOrg) -> None:
    with pytest.raises(Fatal, match="private_key: not an RSA") as told:
        client_of(by_jwt(org, "-----BEGIN nonsense")).user_name()
    assert "nonsense" not in str(told.value)


def test_a_refresh_token_that_rotates_is_kept_before_it_is_used_and_stays_good_for_weeks(
    org: PracticeOrg,
) -> None:
    org.settings(rotation=True)
    kept = Kept(REFRESHING)
    connection = opened(org, "refresh-token", kept.secret, kept)
    client = client_of(connection)
    for _ in range(3):
        assert client.user_name() == USERNAME
        org.advance(7)
    tokens = [version["refresh_token"] for version in kept.versions]
    assert len(set(tokens)) == len(tokens) == 3
    assert all(version["consumer_key"] == KEY for version in kept.versions)
    again = opened(org, "refresh-token", kept.secret, kept)
    assert client_of(again).user_name() == USERNAME


def test_without_rotation_the_refresh_token_stays(org: PracticeOrg) -> None:
    kept = Kept(REFRESHING)
    assert client_of(opened(org, "refresh-token", kept.secret, kept)).user_name() == USERNAME
    assert kept.secret == REFRESHING


def test_many_readers_writers_and_processes_spend_each_refresh_token_once(
    org: PracticeOrg,
) -> None:
    org.settings(rotation=True)
    kept = Kept(REFRESHING)
    stale = kept.secret
    processes = [opened(org, "refresh-token", stale, kept) for _ in range(3)]
    clients = [client_of(each) for each in processes for _ in range(4)]
    failed: list[ConnectorError] = []

    def call(client: Client) -> None:
        try:
            client.user_name()
        except ConnectorError as error:
            failed.append(error)

    threads = [threading.Thread(target=call, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(kept.versions) == len(processes)


def test_a_refresh_token_used_twice_ends_the_grant_and_is_not_tried_again(
    org: PracticeOrg,
) -> None:
    org.settings(rotation=True)
    kept = Kept(REFRESHING)
    client = client_of(opened(org, "refresh-token", kept.secret, kept))
    assert client.user_name() == USERNAME
    thief = client_of(opened(org, "refresh-token", REFRESHING))
    for _ in range(2):
        with pytest.raises(Reauthorise, match="expired access/refresh token"):
            thief.user_name()
    with pytest.raises(Reauthorise):
        client.user_name()


def test_a_session_id_is_good_until_it_ends_and_is_never_renewed(org: PracticeOrg) -> None:
    begun = client_of(org.connect())
    begun.user_name()
    session_id = begun._tokens.token().value
    client = client_of(opened(org, "session", {"session_id": session_id}))
    assert client.user_name() == USERNAME
    org.advance(1)
    with pytest.raises(Reauthorise, match="has ended"):
        client.user_name()


@pytest.mark.parametrize(
    ("auth", "missing"),
    [
        ("client-credentials", "consumer_key"),
        ("jwt", "consumer_key"),
        ("refresh-token", "consumer_key"),
        ("session", "session_id"),
        ("magic", "auth"),
    ],
)
def test_what_a_way_to_sign_in_lacks_is_named(auth: str, missing: str) -> None:
    with pytest.raises(Fatal, match=f"^{missing}: "):
        connect({"base_url": "https://acme.my.salesforce.com", "auth": auth}, {})
