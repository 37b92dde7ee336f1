"""What reps do to stages: real falls, and moves that only look like one."""

from collections.abc import Callable, Mapping

from connectors.sandbox.organisation import company as co
from connectors.sandbox.organisation.activities import work
from connectors.sandbox.organisation.habits import REGRESSION, Plan
from connectors.sandbox.organisation.story import Story


def act_on_stage(story: Story, plan: Plan) -> None:
    """Do to the stage what the plan means."""
    if plan.fall is not None and plan.fall in _ACTS:
        work(story, story.rng.uniform(3, 12))
        _ACTS[plan.fall](story)


def _fall(story: Story, position: int, kind: str) -> None:
    story.move(position)
    story.log(REGRESSION, kind, is_decoy=False)


def _fall_from_commit(story: Story) -> None:
    _fall(story, story.position - 1, "fall-from-commit")


def _deep_fall(story: Story) -> None:
    _fall(story, story.position - story.rng.choice((2, 3)), "deep-fall")


def _skip_then_fall(story: Story) -> None:
    story.move(story.rng.choice((3, 4)))
    work(story, story.rng.uniform(4, 15))
    _fall(story, 2, "skip-then-fall")


def _second_fall(story: Story) -> None:
    high = story.position
    story.move(high - 1)
    work(story, story.rng.uniform(8, 22))
    story.move(high)
    work(story, story.rng.uniform(5, 15))
    _fall(story, high - 1, "second-fall")


def _first_fall(story: Story) -> None:
    """One step, the first, never committed: a fact, not yet a warning."""
    story.move(story.position - 1)


def _to_and_fro(story: Story, position: int, kind: str) -> None:
    before = story.position
    story.log(REGRESSION, kind, is_decoy=True)
    story.save(position=position)
    story.minutes_later(2, 28)
    story.save(position=before)


def _misclick_back(story: Story) -> None:
    _to_and_fro(story, story.position - story.rng.choice((1, 2)), "misclick-back")


def _misclick_forward(story: Story) -> None:
    last = len(story.pipeline.labels) - 1
    _to_and_fro(story, min(last, story.position + story.rng.choice((1, 2))), "misclick-forward")


def _workflow_bounce(story: Story) -> None:
    before = story.position
    story.log(REGRESSION, "workflow-bounce", is_decoy=True)
    story.save(position=before - 1, by=co.INTEGRATION, via="workflow")
    story.minutes_later(1, 9)
    story.save(position=before, by=co.INTEGRATION, via="workflow")


_ACTS: Mapping[str, Callable[[Story], None]] = {
    "fall-from-commit": _fall_from_commit,
    "deep-fall": _deep_fall,
    "skip-then-fall": _skip_then_fall,
    "second-fall": _second_fall,
    "first-fall": _first_fall,
    "misclick-back": _misclick_back,
    "misclick-forward": _misclick_forward,
    "workflow-bounce": _workflow_bounce,
}
