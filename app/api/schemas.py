"""What the API answers: schemas with examples, the JSON that other programs rely on."""

from datetime import UTC, date, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.store.connections import ConnectionRow
from app.store.ids import run_ref
from app.store.runs import RunRow

Item = TypeVar("Item")


class _Schema(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Items(_Schema, Generic[Item]):
    """One page of a list; pass `next` as `after` for the following one, null at the end."""

    items: list[Item]
    next: str | None = Field(None, examples=["9fz3"])


class Ref(_Schema):
    """A thing of the CRM's."""

    crm_id: str = Field(examples=["005Kd00000A1b2cIAB"])
    name: str | None = Field(examples=["Dana Fuchs"])


class Subject(Ref):
    """What a flag is about."""

    kind: Literal["deal", "person", "team"]


class FlagDeal(Ref):
    """The deal of a flag, as it is now."""

    owner: Ref | None
    stage: str | None = Field(examples=["Negotiation/Review"])
    close_date: date | None


class Evidence(_Schema):
    """One row that proves a flag, with its natural reference in the CRM."""

    kind: Literal["change", "activity", "record", "absence"]
    ref: str | None = Field(examples=["008Kd00000F3x9QIAR"])
    at: datetime
    old: Any = Field(None, examples=["2026-09-30"])
    new: Any = Field(None, examples=["2026-12-18"])
    by: str | None = Field(None, examples=["Dana Fuchs"])
    source: str | None = Field(None, examples=["unknown"])


class Flag(_Schema):
    """A finding that stands."""

    id: str = Field(examples=["flg_1_MZXW6YTBOI5DGNBVGY3TQOJQME"])
    rule: str = Field(examples=["close-date-slippage"])
    rule_version: int = Field(examples=[1])
    rule_class: Literal["risk", "habit", "hygiene", "coaching"] = Field(alias="class")
    severity: Literal["info", "warning", "critical"]
    rank: int = Field(ge=0, le=100, examples=[74])
    status: str = Field(examples=["open"])
    held: str | None = Field(description="Why it is kept out of the CRM; null: it is not.")
    opened_at: datetime
    subject: Subject
    deal: FlagDeal | None
    sentence: str = Field(
        examples=["The close date moved 3 times, 63 days in all, twice in the last week before it."]
    )
    questions: list[str] = Field(examples=[["What has to happen before the customer can sign?"]])
    limits_version: int = Field(examples=[1])
    evidence: list[Evidence]


class Moment(_Schema):
    """One change or activity in the life of a deal."""

    kind: Literal["change", "activity"]
    field: str | None = Field(examples=["close_date"])
    ref: str = Field(examples=["008Kd00000F3x9QIAR"])
    at: datetime
    old: str | None = Field(examples=["2026-09-30"])
    new: str | None = Field(examples=["2026-12-18"])
    by: str | None = Field(examples=["Dana Fuchs"])
    source: str = Field(examples=["unknown"])


class Deal(Ref):
    """A deal as the CRM tells it now, with all that is known of its past."""

    id: str = Field(examples=["deal_0000001z"])
    pipeline: str = Field(examples=["New Business"])
    stage: str = Field(examples=["Negotiation/Review"])
    company: str | None = Field(examples=["Hazel Metals"])
    owner: Ref | None
    amount: str | None = Field(description="A decimal number.", examples=["48000.00"])
    currency: str | None = Field(examples=["EUR"])
    close_date: date | None
    segment: Literal["new", "expansion", "renewal", "channel"]
    forecast: str | None = Field(examples=["commit"])
    next_step: str | None
    is_closed: bool
    is_won: bool
    created_at: datetime
    modified_at: datetime
    deleted_at: datetime | None
    flags: list[Flag] = Field(description="Its flags, ended ones too.")
    timeline: list[Moment] = Field(description="Oldest first.")


class Notice(_Schema):
    """A whole incident that is no flag: a batch, a redesign of a pipeline, a habit of a team."""

    kind: str = Field(examples=["batch"])
    at: datetime = Field(description="When it happened.")
    first_seen_at: datetime = Field(description="When Forestage first told it.")
    deals: list[str] = Field(
        description="The CRM's ids of its deals.", examples=[["006Kd00000A1b2cIAB"]]
    )
    sentence: str = Field(examples=["31 deals were created within a day by one person."])


class RunAsked(_Schema):
    """What a scoring run is asked to do."""

    model_config = ConfigDict(extra="forbid")

    connection: str | None = Field(
        None, description="Its name; not needed where there is only one.", examples=["acme"]
    )
    as_of: datetime | None = Field(
        None,
        description="A past instant, in UTC where no offset is given: nothing is stored, the "
        "result lists the flags of then.",
    )
    dry_run: bool = Field(default=False, description="Store nothing.")

    @field_validator("as_of")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        try:
            return value and value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
        except OverflowError:
            raise ValueError("no instant of this calendar in UTC") from None


class Run(_Schema):
    """A sync, scoring or write-back: queued, running, done or failed."""

    id: str = Field(examples=["run_00000007"])
    kind: Literal["sync", "score", "write_back", "import"]
    status: Literal["queued", "running", "done", "failed"]
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: dict[str, Any] | None = Field(
        examples=[{"step": "deals", "done": 800, "total": 2000}]
    )
    result: dict[str, Any] | None
    error: str | None = Field(description="What a person can act on, where it failed.")

    @classmethod
    def of(cls, row: RunRow) -> "Run":
        """The run as the outside sees it."""
        shown = {name: getattr(row, name) for name in cls.model_fields if name != "id"}
        return cls(id=run_ref(row.id), **shown)


class Connection(_Schema):
    """A CRM account that Forestage serves, without its secret."""

    name: str = Field(examples=["acme"])
    crm: str = Field(examples=["salesforce"])
    mode: Literal["observe", "write"]
    account: Ref | None
    time_zone: str = Field(examples=["Europe/Berlin"])
    home_currency: str | None = Field(examples=["EUR"])
    config: dict[str, Any] = Field(examples=[{"base_url": "https://acme.my.salesforce.com"}])
    set_up: bool = Field(description="Whether the proposals of setup were accepted.")
    created_at: datetime
    first_synced_at: datetime | None
    write_since_at: datetime | None

    @classmethod
    def of(cls, row: ConnectionRow) -> "Connection":
        """The connection as the outside sees it."""
        own = {"account", "set_up"}
        return cls(
            account=row.account_crm_id and Ref(crm_id=row.account_crm_id, name=row.account_name),
            set_up=row.setup is not None,
            **{name: getattr(row, name) for name in cls.model_fields if name not in own},
        )


class Health(_Schema):
    """The process answers."""

    status: Literal["ok"]


class Readiness(_Schema):
    """Whether it can do its work, part by part."""

    ready: bool
    checks: dict[str, str] = Field(
        examples=[{"database": "ok", "migration": "ok", "worker": "ok", "clock": "ok"}]
    )
