"""Each rule says what it needs to see, and what it loses without it."""

import pytest

from rules.deal import DEAL_RULES
from rules.rule import Rule

LEDGERS = {"stage", "close_date", "amount", "forecast", "owner", "pipeline", "next_step"}


@pytest.mark.parametrize("rule", DEAL_RULES, ids=lambda rule: rule.slug)
def test_a_rule_says_what_it_can_do_without_and_what_it_loses_then(rule: Rule) -> None:
    assert set(rule.needs) <= LEDGERS | {"activities", "contacts"}
    assert rule.signs
    assert all(set(sign) <= set(rule.needs) for sign in rule.signs)
    assert rule.is_blind(rule.needs)
    assert not rule.is_blind(())
    spared = {need for need in rule.needs if not rule.is_blind({need})}
    assert set(rule.partly) == spared
    assert all(rule.partly.values())
