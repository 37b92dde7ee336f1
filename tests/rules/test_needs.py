"""Each rule says what it needs to see, and what it loses without it."""

import pytest

from rules.deal import DEAL_RULES
from rules.rule import Rule

LEDGERS = {"stage", "close_date", "amount", "forecast", "owner", "pipeline", "next_step"}


@pytest.mark.parametrize("rule", DEAL_RULES, ids=lambda rule: rule.slug)
def test_a_rule_can_do_without_some_of_its_needs_and_never_without_all(rule: Rule) -> None:
    assert set(rule.needs) <= LEDGERS | {"activities", "contacts"}
    assert set(rule.partly) < set(rule.needs)
    assert all(rule.partly.values())
