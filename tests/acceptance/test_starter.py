"""A HubSpot portal on Starter, and tokens with few scopes: synced, scored, and told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.running import WAIT_SECONDS, Forestage
from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, running_sandbox

pytestmark = pytest.mark.slow
NAME = "portal"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("portal")
    with running_sandbox(folder, crm="hubspot", deals=150, seed=11) as running:
        yield running


@pytest.fixture(autouse=True)
def enterprise_again(portal: Sandbox) -> Iterator[None]:
    yield
    own(portal, "settings", {"edition": "enterprise"})
    own(portal, "permissions", {"hide": []})


def own(portal: Sandbox, name: str, body: Any) -> None:
    url = f"{portal.base_url}/_sandbox/{name}"
    requests.post(url, json=body, timeout=TIMEOUT_S).raise_for_status()


def connected(portal: Sandbox, folder: Path) -> Forestage:
    """As the token of the environment opens it."""
    made = Forestage(folder)
    made.run("connections", "add", "hubspot", "--name", NAME, "--base-url", portal.base_url)
    return made


def on(forestage: Forestage, verb: str) -> Any:
    return forestage.json(verb, "--connection", NAME)


def diagnosis(forestage: Forestage, *, exit_code: int) -> Any:
    with forestage.start("doctor", "--connection", NAME, "--json") as process:
        out, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == exit_code, err
    return json.loads(out)


def sights(told: Any) -> dict[str, str]:
    return {rule["rule"]: rule["sight"] for rule in told["rules"]}


def test_a_portal_on_starter_syncs_scores_and_doctor_names_what_it_lacks(
    portal: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTAGE_ACCESS_TOKEN", "pat-sandbox-forestage")
    forestage = connected(portal, tmp_path)
    own(portal, "settings", {"edition": "starter"})
    own(portal, "permissions", {"hide": ["deals.hs_next_step"]})
    warned = " ".join(on(forestage, "sync")["warnings"])
    assert "hs_manual_forecast_category" in warned
    assert "hs_next_step" in warned
    scored = on(forestage, "score")
    assert scored["deals"] > 0
    assert not any(counts["errors"] for counts in scored["by_rule"].values())

    told = diagnosis(forestage, exit_code=7)
    assert sights(told) == {
        "late-entry": "sees",
        "close-date-slippage": "half-blind",
        "stage-regression": "half-blind",
    }
    checks = {check["name"]: check for check in told["checks"]}
    assert checks["deals.hs_manual_forecast_category"]["state"] == "blind"
    assert checks["deals.hs_next_step"]["state"] == "warning"
    why = next(rule["why"] for rule in told["rules"] if rule["rule"] == "stage-regression")
    assert "deals.hs_manual_forecast_category" in " ".join(why)


def test_a_token_for_deals_alone_syncs_and_doctor_names_each_scope(
    portal: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTAGE_ACCESS_TOKEN", "pat-sandbox-deals-only")
    forestage = connected(portal, tmp_path)
    assert on(forestage, "sync")["changes"] > 0
    assert on(forestage, "score")["by_rule"]["stage-regression"]["found"] > 0
    told = diagnosis(forestage, exit_code=7)
    assert sights(told) == {
        "late-entry": "half-blind",
        "close-date-slippage": "half-blind",
        "stage-regression": "sees",
    }
    meetings = next(check for check in told["checks"] if check["name"] == "meetings")
    assert meetings["state"] == "blind"
    assert "crm.objects.contacts.read" in meetings["told"]
