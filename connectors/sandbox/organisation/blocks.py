"""When which deals come about: single ones, and those whose stories belong together.

A block is written from its own key and the seed alone, so any block can be written again,
in any order, and always comes out the same.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Literal

from connectors.sandbox.organisation import company as co
from connectors.sandbox.organisation.deal_life import write_new_business
from connectors.sandbox.organisation.habits import new_plan
from connectors.sandbox.organisation.office import workday
from connectors.sandbox.organisation.renewals import write_renewal
from connectors.sandbox.organisation.story import Story
from connectors.sandbox.organisation.together import (
    clean_up,
    reset_stage,
    shift_date,
    write_cohort,
    write_import,
    write_offspring,
)

Kind = Literal["single", "offspring", "import", "date-shift", "stage-reset", "clean-up"]
WINDOW_DAYS = 730
_DAY = timedelta(days=1)
_RENEWALS = 0.12
_GROUPS_FROM, _CLEAN_UPS_FROM, _DEALS_PER_GROUP, _DEALS_PER_OFFSPRING = 120, 400, 800, 50
_COHORT_DAYS = (60, 115)


@dataclass(frozen=True, slots=True)
class Block:
    """`size` deals that are written together. `on`: creation of the first (single,
    offspring, import), or the day on which something befalls all of a cohort.
    """

    key: str
    kind: Kind
    on: date
    size: int = 1

    @property
    def begins_on(self) -> date:
        """The earliest day on which one of its deals may be created."""
        return self.on - (_COHORT_DAYS[1] * _DAY if self.kind in _COHORTS else 0 * _DAY)


_COHORTS = {"date-shift", "stage-reset", "clean-up"}


def first_blocks(seed: int, deals: int, end: date) -> list[Block]:
    """The blocks whose deals, `deals` in number, are created in the two years before `end`."""
    rng = Random(f"{seed}:blocks")
    blocks = [*_groups(rng, deals, end)]
    singles = deals - sum(block.size for block in blocks)
    blocks += [Block(f"n{i:06d}", "single", _day(rng, end)) for i in range(singles)]
    return sorted(blocks, key=lambda block: (block.begins_on, block.key))


def later_blocks(seed: int, deals: int, day: date) -> Iterator[Block]:
    """The blocks of one day after the first two years, at the pace reached by then."""
    if day != workday(day):
        return
    rate = deals / WINDOW_DAYS * 7 / 5 * 4 / 3
    count = int(rate + Random(f"{seed}:{day}").random())
    for i in range(count):
        yield Block(f"d{day:%Y%m%d}-{i:03d}", "single", day)


def _groups(rng: Random, deals: int, end: date) -> Iterator[Block]:
    for i in range(deals // _DEALS_PER_OFFSPRING):
        yield Block(f"o{i:05d}", "offspring", _day(rng, end, least_age=140), 2)
    if deals < _GROUPS_FROM:
        return
    for i in range(1 + deals // _DEALS_PER_GROUP):
        yield Block(f"i{i:04d}", "import", _day(rng, end, least_age=20), rng.randint(16, 26))
        kinds: tuple[Kind, ...] = ("date-shift", "stage-reset")
        yield Block(f"r{i:04d}", kinds[i % 2], _cohort_day(rng, end), rng.randint(12, 18))
        if deals >= _CLEAN_UPS_FROM:
            yield Block(f"c{i:04d}", "clean-up", _cohort_day(rng, end), rng.randint(10, 13))


def _cohort_day(rng: Random, end: date) -> date:
    return workday(end - rng.randint(20, WINDOW_DAYS - _COHORT_DAYS[1] - 5) * _DAY)


def _day(rng: Random, end: date, least_age: int = 1) -> date:
    """A day before `end`; business doubles over the two years."""
    share = math.sqrt(1 + 3 * rng.random()) - 1
    day = end - (WINDOW_DAYS - int(share * (WINDOW_DAYS - least_age))) * _DAY
    while workday(day) >= end:
        day -= _DAY
    return workday(day)


def write(seed: int, company: co.Company, block: Block) -> list[Story]:
    """Write the stories of a block, whole lives, however far they reach."""
    rng = Random(f"{seed}:{block.key}")
    stories = [_story(rng, company, f"{block.key}-{i}", block) for i in range(block.size)]
    noon = datetime.combine(block.on, time(15), UTC)
    match block.kind:
        case "single":
            _write_single(company, stories[0])
        case "offspring":
            write_offspring(*stories)
        case "import":
            write_import(stories, noon)
        case "date-shift":
            write_cohort(stories, noon, shift_date)
        case "stage-reset":
            write_cohort(stories, noon, partial(reset_stage, heir=rng.choice(company.reps)))
        case "clean-up":
            write_cohort(_of_one_rep(stories), noon, clean_up)
    return stories


def _of_one_rep(stories: list[Story]) -> list[Story]:
    for story in stories:
        story.rep = stories[0].rep
    return stories


def _story(rng: Random, company: co.Company, key: str, block: Block) -> Story:
    is_renewal = block.kind == "single" and rng.random() < _RENEWALS
    story = Story(
        rng,
        deal=f"deal-{key}",
        rep=rng.choice(company.reps),
        account=rng.randrange(len(company.account_owners)),
        pipeline=co.RENEWAL if is_renewal else co.NEW_BUSINESS,
    )
    is_cohort = block.kind in _COHORTS
    story.start(block.on - rng.randint(*_COHORT_DAYS) * _DAY if is_cohort else block.on)
    return story


def _write_single(company: co.Company, story: Story) -> None:
    if story.pipeline is co.RENEWAL:
        write_renewal(story)
        return
    plan = new_plan(story.rng, story.rep.habit)
    if plan.changes_owner:
        story.heir = company.colleague(story.rng, story.rep)
    write_new_business(story, plan)
