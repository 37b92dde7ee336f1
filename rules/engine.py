"""Rules over facts: one definition for one deal and for a million."""

from collections.abc import Sequence

import polars as pl

from rules.facts import Facts
from rules.limits import Limits
from rules.rule import FINDINGS, Evaluation, Rule, RuleError


def evaluate(facts: Facts, rules: Sequence[Rule], limits: Limits) -> Evaluation:
    """Findings of all rules at the facts' instant; a rule that raises is only its own error."""
    findings: list[pl.DataFrame] = []
    excluded: dict[str, int] = {}
    errors: list[RuleError] = []
    for rule, found in zip(rules, _collected(facts, rules, limits), strict=True):
        if isinstance(found, RuleError):
            errors.append(found)
        else:
            excluded[rule.slug] = len(found[1])
            findings.append(found[0])
    return Evaluation(
        findings=pl.concat([pl.DataFrame(schema=FINDINGS), *findings]).sort("rule", "subject_id"),
        notices=facts.notices,
        excluded=excluded,
        errors=errors,
    )


Found = tuple[pl.DataFrame, pl.DataFrame]


def _collected(facts: Facts, rules: Sequence[Rule], limits: Limits) -> Sequence[Found | RuleError]:
    try:
        plans = [_plan(rule, facts, limits) for rule in rules]
        frames = pl.collect_all([frame for plan in plans for frame in plan])
    except Exception:  # noqa: BLE001 - each rule alone tells whose error it is
        return [_alone(rule, facts, limits) for rule in rules]
    return list(zip(frames[::2], frames[1::2], strict=True))


def _alone(rule: Rule, facts: Facts, limits: Limits) -> Found | RuleError:
    try:
        findings, left_out = pl.collect_all(_plan(rule, facts, limits))
    except Exception as error:  # noqa: BLE001 - a rule may fail in any way; the others go on
        return RuleError(rule.slug, f"{type(error).__name__}: {error}")
    return findings, left_out


def _plan(rule: Rule, facts: Facts, limits: Limits) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    deals = facts.deals.lazy()
    left_out = rule.leaves_out(facts).select("deal_id").unique()
    seen = deals.join(left_out, on="deal_id", how="anti").select(subject_id="deal_id")
    settled = pl.col("settles_at") <= facts.as_of
    findings = (
        rule.find(facts, limits.bind(rule.slug, rule.limits))
        .join(seen, on="subject_id", how="semi")
        .with_columns(
            rule=pl.lit(rule.slug),
            rule_version=pl.lit(rule.version),
            subject_kind=pl.lit(rule.subject),
            settles_at=pl.when(~settled).then("settles_at"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in FINDINGS.items())
    )
    return findings, left_out.join(deals, on="deal_id", how="semi")
