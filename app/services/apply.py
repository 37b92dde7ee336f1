"""Writing a plan: a transaction a chunk of deals, and only where nothing has moved since."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.services import outgoing
from app.services.plan import Pass, Plan, Step
from app.services.progress import Progress, silent
from app.store import flags, generations
from app.store.database import Database
from app.store.ids import crm_key

_DEALS_A_CHUNK = 100
ENGINE = "engine"


def apply(
    db: Database,
    work: Pass,
    plan: Plan,
    *,
    read: Mapping[int, int],
    progress: Progress | None = None,
) -> None:
    """Write the steps of `plan` and mark all deals as scored. `read`: the generations from
    before the pass; a deal that has moved on, or whose flags have, is left for the next pass.
    """
    tell = progress or silent
    moved: set[int] = set()
    chunks = list(_chunks(plan.steps, is_writing=work.connection.mode == "write"))
    for done, chunk in enumerate(chunks):
        with db.write() as conn:
            moved |= _Chunk(conn, work, plan, read).write(chunk)
        tell("flags", done + 1, len(chunks))
    for between in generations.ranges(read):
        with db.write() as conn:
            generations.mark_scored(conn, work.connection.id, read, between=between, but=moved)


def _chunks(steps: Sequence[Step], *, is_writing: bool) -> Iterator[dict[int, list[Step]]]:
    """Steps by deal. Flags that stay as they are matter in `write` alone, as their deal may
    have another owner or name.
    """
    by_deal: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        by_deal[step.deal_id].append(step)
    chunk: dict[int, list[Step]] = {}
    for deal_id, mine in by_deal.items():
        if is_writing or any(step.is_news for step in mine):
            chunk[deal_id] = mine
        if len(chunk) == _DEALS_A_CHUNK:
            yield chunk
            chunk = {}
    if chunk:
        yield chunk


class _Chunk:
    """One chunk, within its transaction."""

    def __init__(
        self, conn: sa.Connection, work: Pass, plan: Plan, read: Mapping[int, int]
    ) -> None:
        self.conn = conn
        self.work = work
        self.plan = plan
        self.read = read
        self.events: list[dict[str, Any]] = []
        self.begun: list[int] = []

    def write(self, chunk: Mapping[int, Sequence[Step]]) -> set[int]:
        """Write what may be written; gives the deals that may not."""
        still = generations.unchanged(self.conn, self.read, list(chunk))
        stored: dict[int, set[flags.FlagState]] = defaultdict(set)
        for flag in flags.states(self.conn, self.work.connection.id, list(chunk)):
            stored[flag.subject_id].add(flag)
        moved = set(chunk) - still
        moved |= {deal_id for deal_id in still if not _same(chunk[deal_id], stored[deal_id])}
        steps = [step for deal_id, mine in chunk.items() if deal_id not in moved for step in mine]
        ids = self._open([step for step in steps if step.decision.verb == "open"])
        for step in steps:
            if step.flag is not None:
                self._move(step, step.flag)
                ids.append(step.flag.id)
        flags.begin_episodes(self.conn, self.begun, at=self.work.at)
        flags.add_events(self.conn, self.events)
        if self.work.connection.mode == "write":
            outgoing.enqueue(self.conn, self.work.connection.id, ids, at=self.work.at)
        return moved

    def _open(self, steps: Sequence[Step]) -> list[int]:
        account = self.work.connection.account_crm_id or self.work.connection.name
        rows = [
            {
                "connection_id": self.work.connection.id,
                "key": flag_key(account, self.plan.crm_ids[step.deal_id], step.slug),
                "subject_kind": "deal",
                "subject_id": step.deal_id,
                "rule": step.slug,
                "status": "open",
                "opened_at": self.work.at,
                **self._contents(step),
            }
            for step in steps
        ]
        ids = flags.insert(self.conn, rows)
        for row, step in zip(rows, steps, strict=True):
            flag_id = ids[row["key"]]
            self.begun.append(flag_id)
            self._keep(flag_id, "opened", severity=row["severity"], held=step.held)
            if step.held is None:
                self._keep(flag_id, "shown")
        return list(ids.values())

    def _contents(self, step: Step) -> dict[str, Any]:
        if step.found is None:
            raise ValueError("a flag without a finding has nothing to say")
        return {
            "rule_version": step.found.rule_version,
            "rule_class": self.work.rules[step.slug].rule_class,
            "severity": step.found.severity,
            "actionability": step.actionability,
            "rank": step.found.rank,
            "held": step.held,
            "finding_at": step.found.at,
            "settles_at": step.found.settles_at,
            "sentence": step.sentence,
            "evidence": self.plan.proof.expand(step.pointers),
            "fingerprint": step.found.fingerprint,
            "limits_id": self.work.limits_id,
        }

    def _move(self, step: Step, flag: flags.FlagState) -> None:
        match step.decision.verb:
            case "reopen":
                self._reopen(step, flag)
            case "return" | "change":
                self._change(step, flag)
            case "expire" | "resolve":
                self._close(step, flag)
            case _:
                if step.held != flag.held:
                    flags.update(self.conn, flag.id, held=step.held)
        opens = step.decision.verb == "reopen"
        if step.status == "open" and (opens or step.held != flag.held):
            self._keep(flag.id, "shown" if step.held is None else "held", held=step.held)

    def _reopen(self, step: Step, flag: flags.FlagState) -> None:
        nothing = dict.fromkeys(
            ("closed_at", "close_reason", "decided_at", "snoozed_until", "reason")
        )
        flags.update(
            self.conn,
            flag.id,
            status="open",
            opened_at=self.work.at,
            **nothing,
            **self._contents(step),
        )
        self.begun.append(flag.id)
        self._keep(flag.id, "reopened", severity=step.found.severity if step.found else None)

    def _change(self, step: Step, flag: flags.FlagState) -> None:
        contents = self._contents(step)
        if step.decision.verb == "return":
            contents |= {"status": "open", "decided_at": None}
            self._keep(flag.id, "returned", because=step.decision.reason)
        else:
            self._keep(flag.id, "changed", before=flag.severity, severity=contents["severity"])
        flags.update(self.conn, flag.id, **contents)

    def _close(self, step: Step, flag: flags.FlagState) -> None:
        was_dismissed = flag.status == "dismissed"
        flags.update(
            self.conn,
            flag.id,
            status=step.status,
            closed_at=self.work.at,
            close_reason=step.decision.reason,
            # Kept, so that what was dismissed does not come back by flapping.
            decided_at=flag.decided_at if was_dismissed else None,
            snoozed_until=None,
            settles_at=None,
        )
        reason = step.decision.reason or step.status
        flags.end_episode(self.conn, flag.id, at=self.work.at, reason=reason)
        self._keep(flag.id, step.status, because=reason)

    def _keep(self, flag_id: int, action: str, **detail: Any) -> None:
        self.events.append(
            {
                "flag_id": flag_id,
                "at": self.work.at,
                "by": ENGINE,
                "action": action,
                "detail": {name: value for name, value in detail.items() if value is not None},
            }
        )


def flag_key(account: str, deal_crm_id: str, slug: str) -> str:
    """The key of a deal's flag in the CRM: account, subject and rule alone."""
    return crm_key(account, "deal", deal_crm_id, slug)


def _same(steps: Sequence[Step], stored: set[flags.FlagState]) -> bool:
    """Whether the flags that were planned with are the ones that stand now."""
    planned = {step.flag for step in steps if step.flag is not None}
    opening = {step.slug for step in steps if step.decision.verb == "open"}
    return planned <= stored and not any(flag.rule in opening for flag in stored)
