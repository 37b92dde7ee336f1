"""Acts of the simulated people as records, each as of its instant, side effects included."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox import acts
from connectors.sandbox.salesforce import effects
from connectors.sandbox.salesforce.load_setup import FORECASTS, Setup
from connectors.sandbox.salesforce.objects_activity import CLOSED_STATUS
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row, stamp

_OUTCOMES = {"connected": "Connected", "voicemail": "Left Voicemail", "no_answer": "No Answer"}
_SENT, _READ = "3", "1"
_FLUSH_ROWS = 50_000

Place = Callable[[datetime], datetime]


class Loader:
    """Plays acts into the store. `place` maps the organisation's time to the sandbox's."""

    def __init__(self, store: Store, context: effects.SaveContext, place: Place) -> None:
        self._store = store
        self._context = context
        self._place = place
        self._ids: dict[str, str] = {}
        self._new_keys: list[tuple[str, str]] = []
        self._deals: dict[str, Row] = {}
        self._touched: set[str] = set()
        self._is_new: set[str] = set()
        self._pending: dict[str, list[Row]] = {}
        self._waiting = 0
        self._superseded: list[tuple[str, str]] = []
        self._blanks: dict[str, Row] = {}
        self._fresh: dict[str, Row] = {}
        self._setup = Setup(store, self.id_of, self.keep_key)
        self._handlers: dict[type[acts.Act], Callable[[Any, str, str], None]] = {
            acts.AddAccount: self._account,
            acts.AddContact: self._contact,
            acts.CreateDeal: self._create_deal,
            acts.EditDeal: self._edit_deal,
            acts.DeleteDeal: self._delete_deal,
            acts.AddContactRole: self._contact_role,
            acts.PlanMeeting: self._meeting,
            acts.CancelMeeting: self._cancel_meeting,
            acts.LogCall: self._call,
            acts.LogEmail: self._email,
            acts.AddTask: self._task,
            acts.CompleteTask: self._complete_task,
        }

    def play(self, told: Iterable[acts.Act]) -> int:
        """Apply acts in order, in one transaction; gives how many there were."""
        count = 0
        with self._store.transaction():
            for count, act in enumerate(told, start=1):
                at = stamp(self._place(act.at))
                handler = self._handlers.get(type(act))
                if handler is None:
                    self._setup.apply(act, at)
                else:
                    handler(act, at, self._author(act.by))
                if self._waiting > _FLUSH_ROWS:
                    self._flush()
            self._flush()
        return count

    def id_of(self, key: str) -> str:
        """The id of what a key names."""
        found = self._known(key)
        if found is None:
            raise LookupError(f"no act has made {key!r}")
        return found

    def _known(self, key: str) -> str | None:
        if key not in self._ids:
            found = self._store.select("SELECT id FROM _key WHERE key = ?", (key,))
            if not found:
                return None
            self._ids[key] = found[0][0]
        return self._ids[key]

    def _author(self, key: str) -> str:
        """The user who acts; the API user for anybody who is no user."""
        return self._known(key) or str(self._store.meta("api_user"))

    def _contacts(self, act: Any) -> list[str]:
        """Those people of an activity who are in the CRM by now."""
        return [crm_id for crm_id in map(self._known, act.contacts) if crm_id is not None]

    def keep_key(self, key: str, crm_id: str) -> None:
        """Remember what a key names."""
        self._ids[key] = crm_id
        self._new_keys.append((key, crm_id))

    def _new(self, name: str, *, at: str, by: str, **values: Any) -> Row:
        """A new record, waiting to be stored."""
        if name not in self._blanks:
            self._blanks[name] = self._store.blank(name)
        row = self._blanks[name] | {
            "Id": self._store.new_id(name),
            "CreatedDate": at,
            "CreatedById": by,
            "LastModifiedDate": at,
            "LastModifiedById": by,
            "SystemModstamp": at,
        }
        row |= values
        self._pending.setdefault(name, []).append(row)
        self._fresh[row["Id"]] = row
        self._waiting += 1
        return row

    def _amend(self, name: str, crm_id: str, changes: Row) -> Row:
        """Change a record that may be waiting still; gives it as it was."""
        if crm_id in self._fresh:
            row = self._fresh[crm_id]
            before = dict(row)
            row |= changes
            return before
        self._store.update(name, crm_id, changes)
        return self._store.get(name, crm_id) or {}

    def _flush(self) -> None:
        for name, rows in self._pending.items():
            if name == "Opportunity":
                continue
            self._store.insert(name, rows)
        for name in self._pending:
            self._pending[name] = []
        new = [self._deals[crm_id] for crm_id in self._touched if crm_id in self._is_new]
        self._store.insert("Opportunity", new)
        for crm_id in self._touched - self._is_new:
            self._store.update("Opportunity", crm_id, self._deals[crm_id])
        self._store.execute_many(
            'UPDATE "OpportunityHistory" SET "SystemModstamp" = ? WHERE "Id" = ?', self._superseded
        )
        self._store.execute_many("INSERT OR REPLACE INTO _key VALUES (?, ?)", self._new_keys)
        self._touched.clear()
        self._is_new.clear()
        self._superseded.clear()
        self._new_keys.clear()
        self._fresh.clear()
        self._waiting = 0

    def _deal(self, key: str) -> Row:
        crm_id = self.id_of(key)
        if crm_id not in self._deals:
            row = self._store.get("Opportunity", crm_id)
            if row is None:
                raise LookupError(f"no deal {key}")
            self._deals[crm_id] = row
        return self._deals[crm_id]

    def _touch(self, row: Row) -> None:
        self._touched.add(row["Id"])

    def _account(self, act: acts.AddAccount, at: str, by: str) -> None:
        row = self._new(
            "Account",
            at=at,
            by=by,
            Name=act.name,
            Industry=act.industry,
            OwnerId=self.id_of(act.owner),
            CurrencyIsoCode=self._setup.currency,
        )
        self.keep_key(act.key, row["Id"])

    def _contact(self, act: acts.AddContact, at: str, by: str) -> None:
        row = self._new(
            "Contact",
            at=at,
            by=by,
            AccountId=self.id_of(act.account),
            FirstName=act.first_name,
            LastName=act.last_name,
            Name=f"{act.first_name} {act.last_name}",
            Title=act.title,
            Email=act.email,
            OwnerId=self.id_of(act.owner),
        )
        self.keep_key(act.key, row["Id"])

    def _create_deal(self, act: acts.CreateDeal, at: str, by: str) -> None:
        row = self._store.blank("Opportunity") | {
            "Id": self._store.new_id("Opportunity"),
            "AccountId": self.id_of(act.account),
            "RecordTypeId": self.id_of(act.pipeline),
            "Name": act.name,
            "StageName": act.stage,
            "Amount": None if act.amount is None else float(act.amount),
            "CloseDate": act.close_on.isoformat(),
            "Type": act.deal_type,
            "NextStep": act.next_step,
            "LeadSource": act.lead_source,
            "CurrencyIsoCode": self._setup.currency,
            "OwnerId": self.id_of(act.owner),
            "PushCount": 0,
            "CreatedDate": at,
            "CreatedById": by,
            "_LastHistoryId": None,
        }
        self._deals[row["Id"]] = row
        self._is_new.add(row["Id"])
        self._save(None, row, at, by)
        self.keep_key(act.key, row["Id"])

    def _edit_deal(self, act: acts.EditDeal, at: str, by: str) -> None:
        told = {
            "StageName": act.stage,
            "Amount": None if act.amount is None else float(act.amount),
            "CloseDate": act.close_on.isoformat() if act.close_on else None,
            "OwnerId": self.id_of(act.owner) if act.owner else None,
            "NextStep": act.next_step,
            "ForecastCategoryName": FORECASTS[act.forecast][1] if act.forecast else None,
        }
        patch = {name: value for name, value in told.items() if value is not None}
        self._save(self._deal(act.deal), patch, at, by)

    def _save(self, old: Row | None, patch: Row, at: str, by: str) -> None:
        saved = effects.save(old, patch, at=at, by=by, context=self._context)
        row = patch if old is None else old
        if saved.history is not None:
            if old is not None and old["_LastHistoryId"]:
                self._superseded.append((at, old["_LastHistoryId"]))
            self._pending.setdefault("OpportunityHistory", []).append(saved.history)
            self._waiting += 1
        row.update(saved.changes)
        self._touch(row)

    def _delete_deal(self, act: acts.DeleteDeal, at: str, by: str) -> None:
        row = self._deal(act.deal)
        row |= {"IsDeleted": 1, "SystemModstamp": at, "LastModifiedDate": at}
        row["LastModifiedById"] = by
        self._touch(row)
        self._flush()
        delete_dependents(self._store, row["Id"], at)

    def _contact_role(self, act: acts.AddContactRole, at: str, by: str) -> None:
        row = self._new(
            "OpportunityContactRole",
            at=at,
            by=by,
            OpportunityId=self._deal(act.deal)["Id"],
            ContactId=self.id_of(act.contact),
            Role=act.role,
            IsPrimary=int(act.is_primary),
        )
        self.keep_key(act.key, row["Id"])

    def _about(self, act: Any) -> Row:
        """What an activity hangs on."""
        contacts = self._contacts(act)
        account = self.id_of(act.account) if act.account else None
        if act.deal:
            deal = self._deal(act.deal)
            what, account = deal["Id"], deal["AccountId"]
        else:
            what = account
        return {
            "WhoId": contacts[0] if contacts else None,
            "WhatId": what,
            "AccountId": account,
            "OwnerId": self.id_of(act.owner),
            "Subject": act.subject,
        }

    def _relate(self, name: str, field: str, activity: Row, act: Any, **more: Any) -> None:
        """Rows for the contacts beside the first, who stands in WhoId."""
        for crm_id in self._contacts(act)[1:]:
            self._new(
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
        row = self._new(
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
        self.keep_key(act.key, row["Id"])
        self._last_activity(act.deal, row["ActivityDate"], at)

    def _cancel_meeting(self, act: acts.CancelMeeting, at: str, by: str) -> None:
        changes = {"IsDeleted": 1, "SystemModstamp": at, "LastModifiedById": by}
        self._amend("Event", self.id_of(act.meeting), changes)

    def _done_task(self, act: Any, at: str, by: str, **more: Any) -> Row:
        """A completed task about a call or a mail."""
        row = self._new(
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
        self._new(
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
        row = self._new(
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
        self.keep_key(act.key, row["Id"])

    def _complete_task(self, act: acts.CompleteTask, at: str, by: str) -> None:
        row = self._amend(
            "Task",
            self.id_of(act.task),
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
            deal = self._deals.get(what) or self._store.get("Opportunity", what)
            if deal is not None:
                self._deals[what] = deal
                self._raise_last_activity(deal, row["ActivityDate"], at)

    def _last_activity(self, key: str | None, day: str, at: str) -> None:
        if key:
            self._raise_last_activity(self._deal(key), day, at)

    def _raise_last_activity(self, deal: Row, day: str, at: str) -> None:
        if day > (deal["LastActivityDate"] or ""):
            deal |= {"LastActivityDate": day, "SystemModstamp": at}
            self._touch(deal)


def delete_dependents(store: Store, deal_id: str, at: str) -> None:
    """What goes to the bin with an opportunity."""
    for name, field in (
        ("OpportunityHistory", "OpportunityId"),
        ("OpportunityContactRole", "OpportunityId"),
        ("Task", "WhatId"),
        ("Event", "WhatId"),
    ):
        store.execute_many(
            f'UPDATE "{name}" SET "IsDeleted" = 1, "SystemModstamp" = ? '
            f'WHERE "{field}" = ? AND "IsDeleted" = 0',
            [(at, deal_id)],
        )
