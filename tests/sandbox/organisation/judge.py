"""A second reading of what the simulated people did: plain Python over the acts alone.

It knows the three rules' words (promise, settle, batch, role) and none of the simulation's
intents, so that what was logged as meant can be held against what was done.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from connectors.sandbox import acts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FISCAL_START = 2
LATE_ENTRY, SLIPPAGE, REGRESSION = "late-entry", "close-date-slippage", "stage-regression"
WARNING, INFO = "warning", "info"


@dataclass
class Change:
    at: datetime
    by: str
    old: object
    new: object


@dataclass
class Deal:
    created: acts.CreateDeal
    stages: list[Change] = field(default_factory=list)
    dates: list[Change] = field(default_factory=list)
    contacts: set[str] = field(default_factory=set)
    edits: list[acts.EditDeal] = field(default_factory=list)


def quarter(day: date) -> int:
    return (day.year * 12 + day.month - FISCAL_START) // 3


class Judge:
    """Reads a whole stream of acts once and then answers for every deal."""

    def __init__(self, stream: Iterable[acts.Act]) -> None:
        self.stages: dict[tuple[str, str], acts.Stage] = {}
        self.order: dict[str, list[str]] = {}
        self.names: dict[str, str] = {}
        self.deals: dict[str, Deal] = {}
        self.talks: dict[str, list[tuple[datetime, str | None]]] = defaultdict(list)
        self._meetings: dict[str, acts.PlanMeeting] = {}
        for act in stream:
            self._take(act)
        for meeting in self._meetings.values():
            for contact in meeting.contacts:
                self.talks[contact].append((meeting.starts_at, meeting.deal))
        self.batches = self._batches()
        self.has_defaults = self._period_end_share() > 0.3

    def _take(self, act: acts.Act) -> None:
        match act:
            case acts.AddPipeline():
                self.names[act.key] = act.name
                self.order[act.key] = [s.label for s in act.stages if not s.is_closed]
                self.stages |= {(act.key, s.label): s for s in act.stages}
            case acts.CreateDeal():
                self.deals[act.key] = Deal(act)
            case acts.EditDeal():
                self._edit(self.deals[act.deal], act)
            case acts.AddContactRole():
                self.deals[act.deal].contacts.add(act.contact)
            case acts.PlanMeeting():
                self._meetings[act.key] = act
            case acts.CancelMeeting():
                del self._meetings[act.meeting]
            case acts.LogCall() if act.outcome == "connected":
                for contact in act.contacts:
                    self.talks[contact].append((act.at, act.deal))

    def _edit(self, deal: Deal, act: acts.EditDeal) -> None:
        deal.edits.append(act)
        if act.stage is not None:
            old = deal.stages[-1].new if deal.stages else deal.created.stage
            deal.stages.append(Change(act.at, act.by, old, act.stage))
        if act.close_on is not None:
            before = deal.dates[-1].new if deal.dates else deal.created.close_on
            deal.dates.append(Change(act.at, act.by, before, act.close_on))

    def _batches(self) -> set[tuple[object, ...]]:
        """(kind, person, day, value) of what one person did to many deals in a day."""
        seen: Counter[tuple[object, ...]] = Counter()
        for deal in self.deals.values():
            for key in self._batch_keys(deal):
                seen[key] += 1
        return {key for key, n in seen.items() if n >= (15 if key[0] == "create" else 10)}

    def _batch_keys(self, deal: Deal) -> Iterable[tuple[object, ...]]:
        created = deal.created
        yield ("create", created.by, created.at.date())
        for change in deal.stages:
            if change.by != created.owner:
                yield ("stage", change.by, change.at.date(), change.new)
        for change in deal.dates:
            if change.by != created.owner:
                yield ("date", change.by, change.at.date(), self.shift(change))

    @staticmethod
    def shift(change: Change) -> int:
        assert isinstance(change.old, date)
        assert isinstance(change.new, date)
        return (change.new - change.old).days

    def _period_end_share(self) -> float:
        at_end = [d for d in self.deals.values() if self.is_period_end(d.created.close_on)]
        return len(at_end) / max(1, len(self.deals))

    @staticmethod
    def is_period_end(day: date) -> bool:
        return quarter(day + DAY) > quarter(day)

    def position(self, deal: Deal, label: object) -> int | None:
        """None for a closed stage."""
        order = self.order[deal.created.pipeline]
        return order.index(str(label)) if label in order else None

    def is_renewal(self, deal: Deal) -> bool:
        return deal.created.deal_type == "Renewal"

    def batch(self, *key: object) -> bool:
        return key in self.batches

    # --- the three rules -------------------------------------------------------------
    def verdicts(self, deal: Deal) -> dict[str, str]:
        """Severity by rule, of what stands against the deal."""
        found = {
            LATE_ENTRY: self.late_entry(deal),
            SLIPPAGE: self.slippage(deal),
            REGRESSION: self.regression(deal),
        }
        if self.is_renewal(deal):
            return {}
        return {rule: severity for rule, severity in found.items() if severity}

    def late_entry(self, deal: Deal) -> str | None:
        created = deal.created
        if self.batch("create", created.by, created.at.date()):
            return None
        beyond = (self.position(deal, created.stage) or 0) > 0
        if self.lag(deal) >= 14 or (beyond and self.raced(deal)):
            return WARNING
        return INFO if beyond else None

    def lag(self, deal: Deal) -> float:
        """Days since the first of at least two talks in the 90 days before creation."""
        created_at = deal.created.at
        before = {
            at
            for contact in deal.contacts
            for at, on in self.talks[contact]
            if on in {None, deal.created.key} and created_at - 90 * DAY <= at < created_at
        }
        return (created_at - min(before)) / DAY if len(before) > 1 else 0.0

    def raced(self, deal: Deal) -> bool:
        created = deal.created
        first = self.position(deal, created.stage) or 0
        top = first
        for change in deal.stages:
            if change.at - created.at <= DAY:
                stage = self.stages[created.pipeline, str(change.new)]
                reached = self.position(deal, change.new)
                end = len(self.order[created.pipeline])
                top = max(top, end if stage.is_won else reached or 0)
        return top - first >= 2

    def promises(self, deal: Deal, change: Change) -> bool:
        """Whether the old date was a promise: no default, in force beyond the early stages."""
        created = deal.created
        index = deal.dates.index(change)
        if index == 0 and self.has_defaults and self.is_period_end(created.close_on):
            return False
        since = created.at if index == 0 else deal.dates[index - 1].at
        stays = [(created.at, created.stage), *((c.at, c.new) for c in deal.stages)]
        ends = [*(at for at, _ in stays[1:]), datetime.max.replace(tzinfo=created.at.tzinfo)]
        n = len(self.order[created.pipeline])
        early = max(1, round(n / 3))
        return any(
            begin < change.at and end > since and (self.position(deal, label) or 0) >= early
            for (begin, label), end in zip(stays, ends, strict=True)
        )

    def slippage(self, deal: Deal) -> str | None:
        pushes: list[tuple[date, date]] = []
        closings = {e.at for e in deal.edits if e.stage and self.position(deal, e.stage) is None}
        for change, old, new in self._net_dates(deal):
            if change.at in closings or not self.promises(deal, change):
                continue
            if self.batch("date", change.by, change.at.date(), self.shift(change)):
                continue
            if new > old:
                pushes.append((old, new))
        long = any((new - old).days >= 21 or quarter(new) > quarter(old) for old, new in pushes)
        return WARNING if long or len(pushes) > 1 else None

    @staticmethod
    def _net_dates(deal: Deal) -> Iterable[tuple[Change, date, date]]:
        for group in _settled(deal.dates):
            old, new = group[0].old, group[-1].new
            assert isinstance(old, date)
            assert isinstance(new, date)
            yield group[0], old, new

    def regression(self, deal: Deal) -> str | None:
        falls: list[datetime] = []
        worst, committed = None, False
        skipped: set[int] = set()
        path: list[tuple[datetime, str, object, object]] = [
            (g[0].at, g[0].by, g[0].old, g[-1].new) for g in _settled(deal.stages)
        ]
        commit = len(self.order[deal.created.pipeline]) - 1
        for at, by, old_label, new_label in path:
            old, new = self.position(deal, old_label), self.position(deal, new_label)
            committed = committed or old == commit
            if old is None or new is None or old == new:
                continue
            if new > old:
                skipped |= set(range(old + 1, new))
                continue
            if self.batch("stage", by, at.date(), new_label):
                continue
            is_second = any(at - fall <= 90 * DAY for fall in falls)
            falls.append(at)
            caused = any(new <= step for step in skipped)
            first_and_light = old - new == 1 and not caused and not committed and not is_second
            worst = worst or INFO if first_and_light and len(falls) == 1 else WARNING
        return worst


def _settled(changes: Sequence[Change]) -> Iterable[list[Change]]:
    """Edits of one person within an hour of the first are one; no net effect is none."""
    groups: list[list[Change]] = []
    for change in changes:
        if groups and change.by == groups[-1][0].by and change.at - groups[-1][0].at <= HOUR:
            groups[-1].append(change)
        else:
            groups.append([change])
    return (group for group in groups if group[0].old != group[-1].new)
