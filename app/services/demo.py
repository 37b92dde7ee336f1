"""The demo: one practice CRM from its history to coaching tasks, measured against the truth.

Names no vendor: the sandbox tells what it planted in a file, and everything else goes the
way that any connection goes.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from app.services import setup, work
from app.services.flags import FlagView, list_flags
from app.services.parts import Parts
from app.services.switch import switch_mode
from app.store import connections, deals
from app.store.connections import ConnectionRow
from app.store.frames import load_tables
from app.store.runs import RunKind
from connectors.records import Standing
from rules.deal import DEAL_RULES
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits

TELLING = 3
ADVANCED_DAYS = 14


@dataclass(frozen=True, slots=True)
class Planted:
    """One thing that a simulated person did on purpose, or a decoy that looks like it."""

    deal: str  # crm_id
    rule: str
    at: datetime
    decoy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How a rule did, in deals. `decoys`: deals where only decoys were planted for it."""

    planted: int
    found: int
    missed: int
    false_alarms: int
    decoys: int


def read_truth(lines: Iterable[str]) -> list[Planted]:
    """The sandbox's truth file: JSON lines `{deal, rule, at, decoy}`."""
    rows = (json.loads(line) for line in lines if line.strip())
    return [
        Planted(row["deal"], row["rule"], datetime.fromisoformat(row["at"]), row["decoy"])
        for row in rows
    ]


def tally(found: Mapping[str, set[str]], planted: Iterable[Planted]) -> dict[str, Tally]:
    """Findings (rule -> crm_ids) against what was planted, by rule.

    A finding on a deal with decoys only is a false alarm.
    """
    meant: dict[str, set[str]] = {rule: set() for rule in found}
    decoys: dict[str, set[str]] = {rule: set() for rule in found}
    for row in planted:
        (decoys if row.decoy else meant).setdefault(row.rule, set()).add(row.deal)
    return {
        rule: Tally(
            planted=len(meant[rule]),
            found=len(meant[rule] & deals),
            missed=len(meant[rule] - deals),
            false_alarms=len(deals & (decoys[rule] - meant[rule])),
            decoys=len(decoys[rule] - meant[rule]),
        )
        for rule, deals in found.items()
    }


class Step(Protocol):
    """One step, shown while it runs."""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """How far it is (`app.services.progress.Progress`)."""
        ...

    def tell(self, text: str) -> None:
        """What came of it, in plain words."""
        ...


class Watch(Protocol):
    """Shows the steps."""

    def __call__(self, title: str) -> AbstractContextManager[Step]:
        """Begin a step; its time is that of the block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the demo shows at its end."""

    crm: str
    rules: Mapping[str, Tally]
    telling: Sequence[FlagView]
    flags: Sequence[Standing]
    tasks: Sequence[Standing]
    calls: int

    @property
    def standing(self) -> list[Standing]:
        """The flag records in the CRM that are not resolved or expired."""
        ended = ("resolved", "expired")
        return [flag for flag in self.flags if flag.values["status"] not in ended]


@dataclass(slots=True)
class Demo:
    """The main job on one connection, step by step. `advance` moves the sandbox's clock."""

    parts: Parts
    row: ConnectionRow
    truth: Path
    advance: Callable[[int], None]
    watch: Watch
    calls: int = 0

    def run(self) -> Outcome:
        """History to coaching tasks, then two more weeks."""
        self.sync("Read its history")
        self.accept_setup()
        self.score("Find what the history says")
        self.deploy()
        self.write_back("Write flags and tasks into the CRM")
        with self.watch("Let two weeks pass in the CRM") as step:
            self.advance(ADVANCED_DAYS)
            step.tell("the reps went on selling")
        self.sync("Read only what changed")
        self.score("Score again")
        self.write_back("Write only what changed")
        return self.outcome()

    def sync(self, title: str) -> None:
        """One sync."""
        with self.watch(title) as step:
            done = self._perform("sync", step)
            step.tell(
                f"{done['read']:,} records read, {done['changes']:,} changes of fields kept, "
                f"{done['calls']} CRM calls"
            )

    def accept_setup(self) -> None:
        """The proposals of setup, accepted as they are."""
        with self.watch("Accept the set-up that it proposes") as step:
            proposal = setup.propose(self.parts.db, self.row.id)
            setup.accept(self.parts.db, self.row.id, proposal, by="demo", clock=self.parts.clock)
            step.tell("stage roles, expected entry stage, segments")

    def score(self, title: str) -> None:
        """One scoring."""
        with self.watch(title) as step:
            done = self._perform("score", step)
            counts = done["by_rule"].values()
            total = {
                name: sum(rule[name] for rule in counts)
                for name in ("found", "opened", "kept", "resolved")
            }
            step.tell(
                f"{done['deals']:,} deals: {total['found']:,} findings; flags: "
                f"{total['opened']} opened, {total['kept']} kept, {total['resolved']} resolved"
            )

    def deploy(self) -> None:
        """Install the package in the CRM and switch the connection to `write`."""
        with self.watch("Install the package, switch to write") as step:
            installer = self.parts.crm(self.row).setup()
            installed = installer.install()
            self.calls += installer.calls
            switch_mode(self.parts.db, self.row.id, "write", clock=self.parts.clock)
            step.tell(f"{len(installed)} parts installed, {installer.calls} CRM calls")

    def write_back(self, title: str) -> None:
        """One write-back."""
        with self.watch(title) as step:
            done = self._perform("write_back", step)
            flags, tasks = done["flags"]["written"], done["tasks"]["written"]
            step.tell(
                f"{many(flags, 'flag')} and {many(tasks, 'coaching task')} written, "
                f"{done['calls']} CRM calls"
            )

    def outcome(self) -> Outcome:
        """What was found against the truth, and what stands in the CRM."""
        with self.watch("Read back what stands in the CRM") as step:
            writer = self.parts.crm(self.row).writer()
            flags = list(writer.standing_flags().values())
            tasks = list(writer.standing_tasks().values())
            step.tell(f"{many(len(flags), 'flag record')}, {many(len(tasks), 'coaching task')}")
        with self.truth.open() as lines:
            rules = tally(findings(self.parts, self.row.name), read_truth(lines))
        return Outcome(
            crm=self.row.crm,
            rules=rules,
            telling=self._telling(),
            flags=flags,
            tasks=tasks,
            calls=self.calls + writer.calls,
        )

    def _telling(self) -> list[FlagView]:
        """Three flags: the best of each rule, then the best of the rest; held ones last."""
        flags = list_flags(self.parts.db, self.row.id).items
        flags = sorted(flags, key=lambda flag: (flag.held is not None, -flag.rank))
        best = {flag.rule: flag for flag in reversed(flags)}.values()
        rest = [flag for flag in flags if flag not in best]
        return sorted([*best, *rest][:TELLING], key=lambda flag: -flag.rank)

    def _perform(self, kind: RunKind, step: Step) -> dict[str, Any]:
        done = work.recorded(self.parts, self.row, kind, arguments={}, progress=step)
        self.calls += int(done.get("calls", 0))
        return done


def many(count: int, noun: str) -> str:
    """`1 flag`, `2 flags`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def findings(parts: Parts, name: str) -> dict[str, set[str]]:
    """Rule -> crm_ids of the deals with a finding, before freshness, caps and mode."""
    with parts.db.read() as conn:
        row = connections.get(conn, name)
        crm_ids = {deal.id: deal.crm_id for deal in deals.views(conn, row.id)}
    facts = Facts.cut(load_tables(parts.db, row.id), connections.as_of(row, parts.clock.now()))
    found: dict[str, set[str]] = {rule.slug: set() for rule in DEAL_RULES}
    frame = evaluate(facts, DEAL_RULES, Limits.load({})).findings
    for rule, subject in frame.select("rule", "subject_id").iter_rows():
        found[rule].add(crm_ids[subject])
    return found
