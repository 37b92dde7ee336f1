"""Acts of the simulated people as records, each as of its instant, side effects included."""

from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox import acts
from connectors.sandbox.hubspot import catalog, values
from connectors.sandbox.hubspot.builtin import CALL_OUTCOMES
from connectors.sandbox.hubspot.desk import Desk, Place
from connectors.sandbox.hubspot.effects import Author
from connectors.sandbox.hubspot.load_setup import Setup
from connectors.sandbox.hubspot.stages import Stages
from connectors.sandbox.hubspot.store import Record, Store

FORECASTS = {
    "omitted": "OMIT",
    "pipeline": "PIPELINE",
    "best_case": "BEST_CASE",
    "commit": "COMMIT",
    "closed": "CLOSED",
}
_DUE_TIME = time(8)


class Loader:
    """Plays acts into the store. `place` maps the organisation's time to the sandbox's."""

    def __init__(self, store: Store, stages: Stages, place: Place) -> None:
        self._store = store
        self._place = place
        self._desk = Desk(store, stages)
        self._setup = Setup(store, stages, self._desk.id_of, self._desk.keep_key)
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
                    handler(act, at, self._desk.author(act))
                self._desk.flush_if_full()
            self._desk.flush()
        return count

    def _account(self, act: acts.AddAccount, at: str, by: Author) -> None:
        row = self._desk.new(
            catalog.COMPANY,
            {
                "name": act.name,
                "domain": act.name.lower().replace(" ", "-") + ".example",
                "industry": act.industry,
                "hubspot_owner_id": self._desk.id_of(act.owner),
            },
            at=at,
            by=by,
        )
        self._desk.keep_key(act.key, str(row.id))

    def _contact(self, act: acts.AddContact, at: str, by: Author) -> None:
        row = self._desk.new(
            catalog.CONTACT,
            {
                "firstname": act.first_name,
                "lastname": act.last_name,
                "email": act.email,
                "jobtitle": act.title,
                "hubspot_owner_id": self._desk.id_of(act.owner),
            },
            at=at,
            by=by,
        )
        unique = (catalog.CONTACT, "email", act.email.lower(), row.id)
        self._store.execute("INSERT OR REPLACE INTO unique_value VALUES (?, ?, ?, ?)", unique)
        row.props["associatedcompanyid"] = self._desk.id_of(act.account)
        self._desk.link(row, catalog.COMPANY, int(self._desk.id_of(act.account)), 279, 1)
        self._desk.keep_key(act.key, str(row.id))

    def _create_deal(self, act: acts.CreateDeal, at: str, by: Author) -> None:
        moment = values.instant(at)
        if act.via == "conversion":
            close_at = values.month_end(moment, self._desk.time_zone())
        else:
            close_at = values.picked_day(act.close_on, moment, self._desk.time_zone())
        row = self._desk.new(
            catalog.DEAL,
            {
                "dealname": act.name,
                "pipeline": self._desk.id_of(act.pipeline),
                "dealstage": self._desk.id_of(f"{act.pipeline}:{act.stage}"),
                "amount": None if act.amount is None else str(act.amount),
                "closedate": close_at,
                "createdate": at,
                "hubspot_owner_id": self._desk.id_of(act.owner),
                "dealtype": act.deal_type and act.deal_type.lower().replace(" ", ""),
                "lead_source": act.lead_source,
                "hs_next_step": act.next_step,
                "deal_currency_code": str(self._store.meta("account")["companyCurrency"]),
                "hs_exchange_rate": "1.0",
            },
            at=at,
            by=by,
        )
        self._desk.link(row, catalog.COMPANY, int(self._desk.id_of(act.account)), 341, 5)
        self._desk.keep_key(act.key, str(row.id))
        self._desk.keep_key(f"{act.key}:pipeline", act.pipeline)
        self._desk.keep_key(f"{act.key}:account", self._desk.id_of(act.account))

    def _edit_deal(self, act: acts.EditDeal, at: str, by: Author) -> None:
        record = self._desk.record(catalog.DEAL, act.deal)
        if record.archived_at is not None:
            return
        patch: dict[str, str] = {}
        if act.stage is not None:
            pipeline = self._desk.id_of(f"{act.deal}:pipeline")
            patch["dealstage"] = self._desk.id_of(f"{pipeline}:{act.stage}")
        if act.amount is not None:
            patch["amount"] = str(act.amount)
        if act.owner is not None:
            patch["hubspot_owner_id"] = self._desk.id_of(act.owner)
        if act.next_step is not None:
            patch["hs_next_step"] = act.next_step
        if act.forecast is not None:
            patch["hs_manual_forecast_category"] = FORECASTS[act.forecast]
        if act.close_on is not None:
            before = record.props.get("closedate")
            if not before or values.day_of(before, self._desk.time_zone()) != act.close_on:
                patch["closedate"] = values.picked_day(
                    act.close_on, values.instant(at), self._desk.time_zone()
                )
        self._desk.save(record, patch, at=at, by=by)

    def _delete_deal(self, act: acts.DeleteDeal, at: str, by: Author) -> None:
        del by
        record = self._desk.record(catalog.DEAL, act.deal)
        record.archived_at = record.updated_at = at

    def _contact_role(self, act: acts.AddContactRole, at: str, by: Author) -> None:
        del by
        deal = self._desk.record(catalog.DEAL, act.deal)
        contact = self._desk.current(catalog.CONTACT, self._desk.id_of(act.contact))
        self._desk.link(deal, catalog.CONTACT, contact, 3, self._desk.label_id(act.role))
        deal.updated_at = max(at, deal.updated_at)
        self._desk.keep_key(act.key, self._desk.id_of(act.contact))

    def _activity(
        self, type_id: str, act: Any, *, at: str, by: Author, **told: str | None
    ) -> Record:
        """An activity with what it hangs on: its deal, company and those contacts that are
        in the CRM by now.
        """
        desk = self._desk
        told["hubspot_owner_id"] = desk.id_of(act.owner)
        row = desk.new(type_id, told, at=at, by=by)
        for contact in filter(None, map(desk.known, act.contacts)):
            desk.link(row, catalog.CONTACT, desk.current(catalog.CONTACT, contact))
        account = desk.id_of(act.account) if act.account else None
        if act.deal:
            account = desk.id_of(f"{act.deal}:account")
            deal = desk.record(catalog.DEAL, act.deal)
            desk.link(row, catalog.DEAL, deal.id)
            deal.updated_at = max(at, deal.updated_at)
        if account:
            desk.link(row, catalog.COMPANY, desk.current(catalog.COMPANY, account))
        if getattr(act, "key", None):
            desk.keep_key(act.key, str(row.id))
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
        self._desk.amend(catalog.MEETING, act.meeting, at=at, by=by, hs_meeting_outcome="CANCELED")

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
        zone = ZoneInfo(self._desk.time_zone())
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
        self._desk.amend(catalog.TASK, act.task, at=at, by=by, hs_task_status="COMPLETED")
