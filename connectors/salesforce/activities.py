"""Task, Event and EmailMessage rows to activities. Headers only: what a subject is looked
at for (a cancelled meeting) is not kept.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from connectors.records import ActivityKind, ActivityRecord, Direction
from connectors.salesforce.mapping import day, instant

KEY_FIELD = "Forestage_Key__c"
CONNECTED_SECONDS = 120

_CALLED_OFF = re.compile(r"^\W*(cancell?ed|declined|no[- ]?show)\b", re.IGNORECASE)
# Dispositions are free text. What a refusal looks like is asked first: "not connected".
_NOT_REACHED = re.compile(
    r"\b(no answer|not (connected|available|reached)|unanswered|un(reach|avail)able"
    r"|voice ?mail|left (a )?(message|vm|voice)|vm|busy|wrong|bad number|invalid|gate ?keeper"
    r"|missed|failed|did not|didn't|cancell?ed|disconnected)\b",
    re.IGNORECASE,
)
_REACHED = re.compile(
    r"\b(connect(ed)?|answered|spoke|talked|reached|conversation|meaningful|completed|contacted"
    r"|meeting (set|scheduled|booked)|(not )?interested|qualified)\b",
    re.IGNORECASE,
)
_KINDS: Mapping[str, ActivityKind] = {
    "call": "call",
    "email": "email",
    "listemail": "email",
    "meeting": "meeting",
    "demo": "meeting",
}


def task(row: Mapping[str, Any]) -> ActivityRecord:
    """A Task row. An open task is a plan, nothing that took place."""
    kind = _kind(row)
    is_done = bool(row["IsClosed"])
    held, two_way = _task_outcome(row, kind) if is_done else (False, False)
    seconds = row.get("CallDurationInSeconds")
    return ActivityRecord(
        **_common(row),
        kind=kind,
        at=_task_at(row, kind),
        direction=_call_direction(row) if kind == "call" else "none",
        is_held=held,
        is_two_way=two_way,
        minutes=round(seconds / 60) if seconds else None,
        key=row.get(KEY_FIELD),
    )


def event(row: Mapping[str, Any]) -> ActivityRecord:
    """An Event row. `is_held` is True for a meeting not called off, also for one to come:
    its row is not touched when the day arrives, and `at` tells that it lies ahead.
    Without a contact on it nobody can tell whether the customer took part.
    """
    called_off = bool(_CALLED_OFF.match(row.get("Subject") or "")) or bool(row.get("No_Show__c"))
    has_customer = _is_customer(row.get("WhoId"))
    return ActivityRecord(
        **_common(row),
        kind="meeting",
        at=_event_at(row),
        is_held=not called_off,
        is_two_way=False if called_off else (True if has_customer else None),
        minutes=row.get("DurationInMinutes"),
    )


def email(row: Mapping[str, Any]) -> ActivityRecord:
    """An EmailMessage row: two-way only where the mail came in."""
    incoming = row.get("Incoming")
    related = row.get("RelatedToId") or ""
    return ActivityRecord(
        crm_id=row["Id"],
        kind="email",
        at=instant(row.get("MessageDate") or row["CreatedDate"]),
        logged_at=instant(row["CreatedDate"]),
        deal_crm_id=related if related.startswith("006") else None,
        company_crm_id=related if related.startswith("001") else None,
        owner_crm_id=_user(row.get("CreatedById")),
        direction="none" if incoming is None else ("inbound" if incoming else "outbound"),
        is_held=True,
        is_two_way=incoming,
        is_deleted=row["IsDeleted"],
    )


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    what = row.get("WhatId") or ""
    who = row.get("WhoId") or ""
    return {
        "crm_id": row["Id"],
        "logged_at": instant(row["CreatedDate"]),
        "deal_crm_id": what if what.startswith("006") else None,
        "company_crm_id": what if what.startswith("001") else row.get("AccountId"),
        "owner_crm_id": _user(row.get("OwnerId")),
        "contact_crm_ids": (who,) if who.startswith("003") else (),
        "is_deleted": row["IsDeleted"],
    }


def _user(crm_id: str | None) -> str | None:
    """A user's id; a queue (00G) is nobody."""
    return crm_id if crm_id and crm_id.startswith("005") else None


def _is_customer(who: str | None) -> bool:
    return (who or "").startswith(("003", "00Q"))


def _kind(row: Mapping[str, Any]) -> ActivityKind:
    """By TaskSubtype; a plain task by its Type, which many orgs use for calls and meetings."""
    for column in ("TaskSubtype", "Type"):
        found = _KINDS.get((row.get(column) or "").replace(" ", "").casefold())
        if found:
            return found
    return "task"


def _task_outcome(row: Mapping[str, Any], kind: ActivityKind) -> tuple[bool | None, bool | None]:
    """(took place, two-way) of a completed task. A mail's task does not tell its direction."""
    match kind:
        case "call":
            connected = _is_connected(row)
            return True, connected
        case "meeting":
            return True, True if _is_customer(row.get("WhoId")) else None
        case "email":
            return True, None
        case _:
            return True, False


def _is_connected(row: Mapping[str, Any]) -> bool | None:
    """By disposition, else by length; None where the row tells neither."""
    disposition = row.get("CallDisposition") or ""
    if _NOT_REACHED.search(disposition):
        return False
    if _REACHED.search(disposition):
        return True
    seconds = row.get("CallDurationInSeconds")
    return None if seconds is None else seconds >= CONNECTED_SECONDS


def _call_direction(row: Mapping[str, Any]) -> Direction:
    match (row.get("CallType") or "").casefold():
        case "inbound":
            return "inbound"
        case "outbound":
            return "outbound"
        case _:
            return "none"


def _task_at(row: Mapping[str, Any], kind: ActivityKind) -> datetime:
    """When it took place: a call or meeting on its date, other tasks when completed."""
    done_at = instant(row["CompletedDateTime"]) if row.get("CompletedDateTime") else None
    on = day(row.get("ActivityDate"))
    if done_at and (on is None or kind not in {"call", "meeting"} or done_at.date() == on):
        return done_at
    if on:
        return datetime.combine(on, time(), UTC)
    return instant(row["CreatedDate"])


def _event_at(row: Mapping[str, Any]) -> datetime:
    started = row.get("StartDateTime") or row.get("ActivityDateTime")
    if started:
        return instant(started)
    on = day(row.get("ActivityDate"))
    return datetime.combine(on, time(), UTC) if on else instant(row["CreatedDate"])
