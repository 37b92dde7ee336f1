"""Flags as other programs see them: one view, one list with filters and pages."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.errors import BadInput, NotFound
from app.services.evidence import instant
from app.services.outgoing import RULES, outside_evidence
from app.store import flags
from app.store.database import Database
from app.store.deals import DEALS
from app.store.flags import FLAGS, SHOWN_STATUSES
from app.store.ids import LARGEST, flag_ref, parse_deal_ref, parse_flag_ref
from rules.rule import Severity

STATUSES = (*flags.STANDING, "resolved", "expired")
SEVERITIES = tuple(severity.name.lower() for severity in Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagView:
    """A flag with the deal that it is about; `as_json` is what programs may rely on."""

    id: str
    rule: str
    rule_version: int
    rule_class: str
    severity: str
    rank: int
    status: str
    held: str | None
    opened_at: datetime
    subject: Mapping[str, str]
    deal: Mapping[str, Any] | None
    sentence: str
    questions: Sequence[str]
    limits_version: int
    evidence: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The item of `flags --json`."""
        return {
            "id": self.id,
            "rule": self.rule,
            "rule_version": self.rule_version,
            "class": self.rule_class,
            "severity": self.severity,
            "rank": self.rank,
            "status": self.status,
            "held": self.held,
            "opened_at": instant(self.opened_at),
            "subject": self.subject,
            "deal": self.deal,
            "sentence": self.sentence,
            "questions": list(self.questions),
            "limits_version": self.limits_version,
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagPage:
    """Some flags, best rank first; `next` asks for those after them, None: there are none."""

    items: Sequence[FlagView]
    next: str | None

    def as_json(self) -> dict[str, Any]:
        """The answer of `flags --json`."""
        return {"items": [item.as_json() for item in self.items], "next": self.next}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagFilters:
    """What a list is limited to; None: not limited. `owner`: the CRM's id or the name of the
    deal's owner. `deal`: our id or the CRM's.
    """

    status: Sequence[str] | None = None
    rule: str | None = None
    severity: str | None = None
    owner: str | None = None
    deal: str | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As conditions on `app.store.flags.with_deals`; BadInput names a wrong filter."""
        found: list[sa.ColumnElement[bool]] = [
            FLAGS.c.status.in_(_known("status", self.status or SHOWN_STATUSES, STATUSES))
        ]
        if self.rule is not None:
            found += [FLAGS.c.rule == slug for slug in _known("rule", [self.rule], tuple(RULES))]
        if self.severity is not None:
            (name,) = _known("severity", [self.severity], SEVERITIES)
            found.append(FLAGS.c.severity == SEVERITIES.index(name))
        if self.owner is not None:
            found.append((flags.OWNER.crm_id == self.owner) | (flags.OWNER.name == self.owner))
        if self.deal is not None:
            deal_id = parse_deal_ref(self.deal)
            found.append(DEALS.c.crm_id == self.deal if deal_id is None else DEALS.c.id == deal_id)
        return found


EVERYTHING_STANDING = FlagFilters()


def list_flags(
    db: Database,
    connection_id: int,
    *,
    filters: FlagFilters = EVERYTHING_STANDING,
    limit: int | None = None,
    after: str | None = None,
) -> FlagPage:
    """Flags by rank; by default all that stand, held ones too. `limit` None: all of them."""
    query = flags.with_deals(connection_id).where(*filters.conditions())
    if after is not None:
        rank, flag_id = _decode(after)
        query = query.where(
            (FLAGS.c.rank < rank) | ((FLAGS.c.rank == rank) & (FLAGS.c.id > flag_id))
        )
    query = query.order_by(FLAGS.c.rank.desc(), FLAGS.c.id)
    with db.read() as conn:
        rows = conn.execute(query if limit is None else query.limit(limit + 1)).all()
    page = rows if limit is None else rows[:limit]
    more = len(rows) > len(page)
    return FlagPage(
        items=[view(row) for row in page],
        next=_encode(page[-1].rank, page[-1].id) if more and page else None,
    )


def get_flag(db: Database, ref: str) -> FlagView:
    """One flag by its outside id."""
    with db.read() as conn:
        return view(find(conn, ref))


def find(conn: sa.Connection, ref: str) -> sa.Row[Any]:
    """The row of `app.store.flags.with_deals` of an outside id; NotFound."""
    parsed = parse_flag_ref(ref)
    row = None
    if parsed is not None:
        query = flags.with_deals(parsed[0]).where(FLAGS.c.key == parsed[1])
        row = conn.execute(query).first()
    if row is None:
        raise NotFound(f"there is no flag {ref}")
    return row


def view(row: sa.Row[Any]) -> FlagView:
    """A row of `app.store.flags.with_deals` as programs see it."""
    return FlagView(
        id=flag_ref(row.connection_id, row.key),
        rule=row.rule,
        rule_version=row.rule_version,
        rule_class=row.rule_class,
        severity=SEVERITIES[row.severity],
        rank=row.rank,
        status=row.status,
        held=row.held,
        opened_at=row.opened_at,
        subject={"kind": row.subject_kind, "crm_id": row.deal_crm_id, "name": row.deal_name},
        deal=deal_of(
            crm_id=row.deal_crm_id,
            name=row.deal_name,
            owner=(row.owner_crm_id, row.owner_name),
            stage=row.deal_stage,
            close_on=row.deal_close_on,
        ),
        sentence=row.sentence,
        questions=questions(row.rule),
        limits_version=row.limits_id,
        evidence=outside_evidence(row.evidence),
    )


def deal_of(
    *,
    crm_id: str,
    name: str,
    owner: tuple[str | None, str | None],
    stage: str | None,
    close_on: date | None,
) -> dict[str, Any]:
    """The deal of a flag as it stands in JSON. `owner`: (crm_id, name)."""
    return {
        "crm_id": crm_id,
        "name": name,
        "owner": None if owner[0] is None else {"crm_id": owner[0], "name": owner[1]},
        "stage": stage,
        "close_date": None if close_on is None else close_on.isoformat(),
    }


def questions(slug: str) -> Sequence[str]:
    """A rule's coaching questions; none for a rule that is no more."""
    return RULES[slug].questions if slug in RULES else ()


def _known(field: str, values: Sequence[str], allowed: Sequence[str]) -> Sequence[str]:
    for value in values:
        if value not in allowed:
            raise BadInput(field, f"{value!r} is none of {', '.join(allowed)}")
    return values


def _encode(rank: int, flag_id: int) -> str:
    return urlsafe_b64encode(f"{rank}:{flag_id}".encode()).decode().rstrip("=")


def _decode(token: str) -> tuple[int, int]:
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        rank, flag_id = map(int, text.split(":"))
    except ValueError:
        rank = flag_id = -1
    if not (0 <= rank <= LARGEST and 0 <= flag_id <= LARGEST):
        raise BadInput("after", "give the `next` of the page before")
    return rank, flag_id
