"""Each rule fires where its cases say so and stays quiet where they say so."""

import re
from dataclasses import fields

import pytest

from rules.deal import DEAL_RULES
from rules.engine import evaluate
from rules.facts import Facts
from rules.limits import Limits
from rules.rule import Rule, Severity
from tests.rules.stories import CASES, Case, as_tables, cases, load_cases, when

RULES = {rule.slug: rule for rule in DEAL_RULES}


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_a_rule_judges_the_case_as_written(case: Case) -> None:
    tables, as_of = as_tables(case.told)
    limits = Limits.load({case.slug: case.told.get("limits", {})})
    evaluation = evaluate(Facts.cut(tables, as_of), [RULES[case.slug]], limits)
    assert not evaluation.errors
    findings = evaluation.findings.to_dicts()
    if not case.fires:
        assert findings == []
        return
    assert len(findings) == case.told.get("deals", 1)
    for finding in findings:
        assert Severity(finding["severity"]).name.lower() == case.told["severity"]
        assert case.told.get("sentence", "") in finding["sentence"]
        if "evidence" in case.told:
            assert len(finding["evidence"]) == case.told["evidence"]
        for name in ("at", "settles_at"):
            if name in case.told:
                assert finding[name] == when(case.told[name])


@pytest.mark.parametrize("rule", DEAL_RULES, ids=lambda rule: rule.slug)
def test_every_rule_has_cases_on_both_sides(rule: Rule) -> None:
    told = load_cases(rule.slug)
    assert len(told["fires"]) >= 3
    assert len(told["stays_quiet"]) >= 3
    names = [case["name"] for side in ("fires", "stays_quiet") for case in told[side]]
    assert len(set(names)) == len(names)


def test_every_case_file_belongs_to_a_rule() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == set(RULES)


@pytest.mark.parametrize("rule", DEAL_RULES, ids=lambda rule: rule.slug)
def test_every_page_has_its_parts_and_every_limit_its_reason_and_range(rule: Rule) -> None:
    parts = re.findall(r"^## (.*)$", rule.doc, flags=re.MULTILINE)
    assert parts == ["What it looks at", "Why it matters", "Ask the rep", "Limits of this rule"]
    assert len(rule.questions) >= 2
    for spec in fields(rule.limits):
        about = spec.metadata
        assert re.match(r"(published|ours): .+", about["reason"])
        assert about["floor"] <= spec.default <= about["ceiling"]
