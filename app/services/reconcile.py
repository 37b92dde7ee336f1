"""What becomes of each flag, decided from what stands and what was found. Pure functions.

Two passes: `decide` gives every flag its next status by itself; `share_out` then says which
open flags are held back, so that managers get no more than they can work on.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from app.services.evidence import gains
from app.store.flags import FlagState
from rules.rule import RuleKind, Severity

ACKNOWLEDGED_FOR = timedelta(days=28)
STATE_MAY_PRECEDE_FIRST_SYNC = timedelta(days=60)
NEW_A_WEEK = 10  # deal flags per manager
CRITICAL_SHARE = 0.05  # of the open deals

DealCondition = Literal["open", "closed", "deleted"]
Verb = Literal["none", "open", "reopen", "return", "change", "keep", "expire", "resolve"]
Held = Literal["cap", "deal", "baseline", "pilot", "private", "list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding about a deal, as far as its flag depends on it."""

    rule_version: int
    severity: int
    rank: int
    at: datetime
    fingerprint: str
    settles_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for all flags of one rule in one pass."""

    kind: RuleKind
    rule_class: str
    fresh: timedelta
    limits_id: int
    at: datetime
    first_synced_at: datetime | None = None
    is_retired: bool = False

    def is_stale(self, since: datetime) -> bool:
        """Whether an event of that instant is too old to stand."""
        return self.kind == "event" and since <= self.at - self.fresh

    @property
    def old_at(self) -> datetime | None:
        """What began or happened up to then was there before Forestage: it is for the
        clean-up list and opens no flag. None: nothing is.
        """
        if self.first_synced_at is None or self.first_synced_at > self.at:
            return None
        allowed = self.fresh if self.kind == "event" else STATE_MAY_PRECEDE_FIRST_SYNC
        return self.first_synced_at - allowed


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one flag, and why it ends where it does."""

    verb: Verb
    reason: str | None = None


NOTHING = Decision("none")


def decide(
    flag: FlagState | None, found: Found | None, condition: DealCondition, terms: Terms
) -> Decision:
    """The next step of one flag, of one deal and rule, at `terms.at`."""
    if flag is None or not flag.is_standing:
        return _of_absent(flag, found, condition, terms)
    if condition != "open" or terms.is_retired or found is None:
        return Decision("resolve", _why_it_ends(flag, condition, terms))
    if flag.status == "snoozed":
        return _of_snoozed(flag, found, terms)
    if terms.is_stale(max(found.at, flag.snoozed_until or found.at)):
        return Decision("expire", "expired")
    return _of_standing(flag, found, terms)


def _why_it_ends(flag: FlagState, condition: DealCondition, terms: Terms) -> str:
    if condition != "open":
        return f"deal_{condition}"
    if terms.is_retired:
        return "rule_retired"
    return "gone" if flag.limits_id == terms.limits_id else "limits_changed"


def _of_absent(
    flag: FlagState | None, found: Found | None, condition: DealCondition, terms: Terms
) -> Decision:
    if found is None or condition != "open" or terms.is_retired or terms.is_stale(found.at):
        return NOTHING
    if flag is None:
        is_old = terms.old_at is not None and found.at <= terms.old_at
        return NOTHING if is_old else Decision("open")
    if flag.close_reason == "expired" and found.at <= flag.finding_at:
        return NOTHING
    # A flag that ended while dismissed keeps the instant of that decision.
    if flag.decided_at is not None and not _outweighs(flag, found, flag.decided_at):
        return NOTHING
    return Decision("reopen")


def _of_snoozed(flag: FlagState, found: Found, terms: Terms) -> Decision:
    until = flag.snoozed_until
    if found.severity > flag.severity:
        return Decision("return", "severity")
    return Decision("keep") if until and terms.at < until else Decision("return", "snooze_ended")


def _of_standing(flag: FlagState, found: Found, terms: Terms) -> Decision:
    if flag.status == "open" or flag.decided_at is None:
        same = (
            found.severity == flag.severity
            and found.fingerprint == flag.fingerprint
            and found.rule_version == flag.rule_version
            and flag.limits_id == terms.limits_id
        )
        return Decision("keep" if same else "change")
    if _outweighs(flag, found, flag.decided_at):
        return Decision("return", "new_evidence")
    if flag.status == "acknowledged" and terms.at >= flag.decided_at + ACKNOWLEDGED_FOR:
        return Decision("return", "four_weeks")
    return Decision("keep")


def _outweighs(flag: FlagState, found: Found, decided_at: datetime) -> bool:
    return found.severity > flag.severity or gains(
        found.fingerprint, flag.fingerprint, since=decided_at
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A flag that is open or acknowledged after `decide`. `rank` is today's."""

    deal_id: int
    rule: str
    severity: int
    rank: int
    held: Held | None  # as stored; of a new one None
    is_new: bool  # opens or reopens in this pass
    rises_to_critical: bool = False
    never: Held | None = None  # private, outside the pilot, or for the rep's list

    @property
    def is_visible(self) -> bool:
        """Whether people see it already."""
        return self.never is None and self.held is None and not self.is_new


@dataclass(slots=True, kw_only=True)
class Load:
    """What managers are given: who manages each deal, and what they got this week."""

    managers: Mapping[int, int | None]
    shown: Counter[int | None]
    open_deals: int
    new_a_week: int | None = NEW_A_WEEK  # None: no cap, as when the baseline is taken
    mark: Held = "deal"
    top: dict[int, int] = field(default_factory=lambda: defaultdict(lambda: -1))
    critical: set[int] = field(default_factory=set)

    @property
    def critical_allowed(self) -> int:
        """How many open deals may be critical at once: at least one."""
        return max(1, int(self.open_deals * CRITICAL_SHARE))

    def show(self, flag: Standing) -> None:
        """Count a flag as visible."""
        self.top[flag.deal_id] = max(self.top[flag.deal_id], flag.rank)
        if flag.severity == Severity.CRITICAL:
            self.critical.add(flag.deal_id)


def share_out(flags: Sequence[Standing], load: Load) -> dict[tuple[int, str], Held | None]:
    """The mark of each flag, by (deal, rule): None is visible. Best rank first; visible ones
    stay so, except that one which rises to critical waits where the share is used up.
    """
    marks: dict[tuple[int, str], Held | None] = {}
    waiting = []
    for flag in flags:
        if flag.is_visible and not flag.rises_to_critical:
            load.show(flag)
            marks[flag.deal_id, flag.rule] = None
        else:
            waiting.append(flag)
    for flag in sorted(waiting, key=lambda each: (-each.rank, each.deal_id, each.rule)):
        mark = flag.never or _obstacle(flag, load)
        if mark is None:
            load.show(flag)
            load.shown[load.managers.get(flag.deal_id)] += not flag.is_visible
        marks[flag.deal_id, flag.rule] = mark
    return marks


def _obstacle(flag: Standing, load: Load) -> Held | None:
    # In this order a second pass finds the same obstacle: tops and counts only grow.
    if not flag.is_visible and load.top[flag.deal_id] >= flag.rank:
        return "baseline" if flag.held == "baseline" else load.mark
    is_critical = flag.severity == Severity.CRITICAL and flag.deal_id not in load.critical
    if is_critical and len(load.critical) >= load.critical_allowed:
        return "cap"
    given = load.shown[load.managers.get(flag.deal_id)]
    is_full = load.new_a_week is not None and given >= load.new_a_week
    return "cap" if is_full and not flag.is_visible else None
