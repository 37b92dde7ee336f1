"""Killed with -9 at random moments, Forestage ends where it would have ended anyway."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import NAME, Forestage, Sandbox, sandbox
from tests.acceptance.test_written import read_back

KILLS = {"sync": 8, "score": 5, "write-back": 7}
SEED = 20


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Sandbox]:
    with sandbox(tmp_path, deals=200, seed=5) as running:
        yield running


def kill_at(forestage: Forestage, delay: float, *command: str) -> bool:
    """Start a command and kill its process group after `delay` seconds. True: it was hit."""
    with forestage.start(*command) as process:
        threading.Event().wait(delay)
        hit = process.poll() is None
        if hit:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return hit


def told(forestage: Forestage) -> list[Any]:
    """The standing flags without what the moment of scoring decides."""
    items = forestage.on("flags")["items"]
    keep = ("rule", "severity", "status", "held", "sentence", "evidence", "subject")
    return sorted(([item[name] for name in keep] for item in items), key=repr)


def seconds_of(forestage: Forestage, verb: str) -> float:
    """How long a verb takes, started as a process."""
    begun = time.monotonic()
    forestage.on(verb)
    return time.monotonic() - begun


def prepared(folder: Path, crm: Sandbox) -> Forestage:
    forestage = Forestage(folder)
    forestage.connect(crm)
    return forestage


def storm(forestage: Forestage, verb: str, longest: float, chance: random.Random) -> int:
    """Kill a verb at as many random moments as KILLS says; then let it finish."""
    hits = tries = 0
    while hits < KILLS[verb] and tries < 4 * KILLS[verb]:
        moment = chance.uniform(0.1, longest)
        hits += kill_at(forestage, moment, verb, "--connection", NAME, "--json")
        tries += 1
    forestage.on(verb)
    return hits


@pytest.mark.slow
def test_twenty_kills_change_neither_flags_nor_what_is_written(
    crm: Sandbox, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    reference = prepared(tmp_path / "reference", crm)
    longest = {"sync": seconds_of(reference, "sync")}
    reference.accept()
    longest["score"] = seconds_of(reference, "score")
    reference.deploy_and_switch()
    longest["write-back"] = longest["score"]

    victim = prepared(tmp_path / "victim", crm)
    hits = storm(victim, "sync", longest["sync"], chance)
    victim.accept()
    hits += storm(victim, "score", longest["score"], chance)
    victim.deploy_and_switch()
    crm.ask(
        "/_sandbox/faults", [{"kind": "slow", "path": "composite", "seconds": 0.4, "times": 100}]
    )
    hits += storm(victim, "write-back", longest["write-back"], chance)
    crm.ask("/_sandbox/faults", [])

    assert hits == sum(KILLS.values())
    assert told(victim) == told(reference)
    after = read_back(crm)
    assert after["flags"]
    assert after["tasks"]
    for kind, key in (("flags", "Key__c"), ("tasks", "Forestage_Key__c")):
        assert len({row[key] for row in after[kind]}) == len(after[kind])
        assert [row for row in after[kind] if row["SystemModstamp"] != row["CreatedDate"]] == []
