"""@hubspot/api-client, a client by others in another language, against the practice HubSpot."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.fixtures import CONSUMER_KEY, CONSUMER_SECRET, Sandbox, running_sandbox
from tests.sandbox.node import drive, needs_node

HERE = Path(__file__).parent
DEALS = 230
pytestmark = needs_node


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("crm"), crm="hubspot", deals=DEALS) as running:
        yield running


@pytest.fixture(scope="module")
def seen(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script in `drive.mjs` saw."""
    secrets = ["pat-sandbox-forestage", CONSUMER_KEY, CONSUMER_SECRET, "forestage-sandbox-refresh"]
    folder = tmp_path_factory.mktemp("hubspot_node")
    return drive(HERE, folder, sandbox.base_url, *secrets)


def test_it_signs_in_by_refresh_token(seen: dict[str, Any]) -> None:
    assert seen["expiresIn"] == 1800


def test_it_pages_through_all_deals(seen: dict[str, Any]) -> None:
    assert seen["pages"][0] == 100
    assert sum(seen["pages"]) == seen["distinct"] <= DEALS
    assert len(seen["pages"]) == 3


def test_it_reads_histories_fifty_a_page(seen: dict[str, Any]) -> None:
    assert len(seen["histories"]) == 50
    assert 1 <= min(seen["histories"]) < max(seen["histories"]) <= 20
    assert seen["tooMany"] == {"code": 400, "category": "VALIDATION_ERROR"}


def test_it_searches(seen: dict[str, Any]) -> None:
    assert seen["total"] > len(seen["open"]) == 5
    assert set(seen["open"]) == {"false"}
    assert seen["sorted"] == sorted(seen["sorted"], key=int)


def test_it_understands_a_batch_of_which_a_part_failed(seen: dict[str, Any]) -> None:
    assert seen["made"] == ["From Node"]
    assert seen["failed"] == [["two"]]
    assert seen["task"] in seen["linked"]


def test_it_writes_and_reads_what_it_wrote(seen: dict[str, Any]) -> None:
    assert seen["changed"] == seen["history"][0] == "Node calls"


def test_it_reads_the_settings(seen: dict[str, Any]) -> None:
    assert seen["pipelines"] == ["New Business", "Renewal"]
    assert seen["owners"] > 8
    assert {"closedate", "dealstage", "hs_is_closed"} <= set(seen["properties"])


def test_it_tries_again_where_hubspot_says_so(seen: dict[str, Any]) -> None:
    assert seen["retried"] == 1
