"""The organisation with its clock: two years of acts, and then as many days as wanted."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.sandbox.acts import Act, Truth
from connectors.sandbox.organisation.blocks import (
    WINDOW_DAYS,
    Block,
    first_blocks,
    later_blocks,
    write,
)
from connectors.sandbox.organisation.company import Company

_DAY = timedelta(days=1)
# The first talk comes at most so long before a deal's creation, its planning included.
_LOOK_BACK = 90 * _DAY


@dataclass(frozen=True, slots=True)
class _Written:
    """What is kept of a block after its acts have been given out."""

    last_at: datetime
    truth: tuple[Truth, ...]


@dataclass(slots=True)
class Organisation:
    """A sales organisation, the same for the same seed, size and end.

    Its future is as fixed as its past: `advance` only uncovers more of it, so advancing
    twice by 7 days gives what advancing once by 14 gives. What it is can be told by
    `state()`, a handful of values; `from_state` brings it back.
    """

    seed: int
    deals: int
    end: datetime
    advanced_days: int = 0
    _company: Company = field(init=False, repr=False)
    _first: list[Block] = field(init=False, repr=False)
    _written: dict[str, _Written] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.end.tzinfo is None:
            raise ValueError("end must be an aware instant")
        self.end = self.end.astimezone(UTC)
        self._company = Company.build(self.seed, self.deals)
        self._first = first_blocks(self.seed, self.deals, self.end.date())

    @classmethod
    def create(cls, *, seed: int, deals: int, end: datetime) -> "Organisation":
        """`deals` deals are created in the two years before `end` (an aware instant)."""
        return cls(seed, deals, end)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Organisation":
        """The organisation that told `state`, at the same instant of its clock."""
        end = datetime.fromisoformat(state["end"])
        return cls(state["seed"], state["deals"], end, state["advanced_days"])

    def state(self) -> dict[str, int | str]:
        """All that must be kept to go on after a restart; JSON values only."""
        return {
            "seed": self.seed,
            "deals": self.deals,
            "end": self.end.isoformat(),
            "advanced_days": self.advanced_days,
        }

    @property
    def now(self) -> datetime:
        """The organisation's clock."""
        return self.end + self.advanced_days * _DAY

    def setup_acts(self) -> Iterator[Act]:
        """The company, its people, pipelines and accounts, before everything else."""
        return self._company.setup(self.end - WINDOW_DAYS * _DAY - 2 * _LOOK_BACK)

    def acts(self) -> Iterator[Act]:
        """Everything done up to `end`, in order of time; without the setup."""
        return self._between(None, self.end)

    def advance(self, days: int) -> Iterator[Act]:
        """Move the clock on at once, and give what is done in those days, in order of time."""
        if days < 0:
            raise ValueError(f"days must not be negative, got {days}")
        before = self.now
        self.advanced_days += days
        return self._between(before, self.now)

    def truth(self) -> list[Truth]:
        """What was meant by all acts up to now, in order of time."""
        rows = [
            row
            for block in self._blocks(self.now)
            for row in (self._written.get(block.key) or self._write(block)[0]).truth
            if row.at <= self.now
        ]
        return sorted(rows, key=lambda row: (row.at, row.deal, row.rule))

    def _blocks(self, until: datetime) -> Iterator[Block]:
        """The blocks that may have an act up to `until`, by the day on which they begin."""
        yield from self._first
        day, last = self.end.date() + _DAY, (until + _LOOK_BACK).date()
        while day <= last:
            yield from later_blocks(self.seed, self.deals, day)
            day += _DAY

    def _between(self, after: datetime | None, until: datetime) -> Iterator[Act]:
        waiting: list[tuple[datetime, int, Act]] = []
        number = 0
        for block in self._blocks(until):
            known = self._written.get(block.key)
            if known and after and known.last_at <= after:
                continue
            horizon = _midnight(block.begins_on) - _LOOK_BACK
            while waiting and waiting[0][0] < horizon:
                yield heapq.heappop(waiting)[2]
            for act in self._write(block)[1]:
                if act.at <= until and (after is None or act.at > after):
                    heapq.heappush(waiting, (act.at, number, act))
                    number += 1
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _write(self, block: Block) -> tuple[_Written, list[Act]]:
        stories = write(self.seed, self._company, block)
        written = [act for story in stories for act in story.acts]
        kept = _Written(
            last_at=max(act.at for act in written),
            truth=tuple(row for story in stories for row in story.truth),
        )
        self._written[block.key] = kept
        return kept, written


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
