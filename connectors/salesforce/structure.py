"""The org itself: account, sales processes, people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.errors import ConnectorError, Fatal, Reauthorise, Retry
from connectors.records import AccountInfo, PersonRecord, StageRecord
from connectors.salesforce.client import Client, Row
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.mapping import MASTER_RECORD_TYPE, forecast_of

ORGANIZATION = Shape(
    sobject="Organization",
    needed=("Id", "Name"),
    optional=("TimeZoneSidKey", "FiscalYearStartMonth"),
    silent=("DefaultCurrencyIsoCode", "CurrencyIsoCode"),
)
CURRENCY = Shape(sobject="CurrencyType", needed=("IsoCode", "IsCorporate"))
STAGE = Shape(
    sobject="OpportunityStage",
    needed=("MasterLabel", "SortOrder", "IsActive", "IsClosed", "IsWon"),
    optional=("ApiName", "DefaultProbability", "ForecastCategory"),
    silent=("ForecastCategoryName",),
)
RECORD_TYPE = Shape(
    sobject="RecordType", needed=("Id", "Name"), optional=("BusinessProcessId", "IsActive")
)
USER = Shape(
    sobject="User",
    needed=("Id", "Name"),
    optional=("Email", "IsActive", "ManagerId", "UserRoleId", "TimeZoneSidKey"),
    silent=("UserRole.Name", "UserType", "Profile.Name", "Profile.UserLicense.Name"),
)
ROLE = Shape(
    sobject="UserRole", needed=("Id",), optional=("ParentRoleId",), silent=("ForecastUserId",)
)
# Customers who log into a portal; an org may have a million of them, and none owns a deal.
_PORTAL_USERS = ("CspLitePortal", "CustomerSuccess", "PowerCustomerSuccess", "Guest")
_MACHINE_TYPES = {"AutomatedProcess", "CloudIntegrationUser"}
# Salesforce's own names of such licences and profiles. "Integration" alone is also a job.
_MACHINE_WORDS = ("salesforce integration", "api only", "integration user", "system integration")


def account(client: Client, fields: Fields) -> AccountInfo:
    """The org's identity, time zone, fiscal year, home currency and clock."""
    row = next(row for page in fields.query(ORGANIZATION) for row in page.rows)
    return AccountInfo(
        crm_id=row["Id"],
        name=row["Name"],
        time_zone=row.get("TimeZoneSidKey") or "UTC",
        home_currency=_home_currency(fields, row),
        fiscal_year_start_month=int(row.get("FiscalYearStartMonth") or 1),
        now=client.now(),
    )


def _home_currency(fields: Fields, organization: Row) -> str | None:
    told = organization.get("DefaultCurrencyIsoCode") or organization.get("CurrencyIsoCode")
    if told or fields.describe(CURRENCY.sobject) is None:
        return told
    currencies = fields.query(CURRENCY, "WHERE IsCorporate = true")
    return next((row["IsoCode"] for page in currencies for row in page.rows), None)


def stages(client: Client, fields: Fields) -> Sequence[StageRecord]:
    """All stages by record type, in the order of OpportunityStage.

    A record type's sales process allows some of the org's stages; inactive ones are kept
    for every pipeline, since old history uses them. Deals without a record type are in
    the master's pipeline, which allows every stage.
    """
    every = [row for page in fields.query(STAGE, "ORDER BY SortOrder") for row in page.rows]
    return [
        _stage(row, pipeline=pipeline)
        for pipeline, allowed in _pipelines(client, fields)
        for row in every
        if not row["IsActive"] or allowed is None or _api_name(row) in allowed
    ]


def _api_name(row: Row) -> str:
    """The value that StageName has in a query."""
    return str(row.get("ApiName") or row["MasterLabel"])


def _stage(row: Row, *, pipeline: Row) -> StageRecord:
    probability = row.get("DefaultProbability")
    return StageRecord(
        pipeline_crm_id=pipeline["Id"],
        pipeline_name=pipeline["Name"],
        crm_id=_api_name(row),
        label=row["MasterLabel"],
        sort_order=int(row["SortOrder"]),
        is_closed=row["IsClosed"],
        is_won=row["IsWon"],
        is_active=row["IsActive"],
        probability=None if probability is None else probability / 100,
        forecast=forecast_of(row),
    )


def _pipelines(client: Client, fields: Fields) -> Iterable[tuple[Row, set[str] | None]]:
    """Record types with the stages that they allow (None: all). One call a sales process."""
    master: Row = {"Id": MASTER_RECORD_TYPE, "Name": "Opportunity"}
    if not fields.has("Opportunity", "RecordTypeId"):
        return [(master, None)]
    types = _record_types(client, fields)
    by_process: dict[str, set[str] | None] = {}
    # An inactive record type has no page to ask; it takes its process from an active one.
    for row in sorted(types, key=lambda row: not row.get("IsActive", True)):
        process = row.get("BusinessProcessId") or row["Id"]
        if process not in by_process:
            by_process[process] = _allowed(client, fields, row)
    pipelines = [(row, by_process[row.get("BusinessProcessId") or row["Id"]]) for row in types]
    if not types or client.count("Opportunity WHERE RecordTypeId = null"):
        pipelines.append((master, None))
    return pipelines


def _record_types(client: Client, fields: Fields) -> Sequence[Row]:
    """Those of Opportunity; as its describe tells them where the user may not see RecordType."""
    if fields.describe(RECORD_TYPE.sobject) is None:
        told = client.get("sobjects/Opportunity/describe")["recordTypeInfos"]
        return [
            {"Id": info["recordTypeId"], "Name": info["name"], "IsActive": info["active"]}
            for info in told
            if not info["master"]
        ]
    found = fields.query(RECORD_TYPE, "WHERE SobjectType = 'Opportunity' ORDER BY Id")
    return [row for page in found for row in page.rows]


def _allowed(client: Client, fields: Fields, record_type: Row) -> set[str] | None:
    path = f"ui-api/object-info/Opportunity/picklist-values/{record_type['Id']}/StageName"
    try:
        values = (client.get(path) or {}).get("values", ())
    except (Retry, Reauthorise):
        raise
    except ConnectorError as error:
        fields.warn(f"stages of record type {record_type['Name']} can't be read: {error}")
        return None
    return {value["value"] for value in values}


def people(fields: Fields) -> Sequence[PersonRecord]:
    """All users but portal customers; a manager by ManagerId, else by the role tree."""
    portal = ",".join(f"'{kind}'" for kind in _PORTAL_USERS)
    rest = f"WHERE UserType NOT IN ({portal})" if fields.has("User", "UserType") else ""
    users = [row for page in fields.query(USER, f"{rest} ORDER BY Id") for row in page.rows]
    managers = _managers_by_role(fields, users)
    return [_person(user, managers.get(user.get("UserRoleId") or "")) for user in users]


def _person(user: Row, manager_by_role: str | None) -> PersonRecord:
    manager = user.get("ManagerId") or manager_by_role
    return PersonRecord(
        crm_id=user["Id"],
        name=user["Name"],
        email=user.get("Email"),
        is_active=user.get("IsActive", True),
        manager_crm_id=manager if manager != user["Id"] else None,
        role_name=(user.get("UserRole") or {}).get("Name"),
        time_zone=user.get("TimeZoneSidKey"),
        is_integration=_is_machine(user),
    )


def _is_machine(user: Row) -> bool:
    """By user type, licence or profile, as far as they may be read."""
    profile = user.get("Profile") or {}
    licence = (profile.get("UserLicense") or {}).get("Name") or ""
    words = f"{profile.get('Name') or ''} {licence}".casefold()
    return user.get("UserType") in _MACHINE_TYPES or any(word in words for word in _MACHINE_WORDS)


def _managers_by_role(fields: Fields, users: Sequence[Row]) -> Mapping[str, str]:
    """Role -> the person who leads it: in the nearest role above that has one.

    That is the role's forecast manager, else its only active user; of several people
    none can be told to be the manager.
    """
    try:
        roles = {row["Id"]: row for page in fields.query(ROLE) for row in page.rows}
    except (Retry, Reauthorise, Fatal):
        raise
    except ConnectorError as error:
        fields.warn(f"roles can't be read, so managers come from User.ManagerId alone: {error}")
        return {}
    members: defaultdict[str, list[str]] = defaultdict(list)
    for user in users:
        if user.get("UserRoleId") and user.get("IsActive", True) and not _is_machine(user):
            members[user["UserRoleId"]].append(user["Id"])
    active = {crm_id for ids in members.values() for crm_id in ids}
    leaders = {role: _leader(row, members[role], active) for role, row in roles.items()}
    found = {role: _above(role, roles, members, leaders) for role in roles}
    return {role: leader for role, leader in found.items() if leader}


def _leader(role: Row, members: Sequence[str], active: set[str]) -> str | None:
    forecaster: Any = role.get("ForecastUserId")
    if forecaster in active:
        return str(forecaster)
    return members[0] if len(members) == 1 else None


def _above(
    role: str,
    roles: Mapping[str, Row],
    members: Mapping[str, Sequence[str]],
    leaders: Mapping[str, str | None],
) -> str | None:
    """The leader of the nearest role above that has people in it."""
    passed = {role}
    parent: Any = roles[role].get("ParentRoleId")
    while parent in roles and parent not in passed:
        if members.get(parent) or leaders[parent]:
            return leaders[parent]
        passed.add(parent)
        parent = roles[parent].get("ParentRoleId")
    return None
