"""A deal's life from its first talk to its end."""

from connectors.sandbox import acts
from connectors.sandbox.organisation.activities import meet_another, work
from connectors.sandbox.organisation.entry import enter, race
from connectors.sandbox.organisation.falls import act_on_stage
from connectors.sandbox.organisation.habits import FALL_PLANTED, REGRESSION, SLIPPAGE, Plan
from connectors.sandbox.organisation.slippage import act_on_date, estimate, looks_slipped
from connectors.sandbox.organisation.story import Outcome, Story

_FIRST_MIDDLE, _LAST = 2, 5


def write_new_business(story: Story, plan: Plan) -> None:
    """Write the whole life of a deal in New Business that is created at `story.now`."""
    enter(story, plan)
    if not race(story, plan):
        live(story, plan)


def live(story: Story, plan: Plan) -> None:
    """Go on from where the deal stands, to its end."""
    dates_due, stages_due = plan.slip is not None, plan.fall is not None
    while True:
        if dates_due and story.position >= plan.slip_at:
            dates_due = False
            act_on_date(story, plan)
        if stages_due and story.position >= plan.fall_at:
            stages_due = False
            _prepare_jump(story, plan)
            act_on_stage(story, plan)
            _perhaps_give_up(story, plan, dates_due=dates_due)
        if story.position >= (_LAST if plan.lost_at is None else plan.lost_at):
            _end(story, plan)
            return
        work(story, plan.dwell[story.position])
        if plan.is_deleted:
            story.acts.append(acts.DeleteDeal(at=story.now, by=story.rep.key, deal=story.deal))
            return
        _step(story, plan)


def _prepare_jump(story: Story, plan: Plan) -> None:
    if plan.fall == "skip-then-fall" and not story.is_estimated:
        work(story, 4)
        estimate(story, plan)


def _perhaps_give_up(story: Story, plan: Plan, *, dates_due: bool) -> None:
    """Half of the lost deals that fell are lost from where they fell to."""
    is_lost = plan.lost_at is not None and plan.fall in FALL_PLANTED and not dates_due
    if is_lost and story.rng.random() < 0.5:  # noqa: PLR2004
        plan.lost_at = story.position


def _step(story: Story, plan: Plan) -> None:
    """One stage forward, with an honest date where the deal leaves the early stages."""
    target = story.position + 1
    is_left_default = plan.slip == "default-date" and plan.is_conversion
    if target < _FIRST_MIDDLE or story.is_estimated or is_left_default:
        story.move(target)
    elif story.rng.random() < 0.25:  # noqa: PLR2004
        estimate(story, plan, moving_to=target)
        if story.position < target:
            story.move(target)
    else:
        estimate(story, plan)
        story.wait(2)
        story.move(target)
    if target == _FIRST_MIDDLE and story.rng.random() < 0.6:  # noqa: PLR2004
        meet_another(story)
    if plan.changes_owner and target == _FIRST_MIDDLE:
        _hand_over(story)


def _hand_over(story: Story) -> None:
    work(story, 3)
    story.save(owner=story.heir, by=story.rep.manager)


def _end(story: Story, plan: Plan) -> None:
    outcome: Outcome = "won" if plan.lost_at is None else "lost"
    work(story, plan.dwell[story.position])
    if outcome == "lost" and plan.rot_days:
        work(story, plan.rot_days, intensity=0)
    if plan.fall == "reopened":
        _reopen(story, plan)
    today = story.now.date()
    if plan.slip != "rewritten-at-closing":
        story.close(outcome)
        return
    if looks_slipped(story.close_on, today):
        story.log(SLIPPAGE, plan.slip, is_decoy=True)
    story.close(outcome, close_on=today)


def _reopen(story: Story, plan: Plan) -> None:
    story.close("lost")
    story.wait(story.rng.uniform(2, 8))
    story.log(REGRESSION, str(plan.fall), is_decoy=True)
    story.save(position=max(0, story.position - story.rng.choice((0, 1))))
    work(story, plan.dwell[story.position])
