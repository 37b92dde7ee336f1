"""What the tests of the practice HubSpot share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hubspot import HubSpot

from tests.sandbox.fixtures import Sandbox, running_sandbox

TOKEN = "pat-sandbox-forestage"


def connect(sandbox: Sandbox, token: str = TOKEN) -> HubSpot:
    """hubspot-api-client, pointed at the sandbox."""
    return HubSpot(access_token=token, host=sandbox.base_url)


def caller(sandbox: Sandbox, token: str = TOKEN) -> httpx.Client:
    """Plain HTTP, for the date-based paths and for headers."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=30)


@pytest.fixture(scope="session")
def hubspot_sandbox() -> Iterator[Sandbox]:
    """One portal of few deals for a whole test run; its tests may not count on counts."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running_sandbox(Path(directory), crm="hubspot", deals=120) as sandbox,
    ):
        yield sandbox


@pytest.fixture
def fresh_portal(tmp_path: Path) -> Iterator[Sandbox]:
    """A portal of one test alone."""
    with running_sandbox(tmp_path, crm="hubspot", deals=30) as sandbox:
        yield sandbox


@pytest.fixture
def hubspot(hubspot_sandbox: Sandbox) -> HubSpot:
    return connect(hubspot_sandbox)


@pytest.fixture
def http(hubspot_sandbox: Sandbox) -> Iterator[httpx.Client]:
    with caller(hubspot_sandbox) as client:
        yield client
