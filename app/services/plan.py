"""The plan of one scoring pass: what becomes of every flag, before anything is written."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa

from app.services.evidence import Pointer, ProvingRows, chunks
from app.services.reconcile import (
    DealCondition,
    Decision,
    Found,
    Held,
    Load,
    Standing,
    Terms,
    decide,
    share_out,
)
from app.store import flags, people
from app.store.connections import ConnectionRow
from app.store.deals import DEALS
from app.store.flags import FlagState
from rules.facts import Facts
from rules.rule import Evaluation, Rule, Severity
from rules.tables import INSTANT

FlagKey = tuple[int, str]
"""(deal_id, rule slug)."""

_AFTER = {"open": "open", "reopen": "open", "return": "open"}
_AFTER |= {"expire": "expired", "resolve": "resolved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass works on. `from_nothing`: as if no flag had ever been opened."""

    connection: ConnectionRow
    at: datetime
    limits_id: int
    rules: Mapping[str, Rule]
    from_nothing: bool = False

    def terms(self, slug: str) -> Terms:
        """What holds for the flags of one rule."""
        rule = self.rules.get(slug)
        return Terms(
            kind=rule.kind if rule else "state",
            rule_class=rule.rule_class if rule else "risk",
            fresh=timedelta(days=rule.fresh_days if rule else 0),
            limits_id=self.limits_id,
            at=self.at,
            first_synced_at=self.connection.first_synced_at,
            is_retired=rule is None,
        )

    @property
    def week_began_at(self) -> datetime:
        """Monday's first instant, by the account's own time zone."""
        local = self.at.astimezone(ZoneInfo(self.connection.time_zone))
        monday = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return (monday - timedelta(days=local.weekday())).astimezone(self.at.tzinfo)


@dataclass(slots=True, kw_only=True)
class Step:
    """One flag and what happens to it."""

    deal_id: int
    slug: str
    flag: FlagState | None
    found: Found | None
    decision: Decision
    sentence: str = ""
    actionability: float = 1.0
    pointers: Sequence[Pointer] = ()
    held: Held | None = None  # after the pass

    @property
    def status(self) -> str:
        """The flag's status after the pass."""
        return _AFTER.get(self.decision.verb) or (self.flag.status if self.flag else "none")

    @property
    def is_news(self) -> bool:
        """Whether anything of the flag's row changes."""
        marks = self.flag is not None and self.held != self.flag.held
        return self.decision.verb not in {"keep", "none"} or marks


@dataclass(slots=True, kw_only=True)
class Plan:
    """All steps of a pass, ordered by deal and rule; lines for clean-up lists; the proof."""

    steps: Sequence[Step]
    clean_up: Sequence[Mapping[str, Any]]
    proof: ProvingRows
    crm_ids: Mapping[int, str]
    found: Mapping[str, int] = field(default_factory=dict)


def make_plan(
    conn: sa.Connection, work: Pass, evaluation: Evaluation, *, ranked: pl.DataFrame, facts: Facts
) -> Plan:
    """Decide every flag of a connection's deals. `ranked`: the findings with their rank."""
    stored = [] if work.from_nothing else flags.states(conn, work.connection.id)
    failed = {error.rule for error in evaluation.errors}
    known = {(flag.subject_id, flag.rule): flag for flag in stored if flag.rule not in failed}
    standing = {key for key, flag in known.items() if flag.is_standing}
    findings = _with_terms(ranked, work, facts)
    matter = _that_matter(findings, standing)
    proof = ProvingRows.load(conn, work.connection.id, matter["evidence"])
    steps = _decide_all(work, known, matter=matter, proof=proof, facts=facts)
    _share_out(conn, work, steps, facts)
    return Plan(
        steps=steps,
        clean_up=_clean_up(findings, standing, work),
        proof=proof,
        crm_ids=_crm_ids(conn, {step.deal_id for step in steps if step.flag is None}),
        found=dict(findings.group_by("rule").len().iter_rows()),
    )


def _crm_ids(conn: sa.Connection, deal_ids: Collection[int]) -> dict[int, str]:
    query = sa.select(DEALS.c.id, DEALS.c.crm_id)
    return {
        row[0]: row[1]
        for chunk in chunks(sorted(deal_ids))
        for row in conn.execute(query.where(DEALS.c.id.in_(chunk)))
    }


def _with_terms(ranked: pl.DataFrame, work: Pass, facts: Facts) -> pl.DataFrame:
    """Deal findings with `is_open, is_stale, is_old` of their deal and rule."""
    terms = [(slug, work.terms(slug)) for slug in ranked["rule"].unique().sort()]
    cut = pl.DataFrame(
        {
            "rule": [slug for slug, _ in terms],
            "stale_at": [of.at - of.fresh if of.kind == "event" else None for _, of in terms],
            "old_at": [of.old_at for _, of in terms],
        },
        schema={"rule": pl.String, "stale_at": INSTANT, "old_at": INSTANT},
    )
    opened = facts.state.select("deal_id", is_open=~pl.col("closed").fill_null(value=False))
    return (
        ranked.filter(pl.col("subject_kind") == "deal")
        .rename({"subject_id": "deal_id"})
        .join(cut, on="rule", how="left", maintain_order="left")
        .join(opened, on="deal_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("is_open").fill_null(value=False),
            is_stale=(pl.col("at") <= pl.col("stale_at")).fill_null(value=False),
            is_old=(pl.col("at") <= pl.col("old_at")).fill_null(value=False),
        )
    )


def _that_matter(findings: pl.DataFrame, standing: Collection[FlagKey]) -> pl.DataFrame:
    """Findings that may open a flag or that a flag stands on."""
    flagged = _keys(standing)
    fresh = findings.filter("is_open", ~pl.col("is_stale"))
    return pl.concat([fresh, findings.join(flagged, on=["deal_id", "rule"], how="semi")]).unique(
        ["deal_id", "rule"], maintain_order=True
    )


def _clean_up(
    findings: pl.DataFrame, standing: Collection[FlagKey], work: Pass
) -> list[dict[str, Any]]:
    lines = findings.filter("is_open", "is_old").join(
        _keys(standing), on=["deal_id", "rule"], how="anti"
    )
    return [
        {**line, "rule_class": work.rules[line["rule"]].rule_class}
        for line in lines.select("deal_id", "rule", "at", "sentence").iter_rows(named=True)
        if line["rule"] in work.rules
    ]


def _keys(keys: Collection[FlagKey]) -> pl.DataFrame:
    return pl.DataFrame(list(keys), schema={"deal_id": pl.Int64, "rule": pl.String}, orient="row")


def _decide_all(
    work: Pass,
    known: Mapping[FlagKey, FlagState],
    *,
    matter: pl.DataFrame,
    proof: ProvingRows,
    facts: Facts,
) -> list[Step]:
    rows = {(row["deal_id"], row["rule"]): row for row in matter.iter_rows(named=True)}
    standing = {key for key, flag in known.items() if flag.is_standing}
    keys = sorted({*rows, *standing})
    conditions = _conditions(facts, {deal_id for deal_id, _ in keys})
    terms = {slug: work.terms(slug) for slug in {slug for _, slug in keys}}
    steps = []
    for key in keys:
        deal_id, slug = key
        row, flag = rows.get(key), known.get(key)
        found = None if row is None else _found(row, proof)
        decision = decide(flag, found, conditions.get(deal_id, "deleted"), terms[slug])
        if decision.verb != "none":
            step = Step(deal_id=deal_id, slug=slug, flag=flag, found=found, decision=decision)
            if row is not None:
                step.sentence, step.actionability = row["sentence"], row["actionability"]
                step.pointers = row["evidence"]
            steps.append(step)
    return steps


def _found(row: Mapping[str, Any], proof: ProvingRows) -> Found:
    return Found(
        rule_version=row["rule_version"],
        severity=row["severity"],
        rank=row["rank"],
        at=row["at"],
        settles_at=row["settles_at"],
        fingerprint=proof.fingerprint(row["evidence"]),
    )


def _conditions(facts: Facts, deal_ids: Collection[int]) -> dict[int, DealCondition]:
    """Open or closed, by deal; one that is not named is deleted."""
    state = facts.state.filter(pl.col("deal_id").is_in(list(deal_ids)))
    return {
        deal_id: "closed" if closed else "open"
        for deal_id, closed in state.select("deal_id", "closed").iter_rows()
    }


def _share_out(conn: sa.Connection, work: Pass, steps: Sequence[Step], facts: Facts) -> None:
    """Set `held` of every step."""
    shown = {} if work.from_nothing else _shown_this_week(conn, work)
    managers = _managers(conn, work, facts, {*(step.deal_id for step in steps), *shown})
    given: Counter[int | None] = Counter()
    for deal_id, times in shown.items():
        given[managers.get(deal_id)] += times
    opened = facts.state.select((~pl.col("closed").fill_null(value=False)).sum()).item()
    load = Load(managers=managers, shown=given, open_deals=opened)
    never = unwritable(conn, work.connection, managers)
    standing = []
    for step in steps:
        step.held = cast("Held | None", step.flag.held) if step.flag else None
        if step.status == "open" or (step.status == "acknowledged" and step.held is None):
            standing.append(_standing(step, work, never))
    marks = share_out(standing, load)
    for step in steps:
        if step.status == "open":
            step.held = marks[step.deal_id, step.slug]


def _standing(step: Step, work: Pass, never: Mapping[int, Held]) -> Standing:
    if step.found is None:
        raise ValueError("an open flag stands on a finding")
    before = step.flag.severity if step.flag else None
    is_new = step.decision.verb in {"open", "reopen"}
    is_hygiene = work.terms(step.slug).rule_class == "hygiene"
    return Standing(
        deal_id=step.deal_id,
        rule=step.slug,
        severity=step.found.severity,
        rank=step.found.rank,
        held=None if is_new else step.held,
        is_new=is_new,
        rises_to_critical=step.found.severity == Severity.CRITICAL != before and not is_new,
        never="list" if is_hygiene else never.get(step.deal_id),
    )


def _shown_this_week(conn: sa.Connection, work: Pass) -> dict[int, int]:
    """How many flags became visible this week, by deal; the baseline counts for nothing."""
    since = max(work.week_began_at, work.connection.write_since_at or work.week_began_at)
    return flags.shown_since(conn, work.connection.id, since)


def _managers(
    conn: sa.Connection, work: Pass, facts: Facts, deal_ids: Collection[int]
) -> dict[int, int | None]:
    """Who manages the owner of each deal today, by deal."""
    manager = {row.id: row.manager_id for row in people.list_all(conn, work.connection.id)}
    owners = facts.state.filter(pl.col("deal_id").is_in(list(deal_ids)))
    return {
        deal_id: manager.get(owner_id)
        for deal_id, owner_id in owners.select("deal_id", "owner_id").iter_rows()
    }


def unwritable(
    conn: sa.Connection, connection: ConnectionRow, managers: Mapping[int, int | None]
) -> dict[int, Held]:
    """Deals of which nothing may be written: private ones, and those outside the pilot."""
    never: dict[int, Held] = {}
    pilot = (connection.setup or {}).get("pilot")
    if pilot is not None:
        team = {row.id for row in people.list_all(conn, connection.id) if row.crm_id in pilot}
        never = {deal_id: "pilot" for deal_id, who in managers.items() if who not in team}
    private = sa.select(DEALS.c.id).where(
        DEALS.c.connection_id == connection.id, DEALS.c.is_private
    )
    return never | dict.fromkeys(conn.scalars(private), "private")
