"""Deals whose stories belong together: imports, cohorts, a deal out of a deal."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connectors.sandbox.organisation import company as co
from connectors.sandbox.organisation import words
from connectors.sandbox.organisation.activities import assign_roles, meet_people, meeting, work
from connectors.sandbox.organisation.deal_life import live, write_new_business
from connectors.sandbox.organisation.entry import days_before
from connectors.sandbox.organisation.habits import LATE_ENTRY, REGRESSION, SLIPPAGE, plain_plan
from connectors.sandbox.organisation.slippage import first_promise
from connectors.sandbox.organisation.story import Story

_DAY = timedelta(days=1)
_SHIFT = 35 * _DAY
_PROPOSAL, _QUALIFICATION, _MIDDLE = 4, 1, 2


def write_import(stories: Sequence[Story], at: datetime) -> None:
    """Operations loads a list of running deals, one every few seconds from `at` on."""
    for i, story in enumerate(stories):
        plan = plain_plan(story.rng)
        plan.entry = _PROPOSAL
        if plan.lost_at is not None:
            plan.lost_at = max(plan.lost_at, _PROPOSAL)
        story.now = at + i * timedelta(seconds=7)
        story.position = _PROPOSAL
        meet_people(story, 2, story.now - timedelta(minutes=5))
        story.create(
            position=_PROPOSAL,
            close_on=first_promise(story, plan),
            lead_source=words.IMPORTED_SOURCE,
            deal_type="New Business",
            by=co.OPERATIONS,
            via="import",
        )
        story.is_estimated = True
        assign_roles(story)
        story.log(LATE_ENTRY, "import", is_decoy=True)
        story.wait(1)
        live(story, plan)


def shift_date(story: Story) -> None:
    """Operations moves the date, as it does for all of a region's deals on that day."""
    story.log(SLIPPAGE, "reorganisation", is_decoy=True)
    story.save(close_on=story.close_on + _SHIFT, by=co.OPERATIONS)


def reset_stage(story: Story, heir: co.Rep) -> None:
    """Operations sends the deal back to an early stage and to a new owner."""
    story.log(REGRESSION, "reorganisation", is_decoy=True)
    story.save(position=_QUALIFICATION, owner=heir, by=co.OPERATIONS)


def clean_up(story: Story) -> None:
    """The owner moves the dates of all own deals in one sitting: many, yet meant."""
    story.log(SLIPPAGE, "own-clean-up", is_decoy=False)
    story.save(close_on=story.close_on + _SHIFT)


def write_cohort(stories: Sequence[Story], at: datetime, step: Callable[[Story], None]) -> None:
    """Deals that all stand in a middle stage at `at`, when the same step befalls each."""
    for i, story in enumerate(stories):
        plan = plain_plan(story.rng)
        if plan.lost_at is not None:
            plan.lost_at = max(plan.lost_at, _MIDDLE + 1)
        _write_until_middle(story, at + i * timedelta(seconds=11))
        story.is_estimated = True
        step(story)
        story.wait(2)
        live(story, plan)


def _write_until_middle(story: Story, halt: datetime) -> None:
    """Enter a deal and bring it, with an honest date, to a middle stage before `halt`."""
    length = (halt - story.now) / _DAY
    meet_people(story, 2, story.now - timedelta(minutes=4))
    story.create(
        position=0,
        close_on=story.day_in(int(length) + 30, int(length) + 90),
        lead_source="Outbound",
        deal_type="New Business",
    )
    assign_roles(story)
    for share in (0.25, 0.3, 0.2):
        work(story, share * length)
        story.move(story.position + 1)
    story.now = halt


def write_offspring(parent: Story, child: Story) -> None:
    """A running deal brings up a second one: its talks with the same people lie before the
    second deal's creation, yet they are the first deal's.
    """
    plan = plain_plan(parent.rng)
    plan.lost_at = None
    begin = parent.now
    child.rep, child.account, child.account_number = (
        parent.rep,
        parent.account,
        parent.account_number,
    )
    write_new_business(parent, plan)
    child.now = begin
    child.wait(child.rng.uniform(62, 75))
    child.contacts = parent.contacts[:1]
    for ago in (40, 22):
        starts_at = days_before(child, ago)
        meeting(parent, starts_at, planned_at=starts_at - 2 * _DAY, is_alone=True)
    child_plan = plain_plan(child.rng)
    child_plan.late = "offspring"
    write_new_business(child, child_plan)
    created_at = child.created_at or child.now
    child.now = created_at
    child.log(LATE_ENTRY, "meetings-of-another-deal", is_decoy=True)
