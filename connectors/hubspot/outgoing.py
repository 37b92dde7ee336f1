"""Flags and coaching tasks as HubSpot properties, and back as they stand there.

A deal's flags live on the deal. What people see are four properties in plain words; which
flag is which, and as what it was written, is kept in a fifth one that the portal hides
(`forestage_state`), a JSON object by flag key, so that each flag can be compared, changed and
taken back alone.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors import render
from connectors.errors import Skip
from connectors.hubspot.activities import KEY
from connectors.hubspot.mapping import day
from connectors.records import FlagWrite, TaskWrite

STATE = "forestage_state"
TOP, FLAGS, EVIDENCE = "forestage_top_flag", "forestage_flags", "forestage_evidence"
SHOWN = (TOP, FLAGS, EVIDENCE)
DISPOSITION, SNOOZE = "forestage_disposition", "forestage_snooze_until"
TASK_KEY = KEY
# A property holds 65,536 characters; all flags of a deal share one.
EVIDENCE_TEXT, QUESTIONS_TEXT, REASON_TEXT, LINE = 4_000, 1_500, 500, 250
SHOWN_TEXT, STATE_TEXT, BODY_TEXT = 30_000, 65_000, 30_000
MORNING = time(9)
_SHOWN_STATUSES = {"open", "acknowledged"}
_SEVERITIES = {"critical": 0, "warning": 1, "info": 2}
_BREAKS = re.compile(r"<br\s*/?>|</(?:p|div|li)>", re.IGNORECASE)
_TAGS = re.compile(r"<[^>]*>")
_EDITED = "edited"

State = dict[str, dict[str, Any]]


def flag_entry(flag: FlagWrite) -> dict[str, Any]:
    """A flag as the state keeps it; the deal it is on goes without saying."""
    return {
        "rule": render.cut(render.one_line(flag.rule), LINE),
        "title": render.cut(render.one_line(flag.title), LINE),
        "severity": flag.severity,
        "status": flag.status,
        "rank": flag.rank,
        "reason": render.cut(render.one_line(flag.reason), REASON_TEXT),
        "evidence": render.cut(render.plain(flag.evidence), EVIDENCE_TEXT),
        "questions": render.cut(render.plain(flag.questions), QUESTIONS_TEXT),
        "opened_at": _seconds(flag.opened_at),
    }


def stored_flag(flag: FlagWrite) -> Mapping[str, object]:
    """The flag's values as HubSpot will give them back."""
    return flag_values(flag.deal_crm_id, flag_entry(flag))


def flag_values(deal_crm_id: str, entry: Mapping[str, Any]) -> Mapping[str, object]:
    """What the state says of a flag."""
    return {
        **entry,
        "deal_crm_id": deal_crm_id,
        "opened_at": datetime.fromisoformat(entry["opened_at"]),
    }


def state_of(properties: Mapping[str, Any]) -> State:
    """The flags of a deal by key; none where the property is empty."""
    text = properties.get(STATE)
    return orjson.loads(text) if text else {}


def deal_properties(state: State) -> dict[str, str]:
    """The properties of a deal with these flags. Without any they are cleared.

    Raises `Skip` where they are more than a property holds.
    """
    text = orjson.dumps(state, option=orjson.OPT_SORT_KEYS).decode() if state else ""
    if render.units(text) > STATE_TEXT:
        raise Skip(f"{len(state)} flags of one deal are more than a HubSpot property holds")
    shown = _ranked(state)
    blocks = [f"{_headline(flag)}\n{flag['evidence']}".strip() for flag in shown]
    return {
        STATE: text,
        TOP: shown[0]["title"] if shown else "",
        FLAGS: render.cut("\n".join(map(_line, shown)), SHOWN_TEXT),
        EVIDENCE: render.cut("\n\n".join(blocks), SHOWN_TEXT),
    }


def standing_values(
    deal_crm_id: str, properties: Mapping[str, Any]
) -> Mapping[str, Mapping[str, object]]:
    """What stands of each flag of a deal, by key; `edited` where people changed what is shown."""
    state = state_of(properties)
    wanted = deal_properties(state)
    is_as_written = all(
        render.plain(properties.get(name) or "") == render.plain(wanted[name]) for name in SHOWN
    )
    edited = {} if is_as_written else {_EDITED: True}
    return {key: {**flag_values(deal_crm_id, entry), **edited} for key, entry in state.items()}


def _ranked(state: State) -> Sequence[Mapping[str, Any]]:
    """The flags to show, the most important first."""
    shown = [flag for flag in state.values() if flag["status"] in _SHOWN_STATUSES]
    return sorted(
        shown, key=lambda flag: (-flag["rank"], _SEVERITIES.get(flag["severity"], 9), flag["rule"])
    )


def _headline(flag: Mapping[str, Any]) -> str:
    return f"{flag['title']} ({flag['severity']})"


def _line(flag: Mapping[str, Any]) -> str:
    return f"{_headline(flag)}: {flag['reason']}"


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a task, its property, and the way there and back."""

    attribute: str
    api: str
    to: Callable[[Any], str]
    back: Callable[[str | None], Any]


class TaskColumns:
    """Tasks of one portal, whose time zone makes an instant of a day."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._columns: Sequence[Column] = (
            Column("owner_crm_id", "hubspot_owner_id", lambda crm_id: crm_id or "", _or_none),
            Column("subject", "hs_task_subject", _subject, lambda raw: render.plain(raw or "")),
            Column("body", "hs_task_body", _body, text_of_html),
            Column("due_on", "hs_timestamp", self._morning, lambda raw: day(raw, zone)),
        )

    @property
    def properties(self) -> tuple[str, ...]:
        """What is read back."""
        return (TASK_KEY, "hs_task_status", *(column.api for column in self._columns))

    def row(self, task: TaskWrite, *, status: str | None) -> dict[str, str]:
        """The properties to upsert; `status` None leaves a standing task's own. Without an
        owner HubSpot keeps the one there is.
        """
        row = {column.api: column.to(getattr(task, column.attribute)) for column in self._columns}
        if task.owner_crm_id is None:
            del row["hubspot_owner_id"]
        row[TASK_KEY] = task.key
        return row if status is None else {**row, "hs_task_status": status}

    def stored(self, task: TaskWrite) -> Mapping[str, object]:
        """The task's values as HubSpot will give them back; without an owner that key is absent."""
        values = {
            column.attribute: column.back(column.to(getattr(task, column.attribute)))
            for column in self._columns
        }
        if task.owner_crm_id is None:
            del values["owner_crm_id"]
        return {**values, "status": task.status}

    def values(self, properties: Mapping[str, Any]) -> Mapping[str, object]:
        """What a task says."""
        values = {
            column.attribute: column.back(properties.get(column.api)) for column in self._columns
        }
        is_done = properties.get("hs_task_status") == "COMPLETED"
        return {**values, "status": "completed" if is_done else "open"}

    def _morning(self, due_on: date) -> str:
        at = datetime.combine(due_on, MORNING, self._zone).astimezone(UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text_of_html(raw: str | None) -> str:
    """The text of a task's body: breaks as line feeds, without tags."""
    text = _TAGS.sub("", _BREAKS.sub("\n", raw or ""))
    return render.plain(html.unescape(text))


def _subject(text: str) -> str:
    return render.cut(render.one_line(text), LINE)


def _body(text: str) -> str:
    return render.html_text(render.cut(render.plain(text), BODY_TEXT))


def _or_none(raw: str | None) -> str | None:
    return raw or None


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat()
