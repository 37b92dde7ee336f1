"""Random histories: however they are read in increments, a full sync sees nothing more.

`FORESTAGE_HISTORIES=200` makes as many of each kind; a normal run makes a few.
"""

import os
import random
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.hubspot.history import MOST_REVISIONS
from tests.contract.copy import PROVING, Content, Copy, copied
from tests.contract.door import PEOPLE, Door
from tests.contract.hubspot import LAG_S, HubSpotDoor, hubspot
from tests.contract.salesforce import salesforce

HISTORIES = int(os.environ.get("FORESTAGE_HISTORIES", "4"))
KINDS = ("salesforce", "salesforce, field history on", "hubspot", "hubspot, late index")
_LATEST_S = 500
_SETTLED_S = 900


def opened(kind: str, directory: Path, seed: int) -> AbstractContextManager[Door]:
    if kind.startswith("hubspot"):
        return hubspot(directory, deals=6, seed=1 + seed % 3)
    tracked_days = 2000 if "field history" in kind else None
    return salesforce(directory, deals=6, seed=1 + seed % 3, tracked_days=tracked_days)


@dataclass
class Author:
    """Writes a random history through a door; `log` says what was done."""

    door: Door
    rng: random.Random
    log: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)

    def fields(self, deal: str) -> dict[str, Any]:
        rng, today = self.rng, self.door.wall().date()
        told = {
            "stage": rng.choice(self.door.stages(deal)),
            "close_on": today + timedelta(days=rng.randint(-20, 200)),
            "amount": rng.randrange(1_000, 90_000, 500),
            "owner": rng.choice(PEOPLE[:4]),
            "next_step": rng.choice(["Call", "Rückruf 電話", "Send the contract"]),
        }
        return {name: told[name] for name in rng.sample(sorted(told), rng.choice((1, 1, 1, 2, 3)))}

    def step(self) -> None:  # noqa: C901 - one arm a verb
        rng, door = self.rng, self.door
        standing = door.deals()
        deal, by = rng.choice(standing), rng.choice(PEOPLE)
        verb = rng.choices(
            (
                "edit",
                "program",
                "late",
                "twice",
                "back",
                "call",
                "delete",
                "undelete",
                "merge",
                "wait",
            ),
            (8, 3, 3, 3, 2, 2, 1, 2, 1, 6),
        )[0]
        match verb:
            case "edit":
                door.edit(deal, by=by, **self.fields(deal))
            case "program":
                door.edit_by_program(deal, **self.fields(deal))
            case "late":
                door.edit(deal, by=by, late_s=rng.randint(1, _LATEST_S), **self.fields(deal))
            case "twice":  # at one instant, by two people, the same field and others
                for person in rng.sample(PEOPLE, 2):
                    door.edit(deal, by=person, **self.fields(deal))
            case "back":  # there and back within an instant: nothing seems to have happened
                stages = door.stages(deal)
                for stage in (*rng.sample(stages, 2), stages[0]):
                    door.edit(deal, by=by, stage=stage)
            case "call":
                door.call(deal, by=PEOPLE[0])
            case "delete" if len(standing) > 2:
                door.delete(deal, by=by)
                self.deleted.append(deal)
            case "undelete" if self.deleted:
                door.undelete(self.deleted.pop())
            case "merge" if len(standing) > 3 and isinstance(door, HubSpotDoor):
                other = rng.choice([each for each in standing if each != deal])
                self.merged |= {door.crm_id(deal), door.crm_id(other)}
                door.merge(deal, other)
            case _:
                verb = "wait"
                door.wall.wait(rng.choice((0.5, 1, 30, 400, 4_000, 90_000)))
        self.log.append(f"{door.wall.at:%d %H:%M:%S} {verb} {deal} {by}")


def live(author: Author, copy: Copy) -> None:
    """20 to 45 steps, with a sync now and then; at the end everything late has come."""
    for _ in range(author.rng.randint(20, 45)):
        author.step()
        if author.rng.random() < 0.2:
            copy.sync(author.door.reader())
            author.log.append("sync")
    if author.rng.random() < 0.5:
        copy.sync(author.door.reader())
    author.door.wall.wait(max(LAG_S, author.rng.choice((1, _SETTLED_S))))
    copy.sync(author.door.reader())


def forgotten(content: Content, merged: set[str]) -> set[tuple[str, str]]:
    """(deal, field) of which HubSpot no longer tells all: merged away, or cut at 20 revisions."""
    counts = Counter((entry.deal, entry.field) for entry in content.told)
    cut = {key for key, count in counts.items() if count >= MOST_REVISIONS - 1}
    return cut | {(deal, entry) for deal in merged for entry in ("", *FIELDS)}


FIELDS = ("stage", "close_date", "amount", "forecast", "owner", "pipeline", "next_step")


def differences(first: Content, last: Content, *, merged: set[str]) -> list[str]:
    """What the store synced often (`first`) and the one synced once (`last`) differ in, beyond
    what the CRM has forgotten.
    """
    lost = forgotten(first, merged)
    kept = {entry for entry in first.told - last.told if (entry.deal, entry.field) not in lost}
    found = [f"only by the full sync: {entry}" for entry in last.told - first.told]
    found += [f"only by increments: {entry}" for entry in kept]
    found += [
        f"observed, though told: {entry}"
        for entry in first.observed
        if entry.field in PROVING and entry.deal not in merged
    ]
    for name in ("deals", "activities", "roles", "companies"):
        one, other = getattr(first, name), getattr(last, name)
        for key in sorted({*one, *other}):
            if one.get(key) != other.get(key):
                found.append(f"{name} {key}: {_unlike(one.get(key), other.get(key))}")
    return found


def _unlike(one: Any, other: Any) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        return str({name: (one[name], other[name]) for name in one if one[name] != other[name]})
    return f"{one} / {other}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(HISTORIES))
@pytest.mark.parametrize("kind", KINDS)
def test_increments_know_all_that_a_full_sync_sees(
    kind: str, seed: int, migrated_file: Path, tmp_path: Path
) -> None:
    with (
        opened(kind, tmp_path / "crm", seed) as door,
        copied(migrated_file, tmp_path / "often.db") as often,
        copied(migrated_file, tmp_path / "once.db") as once,
    ):
        author = Author(door, random.Random(f"{kind}{seed}"))
        if isinstance(door, HubSpotDoor) and "late" in kind:
            door.lag(LAG_S)
        live(author, often)
        once.sync(door.reader(), full=True)
        first, last = often.content(), once.content()
        unknown = author.merged if isinstance(door, HubSpotDoor) else set()
        assert not differences(first, last, merged=unknown), "\n".join(author.log)

        again = often.sync(door.reader(), full=True)
        assert (again.inserted, again.updated, again.changes) == (0, 0, 0)
        assert often.content() == first

        now = door.reader().account().now
        assert often.findings(now) == once.findings(now)
