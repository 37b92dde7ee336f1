"""Why a deal is flagged, and why not: each rule's answer, as far as it can be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from app.clock import Clock
from app.services import deals as deal_service
from app.services.evidence import Pointer, ProvingRows, instant
from app.services.flags import SEVERITIES
from app.services.outgoing import RULES, outside_evidence
from app.services.plan import Pass
from app.services.reconcile import Terms
from app.store import connections, flags, limits, notices
from app.store.database import Database
from app.store.deals import DealView
from app.store.flags import FLAGS
from app.store.frames import load_tables
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.rule import Evaluation, Rule

HELD_BECAUSE = {
    "cap": "the managers' load of this week, or the share of critical deals, is used up",
    "deal": "another flag of this deal ranks higher, and a deal shows one at a time",
    "baseline": "it stood below the deal's top flag when writing was switched on",
    "pilot": "the deal's manager is not in the pilot",
    "private": "the deal is private in the CRM",
    "list": "it is a field to correct: it stands on the rep's list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule says of the deal. `answer`: flagged, held, decided, quiet or error."""

    rule: str
    title: str
    answer: str
    because: str
    severity: str | None = None
    sentence: str | None = None
    evidence: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Mapping[str, Any]] = ()  # what happened to its flag, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A deal, what each rule says of it, notices that name it, and its history."""

    as_of: datetime
    deal: DealView
    verdicts: Sequence[Verdict]
    notices: Sequence[str]
    timeline: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The answer of `explain --json`."""
        return {
            "as_of": instant(self.as_of),
            "deal": deal_service.deal_json(self.deal),
            "rules": [
                {name: getattr(verdict, name) for name in Verdict.__slots__}
                for verdict in self.verdicts
            ],
            "notices": list(self.notices),
            "timeline": list(self.timeline),
        }


def explain(db: Database, connection_id: int, deal: str, *, clock: Clock) -> Explanation:
    """Why `deal` (our id, the CRM's id or its name) is flagged and why not, at the CRM's
    present. All deals are evaluated, as norms come from all. NotFound.
    """
    with db.read() as conn:
        row = connections.by_id(conn, connection_id)
        _, found = deal_service.find(conn, deal, connection_id=connection_id)
        version = limits.current(conn, connection_id)
    at = connections.as_of(row, clock.now())
    facts = Facts.cut(load_tables(db, connection_id), at, settle_minutes=row.settle_minutes)
    evaluation = evaluate(facts, list(RULES.values()), Limits.load(version.overrides))
    work = Pass(connection=row, at=at, limits_id=version.id, rules=RULES)
    with db.read() as conn:
        judge = _Judge(conn, work, found, evaluation=evaluation, facts=facts)
        return Explanation(
            as_of=at,
            deal=found,
            verdicts=[judge.verdict(rule) for rule in RULES.values()],
            notices=[
                notice.sentence
                for notice in notices.notices(conn, connection_id)
                if found.crm_id in notice.deal_crm_ids
            ],
            timeline=deal_service.timeline(conn, connection_id, found),
        )


class _Judge:
    """Asks each rule about one deal."""

    def __init__(
        self,
        conn: sa.Connection,
        work: Pass,
        deal: DealView,
        *,
        evaluation: Evaluation,
        facts: Facts,
    ) -> None:
        self.conn = conn
        self.work = work
        self.deal = deal
        self.facts = facts
        self.errors = {error.rule: error.message for error in evaluation.errors}
        here = evaluation.findings.filter(
            (pl.col("subject_kind") == "deal") & (pl.col("subject_id") == deal.id)
        )
        self.findings = {finding["rule"]: finding for finding in here.iter_rows(named=True)}
        query = flags.with_deals(work.connection.id).where(
            FLAGS.c.subject_kind == "deal", FLAGS.c.subject_id == deal.id
        )
        self.flags = {flag.rule: flag for flag in conn.execute(query)}

    def verdict(self, rule: Rule) -> Verdict:
        """The rule's answer about the deal."""
        finding, flag = self.findings.get(rule.slug), self.flags.get(rule.slug)
        if rule.slug in self.errors:
            answer, because = "error", self.errors[rule.slug]
        elif flag is not None and flag.status in flags.STANDING:
            answer, because = _of_standing(flag)
        elif finding is None:
            answer, because = "quiet", self._why_nothing(rule)
        else:
            terms = self.work.terms(rule.slug)
            answer, because = "quiet", self._why_no_flag(finding, flag, terms)
        return Verdict(
            rule=rule.slug,
            title=rule.title,
            answer=answer,
            because=because,
            severity=SEVERITIES[finding["severity"]] if finding else None,
            sentence=finding["sentence"] if finding else None,
            evidence=self._evidence(finding["evidence"]) if finding else (),
            steps=self._steps(flag),
        )

    def _why_nothing(self, rule: Rule) -> str:
        left_out = rule.leaves_out(self.facts).filter(pl.col("deal_id") == self.deal.id)
        if not left_out.collect().is_empty():
            return "the rule leaves this deal out (its segment, a batch, or who made it)"
        return "nothing in its history meets the rule's limits"

    def _why_no_flag(self, finding: Mapping[str, Any], flag: Any, terms: Terms) -> str:
        if self.deal.deleted_at is not None or self.deal.is_closed:
            state = "deleted" if self.deal.deleted_at is not None else "closed"
            return f"found, but the deal is {state}: flags stand on open deals only"
        if terms.is_stale(finding["at"]) and terms.old_at and finding["at"] <= terms.old_at:
            return "found, but old already when Forestage came: it is on the rep's tidy-up list"
        if terms.is_stale(finding["at"]):
            return (
                f"found, but {_days(terms.at - finding['at'])} ago: "
                f"only what is younger than {_days(terms.fresh)} opens a flag"
            )
        if flag is not None:
            return f"its flag ended ({flag.close_reason}) and nothing has come since"
        return "found; the next scoring opens a flag"

    def _evidence(self, pointers: Sequence[Pointer]) -> list[dict[str, Any]]:
        proof = ProvingRows.load(self.conn, self.work.connection.id, [pointers])
        return outside_evidence(proof.expand(pointers))

    def _steps(self, flag: Any) -> list[dict[str, Any]]:
        if flag is None:
            return []
        return [
            {
                "at": instant(step.at),
                "by": step.by,
                "action": step.action,
                "detail": step.detail,
            }
            for step in flags.history(self.conn, flag.id)
        ]


def _of_standing(flag: Any) -> tuple[str, str]:
    if flag.status != "open":
        until = f" until {instant(flag.snoozed_until)}" if flag.snoozed_until else ""
        reason = f": {flag.reason}" if flag.reason else ""
        return "decided", f"{flag.status}{until}{reason}"
    if flag.held is not None:
        return "held", HELD_BECAUSE.get(flag.held, flag.held)
    return "flagged", f"open since {instant(flag.opened_at)}"


def _days(span: timedelta) -> str:
    return f"{span.days} day{'' if span.days == 1 else 's'}"
