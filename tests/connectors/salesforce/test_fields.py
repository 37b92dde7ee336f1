import pytest

from connectors.errors import Fatal, Skip
from connectors.salesforce.client import Client
from connectors.salesforce.fields import Fields, Shape
from tests.connectors.salesforce.fake import Answer, FakeOrg

SHAPE = Shape(sobject="Deal", needed=("Id",), optional=("Amount", "Owner.Name"), silent=("Exotic",))


def invalid(column: str, entity: str = "Deal") -> Answer:
    words = f"SELECT\n^ERROR\nNo such column '{column}' on entity '{entity}'. If you are ..."
    return Answer([{"message": words, "errorCode": "INVALID_FIELD"}], status=400)


def empty() -> Answer:
    return Answer({"totalSize": 0, "done": True, "records": []})


def queries(org: FakeOrg) -> list[str]:
    return [request.path.partition("?q=")[2] for request in org.sent("GET", r"/query/")]


@pytest.fixture
def fields(client: Client) -> Fields:
    return Fields(client)


def test_what_the_describe_lacks_is_left_out_and_said_once(org: FakeOrg, fields: Fields) -> None:
    org.describe("Deal", "Id", OwnerId="Owner")
    org.answer("GET", "/query/", empty())
    list(fields.query(SHAPE))
    list(fields.query(SHAPE, "LIMIT 1"))
    assert queries(org) == [
        "SELECT Id, Owner.Name FROM Deal",
        "SELECT Id, Owner.Name FROM Deal LIMIT 1",
    ]
    assert fields.take_warnings() == ["Deal.Amount can't be read; left out"]
    assert fields.take_warnings() == []
    assert len(org.sent("GET", "/describe")) == 1


def test_a_field_hidden_from_the_query_alone_is_dropped_and_the_query_goes_on(
    org: FakeOrg, fields: Fields
) -> None:
    org.describe("Deal", "Id", "Amount", "Exotic", OwnerId="Owner")
    org.answer("GET", "/query/", invalid("Amount"), invalid("Name", "User"), empty())
    list(fields.query(SHAPE))
    assert queries(org)[-1] == "SELECT Id, Exotic FROM Deal"
    assert sorted(fields.take_warnings()) == [
        "Deal.Amount can't be read; left out",
        "Deal.Owner.Name can't be read; left out",
    ]


def test_a_column_of_another_entity_is_never_taken_for_our_own_of_that_name(
    org: FakeOrg, fields: Fields
) -> None:
    person = Shape(sobject="User", needed=("Name",), silent=("Profile.Name", "Role.Name"))
    org.describe("User", "Name", ProfileId="Profile", RoleId="Role")
    org.answer("GET", "/query/", invalid("Name", "Profile"), empty())
    list(fields.query(person))
    assert queries(org)[-1] == "SELECT Name FROM User"


def test_a_relationship_that_is_not_understood_costs_what_goes_through_it(
    org: FakeOrg, fields: Fields
) -> None:
    person = Shape(sobject="User", needed=("Name",), silent=("Profile.Licence.Name", "Role.Name"))
    org.describe("User", "Name", ProfileId="Profile", RoleId="Role")
    words = "Didn't understand relationship 'Licence' in field path. If you are ..."
    refusal = Answer([{"message": words, "errorCode": "INVALID_FIELD"}], status=400)
    org.answer("GET", "/query/", refusal, empty())
    list(fields.query(person))
    assert queries(org)[-1] == "SELECT Name, Role.Name FROM User"


def test_a_needed_field_that_is_hidden_stops_with_a_word_on_permissions(
    org: FakeOrg, fields: Fields
) -> None:
    org.describe("Deal", "Amount")
    with pytest.raises(Fatal, match=r"Deal\.Id.*permission set"):
        list(fields.query(SHAPE))


def test_an_unknown_column_that_we_did_not_ask_for_does_not_loop(
    org: FakeOrg, fields: Fields
) -> None:
    org.describe("Deal", "Id")
    org.answer("GET", "/query/", invalid("SystemModstamp"))
    with pytest.raises(Fatal, match="SystemModstamp"):
        list(fields.query(SHAPE))


def test_an_object_that_the_user_cannot_see_is_skipped(org: FakeOrg, fields: Fields) -> None:
    with pytest.raises(Skip, match="no Deal"):
        list(fields.query(SHAPE))
    assert fields.describe("Deal") is None
    assert len(org.sent("GET", "/describe")) == 1
