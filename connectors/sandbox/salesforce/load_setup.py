"""The organisation itself as records: company, users, roles, record types, stages."""

import re
from collections.abc import Callable
from typing import Any

from connectors.sandbox import acts
from connectors.sandbox.salesforce.fields import Picklist
from connectors.sandbox.salesforce.objects_activity import (
    CLOSED_STATUS,
    TASK_PRIORITIES,
    TASK_STATUSES,
)
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.values import Row

FORECASTS = {
    "omitted": ("Omitted", "Omitted"),
    "pipeline": ("Pipeline", "Pipeline"),
    "best_case": ("BestCase", "Best Case"),
    "commit": ("Forecast", "Commit"),
    "closed": ("Closed", "Closed"),
}
API_USERNAME = "integration@forestage.sandbox"
_STANDARD, _API_ONLY = "Standard User", "Minimum Access - API Only Integrations"


class Setup:
    """Stores what an administrator would have set up."""

    def __init__(
        self, store: Store, id_of: Callable[[str], str], keep_key: Callable[[str, str], None]
    ) -> None:
        self._store = store
        self._id_of = id_of
        self._keep_key = keep_key
        self.currency: str | None = store.meta("currency")

    def apply(self, act: acts.Act, at: str) -> None:
        """Store one act of setting up."""
        if isinstance(act, acts.FoundCompany):
            self._company(act, at)
        elif isinstance(act, acts.AddRole):
            self._role(act, at)
        elif isinstance(act, acts.AddPerson):
            self._person(act, at)
        elif isinstance(act, acts.ChangePerson):
            self._change_person(act, at)
        elif isinstance(act, acts.AddPipeline):
            self._pipeline(act, at)
        else:
            raise TypeError(f"no record for {type(act).__name__}")

    def _insert(self, name: str, *, at: str, **values: Any) -> str:
        row: Row = self._store.blank(name)
        by = self._store.meta("api_user")
        system = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
        system |= {"CreatedById": by, "LastModifiedById": by}
        row |= {column: value for column, value in system.items() if column in row}
        row["Id"] = self._store.new_id(name)
        self._store.insert(name, [row | values])
        return str(row["Id"])

    def _company(self, act: acts.FoundCompany, at: str) -> None:
        store = self._store
        self.currency = act.home_currency
        store.save_meta("currency", act.home_currency)
        store.save_meta("time_zone", act.time_zone)
        store.save_meta("fiscal_year_start_month", act.fiscal_year_start_month)
        licences = {
            name: self._insert("UserLicense", at=at, Name=name, MasterLabel=name)
            for name in ("Salesforce", "Salesforce Integration")
        }
        for name, licence in (
            ("System Administrator", "Salesforce"),
            (_STANDARD, "Salesforce"),
            (_API_ONLY, "Salesforce Integration"),
        ):
            values = {"Name": name, "UserType": "Standard", "UserLicenseId": licences[licence]}
            self._keep_key(f"profile:{name}", self._insert("Profile", at=at, **values))
        self._api_user(act, at)
        self._insert(
            "Organization",
            at=at,
            Name=act.name,
            TimeZoneSidKey=act.time_zone,
            DefaultLocaleSidKey="en_US",
            LanguageLocaleKey="en_US",
            FiscalYearStartMonth=act.fiscal_year_start_month,
            OrganizationType="Enterprise Edition",
            InstanceName="SBX1",
            IsSandbox=1,
        )
        self._insert(
            "CurrencyType",
            at=at,
            IsoCode=act.home_currency,
            ConversionRate=1.0,
            DecimalPlaces=2,
            IsActive=1,
            IsCorporate=1,
        )
        self._choices(at)

    def _choices(self, at: str) -> None:
        for position, label in enumerate(TASK_STATUSES, start=1):
            self._insert(
                "TaskStatus",
                at=at,
                MasterLabel=label,
                ApiName=label,
                SortOrder=position,
                IsDefault=int(position == 1),
                IsClosed=int(label == CLOSED_STATUS),
            )
        for position, label in enumerate(TASK_PRIORITIES, start=1):
            self._insert(
                "TaskPriority",
                at=at,
                MasterLabel=label,
                ApiName=label,
                SortOrder=position,
                IsDefault=int(label == "Normal"),
                IsHighPriority=int(label == "High"),
            )

    def _user(self, at: str, *, profile: str, **values: Any) -> str:
        first, last = values["FirstName"], values["LastName"]
        return self._insert(
            "User",
            at=at,
            Name=f"{first} {last}",
            Alias=(first[:1] + last)[:8].lower(),
            LocaleSidKey="en_US",
            LanguageLocaleKey="en_US",
            DefaultCurrencyIsoCode=self.currency,
            CurrencyIsoCode=self.currency,
            ProfileId=self._id_of(f"profile:{profile}"),
            UserType="Standard",
            **values,
        )

    def _api_user(self, act: acts.FoundCompany, at: str) -> None:
        crm_id = self._user(
            at,
            profile=_API_ONLY,
            FirstName="Forestage",
            LastName="Integration",
            Username=API_USERNAME,
            Email=API_USERNAME,
            IsActive=1,
            TimeZoneSidKey=act.time_zone,
        )
        self._store.save_meta("api_user", crm_id)

    def _role(self, act: acts.AddRole, at: str) -> None:
        crm_id = self._insert(
            "UserRole",
            at=at,
            Name=act.name,
            DeveloperName=developer_name(act.name),
            ParentRoleId=self._id_of(act.parent) if act.parent else None,
        )
        self._keep_key(act.key, crm_id)

    def _person(self, act: acts.AddPerson, at: str) -> None:
        crm_id = self._user(
            at,
            profile=_API_ONLY if act.is_integration else _STANDARD,
            FirstName=act.first_name,
            LastName=act.last_name,
            Username=act.email,
            Email=act.email,
            Title=act.title,
            IsActive=int(act.is_active),
            TimeZoneSidKey=act.time_zone,
            UserRoleId=self._id_of(act.role) if act.role else None,
            ManagerId=self._id_of(act.manager) if act.manager else None,
            ForecastEnabled=int(not act.is_integration),
        )
        self._keep_key(act.key, crm_id)

    def _change_person(self, act: acts.ChangePerson, at: str) -> None:
        changes: Row = {"LastModifiedDate": at, "SystemModstamp": at}
        if act.is_active is not None:
            changes["IsActive"] = int(act.is_active)
        if act.manager is not None:
            changes["ManagerId"] = self._id_of(act.manager)
        if act.role is not None:
            changes["UserRoleId"] = self._id_of(act.role)
        self._store.update("User", self._id_of(act.person), changes)

    def _pipeline(self, act: acts.AddPipeline, at: str) -> None:
        process = self._insert(
            "BusinessProcess", at=at, Name=act.name, TableEnumOrId="Opportunity", IsActive=1
        )
        record_type = self._insert(
            "RecordType",
            at=at,
            Name=act.name,
            DeveloperName=developer_name(act.name),
            BusinessProcessId=process,
            SobjectType="Opportunity",
            IsActive=1,
        )
        self._keep_key(act.key, record_type)
        for position, stage in enumerate(act.stages):
            self._stage(stage, at)
            self._store.execute_many(
                "INSERT OR REPLACE INTO _process VALUES (?, ?, ?)",
                [(record_type, stage.label, position)],
            )
        refresh_stages(self._store)

    def _stage(self, stage: acts.Stage, at: str) -> None:
        if self._store.select(
            'SELECT 1 FROM "OpportunityStage" WHERE "ApiName" = ?', (stage.label,)
        ):
            return
        code, name = FORECASTS[stage.forecast]
        self._insert(
            "OpportunityStage",
            at=at,
            MasterLabel=stage.label,
            ApiName=stage.label,
            IsActive=1,
            SortOrder=stage.sort_order,
            IsClosed=int(stage.is_closed),
            IsWon=int(stage.is_won),
            ForecastCategory=code,
            ForecastCategoryName=name,
            DefaultProbability=float(stage.probability),
        )


def developer_name(name: str) -> str:
    """A label as an API name."""
    return re.sub(r"\W+", "_", name).strip("_")


def refresh_stages(store: Store) -> None:
    """Make the organisation's stages and record types known to the describes."""
    rows = store.select(
        'SELECT "ApiName", "MasterLabel", "IsActive" FROM "OpportunityStage" ORDER BY "SortOrder"'
    )
    choices = [Picklist(value=row[0], label=row[1], is_active=bool(row[2])) for row in rows]
    for name in ("Opportunity", "OpportunityHistory"):
        store.catalog.set_picklist(name, "StageName", choices)
