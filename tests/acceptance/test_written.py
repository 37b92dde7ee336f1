"""What stands in the CRM after the main job, seen with other people's software."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import SECRET, Forestage, Sandbox, sandbox

READ_BACK = Path(__file__).with_name("read_back.py")


def read_back(crm: Sandbox) -> Any:
    """Through a plain script in a process of its own."""
    command = [sys.executable, str(READ_BACK), crm.base_url, "forestage-sandbox", SECRET]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Forestage, Sandbox]]:
    folder = tmp_path_factory.mktemp("written")
    with sandbox(folder, deals=400, seed=11) as crm:
        forestage = Forestage(folder / "data")
        forestage.until_written(crm)
        yield forestage, crm


def test_the_script_that_reads_back_imports_nothing_of_ours() -> None:
    text = READ_BACK.read_text("utf-8")
    assert "forestage" not in [word.split(".")[0] for word in text.split() if word.isidentifier()]
    assert not any(f"import {name}" in text or f"from {name}" in text for name in ("app", "rules"))
    assert "connectors" not in text


def test_every_flag_in_the_crm_carries_sentence_severity_evidence_and_owner(
    written: tuple[Forestage, Sandbox],
) -> None:
    flags = read_back(written[1])["flags"]
    assert flags
    for flag in flags:
        assert len(flag["Reason__c"].split()) >= 5
        assert flag["Severity__c"] in ("info", "warning", "critical")
        assert flag["Evidence__c"].strip()
        assert flag["Questions__c"].strip().endswith("?")
        assert flag["OwnerId"] == flag["Opportunity__r"]["OwnerId"]
        assert flag["Rule__c"] in ("late-entry", "close-date-slippage", "stage-regression")
    assert len({flag["Key__c"] for flag in flags}) == len(flags)


def test_each_coaching_task_has_owner_due_date_and_text_to_act_on(
    written: tuple[Forestage, Sandbox],
) -> None:
    tasks = read_back(written[1])["tasks"]
    assert tasks
    for task in tasks:
        assert task["OwnerId"].startswith("005")
        assert date.fromisoformat(task["ActivityDate"]).year >= 2026
        assert 5 <= len(task["Subject"]) <= 255
        assert len(task["Description"].split()) >= 20
        assert task["WhatId"] is None or not task["WhatId"].startswith("006")


def test_the_crm_holds_what_the_service_says_it_wrote(
    written: tuple[Forestage, Sandbox],
) -> None:
    forestage, crm = written
    items = forestage.on("flags")["items"]
    shown = {item["sentence"] for item in items if not item["held"]}
    in_crm = [flag["Reason__c"] for flag in read_back(crm)["flags"] if flag["Status__c"] == "open"]
    assert in_crm
    assert {text for text in in_crm if len(text) < 250} <= shown


def test_a_second_round_changes_nothing_in_the_crm(written: tuple[Forestage, Sandbox]) -> None:
    forestage, crm = written
    before = read_back(crm)
    forestage.on("sync")
    report = forestage.on("score")
    forestage.on("write-back")
    assert {
        slug: counts["opened"] for slug, counts in report["by_rule"].items() if counts["opened"]
    } == {}
    assert read_back(crm) == before
