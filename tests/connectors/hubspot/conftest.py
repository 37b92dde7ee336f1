from collections.abc import Iterator

import pytest

from connectors.hubspot.auth import StaticToken
from connectors.hubspot.client import Client, transport_for
from connectors.hubspot.limiter import Limiter
from tests.connectors.hubspot.fake import FakePortal, serving
from tests.connectors.hubspot.practice import VERSIONS

SECRET = "pat-do-not-show-this"


@pytest.fixture
def portal() -> Iterator[FakePortal]:
    with serving(FakePortal()) as fake:
        assert isinstance(fake, FakePortal)
        yield fake


@pytest.fixture
def naps() -> list[float]:
    """The seconds that a client would have slept between tries."""
    return []


@pytest.fixture(params=VERSIONS)
def client(request: pytest.FixtureRequest, portal: FakePortal, naps: list[float]) -> Client:
    version = str(request.param)
    return Client(
        StaticToken(SECRET),
        transport_for(portal.base_url, version),
        api_version=version,
        limiter=Limiter(waiter=lambda _: None),
        waiter=naps.append,
    )
