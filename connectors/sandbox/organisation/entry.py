"""How a deal comes into the CRM: in time, late, or only seemingly late."""

from datetime import datetime, timedelta

from connectors.sandbox import acts
from connectors.sandbox.organisation import words
from connectors.sandbox.organisation.activities import (
    assign_roles,
    call,
    cancel,
    meet_people,
    meeting,
)
from connectors.sandbox.organisation.habits import LATE_ENTRY, Plan
from connectors.sandbox.organisation.office import moment, quarter_end
from connectors.sandbox.organisation.slippage import first_promise
from connectors.sandbox.organisation.story import Story

_DAY = timedelta(days=1)
_EARLY_STAGES = 2
_MET_BEFORE = {"met-weeks-before": (19, 28), "met-long-before": (36, 72)}


def enter(story: Story, plan: Plan) -> None:
    """The time before the deal, and its creation at `story.now`."""
    _prelude(story, plan)
    if len(story.contacts) < 2:  # noqa: PLR2004
        meet_people(story, story.rng.choice((1, 1, 2)), story.now - timedelta(minutes=4))
    _create(story, plan)
    assign_roles(story)
    if plan.late in _MET_BEFORE:
        story.log(LATE_ENTRY, plan.late, is_decoy=False)
    elif plan.late in {"one-meeting-before", "cancelled-meetings", "recent-meetings"}:
        story.log(LATE_ENTRY, plan.late, is_decoy=True)


def race(story: Story, plan: Plan) -> bool:
    """What happens within hours of the creation; True where it ends the deal."""
    if plan.late not in {"raced-through", "won-on-entry", "lost-at-once"}:
        return False
    story.minutes_later(100, 240)
    if plan.late == "raced-through":
        story.move(story.position + 3)
    else:
        story.close("won" if plan.late == "won-on-entry" else "lost")
    story.log(LATE_ENTRY, plan.late, is_decoy=plan.late == "lost-at-once")
    return plan.late != "raced-through"


def _create(story: Story, plan: Plan) -> None:
    rng = story.rng
    story.position = plan.entry
    if plan.is_conversion:
        close_on = quarter_end(story.now.date())
    elif plan.entry >= _EARLY_STAGES or plan.late == "raced-through":
        close_on = first_promise(story, plan)
        story.is_estimated = True
    else:
        close_on = story.day_in(40, 150)
    is_expansion = not plan.is_conversion and rng.random() < 0.25  # noqa: PLR2004
    sources = words.CONVERTED_SOURCES if plan.is_conversion else words.LEAD_SOURCES
    story.create(
        position=plan.entry,
        close_on=close_on,
        lead_source=words.CUSTOMER_SOURCE if is_expansion else rng.choice(sources),
        deal_type="Expansion" if is_expansion else "New Business",
        via="conversion" if plan.is_conversion else "user",
    )


def days_before(story: Story, days: float) -> datetime:
    """An instant in office hours about `days` before now."""
    return moment(story.rng, story.rep.zone, (story.now - days * _DAY).date())


def talks_before(story: Story, *days: float) -> None:
    """Held meetings and connected calls so many days before now, on the account alone."""
    meet_people(story, 2, days_before(story, max(days)) - 5 * _DAY)
    for n, ago in enumerate(days):
        at = days_before(story, ago)
        if n == 0 or story.rng.random() < 0.5:  # noqa: PLR2004
            meeting(story, at, planned_at=at - 3 * _DAY, on_deal=False)
        else:
            call(story, at, on_deal=False)


def _prelude(story: Story, plan: Plan) -> None:
    rng = story.rng
    if plan.late in _MET_BEFORE:
        lag = rng.uniform(*_MET_BEFORE[plan.late])
        between = [lag * rng.uniform(0.3, 0.75) for _ in range(rng.choice((1, 2, 3)))]
        talks_before(story, lag, *between)
    elif plan.late == "one-meeting-before":
        talks_before(story, rng.uniform(18, 60))
    elif plan.late == "recent-meetings":
        talks_before(story, rng.uniform(6, 9), rng.uniform(4, 6))
    elif plan.late == "cancelled-meetings":
        _called_off(story)
    elif plan.late is None and rng.random() < 0.5:  # noqa: PLR2004
        talks_before(story, rng.uniform(4, 7))


def _called_off(story: Story) -> None:
    meet_people(story, 2, days_before(story, 50) - 5 * _DAY)
    for ago in (story.rng.uniform(35, 45), story.rng.uniform(18, 30)):
        starts_at = days_before(story, ago)
        meeting(story, starts_at, planned_at=starts_at - 4 * _DAY, on_deal=False)
        cancel(story, starts_at - 1 * _DAY)
    outcome: acts.CallOutcome = "voicemail"
    call(story, days_before(story, 15), outcome, on_deal=False)
