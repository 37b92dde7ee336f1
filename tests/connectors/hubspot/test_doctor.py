"""What the doctor finds in the practice HubSpot, whatever the token may see."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from connectors.checks import Check
from connectors.hubspot import connect
from connectors.hubspot.connection import HubSpotConnection
from tests.connectors.hubspot.fake import FakePortal, serving
from tests.connectors.hubspot.practice import PracticePortal, practising


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticePortal]:
    with practising(tmp_path_factory.mktemp("portal"), deals=40, seed=3) as made:
        yield made


def checked(crm: HubSpotConnection) -> Mapping[tuple[str, str], Check]:
    found = crm.doctor().checks(lambda: datetime.now(UTC))
    return {(check.area, check.name): check for check in found}


def test_a_portal_that_is_set_up_and_led_is_fine(portal: PracticePortal) -> None:
    portal.connect().setup().install()
    state = portal.state()
    boss = next(iter(state["managers"].values()))
    everybody = {f"owner:{each.crm_id}": boss for each in portal.connect().reader().people()}
    found = checked(portal.connect(managers=everybody))
    assert {check.grade for check in found.values()} == {"ok"}
    assert {area for area, _ in found} == {
        *("credentials", "version", "permissions", "fields", "history", "limits", "clock"),
        "setup",
    }
    assert "a day" in found["limits", "daily"].told


def test_owners_without_a_manager_and_old_paths_are_warned_of(portal: PracticePortal) -> None:
    found = checked(portal.connect("v3"))
    assert found["version", "v3"].grade == "warning"
    assert found["permissions", "managers"].grade == "warning"
    assert "--managers" in (found["permissions", "managers"].advice or "")


def test_what_a_token_may_not_see_is_said_with_its_scope_and_cost(portal: PracticePortal) -> None:
    found = checked(portal.connect(secret={"access_token": "pat-sandbox-deals-only"}))
    meetings = found["permissions", "meetings"]
    assert "crm.objects.contacts.read" in meetings.told
    assert meetings.lost == frozenset({"activities"})
    assert found["permissions", "companies"].grade == "warning"
    assert found["fields", "deals"].grade == "ok"
    assert found["setup", "properties"].grade == "warning"


def test_one_kind_of_activity_that_is_hidden_only_thins_them(portal: PracticePortal) -> None:
    """All that is missing is told, and the rest is looked at all the same."""
    scopes = ("crm.objects.deals.read", "crm.objects.owners.read", "crm.objects.contacts.read")
    found = checked(portal.connect(secret=portal.token("pat-no-companies", *scopes)))
    assert found["permissions", "companies"].lost == frozenset()
    assert found["fields", "meetings"].grade == "ok"


def test_without_deals_it_is_broken(portal: PracticePortal) -> None:
    scopes = ("crm.objects.contacts.read", "crm.objects.owners.read")
    found = checked(portal.connect(secret=portal.token("pat-no-deals", *scopes)))
    assert found["permissions", "deals"].grade == "broken"


def test_a_token_that_has_ended_is_the_last_check(portal: PracticePortal) -> None:
    found = checked(portal.connect(secret={"access_token": "pat-gone"}))
    assert list(found) == [("credentials", "connection")]
    assert "--replace" in (found["credentials", "connection"].advice or "")


def test_a_wrong_clock_is_noticed(portal: PracticePortal) -> None:
    late = timedelta(minutes=-5)
    found = portal.connect().doctor().checks(lambda: datetime.now(UTC) + late)
    clock = next(check for check in found if check.area == "clock")
    assert clock.grade == "warning"
    assert "ahead of" in clock.told


def test_a_property_that_is_not_shown_is_named_with_what_it_costs() -> None:
    with serving(FakePortal()) as fake:
        assert isinstance(fake, FakePortal)
        fake.answer("GET", "/owners", {"results": []})
        fake.answer("GET", "/objects/", {"results": []})
        fake.answer("GET", "/properties/", {"results": []})
        shown = dict.fromkeys(("dealname", "pipeline", "dealstage", "hs_lastmodifieddate"), "x")
        fake.answer(
            "GET", "/objects/2026-09/deals", {"results": [{"id": "1", "properties": shown}]}
        )
        found = checked(connect({"base_url": fake.base_url}, {"access_token": "pat"}))
    assert found["fields", "deals.hs_next_step"].lost == frozenset({"next_step"})
    assert found["fields", "deals.amount"].grade == "warning"
