"""What the simulated people do to their CRM, told without any vendor's words.

An act is one save by one person at one instant. `at` is that instant (UTC), `by` the
person's key; `key` names the thing that the act makes, and other acts refer to it by that
key (`deal`, `contact`, `owner`, ...). Keys are unique and never reused. In an edit, None means
"left as it is". Side effects of a CRM (probability and forecast category that follow the
stage, a future close date set to today on winning) are not acts: the CRM behind does them.

Money is an int in whole units of the home currency. A stage is named by its label within
its pipeline. Activities may hang on a deal, on an account, or on contacts only.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Forecast = Literal["omitted", "pipeline", "best_case", "commit", "closed"]
Via = Literal["user", "conversion", "import", "workflow"]
Direction = Literal["inbound", "outbound"]
CallOutcome = Literal["connected", "voicemail", "no_answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One save at `at` by the person `by`."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCompany(Act):
    """The selling company itself; the first act of all."""

    name: str
    time_zone: str
    home_currency: str
    fiscal_year_start_month: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRole(Act):
    """A node of the role tree; parents come before children."""

    key: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPerson(Act):
    """A user. Managers come before those whom they manage."""

    key: str
    first_name: str
    last_name: str
    email: str
    title: str
    role: str | None
    manager: str | None
    time_zone: str
    is_active: bool = True
    is_integration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePerson(Act):
    """Somebody leaves, or gets another manager."""

    person: str
    is_active: bool | None = None
    manager: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a pipeline. `label` and `sort_order` are the same in every pipeline
    that has the stage (Salesforce keeps one global list).
    """

    label: str
    sort_order: int
    probability: int
    forecast: Forecast
    is_closed: bool = False
    is_won: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPipeline(Act):
    """A pipeline (Salesforce: a record type with its sales process), stages in order."""

    key: str
    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAccount(Act):
    """A customer's company."""

    key: str
    name: str
    industry: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddContact(Act):
    """A person at a customer's."""

    key: str
    account: str
    first_name: str
    last_name: str
    title: str
    email: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDeal(Act):
    """A deal is entered. `via` says how: typed in, converted from a lead, imported."""

    key: str
    name: str
    pipeline: str
    stage: str
    amount: int | None
    close_on: date
    owner: str
    account: str
    lead_source: str | None = None
    deal_type: str | None = None
    next_step: str | None = None
    via: Via = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditDeal(Act):
    """One save that changes one or more fields of a deal."""

    deal: str
    stage: str | None = None
    amount: int | None = None
    close_on: date | None = None
    owner: str | None = None
    next_step: str | None = None
    forecast: Forecast | None = None
    via: Via = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDeal(Act):
    """A deal goes to the bin."""

    deal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddContactRole(Act):
    """A contact plays a part in a deal."""

    key: str
    deal: str
    contact: str
    role: str
    is_primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMeeting(Act):
    """A meeting in the calendar. With `at` before `starts_at` it is planned and counts as
    held once its time has passed uncancelled; with `at` after it, it is logged afterwards.
    """

    key: str
    subject: str
    owner: str
    starts_at: datetime
    minutes: int
    contacts: tuple[str, ...] = ()
    deal: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMeeting(Act):
    """A planned meeting is called off before it takes place."""

    meeting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCall(Act):
    """A call that ended at `at`."""

    key: str
    subject: str
    owner: str
    minutes: int
    outcome: CallOutcome
    direction: Direction = "outbound"
    contacts: tuple[str, ...] = ()
    deal: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEmail(Act):
    """A mail that went at `at`: inbound from, or outbound to, the contacts."""

    key: str
    subject: str
    owner: str
    direction: Direction
    contacts: tuple[str, ...] = ()
    deal: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTask(Act):
    """A to-do."""

    key: str
    subject: str
    owner: str
    due_on: date
    contacts: tuple[str, ...] = ()
    deal: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTask(Act):
    """A to-do is done."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was meant by an act on a deal, for judging a detector.

    `rule` is the slug whose detector the act concerns. `is_decoy` False: the act was meant
    beyond the published default for a warning; True: it only looks like it. `kind` names
    the intent (`pushed-21-days`, `misclick`, `import`, ...).
    """

    deal: str
    rule: str
    at: datetime
    is_decoy: bool
    kind: str
