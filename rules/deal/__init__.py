"""Rules about a single deal."""

from rules.deal import close_date_slippage, late_entry, stage_regression
from rules.rule import Rule

DEAL_RULES: tuple[Rule, ...] = (
    late_entry.RULE,
    close_date_slippage.RULE,
    stage_regression.RULE,
)
