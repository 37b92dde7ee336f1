"""Whatever a client sends, the sandbox answers as HubSpot would, never by a mistake of its own."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.fixtures import running_sandbox
from tests.sandbox.hubspot.conftest import caller

ADDRESSES = [
    ("POST", "/crm/v3/objects/deals"),
    ("PATCH", "/crm/v3/objects/deals/31000000001"),
    ("POST", "/crm/objects/2026-09/tasks/batch/create"),
    ("POST", "/crm/objects/2026-09/deals/batch/read"),
    ("POST", "/crm/v3/objects/deals/batch/update"),
    ("POST", "/crm/v3/objects/contacts/batch/upsert"),
    ("POST", "/crm/v3/objects/deals/search"),
    ("POST", "/crm/v3/objects/deals/merge"),
    ("POST", "/crm/v4/associations/deals/contacts/batch/read"),
    ("POST", "/crm/v4/associations/deals/contacts/batch/create"),
    ("POST", "/crm/v4/associations/deals/contacts/batch/associate/default"),
    ("POST", "/crm/v4/associations/deals/contacts/batch/archive"),
    ("PUT", "/crm/v4/objects/deals/31000000001/associations/contacts/71000000001"),
    ("POST", "/crm/v3/properties/deals"),
    ("POST", "/crm/v3/properties/deals/groups"),
    ("POST", "/crm/v3/pipelines/deals"),
    ("POST", "/crm/v3/pipelines/deals/default/stages"),
]
NAMES = [
    "properties", "associations", "inputs", "id", "to", "from", "types", "associationTypeId",
    "filterGroups", "filters", "propertyName", "operator", "value", "values", "sorts", "limit",
    "after", "query", "options", "label", "name", "metadata", "probability", "stages", "amount",
    "closedate", "idProperty", "hs_timestamp", "primaryObjectId", "objectIdToMerge",
]  # fmt: skip
WORDS = [
    "EQ",
    "IN",
    "BETWEEN",
    "amount",
    "email",
    "closedate",
    "associations.contact",
    "31000000001",
]
SCALARS = st.none() | st.booleans() | st.integers(-5, 10**12) | st.sampled_from([*WORDS, "", "é"])
NONSENSE = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(NAMES), NONSENSE, max_size=5), max_size=3)
BODIES = (
    NONSENSE
    | ROWS
    | ROWS.map(lambda rows: {"inputs": rows})
    | ROWS.map(lambda rows: {"filterGroups": [{"filters": rows}]})
    | st.dictionaries(st.sampled_from(NAMES), NONSENSE, max_size=4)
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A portal of these tests alone: nonsense that is served stays in it."""
    folder = tmp_path_factory.mktemp("crm")
    with running_sandbox(folder, crm="hubspot", deals=30) as sandbox, caller(sandbox) as http:
        yield http


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@settings(max_examples=40, deadline=None)
@given(told=BODIES)
def test_nonsense_is_refused_or_served(
    portal: httpx.Client, method: str, path: str, told: Any
) -> None:
    reply = portal.request(method, path, content=json.dumps(told))
    assert reply.status_code in (200, 201, 204, 207, 400, 404, 409), reply.text


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=0", "after=x", "properties=,,", "archived=maybe", "idProperty=amount"],
)
@pytest.mark.parametrize(
    "path", ["objects/deals", "objects/deals/31000000001", "owners/", "properties/deals"]
)
def test_odd_parameters_are_refused_or_served(portal: httpx.Client, path: str, query: str) -> None:
    assert portal.get(f"/crm/v3/{path}?{query}").status_code in (200, 400, 404)
