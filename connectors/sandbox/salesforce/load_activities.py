"""Acts of working a deal as tasks, events and mails."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox import acts
from connectors.sandbox.salesforce.load_desk import Desk
from connectors.sandbox.salesforce.objects_activity import CLOSED_STATUS
from connectors.sandbox.salesforce.values import Row, stamp

Handler = Callable[[Any, str, str], None]
Place = Callable[[datetime], datetime]

_OUTCOMES = {"connected": "Connected", "voicemail": "Left Voicemail", "no_answer": "No Answer"}
_SENT, _READ = "3", "1"


class Activities:
    """Makes activities as of their instants. `place`: the people's time in the sandbox's."""

    def __init__(self, desk: Desk, place: Place) -> None:
        self._desk = desk
        self._place = place

    def handlers(self) -> Mapping[type[acts.Act], Handler]:
        """What to do with each act: called with it, its instant as text and its author."""
        return {
            acts.PlanMeeting: self._meeting,
            acts.CancelMeeting: self._cancel_meeting,
            acts.LogCall: self._call,
            acts.LogEmail: self._email,
            acts.AddTask: self._task,
            acts.CompleteTask: self._complete_task,
        }

    def _about(self, act: Any) -> Row:
        """What an activity hangs on."""
        contacts = self._desk.contacts(act)
        account = self._desk.id_of(act.account) if act.account else None
        if act.deal:
            deal = self._desk.deal(act.deal)
            what, account = deal["Id"], deal["AccountId"]
        else:
            what = account
        return {
            "WhoId": contacts[0] if contacts else None,
            "WhatId": what,
            "AccountId": account,
            "OwnerId": self._desk.id_of(act.owner),
            "Subject": act.subject,
        }

    def _relate(self, name: str, field: str, activity: Row, act: Any, **more: Any) -> None:
        """Rows for the contacts beside the first, who stands in WhoId."""
        for crm_id in self._desk.contacts(act)[1:]:
            self._desk.new(
                name,
                at=activity["CreatedDate"],
                by=activity["CreatedById"],
                RelationId=crm_id,
                AccountId=activity["AccountId"],
                **{field: activity["Id"]},
                **more,
            )

    def _meeting(self, act: acts.PlanMeeting, at: str, by: str) -> None:
        starts = self._place(act.starts_at).astimezone(UTC)
        ends = starts + timedelta(minutes=act.minutes)
        row = self._desk.new(
            "Event",
            at=at,
            by=by,
            **self._about(act),
            StartDateTime=stamp(starts),
            ActivityDateTime=stamp(starts),
            ActivityDate=starts.date().isoformat(),
            EndDateTime=stamp(ends),
            EndDate=ends.date().isoformat(),
            DurationInMinutes=act.minutes,
            ShowAs="Busy",
            Type="Meeting",
            EventSubtype="Event",
        )
        self._relate("EventRelation", "EventId", row, act, IsParent=1)
        self._desk.keep_key(act.key, row["Id"])
        self._last_activity(act.deal, row["ActivityDate"], at)

    def _cancel_meeting(self, act: acts.CancelMeeting, at: str, by: str) -> None:
        changes = {"IsDeleted": 1, "SystemModstamp": at, "LastModifiedById": by}
        self._desk.amend("Event", self._desk.id_of(act.meeting), changes)

    def _done_task(self, act: Any, at: str, by: str, **more: Any) -> Row:
        """A completed task about a call or a mail."""
        row = self._desk.new(
            "Task",
            at=at,
            by=by,
            **self._about(act),
            Status=CLOSED_STATUS,
            IsClosed=1,
            Priority="Normal",
            ActivityDate=at[:10],
            CompletedDateTime=at,
            **more,
        )
        self._relate("TaskRelation", "TaskId", row, act)
        self._last_activity(act.deal, row["ActivityDate"], at)
        return row

    def _call(self, act: acts.LogCall, at: str, by: str) -> None:
        self._done_task(
            act,
            at,
            by,
            Type="Call",
            TaskSubtype="Call",
            CallType=act.direction.capitalize(),
            CallDurationInSeconds=act.minutes * 60,
            CallDisposition=_OUTCOMES[act.outcome],
        )

    def _email(self, act: acts.LogEmail, at: str, by: str) -> None:
        task = self._done_task(act, at, by, Type="Email", TaskSubtype="Email")
        is_incoming = act.direction == "inbound"
        self._desk.new(
            "EmailMessage",
            at=at,
            by=by,
            ActivityId=task["Id"],
            Subject=act.subject,
            Incoming=int(is_incoming),
            Status=_READ if is_incoming else _SENT,
            MessageDate=at,
            RelatedToId=task["WhatId"],
        )

    def _task(self, act: acts.AddTask, at: str, by: str) -> None:
        row = self._desk.new(
            "Task",
            at=at,
            by=by,
            **self._about(act),
            Status="Not Started",
            Priority="Normal",
            ActivityDate=act.due_on.isoformat(),
            TaskSubtype="Task",
        )
        self._relate("TaskRelation", "TaskId", row, act)
        self._desk.keep_key(act.key, row["Id"])

    def _complete_task(self, act: acts.CompleteTask, at: str, by: str) -> None:
        row = self._desk.amend(
            "Task",
            self._desk.id_of(act.task),
            {
                "Status": CLOSED_STATUS,
                "IsClosed": 1,
                "CompletedDateTime": at,
                "LastModifiedDate": at,
                "LastModifiedById": by,
                "SystemModstamp": at,
            },
        )
        what = row.get("WhatId") or ""
        if what.startswith("006") and row.get("ActivityDate"):
            self._raise_last_activity(self._desk.deal_by_id(what), row["ActivityDate"], at)

    def _last_activity(self, key: str | None, day: str, at: str) -> None:
        if key:
            self._raise_last_activity(self._desk.deal(key), day, at)

    def _raise_last_activity(self, deal: Row, day: str, at: str) -> None:
        if day > (deal["LastActivityDate"] or ""):
            deal |= {"LastActivityDate": day, "SystemModstamp": at}
            self._desk.touch(deal)
