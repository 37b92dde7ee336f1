"""Cases of rules as stories: `tests/rules/cases/<slug>.yaml` into tables and verdicts.

A case is a `name`, a `story` and what should come of it. The story has a line an act, in
the order of time: `when what value [by whom] [via source]`.

    03-02 09:00 stage Evaluation            a stage, by Ann unless `by` says who
    03-02 09:00 close 03-31                 a close date
    03-02 09:00 owner bob | forecast commit
    02-01 10:00 meeting | call | email      held and two-way, with the deal's contact, by Ann;
                                            `one-way`, `on this deal`, `on another deal` or
                                            `logged DATE` may follow

Days are of 2026 unless they begin with a year. The deal is created by Ann, its owner, at the
first line that is no activity. Beside the story a case may set `as_of` (else a day after the
last line), `deals` (so many deals with the same story), `segment`, `created_by`,
`expected_entry`, `fiscal_start_month`, `time_zone`, `limits` (of the rule); and of the finding
`severity`, `sentence` (words in it), `at`, `settles_at` and `evidence` (how many rows).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from rules.tables import Tables
from tests.rules.builders import STAGES, Organisation, utc

CASES = Path(__file__).parent / "cases"
PEOPLE = {"ann": 10, "bob": 11, "max": 20, "ops": 30, "bot": 90}
LABELS = {label: stage_id for stage_id, label, _, _ in STAGES} | {"Nowhere": 999}
CONTACT = 500
_TALKS = ("meeting", "call", "email")


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a rule: whether it fires on the story, and how."""

    slug: str
    fires: bool
    told: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.slug}: {self.told['name']}"


def load_cases(slug: str) -> Mapping[str, Any]:
    """The case file of a rule as it stands."""
    loaded: Mapping[str, Any] = yaml.safe_load((CASES / f"{slug}.yaml").read_text())
    return loaded


def cases() -> Iterator[Case]:
    """All cases of all rules."""
    for path in sorted(CASES.glob("*.yaml")):
        told = load_cases(path.stem)
        for name, fires in (("fires", True), ("stays_quiet", False)):
            for case in told[name]:
                yield Case(path.stem, fires, case)


def as_tables(case: Mapping[str, Any]) -> tuple[Tables, datetime]:
    """The tables of a case, and the instant at which it is judged."""
    organisation = Organisation(
        time_zone=case.get("time_zone", "UTC"), fiscal_start_month=case.get("fiscal_start_month", 1)
    )
    organisation.pipeline(expected_entry=case.get("expected_entry", 0))
    for name, person_id in PEOPLE.items():
        organisation.person(person_id, is_integration=name == "bot", manager=20)
    lines = [_instant(line) for line in case["story"].splitlines()]
    for deal_id in range(1, case.get("deals", 1) + 1):
        _Teller(organisation, deal_id, case).tell(lines)
    last = max(at for at, _ in lines)
    as_of = when(case["as_of"]) if "as_of" in case else last + timedelta(days=1)
    return organisation.tables(), as_of


def _instant(line: str) -> tuple[datetime, list[str]]:
    day, time, *words = line.split()
    return when(f"{day} {time}"), words


def when(text: str) -> datetime:
    return utc(text if text.startswith("20") else f"2026-{text}")


def _day(text: str) -> date:
    return date.fromisoformat(text if text.startswith("20") else f"2026-{text}")


class _Teller:
    """Puts one deal's story into the organisation."""

    def __init__(self, organisation: Organisation, deal_id: int, case: Mapping[str, Any]) -> None:
        self.organisation, self.deal_id, self.case = organisation, deal_id, case
        self.values: dict[str, Any] = {}

    def tell(self, lines: list[tuple[datetime, list[str]]]) -> None:
        created = min(at for at, words in lines if words[0] not in _TALKS)
        creator = PEOPLE[self.case.get("created_by", "ann")]
        self.organisation.deal(
            self.deal_id, created, created_by_id=creator, segment=self.case.get("segment")
        )
        self.organisation.contact(self.deal_id, CONTACT + self.deal_id)
        if not any(words[0] == "owner" for _, words in lines):
            self._change("owner", created, PEOPLE["ann"], by_id=creator)
        for at, words in lines:
            if words[0] in _TALKS:
                self._talk(at, words)
            else:
                self._line(at, words)

    def _line(self, at: datetime, words: list[str]) -> None:
        by, source = "ann", "user"
        if words[-2] == "via":
            *words, _, source = words
        if words[-2] == "by":
            *words, _, by = words
        what, value = words[0], " ".join(words[1:])
        ledger = "close_date" if what == "close" else what
        self._change(ledger, at, self._read(what, value), by_id=PEOPLE.get(by), source=source)

    def _read(self, what: str, value: str) -> Any:
        if what == "stage":
            return LABELS[value]
        if what == "close":
            return _day(value)
        return PEOPLE[value] if what == "owner" else value

    def _change(self, ledger: str, at: datetime, new: Any, **facts: Any) -> None:
        old = self.values.get(ledger)
        self.values[ledger] = new
        self.organisation.change(ledger, self.deal_id, at, old=old, new=new, **facts)

    def _talk(self, at: datetime, words: list[str]) -> None:
        rest = " ".join(words[1:])
        owner = "bob" if "by bob" in rest else "ann"
        deal_id = None
        if "on another deal" in rest:
            deal_id = self.deal_id + 1000
        elif "on this deal" in rest:
            deal_id = self.deal_id
        two_way = "one-way" not in rest
        logged_at = when(f"{words[words.index('logged') + 1]} 12:00") if "logged" in words else at
        self.organisation.activity(
            words[0],
            at,
            deal_id=deal_id,
            owner_id=PEOPLE[owner],
            contacts=[CONTACT + self.deal_id],
            is_held=two_way,
            is_two_way=two_way,
            logged_at=logged_at,
        )
