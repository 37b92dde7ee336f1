"""Metadata deploys: by REST, and by simple-salesforce's own SOAP client."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceMalformedRequest

from tests.sandbox.fixtures import TIMEOUT_S, Sandbox, errors_of

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
SPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
PACKAGE = f"{HEAD}<Package {SPACE}><version>66.0</version></Package>"
NOTE = f"""{HEAD}<CustomObject {SPACE}>
<enableActivities>true</enableActivities>
<fields><fullName>Key__c</fullName><label>Key</label><type>Text</type><length>20</length>
  <externalId>true</externalId><unique>true</unique></fields>
<fields><fullName>Deal__c</fullName><label>Deal</label><type>Lookup</type>
  <referenceTo>Opportunity</referenceTo><relationshipName>Notes</relationshipName></fields>
<fields><fullName>Text__c</fullName><label>Text</label><type>LongTextArea</type>
  <length>32768</length></fields>
<fields><fullName>Rank__c</fullName><label>Rank</label><type>Number</type>
  <precision>3</precision><scale>0</scale></fields>
<fields><fullName>Kind__c</fullName><label>Kind</label><type>Text</type><length>10</length>
  <required>true</required></fields>
<label>Note</label><pluralLabel>Notes</pluralLabel>
<nameField><label>Note</label><type>Text</type></nameField>
<sharingModel>Private</sharingModel></CustomObject>"""
ACTIVITY = f"""{HEAD}<CustomObject {SPACE}>
<fields><fullName>Note_Key__c</fullName><label>Note Key</label><type>Text</type>
  <length>40</length><externalId>true</externalId><unique>true</unique></fields></CustomObject>"""
FIELDS = ("Note__c.Key__c", "Note__c.Deal__c", "Note__c.Text__c", "Note__c.Rank__c")


def permission_set(*fields: str) -> str:
    grants = "".join(
        f"<fieldPermissions><editable>true</editable><field>{field}</field>"
        "<readable>true</readable></fieldPermissions>"
        for field in fields
    )
    return f"{HEAD}<PermissionSet {SPACE}>{grants}<label>Notes</label></PermissionSet>"


PARTS = {
    "package.xml": PACKAGE,
    "objects/Note__c.object": NOTE,
    "objects/Activity.object": ACTIVITY,
    "permissionsets/Notes.permissionset": permission_set(*FIELDS, "Task.Note_Key__c"),
}


def zipped(parts: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def deploy(sandbox: Sandbox, client: Any, parts: Mapping[str, str]) -> dict[str, Any]:
    url = f"{sandbox.base_url}/services/data/v66.0/metadata/deployRequest"
    headers = {"Authorization": client.headers["Authorization"]}
    body = json.dumps({"deployOptions": {"singlePackage": True}})
    files: dict[str, Any] = {
        "json": (None, body, "application/json"),
        "file": ("deploy.zip", zipped(parts), "application/zip"),
    }
    started = requests.post(url, files=files, headers=headers, timeout=TIMEOUT_S)
    assert started.status_code == 201
    status = requests.get(
        f"{url}/{started.json()['id']}?includeDetails=true", headers=headers, timeout=TIMEOUT_S
    )
    result: dict[str, Any] = status.json()["deployResult"]
    return result


def grant(client: Any, name: str = "Notes") -> None:
    found = client.query(f"SELECT Id FROM PermissionSet WHERE Name = '{name}'")["records"][0]["Id"]
    user = client.oauth2("userinfo")["user_id"]
    client.PermissionSetAssignment.create({"PermissionSetId": found, "AssigneeId": user})


def fields_of(client: Any, name: str) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in getattr(client, name).describe()["fields"]}


def test_a_field_is_invisible_until_its_permission_set_is_assigned(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    result = deploy(fresh_sandbox, client, PARTS)
    assert (result["status"], result["numberComponentErrors"]) == ("Succeeded", 0)
    assert "Key__c" not in fields_of(client, "Note__c")
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Note_Key__c'"):
        client.query("SELECT Note_Key__c FROM Task")
    grant(client)
    key = fields_of(client, "Note__c")["Key__c"]
    assert (key["externalId"], key["unique"], key["custom"], key["length"]) == (
        True,
        True,
        True,
        20,
    )
    assert "Note_Key__c" in fields_of(client, "Task")
    assert "Note_Key__c" not in fields_of(client, "Event")
    text = fields_of(client, "Note__c")["Text__c"]
    assert (text["type"], text["filterable"]) == ("textarea", False)


def test_a_required_field_needs_no_grant(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    deploy(fresh_sandbox, client, PARTS)
    assert fields_of(client, "Note__c")["Kind__c"]["nillable"] is False


def test_records_of_a_deployed_object_are_upserted_and_hang_on_deals(
    fresh_sandbox: Sandbox,
) -> None:
    client = fresh_sandbox.client()
    deploy(fresh_sandbox, client, PARTS)
    grant(client)
    deal = client.query("SELECT Id FROM Opportunity LIMIT 1")["records"][0]["Id"]
    kind = {"attributes": {"type": "Note__c"}, "Kind__c": "x", "Deal__c": deal}
    path = "composite/sobjects/Note__c/Key__c"

    def upsert(*keys: str, **values: Any) -> list[dict[str, Any]]:
        records = [{**kind, "Key__c": key, **values} for key in keys]
        body = {"allOrNone": False, "records": records}
        found: list[dict[str, Any]] = client.restful(path, method="PATCH", json=body)
        return found

    first = upsert("a", "b", Text__c="one")
    again = upsert("b", "c", Text__c="two")
    assert [each["created"] for each in first + again] == [True, True, False, True]
    assert again[0]["id"] == first[1]["id"]
    notes = client.query(
        "SELECT Key__c, Text__c, Deal__r.Name, Owner.Name, Name FROM Note__c ORDER BY Key__c"
    )["records"]
    assert [(note["Key__c"], note["Text__c"]) for note in notes] == [
        ("a", "one"),
        ("b", "two"),
        ("c", "two"),
    ]
    assert notes[0]["Deal__r"]["Name"]
    nested = client.query(
        f"SELECT Id, (SELECT Id FROM Notes__r) FROM Opportunity WHERE Id = '{deal}'"
    )
    assert nested["records"][0]["Notes__r"]["totalSize"] == 3
    task = client.Task.upsert("Note_Key__c/k1", {"Subject": "x", "WhatId": first[0]["id"]})
    assert task == 201
    assert client.Task.upsert("Note_Key__c/k1", {"Subject": "y"}) in (200, 204)
    tasks = client.query("SELECT Subject, What.Type FROM Task WHERE Note_Key__c = 'k1'")["records"]
    assert [(each["Subject"], each["What"]["Type"]) for each in tasks] == [("y", "Note__c")]


def test_a_unique_value_is_kept_unique_but_free_again_after_deletion(
    fresh_sandbox: Sandbox,
) -> None:
    client = fresh_sandbox.client()
    deploy(fresh_sandbox, client, PARTS)
    grant(client)
    first = client.Note__c.create({"Kind__c": "x", "Key__c": "same"})["id"]
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.Note__c.create({"Kind__c": "x", "Key__c": "same"})
    assert errors_of(refused)[0]["errorCode"] == "DUPLICATE_VALUE"
    client.Note__c.delete(first)
    assert client.Note__c.create({"Kind__c": "x", "Key__c": "same"})["id"] != first


def test_a_second_deploy_of_the_same_changes_nothing(fresh_sandbox: Sandbox) -> None:
    client = fresh_sandbox.client()
    first = deploy(fresh_sandbox, client, PARTS)["details"]["componentSuccesses"]
    second = deploy(fresh_sandbox, client, PARTS)["details"]["componentSuccesses"]
    assert {part["created"] for part in first} == {True}
    assert {(part["created"], part["changed"]) for part in second} == {(False, False)}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"objects/Note__c.object": NOTE}, "No package.xml found"),
        ({**PARTS, "objects/Note__c.object": "<open>"}, "Error parsing file"),
        (
            {**PARTS, "permissionsets/Notes.permissionset": permission_set("Note__c.Nothing__c")},
            "no CustomField named Note__c.Nothing__c found",
        ),
        (
            {"package.xml": PACKAGE, "objects/Whizbang__c.object": ACTIVITY},
            "Must specify a non-empty label",
        ),
    ],
)
def test_a_refused_package_changes_nothing_and_says_why(
    fresh_sandbox: Sandbox, parts: dict[str, str], words: str
) -> None:
    client = fresh_sandbox.client()
    result = deploy(fresh_sandbox, client, parts)
    assert (result["status"], result["success"], result["done"]) == ("Failed", False, True)
    assert words in result["details"]["componentFailures"][0]["problem"]
    listed = {each["name"] for each in client.describe()["sobjects"]}
    assert not {"Note__c", "Whizbang__c"} & listed


def test_simple_salesforce_deploys_by_soap(fresh_sandbox: Sandbox, tmp_path: Path) -> None:
    client = fresh_sandbox.client()
    path = tmp_path / "deploy.zip"
    path.write_bytes(zipped(PARTS))
    started = client.deploy(str(path), sandbox=True, allowMissingFiles="false")
    status = client.checkDeployStatus(started["asyncId"])
    assert status["state"] == "Succeeded"
    assert status["deployment_detail"]["failed_count"] == "0"
    grant(client)
    assert "Key__c" in fields_of(client, "Note__c")


def test_source_format_is_understood_too(fresh_sandbox: Sandbox) -> None:
    field = (
        f"{HEAD}<CustomField {SPACE}><fullName>Steps__c</fullName><label>Steps</label>"
        "<type>Number</type><precision>4</precision><scale>0</scale></CustomField>"
    )
    folder = "force-app/main/default"
    parts = {
        "package.xml": PACKAGE,
        f"{folder}/objects/Opportunity/fields/Steps__c.field-meta.xml": field,
        f"{folder}/permissionsets/Steps.permissionset-meta.xml": permission_set(
            "Opportunity.Steps__c"
        ),
    }
    client = fresh_sandbox.client()
    assert deploy(fresh_sandbox, client, parts)["status"] == "Succeeded"
    grant(client, "Steps")
    deal = client.query("SELECT Id, Steps__c FROM Opportunity LIMIT 1")["records"][0]
    assert deal["Steps__c"] is None
    client.Opportunity.update(deal["Id"], {"Steps__c": 7})
    assert client.query("SELECT Id FROM Opportunity WHERE Steps__c = 7")["totalSize"] == 1
