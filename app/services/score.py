"""Scoring: the history becomes findings, and findings become flags."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import structlog

from app.clock import Clock
from app.errors import BadInput
from app.services.apply import apply, flag_key
from app.services.evidence import chunks, instant
from app.services.flags import SEVERITIES, FlagView, deal_of, questions
from app.services.outgoing import RULES, outside_evidence
from app.services.plan import Pass, Plan, Step, make_plan
from app.services.progress import Progress, silent
from app.services.setup import apply_segments
from app.store import connections, deals, generations, limits, notices, people
from app.store.database import Database
from app.store.frames import load_tables
from app.store.ids import flag_ref
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.rank import rank
from rules.rule import Evaluation

logger = structlog.get_logger(__name__)

_COUNTED = {"open": "opened", "reopen": "reopened", "return": "reopened"}
_COUNTED |= {"keep": "kept", "change": "kept", "expire": "resolved", "resolve": "resolved"}
_COLUMNS = (
    "found",
    "opened",
    "kept",
    "resolved",
    "reopened",
    "held",
    "excluded",
    "errors",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """What one pass found and did. `items`: the flags that would stand, of a dry run alone.

    `notices`: whole incidents that are no flag (`kind, key, at, by_id, deal_crm_ids,
    sentence`). `errors` are the words of rules that failed; their flags stay as they are.
    """

    as_of: datetime
    deals: int
    by_rule: Mapping[str, Mapping[str, int]]
    seconds: float
    items: Sequence[FlagView] | None = None
    notices: Sequence[Mapping[str, Any]] = ()
    errors: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The answer of `score --json`."""
        answer: dict[str, Any] = {
            "as_of": instant(self.as_of),
            "deals": self.deals,
            "by_rule": self.by_rule,
            "seconds": round(self.seconds, 3),
        }
        if self.items is not None:
            answer["items"] = [item.as_json() for item in self.items]
            answer["notices"] = [_notice(notice) for notice in self.notices]
        return answer


def score(
    db: Database,
    connection_id: int,
    *,
    clock: Clock,
    as_of: datetime | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ScoreReport:
    """Evaluate all deals of a connection and bring its flags up to date.

    `as_of` None: the CRM's present. A past instant stores nothing and gives the flags that
    would stand then, as if none had ever been opened. BadInput for one to come.
    """
    began = time.monotonic()
    tell = progress or silent
    work = _pass(db, connection_id, clock=clock, as_of=as_of, dry_run=dry_run)
    with db.read() as conn:
        read = generations.read(conn, connection_id)
    tell("load", 0, None)
    tables = load_tables(db, connection_id)
    facts = Facts.cut(tables, work.at, settle_minutes=work.connection.settle_minutes)
    tell("rules", 0, None)
    evaluation = evaluate(facts, list(RULES.values()), _limits(db, connection_id))
    for error in evaluation.errors:
        logger.error("a rule failed", rule=error.rule, error=error.message)
    ranked = rank(evaluation.findings, facts)
    with db.read() as conn:
        plan = make_plan(conn, work, evaluation, ranked=ranked, facts=facts)
    told = _notices(db, work, evaluation)
    items = None
    if dry_run or work.from_nothing:
        items = _items(db, work, plan, facts)
    else:
        apply(db, work, plan, read=read, progress=progress)
        with db.write() as conn:
            notices.replace_clean_up(conn, connection_id, plan.clean_up)
            notices.keep_notices(conn, connection_id, told, at=work.at)
    return ScoreReport(
        as_of=work.at,
        deals=len(facts.deals),
        by_rule=_by_rule(plan, evaluation),
        seconds=time.monotonic() - began,
        items=items,
        notices=told,
        errors=[f"{error.rule}: {error.message}" for error in evaluation.errors],
    )


def _pass(
    db: Database, connection_id: int, *, clock: Clock, as_of: datetime | None, dry_run: bool
) -> Pass:
    with db.read() as conn:
        row = connections.by_id(conn, connection_id)
        version = limits.current(conn, connection_id)
    now = connections.as_of(row, clock.now())
    # An export's clock stands where its last row is; it may be looked at from later.
    latest = max(now, clock.now()) if row.crm == "files" else now
    if as_of is not None and as_of > latest:
        raise BadInput("as_of", f"lies ahead of the CRM's clock, which says {instant(now)}")
    is_past = as_of is not None and as_of != now
    if not (dry_run or is_past):
        with db.write() as conn:
            version = limits.ensure(conn, connection_id, at=now)
            apply_segments(conn, row)
    return Pass(
        connection=row,
        at=as_of or now,
        limits_id=version.id,
        rules=RULES,
        from_nothing=is_past,
    )


def _limits(db: Database, connection_id: int) -> Limits:
    with db.read() as conn:
        return Limits.load(limits.current(conn, connection_id).overrides)


def _notices(db: Database, work: Pass, evaluation: Evaluation) -> list[dict[str, Any]]:
    """The notices by the CRM's ids of deals."""
    ids = evaluation.notices["deal_ids"].explode().drop_nulls().unique().to_list()
    with db.read() as conn:
        named = {
            view.id: view.crm_id
            for lot in chunks(ids)
            for view in deals.views(conn, work.connection.id, deals.DEALS.c.id.in_(lot))
        }
    return [
        {
            "kind": notice["kind"],
            "key": notice["key"],
            "at": notice["at"],
            "by_id": notice["by_id"],
            "deal_crm_ids": [named[deal] for deal in notice["deal_ids"] if deal in named],
            "sentence": notice["sentence"],
        }
        for notice in evaluation.notices.iter_rows(named=True)
    ]


def _notice(notice: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": notice["kind"],
        "at": instant(notice["at"]),
        "deals": notice["deal_crm_ids"],
        "sentence": notice["sentence"],
    }


def _by_rule(plan: Plan, evaluation: Evaluation) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for step in plan.steps:
        counts[step.slug][_COUNTED[step.decision.verb]] += 1
        counts[step.slug]["held"] += step.status == "open" and step.held is not None
    failed = Counter(error.rule for error in evaluation.errors)
    for slug in RULES:
        counts[slug]["found"] = plan.found.get(slug, 0)
        counts[slug]["excluded"] = evaluation.excluded.get(slug, 0)
        counts[slug]["errors"] = failed[slug]
    return {slug: {name: of[name] for name in _COLUMNS} for slug, of in counts.items()}


def _items(db: Database, work: Pass, plan: Plan, facts: Facts) -> list[FlagView]:
    """The flags that would stand, with their deals as they were at the instant."""
    steps = [step for step in plan.steps if step.status in {"open", "acknowledged", "snoozed"}]
    stands = {
        row["deal_id"]: row
        for row in facts.state.join(facts.labels, on="stage_id", how="left")
        .filter(pl.col("deal_id").is_in([step.deal_id for step in steps]))
        .iter_rows(named=True)
    }
    with db.read() as conn:
        owners = {
            row.id: (row.crm_id, row.name) for row in people.list_all(conn, work.connection.id)
        }
        views = {
            view.id: view
            for lot in chunks(list(stands))
            for view in deals.views(conn, work.connection.id, deals.DEALS.c.id.in_(lot))
        }
    found = [
        _item(step, work, plan, deal=_deal(views[step.deal_id], stands[step.deal_id], owners))
        for step in steps
    ]
    return sorted(found, key=lambda item: (-item.rank, item.id))


def _deal(
    view: deals.DealView, then: Mapping[str, Any], owners: Mapping[int, tuple[str, str]]
) -> dict[str, Any]:
    return deal_of(
        crm_id=view.crm_id,
        name=view.name,
        owner=owners.get(then["owner_id"], (None, None)),
        stage=then["label"],
        close_on=then["close_on"],
    )


def _item(step: Step, work: Pass, plan: Plan, *, deal: Mapping[str, Any]) -> FlagView:
    if step.found is None:
        raise ValueError("a flag that stands rests on a finding")
    account = work.connection.account_crm_id or work.connection.name
    is_older = step.flag is not None and step.decision.verb != "reopen"
    return FlagView(
        id=flag_ref(work.connection.id, flag_key(account, deal["crm_id"], step.slug)),
        rule=step.slug,
        rule_version=step.found.rule_version,
        rule_class=work.terms(step.slug).rule_class,
        severity=SEVERITIES[step.found.severity],
        rank=step.found.rank,
        status=step.status,
        held=step.held,
        opened_at=step.flag.opened_at if is_older and step.flag else work.at,
        subject={"kind": "deal", "crm_id": deal["crm_id"], "name": deal["name"]},
        deal=deal,
        sentence=step.sentence,
        questions=questions(step.slug),
        limits_version=work.limits_id,
        evidence=outside_evidence(plan.proof.expand(step.pointers)),
    )
