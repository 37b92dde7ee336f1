"""The doctor against the practice Salesforce, over real HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Doctor
from connectors.checks import Check
from connectors.errors import Retry
from connectors.salesforce import connect
from connectors.salesforce.fields import Fields
from connectors.salesforce.wanted import WANTED
from tests.connectors.salesforce.practice import CREDENTIALS, PracticeOrg, practising


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOrg]:
    with practising(tmp_path_factory.mktemp("org"), deals=150, seed=7, tracked_days=900) as made:
        yield made


@pytest.fixture(autouse=True)
def shown_again(org: PracticeOrg) -> Iterator[None]:
    yield
    org.hide()
    org.limit()


def now() -> datetime:
    return datetime.now(UTC)


def examined(org: PracticeOrg, *, at: timedelta = timedelta(0), **config: str) -> list[Check]:
    doctor: Doctor = connect({"base_url": org.base_url, **config}, CREDENTIALS).doctor()
    return list(doctor.checks(lambda: now() + at))


def named(checks: list[Check], name: str) -> Check:
    found = [check for check in checks if check.name == name]
    assert len(found) == 1, [check.name for check in checks]
    return found[0]


def troubles(checks: list[Check]) -> set[str]:
    return {check.name for check in checks if check.grade != "ok"}


def test_an_org_before_set_up_lacks_the_package_and_view_all_and_nothing_else(
    org: PracticeOrg,
) -> None:
    checks = examined(org)
    assert troubles(checks) == {"View All", "package"}
    assert not any(check.lost or check.thinned for check in checks)
    assert len({(check.area, check.name) for check in checks}) == len(checks)
    assert all(check.told.endswith(".") for check in checks)


def test_every_check_that_is_not_fine_says_what_to_do(org: PracticeOrg) -> None:
    org.hide("OpportunityHistory", "Opportunity.NextStep", "Task.WhoId", "PermissionSet")
    org.limit(daily_calls=100_000, others=85_000)
    checks = examined(org, at=timedelta(minutes=5))
    assert troubles(checks) >= {"OpportunityHistory", "Opportunity.NextStep", "Task.WhoId"}
    assert all(check.advice for check in checks if check.grade != "ok")


def test_each_wanted_field_that_is_hidden_is_named_with_what_rules_lose(org: PracticeOrg) -> None:
    fields = Fields(org.connect().reader()._client)
    for wanted in WANTED:
        names = [name for name in wanted.fields if fields.has(wanted.shape.sobject, name)]
        hideable = [f"{wanted.shape.sobject}.{name}" for name in names]
        if not hideable:
            continue
        org.hide(*hideable)
        checks = examined(org)
        for name, path in zip(names, hideable, strict=True):
            check = named(checks, path)
            cost = wanted.fields[name]
            assert (check.grade, check.lost, check.thinned) == ("warning", cost.lost, cost.thinned)


def test_a_field_behind_a_relationship_is_looked_for_where_it_is(org: PracticeOrg) -> None:
    org.hide("Contact.Title")
    assert named(examined(org), "OpportunityContactRole.Contact.Title").grade == "warning"


def test_without_any_object_of_activities_they_are_lost_not_thinned(org: PracticeOrg) -> None:
    org.hide("Task", "Event")
    assert named(examined(org), "Task").lost == frozenset()
    org.hide("Task", "Event", "EmailMessage")
    assert named(examined(org), "Task").lost == {"activities"}


def test_field_history_that_is_hidden_thins_what_only_it_tells(org: PracticeOrg) -> None:
    assert named(examined(org), "OpportunityFieldHistory").grade == "ok"
    org.hide("OpportunityFieldHistory")
    check = named(examined(org), "OpportunityFieldHistory")
    assert (check.area, check.grade) == ("history", "warning")
    assert check.thinned == {"owner", "next_step"}
    assert "Set History Tracking" in (check.advice or "")


def test_a_needed_field_that_is_hidden_is_broken(org: PracticeOrg) -> None:
    org.hide("Task.IsClosed")
    check = named(examined(org), "Task.IsClosed")
    assert check.grade == "broken"


def test_a_user_who_may_change_every_deal_is_told_to_need_less(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with practising(tmp_path_factory.mktemp("own"), deals=20, seed=1) as own:
        client = own.connect().reader()._client
        own.connect().setup().install()
        assert troubles(examined(own)) == {"OpportunityFieldHistory"}
        where = "WHERE SobjectType = 'Opportunity'"
        for row in client.rows(f"SELECT Id FROM ObjectPermissions {where}"):
            mighty = {"PermissionsModifyAllRecords": True}
            client.send("PATCH", f"sobjects/ObjectPermissions/{row['Id']}", mighty)
        checks = examined(own)
    assert named(checks, "View All").grade == "ok"
    assert named(checks, "Modify All").grade == "warning"


def test_a_user_who_may_not_see_permissions_is_told_that_nobody_knows(org: PracticeOrg) -> None:
    org.hide("PermissionSetAssignment")
    check = named(examined(org), "View All")
    assert check.grade == "warning"
    assert "nobody knows" in check.told


def test_refused_credentials_are_the_only_check(org: PracticeOrg) -> None:
    secret = {**CREDENTIALS, "consumer_secret": "wrong"}
    (check,) = connect({"base_url": org.base_url}, secret).doctor().checks(now)
    assert (check.area, check.grade) == ("credentials", "broken")
    assert "--replace" in (check.advice or "")


@pytest.mark.parametrize("version", ["99.0", "30.0"])
def test_a_version_that_is_not_offered_is_broken_and_ends_the_examination(
    org: PracticeOrg, version: str
) -> None:
    checks = examined(org, api_version=version)
    check = named(checks, f"v{version}")
    assert check is checks[-1]
    assert (check.area, check.grade) == ("version", "broken")
    assert "v68.0" in check.told


@pytest.mark.parametrize(
    ("ours", "word"), [(timedelta(minutes=-5), "ahead"), (timedelta(minutes=5), "behind")]
)
def test_a_clock_that_is_off_is_told_with_its_side(
    org: PracticeOrg, ours: timedelta, word: str
) -> None:
    check = named(examined(org, at=ours), "Date")
    assert check.grade == "warning"
    assert word in check.told


def test_a_day_that_is_nearly_used_up_is_a_warning(org: PracticeOrg) -> None:
    org.limit(daily_calls=10_000, others=9_200)
    check = named(examined(org, call_share="0.5"), "DailyApiRequests")
    assert check.grade == "warning"
    assert "may make 5,000 (call_share 0.5)" in check.told


def test_reading_stops_at_the_share_and_goes_on_from_its_cursor(org: PracticeOrg) -> None:
    org.limit(daily_calls=10_000)
    connection = connect({"base_url": org.base_url, "call_share": "0.001"}, CREDENTIALS)
    reader = connection.reader()
    with pytest.raises(Retry, match="its share of the day") as refused:
        read_over_and_over(reader)
    assert refused.value.code == "CALL_BUDGET"
    assert refused.value.after == 3600
    assert reader.calls == connection.budget.made == 10
    with pytest.raises(Retry, match="its share"):
        connection.writer().standing_flags(["the writer draws on the same share"])
    assert connection.budget.made == 10


def read_over_and_over(reader: Any) -> None:
    for _ in range(20):
        list(reader.read("deals", None))
