"""What a rule is, and what it finds."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from rules.tables import INSTANT

if TYPE_CHECKING:
    from rules.facts import Facts

RuleClass = Literal["risk", "habit", "hygiene", "coaching"]
RuleKind = Literal["state", "event"]


class Severity(IntEnum):
    """How much a finding matters; stored as its number, shown as its lower-case name."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


EVIDENCE = pl.Struct(
    {
        "kind": pl.String,  # change | activity | record | absence
        "ledger": pl.String,  # stage close_date amount forecast owner pipeline activity deal
        "row_id": pl.Int64,  # change_id, activity_id or deal_id
        "at": INSTANT,
    }
)

FINDINGS: dict[str, pl.DataType | type[pl.DataType]] = {
    "rule": pl.String,
    "rule_version": pl.Int32,
    "subject_kind": pl.String,  # deal | person | team
    "subject_id": pl.Int64,
    "severity": pl.Int8,  # Severity
    "actionability": pl.Float64,  # 0.5 to 1
    "at": INSTANT,  # event: the newest event; state: since when
    "settles_at": INSTANT,  # when the newest edit's merge window closes; null: settled
    "sentence": pl.String,
    "evidence": pl.List(EVIDENCE),  # ordered by (at, ledger, row_id), no duplicates
}

NOTICES: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,  # batch | redesign | entry_process
    "key": pl.String,  # identity: the same notice of the same history has the same key
    "at": INSTANT,
    "by_id": pl.Int64,  # person, null: unknown
    "deal_ids": pl.List(pl.Int64),
    "sentence": pl.String,
}


def limit(
    default: float, reason: str, *, floor: float | None = None, ceiling: float | None = None
) -> Any:
    """A field of a rule's limits: its default, why that, and how far it may be moved."""
    return field(default=default, metadata={"reason": reason, "floor": floor, "ceiling": ceiling})


class Bound:
    """The effective limits of one rule: each attribute is an expression with its value."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def __getattr__(self, name: str) -> pl.Expr:
        try:
            return pl.lit(self.values[name])
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the catalogue. The slug is its identity in code, database, CRM and docs.

    `find` gets the facts and the effective limits and returns a lazy frame with at least
    `subject_id, severity, actionability, at, settles_at, sentence, evidence` (dtypes of
    FINDINGS). `needs` names what must be readable for it: ledgers, `activities`,
    `contacts`. `signs`: sets of needs each of which is enough to find something; where none of
    them is whole the rule is blind. `partly`: what it can't tell without a need, where it goes
    on without. `fresh_days`: an event flag opens only on an event younger than this.
    `leaves_out` gives the deal_id of deals that the rule does not judge. `doc` is the rule's
    page in Markdown: its module's docstring.
    """

    slug: str
    version: int
    rule_class: RuleClass
    kind: RuleKind
    needs: Sequence[str]
    limits: type
    find: Callable[["Facts", Any], pl.LazyFrame]
    doc: str
    fresh_days: int = 30
    subject: Literal["deal", "person", "team"] = "deal"
    leaves_out: Callable[["Facts"], pl.LazyFrame]
    signs: Sequence[Sequence[str]]
    partly: Mapping[str, str] = field(default_factory=dict)

    def is_blind(self, lost: Collection[str]) -> bool:
        """Whether it finds nothing without these needs."""
        return all(set(sign) & set(lost) for sign in self.signs)

    @property
    def title(self) -> str:
        """The page's first line, without its full stop."""
        return self.doc.partition("\n")[0].removesuffix(".")

    @property
    def questions(self) -> tuple[str, ...]:
        """The coaching questions: the list under "Ask the rep" on the page."""
        asked = self.doc.partition("## Ask the rep\n")[2].partition("\n## ")[0]
        return tuple(line[2:] for line in asked.splitlines() if line.startswith("- "))


@dataclass(frozen=True, slots=True)
class RuleError:
    """A rule that raised: its slug and the error's own words. The others went on."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the rules found at one instant.

    findings: FINDINGS, one row a (rule, subject), ordered by rule, subject_id.
    notices: NOTICES. excluded: rule slug -> number of deals that the rule left out.
    """

    findings: pl.DataFrame
    notices: pl.DataFrame
    excluded: Mapping[str, int]
    errors: Sequence[RuleError]
