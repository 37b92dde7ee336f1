import json
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.sandbox.fixtures import TIMEOUT_S, Sandbox

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "salesforce_describe"
# Real organisations say so of this one date alone.
QUIRKS = {("ActivityDate", "aggregatable")}
COMPARED = (
    "type",
    "label",
    "length",
    "byteLength",
    "precision",
    "scale",
    "nillable",
    "createable",
    "updateable",
    "filterable",
    "sortable",
    "groupable",
    "aggregatable",
    "relationshipName",
    "compoundFieldName",
    "externalId",
    "unique",
    "calculated",
    "nameField",
    "soapType",
    "custom",
    "defaultedOnCreate",
)


def recorded(name: str) -> dict[str, Any]:
    path = RECORDED / f"GET_sobjects_{name}_describe.yaml"
    if not path.exists():
        pytest.skip("the recorded describes are not here")
    cassette = yaml.safe_load(path.read_text("utf-8"))
    body: dict[str, Any] = json.loads(cassette["response"]["body"]["string"])
    return body


def fields_of(describe: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in describe["fields"]}


@pytest.mark.parametrize("name", ["Opportunity", "Event", "OpportunityContactRole"])
def test_fields_are_as_a_real_organisation_describes_them(client: Any, name: str) -> None:
    ours, theirs = fields_of(getattr(client, name).describe()), fields_of(recorded(name))
    common = ours.keys() & theirs.keys()
    assert len(common) > 10
    different = {
        (field, key): (ours[field][key], theirs[field][key])
        for field in common
        for key in COMPARED
        if ours[field][key] != theirs[field][key] and (field, key) not in QUIRKS
    }
    assert different == {}


def test_a_describe_has_every_key_that_a_real_one_has(client: Any) -> None:
    ours, theirs = client.Opportunity.describe(), recorded("Opportunity")
    keys = set(theirs["fields"][0])
    assert all(keys <= set(field) for field in ours["fields"])


def test_children_and_parents_are_named(client: Any) -> None:
    describe = client.Opportunity.describe()
    children = {
        each["relationshipName"]: each["childSObject"] for each in describe["childRelationships"]
    }
    assert children["OpportunityHistories"] == "OpportunityHistory"
    assert children["OpportunityContactRoles"] == "OpportunityContactRole"
    assert children["Tasks"] == "Task"
    owner = fields_of(describe)["OwnerId"]
    assert (owner["relationshipName"], owner["referenceTo"]) == ("Owner", ["User"])


def test_stages_are_the_organisations_own_and_differ_by_record_type(client: Any) -> None:
    describe = client.Opportunity.describe()
    everything = {each["value"] for each in fields_of(describe)["StageName"]["picklistValues"]}
    by_type = {}
    for info in describe["recordTypeInfos"]:
        path = f"ui-api/object-info/Opportunity/picklist-values/{info['recordTypeId']}/StageName"
        by_type[info["name"]] = {each["value"] for each in client.restful(path)["values"]}
    assert by_type["Master"] == everything
    own = [stages for name, stages in by_type.items() if name != "Master"]
    assert len(own) == 2
    assert own[0] != own[1]
    assert all(stages < everything or stages == everything for stages in own)


def test_the_global_describe_lists_what_can_be_queried(client: Any) -> None:
    listed = {each["name"]: each for each in client.describe()["sobjects"]}
    assert listed["Opportunity"]["keyPrefix"] == "006"
    assert listed["Opportunity"]["labelPlural"] == "Opportunities"
    assert {"User", "Task", "Event", "EmailMessage", "OpportunityHistory"} <= listed.keys()


def test_any_version_is_served_and_listed(salesforce_sandbox: Sandbox) -> None:
    listed = requests.get(f"{salesforce_sandbox.base_url}/services/data", timeout=TIMEOUT_S).json()
    assert listed[-1] == {
        "label": "Winter '27",
        "url": "/services/data/v68.0",
        "version": "68.0",
    }
    labels = {each["version"]: each["label"] for each in listed}
    assert labels["67.0"] == "Summer '26"
    assert labels["59.0"] == "Winter '24"
    for version in ("52.0", "59.0", "66.0"):
        client = salesforce_sandbox.client(version=version)
        url = client.Opportunity.describe()["urls"]["describe"]
        assert url == f"/services/data/v{version}/sobjects/Opportunity/describe"


def test_an_unknown_object_is_not_found(client: Any, salesforce_sandbox: Sandbox) -> None:
    reply = client.session.get(
        f"{client.base_url}sobjects/Whizbang/describe", headers=client.headers, timeout=TIMEOUT_S
    )
    assert reply.status_code == 404
    assert reply.json() == [
        {"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}
    ]
    assert salesforce_sandbox.state()["counts"]["Opportunity"] > 0
