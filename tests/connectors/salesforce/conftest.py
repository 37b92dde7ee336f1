from collections.abc import Iterator

import pytest

from connectors.salesforce.auth import ClientCredentials
from connectors.salesforce.client import Client
from connectors.salesforce.session import CrmSession
from tests.connectors.salesforce.fake import FakeOrg, serving

SECRET = "do-not-show-this"


@pytest.fixture
def org() -> Iterator[FakeOrg]:
    with serving(FakeOrg()) as fake:
        yield fake


@pytest.fixture
def naps() -> list[float]:
    """The seconds that the session would have slept."""
    return []


@pytest.fixture
def session(naps: list[float]) -> Iterator[CrmSession]:
    with CrmSession(waiter=naps.append) as made:
        yield made


@pytest.fixture
def tokens(org: FakeOrg, session: CrmSession) -> ClientCredentials:
    return ClientCredentials(
        session, base_url=org.base_url, consumer_key="key", consumer_secret=SECRET
    )


@pytest.fixture
def client(tokens: ClientCredentials, session: CrmSession) -> Client:
    return Client(tokens, session, "66.0")
