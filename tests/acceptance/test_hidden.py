"""A user who may not see everything: it is synced, scored, and said what that costs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import NAME, WAIT_SECONDS, Forestage, Sandbox, sandbox

pytestmark = pytest.mark.slow
HIDDEN = ["OpportunityHistory", "Opportunity.NextStep", "Task"]
UNTRACKED = {
    "late-entry": "half-blind",  # which owners a deal had before the first sync
    "close-date-slippage": "half-blind",
    "stage-regression": "sees",
}


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("crm"), deals=150, seed=11) as running:
        yield running


@pytest.fixture(autouse=True)
def all_is_shown_again(crm: Sandbox) -> Iterator[None]:
    yield
    crm.ask("/_sandbox/permissions", {"hide": []})
    crm.ask("/_sandbox/limits", {})


@pytest.fixture
def forestage(crm: Sandbox, tmp_path: Path) -> Forestage:
    made = Forestage(tmp_path)
    made.connect(crm)
    return made


def diagnosis(forestage: Forestage, *, exit_code: int) -> Any:
    with forestage.start("doctor", "--connection", NAME, "--json") as process:
        out, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == exit_code, err
    return json.loads(out)


def by_name(told: Any, area: str) -> dict[str, Any]:
    return {check["name"]: check for check in told["checks"] if check["area"] == area}


def sights(told: Any) -> dict[str, str]:
    return {rule["rule"]: rule["sight"] for rule in told["rules"]}


def test_a_user_without_history_next_steps_and_tasks_still_syncs_and_doctor_says_what_it_costs(
    crm: Sandbox, forestage: Forestage
) -> None:
    crm.ask("/_sandbox/permissions", {"hide": HIDDEN})

    synced = forestage.on("sync")
    for name in HIDDEN:
        assert [warning for warning in synced["warnings"] if name in warning], synced["warnings"]
    scored = forestage.on("score")
    assert scored["deals"] > 0
    assert not any(counts["errors"] for counts in scored["by_rule"].values())

    told = diagnosis(forestage, exit_code=7)
    assert told["state"] == "blind"
    assert sights(told) == {
        "late-entry": "half-blind",
        "close-date-slippage": "blind",
        "stage-regression": "blind",
    }
    why = {rule["rule"]: " ".join(rule["why"]) for rule in told["rules"]}
    assert all("OpportunityHistory" in words for words in why.values())
    assert "Task" in why["late-entry"]
    assert "Task" in why["close-date-slippage"]
    assert "Task" not in why["stage-regression"]

    history = by_name(told, "history")["OpportunityHistory"]
    assert history["state"] == "blind"
    assert {effect["rule"] for effect in history["effects"]} == set(why)
    fields = by_name(told, "fields")
    assert fields["Task"]["state"] == "warning"
    assert fields["Opportunity.NextStep"]["state"] == "warning"
    assert fields["Opportunity.NextStep"]["effects"] == []
    for check in (history, fields["Task"], fields["Opportunity.NextStep"]):
        assert "Forestage_Integration" in check["advice"]


def test_what_was_hidden_is_read_whole_once_it_is_shown(crm: Sandbox, forestage: Forestage) -> None:
    crm.ask("/_sandbox/permissions", {"hide": HIDDEN})
    forestage.on("sync")
    crm.ask("/_sandbox/permissions", {"hide": []})
    assert forestage.on("sync")["warnings"] == []

    seeing = Forestage(forestage.data_dir.parent / "seeing")
    seeing.connect(crm)
    seeing.on("sync")
    assert findings(forestage) == findings(seeing)
    told = diagnosis(forestage, exit_code=0)
    assert sights(told) == UNTRACKED


def test_field_history_alone_blinds_no_rule_and_is_named(
    crm: Sandbox, forestage: Forestage
) -> None:
    crm.ask("/_sandbox/permissions", {"hide": ["OpportunityFieldHistory"]})
    assert forestage.on("sync")["warnings"] == []
    told = diagnosis(forestage, exit_code=0)
    assert sights(told) == UNTRACKED
    check = by_name(told, "history")["OpportunityFieldHistory"]
    assert check["state"] == "warning"
    assert {effect["rule"] for effect in check["effects"]} == {"late-entry", "close-date-slippage"}


def findings(forestage: Forestage) -> dict[str, int]:
    by_rule = forestage.on("score")["by_rule"]
    return {rule: counts["found"] for rule, counts in by_rule.items()}


def test_an_org_that_shows_no_activity_object_blinds_no_rule_but_halves_two(
    crm: Sandbox, forestage: Forestage
) -> None:
    crm.ask("/_sandbox/permissions", {"hide": ["Task", "Event", "EmailMessage"]})
    assert forestage.on("sync")["warnings"]
    told = diagnosis(forestage, exit_code=7)
    assert sights(told) == UNTRACKED
    assert by_name(told, "fields")["Event"]["state"] == "blind"
    assert by_name(told, "data")["activities"]["state"] == "blind"


def test_an_org_that_hides_its_deals_is_broken(crm: Sandbox, forestage: Forestage) -> None:
    crm.ask("/_sandbox/permissions", {"hide": ["Opportunity"]})
    told = diagnosis(forestage, exit_code=8)
    assert by_name(told, "fields")["Opportunity"]["state"] == "broken"


def test_an_old_version_of_the_api_is_a_warning(crm: Sandbox, forestage: Forestage) -> None:
    replace = ("--replace", "--consumer-key", "forestage-sandbox", "--base-url", crm.base_url)
    add = ("connections", "add", "salesforce", "--name", NAME, "--api-version", "41.0")
    forestage.run(*add, *replace)
    told = diagnosis(forestage, exit_code=0)
    assert by_name(told, "version")["v41.0"]["state"] == "warning"


def test_after_set_up_the_permissions_are_right_and_without_it_writing_is_broken(
    tmp_path: Path,
) -> None:
    with sandbox(tmp_path, deals=60, seed=4) as own:
        forestage = Forestage(tmp_path / "data")
        forestage.connect(own)
        forestage.on("sync")
        assert by_name(diagnosis(forestage, exit_code=0), "setup")["package"]["state"] == "warning"
        forestage.accept()
        forestage.deploy_and_switch()
        told = diagnosis(forestage, exit_code=0)
        troubles = {check["name"] for check in told["checks"] if check["state"] != "ok"}
        assert troubles == {"OpportunityFieldHistory"}
        own.ask("/_sandbox/permissions", {"hide": ["Forestage_Flag__c"]})
        told = diagnosis(forestage, exit_code=8)
        assert by_name(told, "setup")["package"]["state"] == "broken"
