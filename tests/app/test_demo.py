"""The demo: counted against the truth, shown in plain words, and gone without a trace."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.demo import Planted, Tally, read_truth, tally

AT = datetime(2026, 3, 2, tzinfo=UTC)
RULES = {"late-entry", "close-date-slippage", "stage-regression"}


def planted(deal: str, *, decoy: bool = False, rule: str = "late-entry") -> Planted:
    return Planted(deal=deal, rule=rule, at=AT, decoy=decoy)


def test_what_was_planted_and_not_found_is_missed() -> None:
    counts = tally({"late-entry": {"a"}}, [planted("a"), planted("b")])
    assert counts["late-entry"] == Tally(planted=2, found=1, missed=1, false_alarms=0, decoys=0)


def test_a_finding_on_a_decoy_is_a_false_alarm() -> None:
    counts = tally({"late-entry": {"a", "b"}}, [planted("a"), planted("b", decoy=True)])
    assert counts["late-entry"] == Tally(planted=1, found=1, missed=0, false_alarms=1, decoys=1)


def test_a_decoy_on_a_deal_that_was_meant_too_is_no_false_alarm() -> None:
    counts = tally({"late-entry": {"a"}}, [planted("a"), planted("a", decoy=True)])
    assert counts["late-entry"].false_alarms == 0


def test_a_decoy_for_another_rule_counts_for_that_rule_alone() -> None:
    rows = [planted("a", decoy=True, rule="stage-regression")]
    counts = tally({"late-entry": {"a"}, "stage-regression": set()}, rows)
    assert [counts[rule].false_alarms for rule in ("late-entry", "stage-regression")] == [0, 0]


deals = st.sets(st.sampled_from("abcdef"))


@given(found=deals, meant=deals, decoys=deals)
def test_found_and_missed_add_up_to_what_was_planted(
    found: set[str], meant: set[str], decoys: set[str]
) -> None:
    rows = [planted(deal) for deal in meant] + [planted(deal, decoy=True) for deal in decoys]
    counts = tally({"late-entry": found}, rows)["late-entry"]
    assert counts.found + counts.missed == counts.planted == len(meant)
    assert counts.false_alarms <= counts.decoys
    assert counts.found + counts.false_alarms <= len(found)


def test_the_truth_is_read_line_by_line() -> None:
    line = {"deal": "006A", "rule": "late-entry", "at": "2026-03-02T00:00:00Z", "decoy": False}
    assert read_truth([json.dumps(line), "\n"]) == [planted("006A")]


def start(*arguments: str, folder: Path) -> "subprocess.Popen[str]":
    """The demo as a process whose temporary files all lie in `folder`."""
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(folder), "COLUMNS": "80"},
        start_new_session=True,
    )


def finished(*arguments: str, folder: Path) -> str:
    with start(*arguments, folder=folder) as process:
        out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err
    return out


@pytest.mark.slow
def test_the_demo_misses_nothing_and_raises_hardly_a_false_alarm(tmp_path: Path) -> None:
    told: Any = json.loads(finished("--json", "--deals", "300", "--seed", "3", folder=tmp_path))
    assert set(told) == {"crm", "rules", "flags", "tasks", "calls", "seconds"}
    assert set(told["rules"]) == RULES
    counts = told["rules"].values()
    assert [count["missed"] for count in counts] == [0, 0, 0]
    assert all(count["planted"] > 0 for count in counts)
    alarms = sum(count["false_alarms"] for count in counts)
    assert alarms <= 0.02 * sum(count["found"] + count["false_alarms"] for count in counts)
    assert told["flags"] > 0
    assert told["tasks"] > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_demo_tells_the_same_through_both_crms(tmp_path: Path) -> None:
    told = [
        json.loads(finished("--json", "--deals", "300", "--crm", crm, folder=tmp_path))
        for crm in ("salesforce", "hubspot")
    ]
    assert [each.pop("crm") for each in told] == ["salesforce", "hubspot"]
    for each in told:
        del each["calls"], each["seconds"]
    assert told[0] == told[1]
    assert told[0]["flags"] > 0


@pytest.mark.slow
def test_the_demo_tells_its_story_in_80_columns_without_colour(tmp_path: Path) -> None:
    text = finished("--deals", "200", folder=tmp_path)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    for words in ("What was planted", "The most telling flags", "What now stands in the"):
        assert words in text
    for rule in RULES:
        assert rule in text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_leaves_no_process_and_no_file(
    tmp_path: Path, number: signal.Signals
) -> None:
    with start("--deals", "300", folder=tmp_path) as process:
        family = until_it_has_a_child(process.pid)
        time.sleep(2)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode not in (0, None)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert alive == []
    assert list(tmp_path.iterdir()) == []


def until_it_has_a_child(pid: int) -> list[psutil.Process]:
    for _ in range(300):
        children = psutil.Process(pid).children(recursive=True)
        if children:
            return children
        time.sleep(0.1)
    raise AssertionError("no practice CRM was started")
