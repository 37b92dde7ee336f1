"""Renewals: another pipeline, where moved dates and early talks are the customary way."""

from datetime import timedelta
from random import Random

from connectors.sandbox.organisation import words
from connectors.sandbox.organisation.activities import assign_roles, meet_people, work
from connectors.sandbox.organisation.entry import talks_before
from connectors.sandbox.organisation.habits import LATE_ENTRY, REGRESSION, SLIPPAGE
from connectors.sandbox.organisation.office import promisable
from connectors.sandbox.organisation.story import Story

_WON_SHARE = 0.7
_TALKED_BEFORE, _PUSHED, _FELL = 0.3, 0.15, 0.1
_DAY = timedelta(days=1)


def write_renewal(story: Story) -> None:
    """Write the life of a renewal that is created at `story.now`."""
    rng = story.rng
    _enter(story)
    last = len(story.pipeline.labels) - 1
    lost_at = None if rng.random() < _WON_SHARE else rng.randint(0, last)
    while story.position < (last if lost_at is None else lost_at):
        work(story, max(4.0, rng.gammavariate(2, 14)))
        story.move(story.position + 1)
    work(story, 4)
    _wander(story, rng)
    work(story, max(4.0, rng.gammavariate(2, 12)))
    story.close("won" if lost_at is None else "lost")


def _enter(story: Story) -> None:
    rng = story.rng
    is_known = rng.random() < _TALKED_BEFORE
    if is_known:
        talks_before(story, rng.uniform(35, 60), rng.uniform(18, 30))
    else:
        meet_people(story, 2, story.now - timedelta(minutes=4))
    story.create(
        position=int(rng.random() < 0.3),  # noqa: PLR2004
        close_on=story.day_in(60, 120),
        lead_source=words.CUSTOMER_SOURCE,
        deal_type="Renewal",
    )
    assign_roles(story)
    if is_known:
        story.log(LATE_ENTRY, "renewal", is_decoy=True)


def _wander(story: Story, rng: Random) -> None:
    if rng.random() < _PUSHED:
        story.log(SLIPPAGE, "renewal", is_decoy=True)
        story.save(close_on=promisable(story.close_on + rng.randint(24, 45) * _DAY))
        work(story, rng.uniform(5, 20))
    if story.position > 0 and rng.random() < _FELL:
        story.log(REGRESSION, "renewal", is_decoy=True)
        story.move(story.position - 1)
        work(story, rng.uniform(5, 20))
        story.move(story.position + 1)
