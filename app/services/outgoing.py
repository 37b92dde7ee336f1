"""What the CRM is told of a flag: the payload, its hash, and whether it must be written."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.store import flags, outbox
from connectors.records import FlagWrite, TaskWrite
from rules.deal import DEAL_RULES
from rules.rule import Severity

RULES = {rule.slug: rule for rule in DEAL_RULES}
_CLOSED = ("resolved", "expired")
_FLAGS_A_QUERY = 500


def digest(payload: Mapping[str, Any]) -> str:
    """The hash by which a payload is known to be the one that was written last."""
    text = json.dumps(payload, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def content_digest(values: Mapping[str, Any]) -> str:
    """The hash of what a record says in the CRM, whoever owns it there: a flag moves with its
    deal, and without an owner the CRM chooses one.
    """
    return digest({name: value for name, value in values.items() if name != "owner_crm_id"})


def as_payload(record: FlagWrite | TaskWrite) -> dict[str, Any]:
    """A record as it lies in the outbox."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(record).items()
    }


def as_flag(payload: Mapping[str, Any]) -> FlagWrite:
    """The record that `as_payload` put away."""
    return FlagWrite(**{**payload, "opened_at": datetime.fromisoformat(payload["opened_at"])})


def as_task(payload: Mapping[str, Any]) -> TaskWrite:
    """The record that `as_payload` put away."""
    return TaskWrite(**{**payload, "due_on": date.fromisoformat(payload["due_on"])})


def flag_write(row: sa.Row[Any]) -> FlagWrite:
    """A row of `app.store.flags.with_deals` as the CRM shall show it."""
    rule = RULES.get(row.rule)
    return FlagWrite(
        key=row.key,
        deal_crm_id=row.deal_crm_id,
        deal_name=row.deal_name,
        owner_crm_id=row.owner_crm_id,
        rule=row.rule,
        title=rule.title if rule else row.rule,
        severity=Severity(row.severity).name.lower(),
        status=row.status,
        rank=row.rank,
        reason=row.sentence,
        evidence="\n".join(f"{evidence_line(item)} ({item['ref']})" for item in row.evidence),
        questions="\n".join(rule.questions) if rule else "",
        opened_at=row.opened_at,
    )


def evidence_line(item: Mapping[str, Any]) -> str:
    """One proving row in plain words."""
    what = item["field"].replace("_", " ")
    if item["kind"] == "change":
        what = f"{what}: {item['old'] or 'nothing'} -> {item['new'] or 'nothing'}"
    elif item["new"]:
        what = f"{what}: {item['new']}"
    if item["kind"] == "absence":
        what = f"nothing since {what}"
    by = f" by {item['by']}" if item["by"] else ""
    return f"{item['at'][:16].replace('T', ' ')} UTC {what}{by}"


def enqueue(
    conn: sa.Connection, connection_id: int, flag_ids: Collection[int], *, at: datetime
) -> None:
    """Let the outbox hold what the CRM must still be told of these flags, and nothing else."""
    ordered = sorted(flag_ids)
    for start in range(0, len(ordered), _FLAGS_A_QUERY):
        _enqueue(conn, connection_id, ordered[start : start + _FLAGS_A_QUERY], at)


def _enqueue(
    conn: sa.Connection, connection_id: int, flag_ids: Sequence[int], at: datetime
) -> None:
    rows = conn.execute(flags.with_deals(connection_id).where(flags.FLAGS.c.id.in_(flag_ids))).all()
    keys = [row.key for row in rows]
    waiting = {row.key: row for row in outbox.rows(conn, connection_id, kind="flag", keys=keys)}
    for row in rows:
        wanted = _wanted(row)
        sending = row.key in waiting and waiting[row.key].state == "sending"
        if wanted is None or (digest(wanted) == row.written and not sending):
            if row.key in waiting:
                outbox.withdraw(conn, connection_id, "flag", row.key)
            continue
        outbox.put(
            conn,
            connection_id,
            kind="flag",
            key=row.key,
            payload=wanted,
            priority=row.rank,
            at=at,
            not_before=None if row.status in _CLOSED else row.settles_at,
        )


def _wanted(row: sa.Row[Any]) -> dict[str, Any] | None:
    """What the CRM should say; None: whatever it says now may stay."""
    if row.deal_crm_id is None or row.rule_class == "hygiene":
        return None
    if row.written is None and (row.status != "open" or row.held is not None):
        return None
    # One in the CRM that is held waits with its news, but it does end there.
    if row.held is not None and row.status not in _CLOSED:
        return None
    return as_payload(flag_write(row))


def outside_evidence(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Evidence as other programs see it."""
    names = ("kind", "ref", "at", "old", "new", "by", "source")
    return [{name: item[name] for name in names} for item in items]
