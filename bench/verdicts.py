"""Verdicts of the three rules, comparable between the ways to them."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rules.deal import DEAL_RULES


def digest(verdicts: Iterable[tuple[str, int, int]]) -> dict[str, Any]:
    """Numbers by rule, and a hash of all verdicts (rule, deal, severity)."""
    ordered = sorted((rule, int(deal), int(severity)) for rule, deal, severity in verdicts)
    counts = Counter(rule for rule, _, _ in ordered)
    return {
        "found": {rule.slug: counts[rule.slug] for rule in DEAL_RULES},
        "digest": hashlib.sha256(repr(ordered).encode()).hexdigest()[:16],
    }
