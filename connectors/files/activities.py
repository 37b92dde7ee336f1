"""The activities file: meetings, calls, mails, tasks and notes; headers only."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from connectors.files import values
from connectors.files.cells import Cells, Tools, read_rows
from connectors.files.sheet import Sheet
from connectors.files.values import plain
from connectors.records import ActivityKind, ActivityRecord, Direction

_KINDS: Mapping[str, ActivityKind] = {
    "meeting": "meeting",
    "event": "meeting",
    "demo": "meeting",
    "call": "call",
    "email": "email",
    "incomingemail": "email",
    "listemail": "email",
    "task": "task",
    "todo": "task",
    "note": "note",
}
_DIRECTIONS: Mapping[str, Direction] = {
    "inbound": "inbound",
    "incoming": "inbound",
    "incomingemail": "inbound",
    "in": "inbound",
    "outbound": "outbound",
    "outgoing": "outbound",
    "email": "outbound",
    "forwardedemail": "outbound",
    "out": "outbound",
    "internal": "none",
    "none": "none",
}
_HELD = frozenset({"held", "completed", "complete", "done", "connected", "attended", "tookplace"})
_NOT_HELD = frozenset(
    {"cancelled", "canceled", "noshow", "rescheduled", "deleted", "noanswer", "busy", "voicemail"}
    | {"leftvoicemail", "leftlivemessage", "wrongnumber", "scheduled", "planned", "missed"}
)
_CONNECTED_MINUTES = 2  # rules.md 1: a call without an outcome counts from here on
_LIST = re.compile(r"[;,|\s]+")


def read_activities(
    sheet: Sheet | None, tools: Tools | None, deals: Iterable[str]
) -> Sequence[ActivityRecord]:
    """Activities by file order; one of a deal that was not read is refused."""
    if sheet is None or tools is None:
        return ()
    known = frozenset(deals)
    has_start = "start" in plain(sheet.headers[sheet.index["at"]]) if "at" in sheet.index else False
    taken: dict[str, int] = {}

    def parse(cells: Cells) -> ActivityRecord:
        record = _activity(cells, known, default="meeting" if has_start else None)
        first = taken.setdefault(record.crm_id, cells.line)
        if first != cells.line:
            raise cells.fail("duplicate", "activity_id", f"is the activity of line {first} again")
        return record

    return list(read_rows(sheet, tools, parse))


def _activity(
    cells: Cells, known: frozenset[str], *, default: ActivityKind | None
) -> ActivityRecord:
    deal, company = _subject(cells)
    if deal is not None and deal not in known:
        raise cells.fail("no_deal", "deal_id", "is not among the deals that were read")
    kind = _kind(cells, default)
    at = _at(cells)
    logged = cells.past("logged_at")
    minutes = _minutes(cells)
    contacts = _contacts(cells)
    outcome = cells.label("outcome")
    direction = _direction(cells)
    held = _held(kind, outcome, minutes)
    if kind == "meeting" and not cells.has("outcome"):
        # Salesforce deletes a meeting that falls through; what stands in the past was held.
        held = cells.is_past(at)
    owner = cells.crm_id("owner_id")
    told = [str(deal), kind, at.isoformat(), str(owner), direction, *contacts]
    return ActivityRecord(
        crm_id=cells.crm_id("activity_id")
        or hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:24],
        kind=kind,
        at=at,
        logged_at=at if logged is None else logged.at,
        deal_crm_id=deal,
        company_crm_id=company,
        owner_crm_id=owner,
        contact_crm_ids=contacts,
        direction=direction,
        is_held=held,
        is_two_way=_two_way(kind, direction, held=held, contacts=contacts),
        minutes=minutes,
        is_deleted=cells.truth("is_deleted") or False,
    )


def _subject(cells: Cells) -> tuple[str | None, str | None]:
    """Deal and company. Salesforce has one column for both: 006 is a deal, 001 an account."""
    related = cells.crm_id("related_id") or ""
    deal = cells.crm_id("deal_id") or (related if related.startswith("006") else None)
    company = cells.crm_id("account_id") or (related if related.startswith("001") else None)
    return deal, company


def _kind(cells: Cells, default: ActivityKind | None) -> ActivityKind:
    text = cells.label("kind")
    if text is None:
        return cells.need("kind", default)
    kind = _KINDS.get(plain(text)) or default
    if kind is None:
        raise cells.fail("kind", "kind", "is not one of meeting, call, email, task, note")
    return kind


def _at(cells: Cells) -> datetime:
    read = cells.instant("at") or cells.instant("due_on")
    return cells.need("at" if cells.has("at") else "due_on", read).at


def _minutes(cells: Cells) -> int | None:
    minutes = cells.number("minutes")
    seconds = cells.number("seconds")
    if minutes is None and seconds is not None:
        minutes = seconds / 60
    if minutes is not None and not 0 <= minutes <= 7 * 24 * 60:
        raise cells.fail("number", "minutes", "is no length of an activity")
    return None if minutes is None else int(minutes)


def _contacts(cells: Cells) -> tuple[str, ...]:
    text = cells.raw("contact_ids")
    if text is None:
        return ()
    return tuple(dict.fromkeys(values.crm_id(one) for one in _LIST.split(text) if one))


def _direction(cells: Cells) -> Direction:
    text = cells.label("direction")
    if text is None:
        return "none"
    found = _DIRECTIONS.get(plain(text))
    if found is None:
        raise cells.fail("direction", "direction", "is neither inbound nor outbound")
    return found


def _held(kind: ActivityKind, outcome: str | None, minutes: int | None) -> bool | None:
    """Whether it took place; None where nothing tells it."""
    if kind not in ("meeting", "call"):
        return None
    told = plain(outcome or "")
    if told in _HELD:
        return True
    if told in _NOT_HELD:
        return False
    if kind == "call" and minutes is not None:
        return minutes >= _CONNECTED_MINUTES
    return None


def _two_way(
    kind: ActivityKind, direction: Direction, *, held: bool | None, contacts: Sequence[str]
) -> bool | None:
    match kind:
        case "meeting":
            return held if contacts or not held else None
        case "call":
            return held
        case "email":
            return None if direction == "none" else direction == "inbound"
        case _:
            return False
