"""Doctor: what is missing at a connection, what it costs, and what to do about it.

The connector tells what it finds in the CRM, the store what it holds; joined with what each
rule needs, they say which rules are blind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from app.services.doctor_data import look as look_at_data
from app.services.parts import Parts, trouble
from app.store.connections import ConnectionRow
from connectors.checks import Area, Check
from connectors.errors import ConnectorError
from rules.deal import DEAL_RULES
from rules.rule import Rule

State = Literal["ok", "warning", "blind", "broken"]
Sight = Literal["sees", "half-blind", "blind"]
STATES: tuple[State, ...] = ("ok", "warning", "blind", "broken")
EXIT_CODES: Mapping[State, int] = {"ok": 0, "warning": 0, "blind": 7, "broken": 8}
WITHOUT_CRM = ("files",)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one check does to one rule: its sight, and why in plain words."""

    rule: str
    sight: Sight
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One check with what it does to the rules.

    `state`: blind where something that a rule needs can't be seen at all; a need that is seen
    in part is a warning.
    """

    area: str
    name: str
    state: State
    told: str
    advice: str | None
    effects: Sequence[Effect]


@dataclass(frozen=True, slots=True)
class RuleSight:
    """What a rule sees after all checks, and why not more, the worst first."""

    rule: str
    sight: Sight
    why: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All of it. `state` is the worst of the checks."""

    connection: str
    state: State
    checks: Sequence[Verdict]
    rules: Sequence[RuleSight]

    @property
    def exit_code(self) -> int:
        """0 ok or warnings, 7 something blind, 8 broken."""
        return EXIT_CODES[self.state]

    def as_json(self) -> dict[str, Any]:
        """The shape of `doctor --json`."""
        return asdict(self)


def diagnose(parts: Parts, row: ConnectionRow, rules: Sequence[Rule] = DEAL_RULES) -> Diagnosis:
    """Look at a connection. What fails is told as a check; nothing is written."""
    found = [*_of_crm(parts, row), *look_at_data(parts.db, row)]
    found.sort(key=lambda check: get_args(Area).index(check.area))
    verdicts = [_judged(_by_mode(check, row), rules) for check in found]
    return Diagnosis(
        connection=row.name,
        state=max((verdict.state for verdict in verdicts), key=STATES.index, default="ok"),
        checks=verdicts,
        rules=[RuleSight(rule.slug, *_sight(rule, found)) for rule in rules],
    )


def _of_crm(parts: Parts, row: ConnectionRow) -> Sequence[Check]:
    if row.crm in WITHOUT_CRM:
        return ()
    try:
        return parts.crm(row).doctor().checks(parts.clock.now)
    except ConnectorError as error:
        told = str(trouble(error))
        return (Check(area="credentials", name="connection", told=told, grade="broken"),)


def _by_mode(check: Check, row: ConnectionRow) -> Check:
    """What is not installed matters from the moment that Forestage is to write."""
    if check.area == "setup" and check.grade == "warning" and row.mode == "write":
        return replace(check, grade="broken")
    return check


def _judged(check: Check, rules: Sequence[Rule]) -> Verdict:
    effects = [effect for rule in rules for effect in _effects(check, rule)]
    state: State = check.grade
    if state != "broken" and any(check.lost & set(rule.needs) for rule in rules):
        state = "blind"
    elif state == "ok" and effects:
        state = "warning"
    return Verdict(
        area=check.area,
        name=check.name,
        state=state,
        told=check.told,
        advice=check.advice,
        effects=effects,
    )


def _effects(check: Check, rule: Rule) -> Iterator[Effect]:
    sight, why = _sight(rule, [check])
    for each in why:
        yield Effect(rule.slug, sight, each)


def _sight(rule: Rule, checks: Sequence[Check]) -> tuple[Sight, list[str]]:
    """What a rule sees after these checks together, and why not more, the worst first.

    Several may blind a rule that none of them blinds alone.
    """
    lost = {need: _names(checks, need, "lost") for need in rule.needs}
    thinned = {need: _names(checks, need, "thinned") for need in rule.needs}
    gone = [need for need in rule.needs if lost[need]]
    if is_blind := rule.is_blind(gone):
        vital = [need for need in gone if need not in rule.partly] or gone
        names = list(dict.fromkeys(name for need in vital for name in lost[need]))
        why = [f"it looks at {_listed(map(_word, vital))}, and {_listed(names)} can't be seen"]
        gone = [need for need in gone if need not in vital]
    else:
        why = []
    why += [f"without {_word(need)} ({_listed(lost[need])}), {rule.partly[need]}" for need in gone]
    why += [
        f"{_word(need)} are seen in part only ({_listed(thinned[need])})"
        for need in rule.needs
        if thinned[need] and not lost[need]
    ]
    return ("blind" if is_blind else "half-blind" if why else "sees"), why


def _names(checks: Sequence[Check], need: str, how: Literal["lost", "thinned"]) -> list[str]:
    """By the names of the checks what takes a need; `the data` stands for what was read."""
    return [
        "the data" if check.area == "data" else check.name
        for check in checks
        if need in getattr(check, how)
    ]


def _listed(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _word(need: str) -> str:
    return _WORDS.get(need, need.replace("_", " "))


_WORDS = {
    "stage": "stage changes",
    "close_date": "close date changes",
    "amount": "amount changes",
    "forecast": "forecast changes",
    "owner": "owner changes",
    "pipeline": "pipeline changes",
    "next_step": "next steps",
    "contacts": "contacts",
    "activities": "activities",
}
