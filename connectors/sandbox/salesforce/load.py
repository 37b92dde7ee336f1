"""Acts of the simulated people as records, each as of its instant, side effects included."""

from collections.abc import Iterable, Mapping

from connectors.sandbox import acts
from connectors.sandbox.salesforce import effects, field_history
from connectors.sandbox.salesforce.load_activities import Activities, Handler, Place
from connectors.sandbox.salesforce.load_desk import Desk
from connectors.sandbox.salesforce.load_setup import FORECASTS, Setup
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row, stamp


class Loader:
    """Plays acts into the store. `place` maps the organisation's time to the sandbox's."""

    def __init__(self, store: Store, context: effects.SaveContext, place: Place) -> None:
        self._store = store
        self._context = context
        self._place = place
        self._desk = Desk(store)
        self._setup = Setup(store, self._desk.id_of, self._desk.keep_key)
        self._handlers: Mapping[type[acts.Act], Handler] = {
            acts.AddAccount: self._account,
            acts.AddContact: self._contact,
            acts.CreateDeal: self._create_deal,
            acts.EditDeal: self._edit_deal,
            acts.DeleteDeal: self._delete_deal,
            acts.AddContactRole: self._contact_role,
            **Activities(self._desk, place).handlers(),
        }

    def play(self, told: Iterable[acts.Act]) -> int:
        """Apply acts in order, in one transaction; gives how many there were."""
        count = 0
        with self._store.transaction():
            for act in told:
                count += 1
                at = stamp(self._place(act.at))
                handler = self._handlers.get(type(act))
                if handler is None:
                    self._setup.apply(act, at)
                else:
                    handler(act, at, self._desk.author(act.by))
                self._desk.flush_if_many()
            self._desk.flush()
        return count

    def _account(self, act: acts.AddAccount, at: str, by: str) -> None:
        row = self._desk.new(
            "Account",
            at=at,
            by=by,
            Name=act.name,
            Industry=act.industry,
            OwnerId=self._desk.id_of(act.owner),
            CurrencyIsoCode=self._setup.currency,
        )
        self._desk.keep_key(act.key, row["Id"])

    def _contact(self, act: acts.AddContact, at: str, by: str) -> None:
        row = self._desk.new(
            "Contact",
            at=at,
            by=by,
            AccountId=self._desk.id_of(act.account),
            FirstName=act.first_name,
            LastName=act.last_name,
            Name=f"{act.first_name} {act.last_name}",
            Title=act.title,
            Email=act.email,
            OwnerId=self._desk.id_of(act.owner),
        )
        self._desk.keep_key(act.key, row["Id"])

    def _create_deal(self, act: acts.CreateDeal, at: str, by: str) -> None:
        row = self._store.blank("Opportunity") | {
            "Id": self._store.new_id("Opportunity"),
            "AccountId": self._desk.id_of(act.account),
            "RecordTypeId": self._desk.id_of(act.pipeline),
            "Name": act.name,
            "StageName": act.stage,
            "Amount": None if act.amount is None else float(act.amount),
            "CloseDate": act.close_on.isoformat(),
            "Type": act.deal_type,
            "NextStep": act.next_step,
            "LeadSource": act.lead_source,
            "CurrencyIsoCode": self._setup.currency,
            "OwnerId": self._desk.id_of(act.owner),
            "PushCount": 0,
            "CreatedDate": at,
            "CreatedById": by,
            "_LastHistoryId": None,
        }
        self._desk.add_deal(row)
        self._save(None, row, at, by)
        self._desk.keep_key(act.key, row["Id"])

    def _edit_deal(self, act: acts.EditDeal, at: str, by: str) -> None:
        told = {
            "StageName": act.stage,
            "Amount": None if act.amount is None else float(act.amount),
            "CloseDate": act.close_on.isoformat() if act.close_on else None,
            "OwnerId": self._desk.id_of(act.owner) if act.owner else None,
            "NextStep": act.next_step,
            "ForecastCategoryName": FORECASTS[act.forecast][1] if act.forecast else None,
        }
        patch = {name: value for name, value in told.items() if value is not None}
        self._save(self._desk.deal(act.deal), patch, at, by)

    def _save(self, old: Row | None, patch: Row, at: str, by: str) -> None:
        saved = effects.save(old, patch, at=at, by=by, context=self._context)
        row = patch if old is None else old
        if saved.history is not None:
            self._desk.add_history(saved.history, old["_LastHistoryId"] if old else None)
        self._desk.add(field_history.OBJECT, saved.tracked)
        row.update(saved.changes)
        self._desk.touch(row)

    def _delete_deal(self, act: acts.DeleteDeal, at: str, by: str) -> None:
        row = self._desk.deal(act.deal)
        row |= {"IsDeleted": 1, "SystemModstamp": at, "LastModifiedDate": at}
        row["LastModifiedById"] = by
        self._desk.touch(row)
        self._desk.flush()
        delete_dependents(self._store, row["Id"], at)

    def _contact_role(self, act: acts.AddContactRole, at: str, by: str) -> None:
        row = self._desk.new(
            "OpportunityContactRole",
            at=at,
            by=by,
            OpportunityId=self._desk.deal(act.deal)["Id"],
            ContactId=self._desk.id_of(act.contact),
            Role=act.role,
            IsPrimary=int(act.is_primary),
        )
        self._desk.keep_key(act.key, row["Id"])


def delete_dependents(store: Store, deal_id: str, at: str) -> None:
    """What goes to the bin with an opportunity."""
    store.execute_many(
        f'UPDATE "{field_history.OBJECT}" SET "IsDeleted" = 1 WHERE "OpportunityId" = ?',
        [(deal_id,)],
    )
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
