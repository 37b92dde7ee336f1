"""Acts of the simulated people as records, each as of its instant, side effects included."""

from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox import acts
from connectors.sandbox.hubspot import catalog, values
from connectors.sandbox.hubspot.builtin import CALL_OUTCOMES
from connectors.sandbox.hubspot.effects import Author, save
from connectors.sandbox.hubspot.load_setup import Setup
from connectors.sandbox.hubspot.stages import Stages
from connectors.sandbox.hubspot.store import Link, Record, Store

FORECASTS = {
    "omitted": "OMIT",
    "pipeline": "PIPELINE",
    "best_case": "BEST_CASE",
    "commit": "COMMIT",
    "closed": "CLOSED",
}
_FLUSH_RECORDS = 20_000
_DUE_TIME = time(8)
_IMPORT_ID, _FLOW_ID = "91350027", "enrollmentId:80144120;actionExecutionIndex:0"

Place = Callable[[datetime], datetime]


class Loader:
    """Plays acts into the store. `place` maps the organisation's time to the sandbox's."""

    def __init__(self, store: Store, stages: Stages, place: Place) -> None:
        self._store = store
        self._stages = stages
        self._place = place
        self._ids: dict[str, str] = {}
        self._new_keys: list[tuple[str, str]] = []
        self._records: dict[tuple[str, int], Record] = {}
        self._links: list[Link] = []
        self._labels: dict[str, int] = dict(
            store.select("SELECT label, type_id FROM label WHERE source = ?", (catalog.DEAL,))
        )
        self._zone = ""
        self._setup = Setup(store, stages, self.id_of, self.keep_key)
        self._handlers: dict[type[acts.Act], Callable[[Any, str, Author], None]] = {
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

    def play(self, told: Iterable[acts.Act], /) -> int:
        """Apply acts in order, in one transaction; gives how many there were."""
        count = 0
        with self._store.transaction():
            for act in told:
                count += 1
                at = values.stamp(self._place(act.at))
                handler = self._handlers.get(type(act))
                if handler is None:
                    self._setup.apply(act, at)
                else:
                    handler(act, at, self._author(act))
                if len(self._records) > _FLUSH_RECORDS:
                    self._flush()
            self._flush()
        return count

    def id_of(self, key: str) -> str:
        """The id of what a key names."""
        found = self._known(key)
        if found is None:
            raise LookupError(f"no act has made {key!r}")
        return found

    def keep_key(self, key: str, crm_id: str) -> None:
        """Remember what a key names."""
        self._ids[key] = crm_id
        self._new_keys.append((key, crm_id))

    def _known(self, key: str) -> str | None:
        if key not in self._ids:
            found = self._store.id_of(key)
            if found is None:
                return None
            self._ids[key] = found
        return self._ids[key]

    def _author(self, act: acts.Act) -> Author:
        """Whom or what HubSpot names as the source of a save."""
        via = getattr(act, "via", "user")
        owner = self._known(act.by)
        user = None if owner is None else self._user_id(int(owner))
        if via == "workflow":
            return Author("AUTOMATION_PLATFORM", _FLOW_ID)
        if via == "import":
            return Author("IMPORT", _IMPORT_ID, user)
        if user is None:
            return Author("INTEGRATION", "25200")
        return Author("CRM_UI", f"userId:{user}", user)

    def _user_id(self, owner_id: int) -> int:
        key = f"user:{owner_id}"
        if key not in self._ids:
            row = self._store.select("SELECT user_id FROM person WHERE id = ?", (owner_id,))
            self._ids[key] = str(row[0][0])
        return int(self._ids[key])

    def _time_zone(self) -> str:
        if not self._zone:
            self._zone = str(self._store.meta("account")["timeZone"])
        return self._zone

    def _new(self, type_id: str, patch: dict[str, str | None], *, at: str, by: Author) -> Record:
        """A new record, waiting to be stored."""
        record = Record(type_id, self._store.new_id(type_id), at, at)
        told = {name: value for name, value in patch.items() if value is not None}
        told["hs_object_source"] = by.source
        if by.user_id is not None:
            told["hs_created_by_user_id"] = str(by.user_id)
        save(record, told, at=at, by=by, stages=self._stages)
        self._records[type_id, record.id] = record
        return record

    def _record(self, type_id: str, key: str) -> Record:
        """A record to change: waiting still, or read back."""
        record_id = int(self.id_of(key))
        record = self._records.get((type_id, record_id))
        if record is None:
            record = self._store.get(type_id, record_id)
            if record is None:
                raise LookupError(f"no record {key}")
            self._records[type_id, record.id] = record
        return record

    def _amend(self, type_id: str, key: str, *, at: str, by: Author, **patch: str) -> None:
        save(self._record(type_id, key), patch, at=at, by=by, stages=self._stages)

    def _link(self, source: Record, target: str, target_id: int, *type_ids: int) -> None:
        told = type_ids or (catalog.DEFAULT_LINKS[source.type, target],)
        for type_id in told:
            back = catalog.REVERSE.get(type_id, type_id)
            self._links.append((source.type, source.id, target, target_id, type_id))
            self._links.append((target, target_id, source.type, source.id, back))

    def _flush(self) -> None:
        self._store.put(self._records.values())
        self._store.link(self._links)
        self._store.keep_keys(self._new_keys)
        self._records.clear()
        self._links.clear()
        self._new_keys.clear()

    def _account(self, act: acts.AddAccount, at: str, by: Author) -> None:
        row = self._new(
            catalog.COMPANY,
            {
                "name": act.name,
                "domain": act.name.lower().replace(" ", "-") + ".example",
                "industry": act.industry,
                "hubspot_owner_id": self.id_of(act.owner),
            },
            at=at,
            by=by,
        )
        self.keep_key(act.key, str(row.id))

    def _contact(self, act: acts.AddContact, at: str, by: Author) -> None:
        row = self._new(
            catalog.CONTACT,
            {
                "firstname": act.first_name,
                "lastname": act.last_name,
                "email": act.email,
                "jobtitle": act.title,
                "hubspot_owner_id": self.id_of(act.owner),
            },
            at=at,
            by=by,
        )
        unique = (catalog.CONTACT, "email", act.email.lower(), row.id)
        self._store.execute("INSERT OR REPLACE INTO unique_value VALUES (?, ?, ?, ?)", unique)
        row.props["associatedcompanyid"] = self.id_of(act.account)
        self._link(row, catalog.COMPANY, int(self.id_of(act.account)), 279, 1)
        self.keep_key(act.key, str(row.id))

    def _create_deal(self, act: acts.CreateDeal, at: str, by: Author) -> None:
        moment = values.instant(at)
        if act.via == "conversion":
            close_at = values.month_end(moment, self._time_zone())
        else:
            close_at = values.picked_day(act.close_on, moment, self._time_zone())
        row = self._new(
            catalog.DEAL,
            {
                "dealname": act.name,
                "pipeline": self.id_of(act.pipeline),
                "dealstage": self.id_of(f"{act.pipeline}:{act.stage}"),
                "amount": None if act.amount is None else str(act.amount),
                "closedate": close_at,
                "createdate": at,
                "hubspot_owner_id": self.id_of(act.owner),
                "dealtype": act.deal_type and act.deal_type.lower().replace(" ", ""),
                "lead_source": act.lead_source,
                "hs_next_step": act.next_step,
                "deal_currency_code": str(self._store.meta("account")["companyCurrency"]),
                "hs_exchange_rate": "1.0",
            },
            at=at,
            by=by,
        )
        self._link(row, catalog.COMPANY, int(self.id_of(act.account)), 341, 5)
        self.keep_key(act.key, str(row.id))
        self.keep_key(f"{act.key}:pipeline", act.pipeline)
        self.keep_key(f"{act.key}:account", self.id_of(act.account))

    def _edit_deal(self, act: acts.EditDeal, at: str, by: Author) -> None:
        record = self._record(catalog.DEAL, act.deal)
        patch: dict[str, str] = {}
        if act.stage is not None:
            pipeline = self.id_of(f"{act.deal}:pipeline")
            patch["dealstage"] = self.id_of(f"{pipeline}:{act.stage}")
        if act.amount is not None:
            patch["amount"] = str(act.amount)
        if act.owner is not None:
            patch["hubspot_owner_id"] = self.id_of(act.owner)
        if act.next_step is not None:
            patch["hs_next_step"] = act.next_step
        if act.forecast is not None:
            patch["hs_manual_forecast_category"] = FORECASTS[act.forecast]
        if act.close_on is not None:
            before = record.props.get("closedate")
            if not before or values.day_of(before, self._time_zone()) != act.close_on:
                patch["closedate"] = values.picked_day(
                    act.close_on, values.instant(at), self._time_zone()
                )
        save(record, patch, at=at, by=by, stages=self._stages)

    def _delete_deal(self, act: acts.DeleteDeal, at: str, by: Author) -> None:
        del by
        record = self._record(catalog.DEAL, act.deal)
        record.archived_at = record.updated_at = at

    def _contact_role(self, act: acts.AddContactRole, at: str, by: Author) -> None:
        del by
        deal = self._record(catalog.DEAL, act.deal)
        self._link(deal, catalog.CONTACT, int(self.id_of(act.contact)), 3, self._label_id(act.role))
        deal.updated_at = at
        self.keep_key(act.key, self.id_of(act.contact))

    def _label_id(self, label: str) -> int:
        """The portal's own association label of that name, made when first used."""
        if label not in self._labels:
            # Odd and even: one id a direction, as HubSpot gives them out.
            type_id = catalog.FIRST_LABEL_ID + len(self._labels)
            self._labels[label] = type_id
            rows = [
                (type_id, catalog.DEAL, catalog.CONTACT, label),
            ]
            self._store.execute_many("INSERT INTO label VALUES (?, ?, ?, ?)", rows)
        return self._labels[label]

    def _activity(
        self, type_id: str, act: Any, *, at: str, by: Author, **told: str | None
    ) -> Record:
        """An activity with what it hangs on: its deal, company and those contacts that are
        in the CRM by now.
        """
        told["hubspot_owner_id"] = self.id_of(act.owner)
        row = self._new(type_id, told, at=at, by=by)
        contacts = [found for found in map(self._known, act.contacts) if found is not None]
        for contact in contacts:
            self._link(row, catalog.CONTACT, int(contact))
        account = self.id_of(act.account) if act.account else None
        if act.deal:
            deal = self._record(catalog.DEAL, act.deal)
            self._link(row, catalog.DEAL, deal.id)
            deal.updated_at = at
            account = self.id_of(f"{act.deal}:account")
        if account:
            self._link(row, catalog.COMPANY, int(account))
        if getattr(act, "key", None):
            self.keep_key(act.key, str(row.id))
        return row

    def _meeting(self, act: acts.PlanMeeting, at: str, by: Author) -> None:
        starts = self._place(act.starts_at)
        begin, end = values.stamp(starts), values.stamp(starts + timedelta(minutes=act.minutes))
        self._activity(
            catalog.MEETING,
            act,
            at=at,
            by=by,
            hs_timestamp=begin,
            hs_meeting_title=act.subject,
            hs_meeting_start_time=begin,
            hs_meeting_end_time=end,
            hs_meeting_outcome="SCHEDULED" if at < begin else "COMPLETED",
        )

    def _cancel_meeting(self, act: acts.CancelMeeting, at: str, by: Author) -> None:
        self._amend(catalog.MEETING, act.meeting, at=at, by=by, hs_meeting_outcome="CANCELED")

    def _call(self, act: acts.LogCall, at: str, by: Author) -> None:
        self._activity(
            catalog.CALL,
            act,
            at=at,
            by=by,
            hs_timestamp=at,
            hs_call_title=act.subject,
            hs_call_duration=str(act.minutes * 60_000),
            hs_call_direction=act.direction.upper(),
            hs_call_disposition=CALL_OUTCOMES[act.outcome][0],
            hs_call_status="COMPLETED",
        )

    def _email(self, act: acts.LogEmail, at: str, by: Author) -> None:
        is_incoming = act.direction == "inbound"
        self._activity(
            catalog.EMAIL,
            act,
            at=at,
            by=by,
            hs_timestamp=at,
            hs_email_subject=act.subject,
            hs_email_direction="INCOMING_EMAIL" if is_incoming else "EMAIL",
            hs_email_status="SENT",
        )

    def _task(self, act: acts.AddTask, at: str, by: Author) -> None:
        zone = ZoneInfo(self._time_zone())
        due_at = datetime.combine(act.due_on, _DUE_TIME, zone)
        self._activity(
            catalog.TASK,
            act,
            at=at,
            by=by,
            hs_timestamp=values.stamp(due_at),
            hs_task_subject=act.subject,
            hs_task_status="NOT_STARTED",
            hs_task_priority="NONE",
            hs_task_type="TODO",
        )

    def _complete_task(self, act: acts.CompleteTask, at: str, by: Author) -> None:
        self._amend(catalog.TASK, act.task, at=at, by=by, hs_task_status="COMPLETED")
