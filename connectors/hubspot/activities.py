"""Meetings, calls, mails, notes and tasks to activities. Headers only: no subject or body is
asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.hubspot.mapping import instant
from connectors.records import ActivityKind, ActivityRecord, Direction

KEY = "forestage_key"
CONNECTED_MS = 120_000

_CALLED_OFF = {"CANCELED", "CANCELLED", "NO_SHOW", "RESCHEDULED"}
_NOT_HELD = {"BUSY", "CANCELED", "FAILED", "MISSED", "NO_ANSWER"}
_CONNECTED = "f240bbac-87c9-4f6e-bf70-924b57d47db7"
# HubSpot's own other outcomes: nobody was spoken to. A portal's own ones are told by length.
_NOT_CONNECTED = {
    "9d9162e7-6cf3-4944-bf63-4dff82258764",  # busy
    "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",  # left live message
    "b2cf5968-551e-4856-9783-52b3da59a7d0",  # left voicemail
    "73a0d17f-1163-4015-bdd5-ec830791da20",  # no answer
    "17b47fee-58de-441e-a44c-c6300d46f273",  # wrong number
}
_MS_A_MINUTE = 60_000
_DIRECTIONS: Mapping[str, Direction] = {
    "INBOUND": "inbound",
    "OUTBOUND": "outbound",
    "INCOMING_EMAIL": "inbound",
    "EMAIL": "outbound",
    "FORWARDED_EMAIL": "outbound",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What an activity hangs on."""

    deals: Sequence[str] = ()
    companies: Sequence[str] = ()
    contacts: Sequence[str] = ()


def activity(kind: ActivityKind, row: Mapping[str, Any], links: Links) -> ActivityRecord:
    """An activity's row. Of several deals it hangs on the one with the lowest id."""
    told = row["properties"]
    outcome = {
        "meeting": _meeting,
        "call": _call,
        "email": _email,
        "note": _note,
        "task": _task,
    }[kind](told, links)
    made = row["createdAt"]
    return ActivityRecord(
        crm_id=str(row["id"]),
        kind=kind,
        logged_at=instant(made),
        deal_crm_id=_lowest(links.deals),
        company_crm_id=_lowest(links.companies),
        owner_crm_id=told.get("hubspot_owner_id") or None,
        contact_crm_ids=tuple(links.contacts),
        is_deleted=bool(row.get("archived")),
        **{"at": instant(told.get("hs_timestamp") or made), **outcome},
    )


def _lowest(ids: Sequence[str]) -> str | None:
    return min(ids, key=int, default=None)


def _meeting(told: Mapping[str, Any], links: Links) -> dict[str, Any]:
    """`is_held` is True for a meeting not called off, also for one to come: `at` tells that it
    lies ahead. Many never set an outcome. Without a contact on it nobody can tell whether
    the customer took part.
    """
    called_off = (told.get("hs_meeting_outcome") or "") in _CALLED_OFF
    begin, end = told.get("hs_meeting_start_time"), told.get("hs_meeting_end_time")
    found: dict[str, Any] = {
        "is_held": not called_off,
        "is_two_way": False if called_off else (True if links.contacts else None),
    }
    if begin:
        found["at"] = instant(begin)
    if begin and end:
        seconds = (instant(end) - instant(begin)).total_seconds()
        found["minutes"] = max(0, round(seconds / 60))
    return found


def _call(told: Mapping[str, Any], links: Links) -> dict[str, Any]:
    del links
    is_held = (told.get("hs_call_status") or "COMPLETED") not in _NOT_HELD
    length = told.get("hs_call_duration")
    duration = round(float(length)) if length else None
    return {
        "direction": _DIRECTIONS.get(told.get("hs_call_direction") or "", "none"),
        "is_held": is_held,
        "is_two_way": is_held and _is_connected(told.get("hs_call_disposition"), duration),
        "minutes": None if duration is None else round(duration / _MS_A_MINUTE),
    }


def _is_connected(disposition: str | None, duration: int | None) -> bool | None:
    """By outcome, else by length; None where the row tells neither."""
    if disposition == _CONNECTED:
        return True
    if disposition in _NOT_CONNECTED:
        return False
    return None if duration is None else duration >= CONNECTED_MS


def _email(told: Mapping[str, Any], links: Links) -> dict[str, Any]:
    del links
    direction = _DIRECTIONS.get(told.get("hs_email_direction") or "", "none")
    is_in = direction == "inbound"
    return {
        "direction": direction,
        "is_held": True,
        "is_two_way": None if direction == "none" else is_in,
    }


def _note(told: Mapping[str, Any], links: Links) -> dict[str, Any]:
    del told, links
    return {"is_held": True, "is_two_way": False}


def _task(told: Mapping[str, Any], links: Links) -> dict[str, Any]:
    """An open task is a plan, nothing that took place."""
    del links
    is_done = told.get("hs_task_status") == "COMPLETED"
    done_at = told.get("hs_task_completion_date")
    found: dict[str, Any] = {
        "is_held": is_done,
        "is_two_way": False,
        "key": told.get(KEY) or None,
    }
    return {**found, "at": instant(done_at)} if is_done and done_at else found
