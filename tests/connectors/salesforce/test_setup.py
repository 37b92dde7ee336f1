import io
import zipfile
from xml.etree import ElementTree as ET

import pytest

from connectors.errors import Fatal, Retry
from connectors.salesforce import connect
from connectors.salesforce.client import Client
from connectors.salesforce.outgoing import FLAG_COLUMNS
from connectors.salesforce.setup import SalesforceSetup, package_zip
from tests.connectors.salesforce.fake import FakeOrg

NS = "{http://soap.sforce.com/2006/04/metadata}"
DEPLOY = "/metadata/deployRequest"


def contents() -> dict[str, ET.Element]:
    with zipfile.ZipFile(io.BytesIO(package_zip())) as archive:
        return {name: ET.fromstring(archive.read(name)) for name in archive.namelist()}  # noqa: S314


def fields_of(root: ET.Element) -> dict[str, dict[str, str]]:
    return {
        found.findtext(f"{NS}fullName", ""): {
            child.tag.removeprefix(NS): child.text or "" for child in found
        }
        for found in root.iter(f"{NS}fields")
    }


def test_the_package_lists_exactly_what_it_holds() -> None:
    files = contents()
    members = {
        (kind.findtext(f"{NS}name"), member.text)
        for kind in files["package.xml"].iter(f"{NS}types")
        for member in kind.iter(f"{NS}members")
    }
    assert members == {
        ("CustomField", "Activity.Forestage_Key__c"),
        ("CustomObject", "Forestage_Flag__c"),
        ("CustomTab", "Forestage_Flag__c"),
        ("Layout", "Forestage_Flag__c-Forestage Flag Layout"),
        ("PermissionSet", "Forestage_Integration"),
        ("PermissionSet", "Forestage_Manager"),
    }
    assert set(files) == {
        "package.xml",
        "objects/Activity.object",
        "objects/Forestage_Flag__c.object",
        "tabs/Forestage_Flag__c.tab",
        "layouts/Forestage_Flag__c-Forestage Flag Layout.layout",
        "permissionsets/Forestage_Integration.permissionset",
        "permissionsets/Forestage_Manager.permissionset",
    }


def test_the_package_is_the_same_bytes_every_time() -> None:
    assert package_zip() == package_zip()


def test_every_column_that_is_written_is_a_field_of_the_package() -> None:
    made = fields_of(contents()["objects/Forestage_Flag__c.object"])
    custom = {column.api for column in FLAG_COLUMNS if column.api.endswith("__c")}
    assert set(made) - {"Key__c", "Disposition__c", "Snooze_Until__c"} == custom
    assert made["Reason__c"]["length"] == "255"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("objects/Forestage_Flag__c.object", "Key__c"),
        ("objects/Activity.object", "Forestage_Key__c"),
    ],
)
def test_keys_are_unique_external_ids(file: str, name: str) -> None:
    field = fields_of(contents()[file])[name]
    assert (field["externalId"], field["unique"], field["caseSensitive"]) == ("true",) * 3
    assert field["required"] == "false", "a required field can't be granted by a permission set"


def test_flags_are_private_and_take_activities() -> None:
    root = contents()["objects/Forestage_Flag__c.object"]
    assert root.findtext(f"{NS}sharingModel") == "Private"
    assert root.findtext(f"{NS}enableActivities") == "true"


def test_the_integration_user_sees_each_of_our_fields_and_edits_no_opportunity() -> None:
    files = contents()
    root = files["permissionsets/Forestage_Integration.permissionset"]
    granted = {
        entry.findtext(f"{NS}field"): entry.findtext(f"{NS}editable")
        for entry in root.iter(f"{NS}fieldPermissions")
    }
    ours = fields_of(files["objects/Forestage_Flag__c.object"])
    for name in ours:
        assert granted[f"Forestage_Flag__c.{name}"] == "true"
    assert granted["Task.Forestage_Key__c"] == "true"
    assert {v for k, v in granted.items() if k and k.startswith("Opportunity.")} == {"false"}
    for entry in root.iter(f"{NS}objectPermissions"):
        is_ours = entry.findtext(f"{NS}object") == "Forestage_Flag__c"
        assert entry.findtext(f"{NS}allowEdit") == str(is_ours).lower()


def test_managers_answer_flags_but_change_nothing_else() -> None:
    root = contents()["permissionsets/Forestage_Manager.permissionset"]
    editable = {
        entry.findtext(f"{NS}field")
        for entry in root.iter(f"{NS}fieldPermissions")
        if entry.findtext(f"{NS}editable") == "true"
    }
    assert editable == {"Forestage_Flag__c.Disposition__c", "Forestage_Flag__c.Snooze_Until__c"}


def granted(org: FakeOrg) -> None:
    for sobject in ("PermissionSet", "PermissionSetAssignment"):
        org.describe(sobject, "Id", "Name")
        org.rows(f"FROM {sobject} ", {"Id": f"id-{sobject}", "Name": "x"})
    org.answer("GET", "/oauth2/userinfo", {"user_id": "005A"})


def test_a_deployment_is_waited_for_and_its_changes_are_told(org: FakeOrg, client: Client) -> None:
    granted(org)
    org.answer("POST", DEPLOY, {"id": "0Af1", "deployResult": {"status": "Pending"}})
    parts = [
        {"componentType": "", "fullName": "package.xml", "changed": True},
        {"componentType": "CustomObject", "fullName": "Forestage_Flag__c", "created": True},
        {"componentType": "CustomTab", "fullName": "Forestage_Flag__c", "changed": False},
    ]
    done = {"done": True, "success": True, "details": {"componentSuccesses": parts}}
    org.answer("GET", f"{DEPLOY}/0Af1", {"deployResult": {"done": False}}, {"deployResult": done})
    naps: list[float] = []
    installed = SalesforceSetup(client, pause=naps.append).install()
    assert installed == ["CustomObject Forestage_Flag__c"]
    assert naps == [2.0]
    (sent,) = org.sent("POST", DEPLOY)
    assert sent.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'"rollbackOnError":true' in sent.body
    assert package_zip() in sent.body


def test_a_refused_package_says_which_part_and_why(org: FakeOrg, client: Client) -> None:
    org.answer("POST", DEPLOY, {"id": "0Af1"})
    failure = {"fullName": "Forestage_Flag__c.Key__c", "problem": "Too many external ids"}
    result = {"done": True, "success": False, "details": {"componentFailures": failure}}
    org.answer("GET", f"{DEPLOY}/0Af1", {"deployResult": result})
    with pytest.raises(Fatal, match="Key__c: Too many external ids"):
        SalesforceSetup(client, pause=lambda _: None).install()


def test_a_deployment_without_end_is_left_to_a_later_try(org: FakeOrg, client: Client) -> None:
    org.answer("POST", DEPLOY, {"id": "0Af1"})
    org.answer("GET", f"{DEPLOY}/0Af1", {"deployResult": {"done": False}})
    with pytest.raises(Retry, match="0Af1"):
        SalesforceSetup(client, pause=lambda _: None).install()


def test_what_is_missing_is_named_one_by_one(org: FakeOrg, client: Client) -> None:
    org.describe("Task", "Id")
    names = ["Id", "Key__c", "OwnerId", "Name", "Snooze_Until__c", "Disposition__c"]
    kept = [column.api for column in FLAG_COLUMNS if column.api != "Reason__c"]
    org.describe("Forestage_Flag__c", *names, *kept)
    assert SalesforceSetup(client).missing() == [
        "field Forestage_Flag__c.Reason__c",
        "field Task.Forestage_Key__c",
    ]


def test_before_the_installation_all_is_missing(org: FakeOrg, client: Client) -> None:
    org.describe("Task", "Id")
    assert SalesforceSetup(client).missing() == [
        "object Forestage_Flag__c",
        "field Task.Forestage_Key__c",
    ]


def test_an_admin_installs_for_the_user_that_forestage_runs_as(org: FakeOrg) -> None:
    granted(org)
    org.rows("FROM PermissionSetAssignment ")
    org.answer("POST", DEPLOY, {"id": "0Af1"})
    org.answer("GET", f"{DEPLOY}/0Af1", {"deployResult": {"done": True, "success": True}})
    org.answer("POST", "/sobjects/PermissionSetAssignment", {"id": "0Pa1", "success": True})
    secret = {"consumer_key": "k", "consumer_secret": "s", "access_token": "admins"}
    installed = connect({"base_url": org.base_url}, secret).setup().install()
    assert installed == ["PermissionSetAssignment Forestage_Integration"]
    (sent,) = org.sent("POST", "/sobjects/PermissionSetAssignment")
    assert sent.body == b'{"AssigneeId":"005A","PermissionSetId":"id-PermissionSet"}'
    assert sent.headers["Authorization"] == "Bearer admins"
    assert org.sent("POST", DEPLOY)[0].headers["Authorization"] == "Bearer admins"
    (asked,) = org.sent("GET", "/oauth2/userinfo")
    assert asked.headers["Authorization"] == "Bearer token-1"
