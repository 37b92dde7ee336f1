"""The words of coaching tasks: what a manager reads before a 1:1, and a rep's tidy-up list.

Plain text, and nothing in it depends on the day on which it is made: the same deals and
flags give the same words, so that a task is written again only when there is news.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

QUESTIONS_A_FLAG = 3
ROWS_A_FLAG = 4
LINES_A_LIST = 25
MOVES = (
    "Investigate: what exactly stands in the way, and who can remove it?",
    "Alternative: a smaller first step, another sponsor, another order of steps",
    "Elsewhere: which won deal was stuck at this point, and what got it going?",
)


@dataclass(frozen=True, slots=True)
class AgendaFlag:
    """One flag of a deal: its sentence, the rule's questions, and proving rows in words."""

    sentence: str
    questions: Sequence[str]
    history: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaDeal:
    """One deal to talk about. `contact`: title or role of the main contact, None: unknown."""

    name: str
    crm_id: str
    company: str | None
    stage: str | None
    amount: str | None  # with its currency
    close_on: date | None
    has_next_step: bool
    contact: str | None
    flags: Sequence[AgendaFlag]


def subject(rep: str, deals: Sequence[AgendaDeal]) -> str:
    """The subject of an agenda."""
    return f"1:1 with {rep}: {_count(len(deals), 'deal')} to coach"


def body(rep: str, deals: Sequence[AgendaDeal]) -> str:
    """The text of an agenda, the most telling deal first."""
    opening = (
        f"{_count(len(deals), 'deal')} for your next 1:1 with {rep}, the most telling first. "
        "Let them tell the story before you do; leave with one agreed call a deal."
    )
    talks = [_talk(place, deal) for place, deal in enumerate(deals, 1)]
    forecast = ["FORECAST, apart from the coaching"]
    forecast += [f"{place}. {deal.name}: {_numbers(deal)}" for place, deal in enumerate(deals, 1)]
    return "\n\n".join([opening, *talks, "\n".join(forecast)])


def deal_subject(deal: AgendaDeal) -> str:
    """The subject of a task about one deal."""
    return f"Coach: {deal.name}"


def deal_body(rep: str, deal: AgendaDeal) -> str:
    """The text of a task about one deal."""
    opening = f"For your talk with {rep} about this deal. Let them tell the story first."
    return "\n\n".join([opening, _talk(None, deal), f"FORECAST\n{_numbers(deal)}"])


def clean_up_subject(deals: int) -> str:
    """The subject of a rep's tidy-up list."""
    return f"Tidy up {_count(deals, 'deal')} from before Forestage"


def clean_up_body(lines: Sequence[tuple[str, str]]) -> str:
    """The text of a rep's tidy-up list; `lines`: (deal, sentence)."""
    shown = [f"- {deal}: {sentence}" for deal, sentence in lines[:LINES_A_LIST]]
    rest = len(lines) - len(shown)
    if rest > 0:
        shown.append(f"- and {_count(rest, 'more line')}, shown as these are done")
    opening = (
        "These deals carry old news. For each: set the stage and close date that are true "
        "today, or close it. Lines go by themselves, and the task with the last one."
    )
    return "\n\n".join([opening, "\n".join(shown)])


def _talk(place: int | None, deal: AgendaDeal) -> str:
    number = "" if place is None else f"{place}. "
    where = f", stage {deal.stage}" if deal.stage else ""
    company = f" ({deal.company})" if deal.company else ""
    lines = [f"{number}{deal.name}{company}{where}, CRM id {deal.crm_id}"]
    lines.append("What happened")
    for flag in deal.flags:
        lines.append(f"- {flag.sentence}")
        lines += [f"    {row}" for row in flag.history[-ROWS_A_FLAG:]]
    lines.append("Ask")
    lines += [f"- {question}" for question in _questions(deal)]
    if missing := _missing(deal):
        lines += [f"Still open: {', '.join(missing)}"]
    lines += ["Plan the very next call together", *(f"- {line}" for line in _next_call(deal))]
    lines += ["Try one of these", *(f"- {line}" for line in MOVES)]
    return "\n".join(lines)


def _questions(deal: AgendaDeal) -> Sequence[str]:
    asked = [question for flag in deal.flags for question in flag.questions[:QUESTIONS_A_FLAG]]
    return list(dict.fromkeys(asked))


def _missing(deal: AgendaDeal) -> Sequence[str]:
    missing = []
    if not deal.has_next_step:
        missing.append("a next step")
    if deal.contact is None:
        missing.append("who decides there")
    return missing


def _next_call(deal: AgendaDeal) -> Sequence[str]:
    step = f"move on from {deal.stage}" if deal.stage else "move on"
    who = (
        f"the {deal.contact}" if deal.contact else "whoever decides; finding out is the first goal"
    )
    return (
        f"Goal: agree what must be true for the customer to {step}, and by which day",
        f"Who: {who}",
        "Question: what has changed on your side since we last agreed on the plan?",
        "Ask for: a meeting in both calendars, with the person who can say yes",
    )


def _numbers(deal: AgendaDeal) -> str:
    close = f"close date {deal.close_on.isoformat()}" if deal.close_on else "no close date"
    return f"{deal.amount or 'no amount'}, {close}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
