"""Frozen records that every CRM yields and takes; the words are those of the glossary.

Conventions: `_at` is an aware datetime in UTC, `_on` a calendar day, `crm_id` an id of
the CRM's own. Money is an int in 1/10,000 of the currency's unit. A value that the CRM
did not tell is None, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

MONEY_SCALE = 10_000

ForecastCategory = Literal["omitted", "pipeline", "best_case", "most_likely", "commit", "closed"]
ChangeField = Literal["stage", "close_date", "amount", "forecast", "owner", "pipeline", "next_step"]
ChangeSource = Literal["user", "workflow", "import", "api", "system", "observed", "unknown"]
ActivityKind = Literal["meeting", "call", "email", "task", "note"]
Direction = Literal["inbound", "outbound", "none"]
TaskStatus = Literal["open", "completed"]
ChangeValue = str | int | date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """The CRM account behind a connection. `now` is the CRM's own clock (its Date header)."""

    crm_id: str
    name: str
    time_zone: str
    home_currency: str | None
    fiscal_year_start_month: int
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """One stage of one pipeline; `sort_order` ascends along the sales process."""

    pipeline_crm_id: str
    pipeline_name: str
    crm_id: str
    label: str
    sort_order: int
    is_closed: bool
    is_won: bool
    is_active: bool = True
    probability: float | None = None
    forecast: ForecastCategory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """A user or owner. `manager_crm_id` is resolved by the connector (field, else role tree)."""

    crm_id: str
    name: str
    email: str | None = None
    is_active: bool = True
    manager_crm_id: str | None = None
    role_name: str | None = None
    time_zone: str | None = None
    is_integration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """The customer's company (Salesforce: Account)."""

    crm_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRecord:
    """What the CRM says of a deal now. `created_at` is the record's own creation instant."""

    crm_id: str
    name: str
    pipeline_crm_id: str
    stage_crm_id: str
    created_at: datetime
    modified_at: datetime
    amount: int | None = None
    currency: str | None = None
    close_on: date | None = None
    owner_crm_id: str | None = None
    created_by_crm_id: str | None = None
    modified_by_crm_id: str | None = None
    company_crm_id: str | None = None
    deal_type: str | None = None
    lead_source: str | None = None
    next_step: str | None = None
    forecast: ForecastCategory | None = None
    is_closed: bool = False
    is_won: bool = False
    is_deleted: bool = False
    is_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRecord:
    """One row of history: a field of a deal went from `old` to `new`.

    Value types by field: stage, owner, pipeline: crm_id; close_date: date; amount: int
    (1/10,000); forecast: ForecastCategory; next_step: str. The first row of a field has
    `old` None and stands at the deal's creation. `source_ref` is the CRM's row id, else a
    ref that the connector derives from the row alone, so that reading it twice gives it
    twice; (deal, field, at, source_ref) identifies a row.
    """

    deal_crm_id: str
    field: ChangeField
    at: datetime
    old: ChangeValue
    new: ChangeValue
    source_ref: str
    by_crm_id: str | None = None
    source: ChangeSource = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRecord:
    """A meeting, call, mail, task or note. Headers only: no subject or body is kept.

    `at` is when it takes place or was completed, `logged_at` when its row was made.
    `is_held`: took place (None: can't be told). `is_two_way`: rules.md 1 (None: unknown).
    `key` is Forestage's own key where Forestage wrote the task; such rows feed no rule.
    """

    crm_id: str
    kind: ActivityKind
    at: datetime
    logged_at: datetime
    deal_crm_id: str | None = None
    company_crm_id: str | None = None
    owner_crm_id: str | None = None
    contact_crm_ids: tuple[str, ...] = ()
    direction: Direction = "none"
    is_held: bool | None = None
    is_two_way: bool | None = None
    minutes: int | None = None
    key: str | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    """A contact's role on a deal (Salesforce: OpportunityContactRole)."""

    crm_id: str
    deal_crm_id: str
    contact_crm_id: str
    role: str | None = None
    title: str | None = None
    is_primary: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a stream. Store it, then `cursor`, in one transaction.

    `complete_histories` names the deals whose whole known history `changes` carries;
    `complete_contacts` those of which `contacts` has every role: what it lacks has ended.
    `cursor` is opaque to the caller; None leaves the stored one as it is.
    """

    cursor: str | None
    companies: Sequence[CompanyRecord] = ()
    deals: Sequence[DealRecord] = ()
    changes: Sequence[ChangeRecord] = ()
    complete_histories: frozenset[str] = frozenset()
    activities: Sequence[ActivityRecord] = ()
    contacts: Sequence[ContactRecord] = ()
    complete_contacts: frozenset[str] = frozenset()
    total: int | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagWrite:
    """A flag as the CRM shall show it; `key` is its identity there, for ever.

    `status`: open, acknowledged, snoozed, dismissed, resolved, expired. Texts are plain;
    the writer cuts and escapes for its target (`connectors.render`).
    """

    key: str
    deal_crm_id: str
    deal_name: str
    owner_crm_id: str | None
    rule: str
    title: str
    severity: str
    status: str
    rank: int
    reason: str
    evidence: str
    questions: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWrite:
    """A coaching task. `flag_key`: the flag it hangs on, or None for a task of its own."""

    key: str
    owner_crm_id: str | None
    subject: str
    body: str
    due_on: date
    status: TaskStatus = "open"
    flag_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """The outcome of one row. `outcome`: `written`; `retry` (try again later, see `error`);
    `parked` (an admin must look: `error` has the CRM's own words).
    """

    key: str
    outcome: Literal["written", "retry", "parked"]
    crm_id: str | None = None
    created: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What Forestage's records in the CRM say now, read back through its API.

    `values` has the fields of a FlagWrite or TaskWrite that the CRM stores, as stored
    (already cut to length), so that a write which would change nothing can be told.
    """

    key: str
    crm_id: str
    kind: Literal["flag", "task"]
    values: Mapping[str, object] = field(default_factory=dict)
