"""Meetings, calls, mails and to-dos around a deal."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from connectors.sandbox import acts
from connectors.sandbox.organisation import words
from connectors.sandbox.organisation.office import moment
from connectors.sandbox.organisation.story import Story

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_DAYS_BETWEEN = 7.0
_CANCELLED = 0.08


def meet_people(story: Story, count: int, at: datetime) -> None:
    """The rep enters `count` people at the customer's."""
    rng = story.rng
    for _ in range(count):
        key = story.new_key("contact")
        first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
        story.acts.append(
            acts.AddContact(
                at=at,
                by=story.rep.key,
                key=key,
                account=story.account,
                first_name=first,
                last_name=last,
                title=rng.choice(words.TITLES),
                email=f"{key}@{story.account}.example",
                owner=story.rep.key,
            )
        )
        story.contacts.append(key)


def assign_roles(story: Story, contacts: Sequence[str] | None = None) -> None:
    """The contacts, else everybody known so far, get a part in the deal within minutes."""
    for i, contact in enumerate(contacts or story.contacts):
        story.acts.append(
            acts.AddContactRole(
                at=story.now + timedelta(seconds=60 + 20 * i),
                by=story.rep.key,
                key=story.new_key("role"),
                deal=story.deal,
                contact=contact,
                role=story.rng.choice(words.CONTACT_ROLES),
                is_primary=contact == story.contacts[0],
            )
        )


def meet_another(story: Story) -> None:
    """One more person at the customer's comes in, as deals become real."""
    meet_people(story, 1, story.now)
    assign_roles(story, story.contacts[-1:])


def meeting(
    story: Story,
    starts_at: datetime,
    *,
    planned_at: datetime,
    on_deal: bool = True,
    is_alone: bool = False,
) -> None:
    """A meeting with the first contact, and another unless `is_alone`, planned ahead."""
    others = () if is_alone else story.contacts[1:]
    guests = (story.contacts[0], story.rng.choice(others)) if others else story.contacts[:1]
    story.acts.append(
        acts.PlanMeeting(
            at=planned_at,
            by=story.rep.key,
            key=story.new_key("meeting"),
            subject=story.rng.choice(words.MEETING_SUBJECTS),
            owner=story.rep.key,
            starts_at=starts_at,
            minutes=story.rng.choice((30, 45, 60)),
            contacts=tuple(guests),
            deal=story.deal if on_deal else None,
            account=None if on_deal else story.account,
        )
    )


def cancel(story: Story, at: datetime) -> None:
    """Call off the meeting planned last."""
    planned = next(a for a in reversed(story.acts) if isinstance(a, acts.PlanMeeting))
    story.acts.append(acts.CancelMeeting(at=at, by=story.rep.key, meeting=planned.key))


def call(
    story: Story, at: datetime, outcome: acts.CallOutcome = "connected", *, on_deal: bool = True
) -> None:
    """A call; only a connected one has a length worth the name."""
    story.acts.append(
        acts.LogCall(
            at=at,
            by=story.rep.key,
            key=story.new_key("call"),
            subject=story.rng.choice(words.CALL_SUBJECTS),
            owner=story.rep.key,
            minutes=story.rng.randint(4, 35) if outcome == "connected" else 0,
            outcome=outcome,
            contacts=(story.rng.choice(story.contacts),),
            deal=story.deal if on_deal else None,
            account=None if on_deal else story.account,
        )
    )


def mail(story: Story, at: datetime, direction: acts.Direction) -> None:
    """A mail from or to the first contact."""
    story.acts.append(
        acts.LogEmail(
            at=at,
            by=story.rep.key,
            key=story.new_key("email"),
            subject=story.rng.choice(words.EMAIL_SUBJECTS),
            owner=story.rep.key,
            direction=direction,
            contacts=(story.rng.choice(story.contacts),),
            deal=story.deal,
        )
    )


def work(story: Story, days: float, *, intensity: float = 1.0) -> None:
    """Work on the deal for about `days`: contacts of all kinds, the last shortly before
    the end of the time, so that what comes next rests on a talk with the customer.
    """
    begin = story.now
    story.wait(days)
    length = (story.now - begin) / _DAY
    for _ in range(int(length / _DAYS_BETWEEN * intensity + story.rng.random())):
        _one(story, begin, begin + story.rng.random() * length * _DAY)
    if intensity > 0:
        _talk(story, begin)


def _one(story: Story, begin: datetime, roughly: datetime) -> None:
    at = moment(story.rng, story.rep.zone, roughly.date())
    if not begin + _HOUR < at < story.now - _HOUR:
        return
    draw = story.rng.random()
    if draw < 0.32:  # noqa: PLR2004 -- how contacts are split by kind
        mail(story, at, "outbound")
    elif draw < 0.54:  # noqa: PLR2004
        mail(story, at, "inbound")
    elif draw < 0.72:  # noqa: PLR2004
        call(story, at, story.rng.choice(("connected", "connected", "voicemail", "no_answer")))
    elif draw < 0.9:  # noqa: PLR2004
        _meet(story, begin, at)
    else:
        _task(story, at)


def _meet(story: Story, begin: datetime, starts_at: datetime) -> None:
    planned_at = _ahead(story, begin, starts_at)
    meeting(story, starts_at, planned_at=planned_at)
    if story.rng.random() < _CANCELLED:
        cancel(story, planned_at + (starts_at - planned_at) * 0.7)


def _ahead(story: Story, begin: datetime, starts_at: datetime) -> datetime:
    """When a meeting was planned: some days ahead in office hours, else as the work began."""
    day = (starts_at - story.rng.randint(1, 7) * _DAY).date()
    planned_at = moment(story.rng, story.rep.zone, day)
    return planned_at if begin < planned_at < starts_at else begin + _HOUR / 2


def _task(story: Story, at: datetime) -> None:
    key = story.new_key("task")
    story.acts.append(
        acts.AddTask(
            at=at,
            by=story.rep.key,
            key=key,
            subject=story.rng.choice(words.TASK_SUBJECTS),
            owner=story.rep.key,
            due_on=(at + 5 * _DAY).date(),
            contacts=(story.rng.choice(story.contacts),),
            deal=story.deal,
        )
    )
    done_at = moment(story.rng, story.rep.zone, (at + 3 * _DAY).date())
    if at < done_at < story.now:
        story.acts.append(acts.CompleteTask(at=done_at, by=story.rep.key, task=key))


def _talk(story: Story, begin: datetime) -> None:
    at = story.now - timedelta(seconds=story.rng.randint(3_600, 10_800))
    if at <= begin + _HOUR:
        return
    draw = story.rng.random()
    if draw < 0.4:  # noqa: PLR2004
        meeting(story, at, planned_at=_ahead(story, begin, at))
    elif draw < 0.7:  # noqa: PLR2004
        call(story, at)
    else:
        mail(story, at, "inbound")
