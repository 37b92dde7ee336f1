"""What reps do to close dates: real pushes, and edits that only look like pushes."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from connectors.sandbox.organisation.activities import work
from connectors.sandbox.organisation.habits import SLIP_PLANTED, SLIPPAGE, Plan
from connectors.sandbox.organisation.office import promisable, quarter, quarter_end, workday
from connectors.sandbox.organisation.story import Story

LONG_PUSH_DAYS = 21
_SERIAL_TOTAL_DAYS = 50
_SLACK_DAYS = 23
_DAY = timedelta(days=1)


def looks_slipped(old: date, new: date) -> bool:
    """Whether one move alone is beyond the published default: long, or into another quarter."""
    return new > old and ((new - old).days >= LONG_PUSH_DAYS or quarter(new) > quarter(old))


def first_promise(story: Story, plan: Plan) -> date:
    """The day that the rep believes in once the deal is real, fitting to what is meant."""
    left = int(plan.remaining(story.position))
    if plan.slip == "period-crossed":
        end = quarter_end(story.now.date() + 25 * _DAY)
        return promisable(end - story.rng.randint(4, 9) * _DAY)
    low, high = {
        "small-move": (left - 5, left - 1),
        "typo": (left - 5, left - 1),
        "pull-in": (left + 25, left + 50),
        "rewritten-at-closing": (left - 45, left - 25),
        "push-after-pull-in": (70, 100),
        "two-pushes": (25, 50),
        "long-push": (20, 50),
        "serial-pushes": (20, 50),
    }.get(str(plan.slip), (left + 2, left + 22))
    day = story.day_in(max(3, low), max(4, high))
    return _with_slack(day) if plan.slip in {"small-move", "typo", "two-pushes"} else day


def estimate(story: Story, plan: Plan, *, moving_to: int | None = None) -> None:
    """The first honest date, while the deal still is early or as it leaves the early stages.

    Whatever stood before was in force in early stages only, so nothing was promised.
    """
    story.is_estimated = True
    day = first_promise(story, plan)
    fits = plan.slip is None and -5 <= (story.close_on - day).days <= 30  # noqa: PLR2004
    if fits and not plan.is_conversion:
        return
    if plan.slip not in SLIP_PLANTED and looks_slipped(story.close_on, day):
        story.log(SLIPPAGE, "default-date" if plan.is_conversion else "early-move", is_decoy=True)
    if moving_to is None:
        story.save(close_on=day)
    else:
        story.move(moving_to, close_on=day)


def act_on_date(story: Story, plan: Plan) -> None:
    """Do to the close date what the plan means, in a middle or late stage."""
    if plan.slip is not None and plan.slip in _ACTS:
        _ACTS[plan.slip](story, plan)


def _with_slack(day: date) -> date:
    missing = _SLACK_DAYS - (quarter_end(day) - day).days
    return promisable(workday(day - missing * _DAY)) if missing > 0 else day


def _small_shift(story: Story) -> date | None:
    """A day shortly after the close date, within its quarter."""
    old = story.close_on
    days = [old + n * _DAY for n in range(4, LONG_PUSH_DAYS)]
    fitting = [d for d in days if promisable(d) == d and quarter(d) == quarter(old)]
    return story.rng.choice(fitting) if fitting else None


def _push(story: Story, plan: Plan, day: date, *, moving_to: int | None = None) -> None:
    """Break the promise. From the point where it is beyond the default, it is written down."""
    old = story.close_on
    if moving_to is None:
        story.save(close_on=day)
    else:
        story.move(moving_to, close_on=day)
    story.pushes += 1
    if looks_slipped(old, day) or story.pushes > 1:
        story.log(SLIPPAGE, str(plan.slip), is_decoy=False)


def _shift(story: Story, low: int, high: int) -> date:
    return promisable(story.close_on + story.rng.randint(low, high) * _DAY)


def _until_near(story: Story, low: int, high: int) -> None:
    """Wait until the promised day is `low` to `high` days away (negative: it has passed)."""
    left = (story.close_on - story.now.date()).days - story.rng.randint(low, high)
    work(story, left if left > 3 else story.rng.uniform(3, 6), intensity=0.6)  # noqa: PLR2004


def _long_push(story: Story, plan: Plan) -> None:
    _until_near(story, 3, 20)
    last = len(story.pipeline.labels) - 1 if plan.lost_at is None else plan.lost_at
    is_moving = story.position < last and story.rng.random() < 0.3  # noqa: PLR2004
    _push(
        story,
        plan,
        _shift(story, LONG_PUSH_DAYS, 60),
        moving_to=story.position + 1 if is_moving else None,
    )


def _period_crossed(story: Story, plan: Plan) -> None:
    _until_near(story, -1, 6)
    end = quarter_end(story.close_on)
    _push(story, plan, promisable(end + story.rng.randint(2, 8) * _DAY))


def _two_pushes(story: Story, plan: Plan) -> None:
    for _ in range(2):
        _until_near(story, 0, 9)
        _push(story, plan, _small_shift(story) or _shift(story, 5, 15))


def _serial_pushes(story: Story, plan: Plan) -> None:
    pushes, total = story.rng.choice((3, 3, 4, 5)), 0
    for n in range(1, pushes + 1):
        _until_near(story, -2, 6)
        old = story.close_on
        least = _SERIAL_TOTAL_DAYS - total if n == pushes else 0
        _push(story, plan, _shift(story, max(10, least), max(35, least)))
        total += (story.close_on - old).days


def _push_after_pull_in(story: Story, plan: Plan) -> None:
    work(story, story.rng.uniform(3, 10))
    before = story.close_on
    if (before - story.now.date()).days < 45:  # noqa: PLR2004
        _long_push(story, plan)
        return
    story.save(close_on=promisable(before - story.rng.randint(28, 40) * _DAY))
    work(story, story.rng.uniform(4, 12))
    _push(story, plan, before)


def _small_move(story: Story, _: Plan) -> None:
    work(story, story.rng.uniform(3, 12))
    day = _small_shift(story)
    if day is not None:
        story.log(SLIPPAGE, "small-move", is_decoy=True)
        story.save(close_on=day)


def _pull_in(story: Story, plan: Plan) -> None:
    work(story, story.rng.uniform(3, 10))
    day = story.day_in(2, 20) if plan.remaining(story.position) < 20 else None  # noqa: PLR2004
    day = day or promisable(story.close_on - story.rng.randint(20, 35) * _DAY)
    if day < story.close_on:
        story.log(SLIPPAGE, "pull-in", is_decoy=True)
        story.save(close_on=day)


def _to_and_fro(story: Story, _: Plan) -> None:
    work(story, story.rng.uniform(3, 10))
    before = story.close_on
    story.log(SLIPPAGE, "to-and-fro", is_decoy=True)
    story.save(close_on=_shift(story, 25, 70))
    story.minutes_later(2, 55)
    story.save(close_on=before)


def _typo(story: Story, _: Plan) -> None:
    work(story, story.rng.uniform(3, 10))
    meant = _small_shift(story)
    if meant is not None:
        story.log(SLIPPAGE, "typo", is_decoy=True)
        story.save(close_on=promisable(meant + 365 * _DAY))
        story.minutes_later(2, 25)
        story.save(close_on=meant)


def _default_date(story: Story, plan: Plan) -> None:
    """The date that conversion had set was left alone until now."""
    if story.is_estimated:
        return
    story.is_estimated = True
    work(story, story.rng.uniform(3, 15))
    left = int(plan.remaining(story.position))
    day = story.day_in(left + 2, left + 22)
    if looks_slipped(story.close_on, day):
        story.log(SLIPPAGE, "default-date", is_decoy=True)
    story.save(close_on=day)


_ACTS: Mapping[str, Callable[[Story, Plan], None]] = {
    "long-push": _long_push,
    "period-crossed": _period_crossed,
    "two-pushes": _two_pushes,
    "serial-pushes": _serial_pushes,
    "push-after-pull-in": _push_after_pull_in,
    "small-move": _small_move,
    "pull-in": _pull_in,
    "to-and-fro": _to_and_fro,
    "typo": _typo,
    "default-date": _default_date,
}
