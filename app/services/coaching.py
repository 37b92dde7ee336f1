"""Coaching tasks: one agenda a rep and cycle for the manager, one tidy-up list for the rep.

A cycle is the ISO week of the next 1:1 (setup: `one_to_one.weekday`, Friday unless set) in
the account's time zone. A task that is still open when its cycle ends is taken over by the
next one and keeps its key; one that a person completed or deleted is not made again in its
cycle. In coaching mode `deal` each visible flag has a task of its own instead.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.clock import Clock
from app.services import agenda, coaching_deals
from app.services.outgoing import as_payload, digest
from app.services.reconcile import NEW_A_WEEK
from app.services.setup import FRIDAY
from app.store import connections, notices, outbox, people, tasks
from app.store.connections import ConnectionRow
from app.store.database import Database
from app.store.ids import crm_key
from app.store.people import PersonRow
from app.store.tasks import TaskState
from connectors.records import TaskWrite

DEALS_AN_AGENDA = 5
ENDED_BY_PEOPLE = ("completed", "deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A task as it should stand. `subject_ids`: its flags, or the deals of a tidy-up list."""

    kind: str
    rep_id: int
    subject: str
    body: str
    subject_ids: Sequence[int]
    key: str | None = None  # a deal's task has its flag's; the others get one a cycle
    begun_at: datetime | None = None  # when its flag opened
    settles_at: datetime | None = None  # when all that it says may be told


def plan_tasks(db: Database, connection_id: int, *, clock: Clock) -> int:
    """Bring coaching tasks up to date and put what changed into the outbox; gives how many
    tasks changed. In `observe` there are none.
    """
    with db.write() as conn:
        row = connections.by_id(conn, connection_id)
        return plan_within(conn, row, connections.as_of(row, clock.now()))


def plan_within(conn: sa.Connection, row: ConnectionRow, at: datetime) -> int:
    """`plan_tasks` inside a transaction of the caller's."""
    return _Planner(conn, row, at).run() if row.mode == "write" else 0


class _Planner:
    """One planning of a connection's tasks."""

    def __init__(self, conn: sa.Connection, row: ConnectionRow, at: datetime) -> None:
        self.conn = conn
        self.row = row
        self.at = at
        self.setup = row.setup or {}
        self.people = {person.id: person for person in people.list_all(conn, row.id)}
        local = at.astimezone(ZoneInfo(row.time_zone)).date()
        weekday = self.setup.get("one_to_one", {}).get("weekday", FRIDAY)
        self.due_on = local + timedelta(days=(weekday - local.isoweekday()) % 7)
        self.cycle = "{:04d}-W{:02d}".format(*self.due_on.isocalendar()[:2])
        self.tasks = self._with_feedback(tasks.states(conn, row.id))
        self.changed = 0

    def run(self) -> int:
        """Plan every kind; what is open and no longer wanted is completed."""
        kept: set[int] = set()
        is_by_deal = self.setup.get("coaching") == "deal"
        for wanted in self._deal_tasks() if is_by_deal else self._agendas():
            kept |= self._stand(wanted)
        for wanted in self._tidy_up():
            kept |= self._stand(wanted)
        for task in self.tasks:
            if task.status == "open" and task.id not in kept:
                self._finish(task)
        return self.changed

    def _with_feedback(self, known: Sequence[TaskState]) -> list[TaskState]:
        """The tasks, after what people did to them in the CRM. While a write of ours waits,
        what was read may be our own last word: the writer looks again before it writes.
        """
        seen = tasks.seen_in_crm(self.conn, self.row.id)
        waiting = {row.key for row in outbox.rows(self.conn, self.row.id, kind="task")}
        ended = [
            task
            for task in known
            if task.status == "open"
            and task.key not in waiting
            and seen.get(task.key) in ENDED_BY_PEOPLE
        ]
        for task in ended:
            tasks.update(self.conn, task.id, status=seen[task.key])
        return tasks.states(self.conn, self.row.id) if ended else list(known)

    def _agendas(self) -> list[Wanted]:
        deals = coaching_deals.load(self.conn, self.row.id)
        by_rep: dict[int, list[coaching_deals.FlaggedDeal]] = defaultdict(list)
        for deal in deals:
            by_rep[deal.owner_id].append(deal)
        wanted = []
        for rep_id, theirs in sorted(by_rep.items()):
            top = coaching_deals.focus(theirs, DEALS_AN_AGENDA)
            name = self.people[rep_id].name
            wanted.append(
                Wanted(
                    kind="agenda",
                    rep_id=rep_id,
                    subject=agenda.subject(name, [deal.words for deal in top]),
                    body=agenda.body(name, [deal.words for deal in top]),
                    subject_ids=[flag_id for deal in top for flag_id in deal.flag_ids],
                    settles_at=max(
                        (deal.settles_at for deal in top if deal.settles_at), default=None
                    ),
                )
            )
        return wanted

    def _deal_tasks(self) -> list[Wanted]:
        """A task a flagged deal; a manager gets as many new ones a week as new flags."""
        known = {task.key for task in self.tasks if task.status == "open"}
        new: dict[int | None, int] = defaultdict(int)
        wanted = []
        for deal in coaching_deals.load(self.conn, self.row.id):
            if deal.top_key not in known:
                owner_id = self._manager(deal.owner_id)
                new[owner_id] += 1
                if new[owner_id] + self._begun_this_cycle(owner_id) > NEW_A_WEEK:
                    continue
            name = self.people[deal.owner_id].name
            wanted.append(
                Wanted(
                    kind="deal",
                    rep_id=deal.owner_id,
                    subject=agenda.deal_subject(deal.words),
                    body=agenda.deal_body(name, deal.words),
                    subject_ids=deal.flag_ids,
                    key=deal.top_key,
                    begun_at=deal.opened_at,
                    settles_at=deal.settles_at,
                )
            )
        return wanted

    def _begun_this_cycle(self, owner_id: int | None) -> int:
        return sum(
            task.kind == "deal" and task.cycle == self.cycle and task.owner_id == owner_id
            for task in self.tasks
        )

    def _tidy_up(self) -> list[Wanted]:
        """Old findings of each rep, but for deals on a list that they ended themselves."""
        owners = coaching_deals.owners(self.conn, self.row.id)
        done = {
            deal_id
            for task in self.tasks
            if task.kind == "clean_up" and task.status in ENDED_BY_PEOPLE
            for deal_id in task.subject_ids
        }
        lines: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
        for line in [
            *notices.clean_up(self.conn, self.row.id),
            *coaching_deals.hygiene(self.conn, self.row.id),
        ]:
            if line.deal_id in owners and line.deal_id not in done and line.rule_class != "habit":
                owner_id, name = owners[line.deal_id]
                lines[owner_id].append((line.deal_id, name, line.sentence))
        return [
            Wanted(
                kind="clean_up",
                rep_id=rep_id,
                subject=agenda.clean_up_subject(len({line[0] for line in theirs})),
                body=agenda.clean_up_body([line[1:] for line in theirs]),
                subject_ids=sorted({line[0] for line in theirs}),
            )
            for rep_id, theirs in sorted(lines.items())
        ]

    def _stand(self, wanted: Wanted) -> set[int]:
        """Make, change or leave the task; gives the ids of those that are in order so."""
        mine = [task for task in self.tasks if self._is_for(task, wanted)]
        standing = next((task for task in mine if task.status == "open"), None)
        if standing is None:
            standing = next((task for task in mine if self._may_reopen(task, wanted)), None)
        if standing is not None:
            self._update(standing, wanted)
            return {standing.id}
        if not any(task.cycle == self.cycle or wanted.key == task.key for task in mine):
            self._insert(wanted)
        return set()

    def _is_for(self, task: TaskState, wanted: Wanted) -> bool:
        if task.kind != wanted.kind:
            return False
        return task.rep_id == wanted.rep_id if wanted.key is None else task.key == wanted.key

    def _may_reopen(self, task: TaskState, wanted: Wanted) -> bool:
        """We completed it ourselves as nothing was left, or its flag has opened anew since."""
        if task.status != "completed":
            return False
        if wanted.begun_at is not None:
            return wanted.begun_at > task.created_at
        return task.cycle == self.cycle and not task.subject_ids

    def _update(self, task: TaskState, wanted: Wanted) -> None:
        taken_over = task.cycle != self.cycle and task.kind != "clean_up"
        values: dict[str, Any] = {
            "subject": wanted.subject,
            "body": wanted.body,
            "subject_ids": list(wanted.subject_ids),
            "rep_id": wanted.rep_id,
            "owner_id": self._owner(wanted),
            "status": "open",
        }
        if taken_over or task.status != "open":
            values |= {"cycle": self.cycle, "due_on": self.due_on}
        if task.status != "open":
            values["created_at"] = self.at
        self._change(task, values, not_before=wanted.settles_at)

    def _finish(self, task: TaskState) -> None:
        """Nothing is left to do on it."""
        if task.written is None and task.crm_id is None:
            outbox.withdraw(self.conn, self.row.id, "task", task.key)
        self._change(task, {"status": "completed", "subject_ids": []})

    def _insert(self, wanted: Wanted) -> None:
        rep = self.people[wanted.rep_id]
        account = self.row.account_crm_id or self.row.name
        key = wanted.key or crm_key(account, wanted.kind, rep.crm_id, self.cycle)
        values = {
            "key": key,
            "kind": wanted.kind,
            "cycle": self.cycle,
            "rep_id": wanted.rep_id,
            "owner_id": self._owner(wanted),
            "subject": wanted.subject,
            "body": wanted.body,
            "due_on": self.due_on,
            "status": "open",
            "subject_ids": list(wanted.subject_ids),
            "created_at": self.at,
        }
        tasks.insert(self.conn, self.row.id, values)
        self.changed += 1
        self._enqueue(key, values, written=None, not_before=wanted.settles_at)

    def _change(
        self, task: TaskState, values: Mapping[str, Any], *, not_before: datetime | None = None
    ) -> None:
        news = {name: value for name, value in values.items() if getattr(task, name) != value}
        if news:
            tasks.update(self.conn, task.id, **news)
            self.changed += 1
        now = {name: getattr(task, name) for name in ("kind", "owner_id", "subject", "body")}
        now |= {"due_on": task.due_on, "status": task.status, **values}
        self._enqueue(task.key, now, written=task.written, not_before=not_before)

    def _enqueue(
        self,
        key: str,
        values: Mapping[str, Any],
        *,
        written: str | None,
        not_before: datetime | None,
    ) -> None:
        owner = self.people.get(values["owner_id"])
        payload = as_payload(
            TaskWrite(
                key=key,
                owner_crm_id=owner.crm_id if owner else None,
                subject=values["subject"],
                body=values["body"],
                due_on=values["due_on"],
                status=values["status"],
                flag_key=key if values["kind"] == "deal" else None,
            )
        )
        rows = outbox.rows(self.conn, self.row.id, kind="task", keys=[key])
        is_sending = any(row.state == "sending" for row in rows)
        is_needless = written is None and values["status"] == "completed"
        if not is_sending and (is_needless or digest(payload) == written):
            outbox.withdraw(self.conn, self.row.id, "task", key)
            return
        outbox.put(
            self.conn,
            self.row.id,
            kind="task",
            key=key,
            payload=payload,
            priority=0,
            at=self.at,
            not_before=not_before,
        )

    def _owner(self, wanted: Wanted) -> int | None:
        """Who gets the task: the rep for a tidy-up list, else the manager; who is inactive is
        stood in for by their manager, then by the connection's default, then by the rep.
        """
        rep = self.people[wanted.rep_id]
        if wanted.kind == "clean_up" and rep.is_active:
            return rep.id
        return self._manager(rep.id)

    def _manager(self, rep_id: int) -> int | None:
        seen = {rep_id}
        person: PersonRow | None = self.people[rep_id]
        while person is not None and person.manager_id is not None:
            person = self.people.get(person.manager_id)
            if person is None or person.id in seen:
                break
            if person.is_active:
                return person.id
            seen.add(person.id)
        default = self.setup.get("default_task_owner")
        for each in self.people.values():
            if default is not None and each.crm_id == default:
                return each.id
        return rep_id if self.people[rep_id].is_active else None
