from typing import Any

import pytest

from connectors.errors import Retry
from connectors.salesforce.client import Client
from connectors.salesforce.fields import Fields
from connectors.salesforce.structure import account, people, stages
from tests.connectors.salesforce.fake import Answer, FakeOrg

STAGE_FIELDS = (
    *("ApiName", "MasterLabel", "SortOrder", "IsActive", "IsClosed", "IsWon"),
    *("DefaultProbability", "ForecastCategory"),
)
USER_FIELDS = ("Id", "Name", "Email", "IsActive", "ManagerId", "UserRoleId", "TimeZoneSidKey")


@pytest.fixture
def fields(client: Client) -> Fields:
    return Fields(client)


def stage(name: str, order: int, **values: Any) -> dict[str, Any]:
    base = {"IsActive": True, "IsClosed": False, "IsWon": False, "ForecastCategory": "Pipeline"}
    told = {"ApiName": name, "MasterLabel": name, "SortOrder": order, "DefaultProbability": 10.0}
    return {**base, **told, **values}


def with_stages(org: FakeOrg, *record_types: dict[str, Any], **allowed: list[str]) -> None:
    org.describe("Opportunity", "Id", "StageName", *(["RecordTypeId"] if record_types else []))
    org.describe("OpportunityStage", *STAGE_FIELDS)
    org.describe("RecordType", "Id", "Name", "BusinessProcessId", "IsActive")
    org.rows(
        "FROM OpportunityStage", stage("New", 1), stage("Old", 2, IsActive=False), stage("Ask", 5)
    )
    org.rows("FROM RecordType", *record_types)
    org.rows(r"COUNT\(\)")
    for record_type, values in allowed.items():
        body = {"values": [{"value": value} for value in values]}
        org.answer("GET", f"picklist-values/{record_type}/StageName", body)


def told(client: Client, fields: Fields) -> list[tuple[str, str, bool]]:
    return [(s.pipeline_crm_id, s.crm_id, s.is_active) for s in stages(client, fields)]


def test_an_org_without_record_types_has_one_pipeline_with_every_stage(
    org: FakeOrg, client: Client, fields: Fields
) -> None:
    with_stages(org)
    assert told(client, fields) == [
        ("012000000000000AAA", "New", True),
        ("012000000000000AAA", "Old", False),
        ("012000000000000AAA", "Ask", True),
    ]


def test_record_types_of_one_process_are_asked_for_once_and_keep_inactive_stages(
    org: FakeOrg, client: Client, fields: Fields
) -> None:
    with_stages(
        org,
        {"Id": "R0", "Name": "Retired", "BusinessProcessId": "P1", "IsActive": False},
        {"Id": "R1", "Name": "New", "BusinessProcessId": "P1", "IsActive": True},
        {"Id": "R2", "Name": "Renewal", "BusinessProcessId": "P2", "IsActive": True},
        R1=["New"],
        R2=["Ask"],
    )
    assert told(client, fields) == [
        ("R0", "New", True),
        ("R0", "Old", False),
        ("R1", "New", True),
        ("R1", "Old", False),
        ("R2", "Old", False),
        ("R2", "Ask", True),
    ]
    assert len(org.sent("GET", "picklist-values")) == 2


def test_deals_without_a_record_type_get_the_masters_pipeline_beside_the_others(
    org: FakeOrg, client: Client, fields: Fields
) -> None:
    kind = {"Id": "R1", "Name": "New", "BusinessProcessId": "P1", "IsActive": True}
    with_stages(org, kind, R1=["New"])
    org.answer("GET", r"COUNT\(\)", {"totalSize": 3, "done": True, "records": []})
    assert {pipeline for pipeline, _, _ in told(client, fields)} == {"R1", "012000000000000AAA"}


def test_a_process_that_cannot_be_read_allows_all_stages_with_a_warning(
    org: FakeOrg, client: Client, fields: Fields
) -> None:
    kind = {"Id": "R1", "Name": "New", "BusinessProcessId": "P1", "IsActive": True}
    with_stages(org, kind)
    assert len(told(client, fields)) == 3
    assert fields.take_warnings()[0].startswith("stages of record type New can't be read")


def test_passing_trouble_is_no_reason_to_allow_all_stages(
    org: FakeOrg, client: Client, fields: Fields
) -> None:
    with_stages(org, {"Id": "R1", "Name": "New", "BusinessProcessId": "P1", "IsActive": True})
    org.answer("GET", "picklist-values", Answer("down", status=503))
    with pytest.raises(Retry):
        stages(client, fields)


def user(name: str, role: str | None = None, **values: Any) -> dict[str, Any]:
    base = {"Id": name, "Name": name.title(), "Email": None, "IsActive": True, "ManagerId": None}
    return {**base, "UserRoleId": role, "TimeZoneSidKey": "Europe/Paris", **values}


def with_people(org: FakeOrg, *users: dict[str, Any], **parents: str | None) -> None:
    org.describe("User", *USER_FIELDS, ProfileId="Profile")
    org.describe("UserRole", "Id", "ParentRoleId", "ForecastUserId")
    org.rows("FROM User ", *users)
    roles = [{"Id": k, "ParentRoleId": v, "ForecastUserId": None} for k, v in parents.items()]
    org.rows("FROM UserRole", *roles)


def managers(fields: Fields) -> dict[str, str | None]:
    return {person.crm_id: person.manager_crm_id for person in people(fields)}


def test_a_manager_is_the_named_one_else_the_only_one_in_the_role_above(
    org: FakeOrg, fields: Fields
) -> None:
    with_people(
        org,
        user("ceo", "Top"),
        user("boss", "Mid"),
        user("rep", "Low"),
        user("other", "Low", ManagerId="ceo"),
        user("roleless"),
        Top=None,
        Mid="Top",
        Low="Mid",
    )
    assert managers(fields) == {
        "ceo": None,
        "boss": "ceo",
        "rep": "boss",
        "other": "ceo",
        "roleless": None,
    }


def test_an_empty_role_is_passed_over_and_a_circle_of_roles_ends(
    org: FakeOrg, fields: Fields
) -> None:
    with_people(
        org,
        user("ceo", "Top"),
        user("rep", "Low"),
        user("lost", "A"),
        Top=None,
        Mid="Top",
        Low="Mid",
        A="B",
        B="A",
    )
    assert managers(fields) == {"ceo": None, "rep": "ceo", "lost": None}


def test_of_several_people_in_the_role_above_none_is_taken_for_the_manager(
    org: FakeOrg, fields: Fields
) -> None:
    with_people(
        org, user("a", "Mid"), user("b", "Mid"), user("ceo", "Top"), user("rep", "Low"),
        Top=None, Mid="Top", Low="Mid",
    )  # fmt: skip
    assert managers(fields)["rep"] is None


def test_the_forecast_manager_leads_a_role_of_several_and_the_inactive_lead_none(
    org: FakeOrg, fields: Fields
) -> None:
    with_people(
        org, user("a", "Mid"), user("b", "Mid"), user("gone", "Top", IsActive=False),
        user("rep", "Low"), Top=None,
    )  # fmt: skip
    roles: list[dict[str, Any]] = [
        {"Id": "Top", "ParentRoleId": None, "ForecastUserId": "gone"},
        {"Id": "Mid", "ParentRoleId": "Top", "ForecastUserId": "b"},
        {"Id": "Low", "ParentRoleId": "Mid", "ForecastUserId": None},
    ]
    org.rows("FROM UserRole", *roles)
    assert managers(fields) == {"a": None, "b": None, "gone": None, "rep": "b"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"UserType": "AutomatedProcess"}, True),
        ({"Profile": {"Name": "X", "UserLicense": {"Name": "Salesforce Integration"}}}, True),
        ({"Profile": {"Name": "Minimum Access - API Only Integrations"}}, True),
        ({"Profile": {"Name": "Sales User", "UserLicense": {"Name": "Salesforce"}}}, False),
        ({"Profile": {"Name": "Analytics Cloud Integration User"}}, True),
        ({"Profile": {"Name": "Integration Consultants"}}, False),
        ({"Profile": None}, False),
    ],
)
def test_machines_are_told_by_type_licence_or_profile(
    org: FakeOrg, fields: Fields, values: dict[str, Any], *, expected: bool
) -> None:
    with_people(org, user("u", **values))
    assert people(fields)[0].is_integration is expected


def test_without_roles_managers_come_from_the_users_alone(org: FakeOrg, fields: Fields) -> None:
    org.describe("User", *USER_FIELDS)
    org.rows("FROM User ", user("rep", "Low", ManagerId="boss"))
    assert managers(fields) == {"rep": "boss"}
    assert "roles can't be read" in fields.take_warnings()[0]


def test_the_home_currency_is_the_corporate_one(
    org: FakeOrg, client: Client, fields: Fields
) -> None:
    org.describe("Organization", "Id", "Name", "TimeZoneSidKey", "FiscalYearStartMonth")
    org.rows("FROM Organization", {"Id": "00D", "Name": "A", "TimeZoneSidKey": None})
    assert account(client, fields).home_currency is None
    fresh = Fields(client)
    org.describe("CurrencyType", "IsoCode", "IsCorporate")
    org.rows("FROM CurrencyType", {"IsoCode": "EUR", "IsCorporate": True})
    found = account(client, fresh)
    assert (found.home_currency, found.time_zone, found.fiscal_year_start_month) == (
        "EUR",
        "UTC",
        1,
    )
