"""Joining what a CRM and the store tell with what rules need; and who counts the calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from app.clock import FixedClock
from app.errors import CrmTrouble
from app.secrets import SecretBox
from app.services.doctor import Diagnosis, diagnose
from app.services.parts import Parts
from app.services.refresh import refresh
from app.services.work import perform
from app.store import calls, connections
from app.store.connections import ConnectionRow
from app.store.database import Database
from app.store.deals import DEALS
from connectors.base import Doctor, Reader, Setup, Writer
from connectors.budget import Budget
from connectors.checks import Check
from connectors.errors import Reauthorise, Retry
from rules.deal import DEAL_RULES
from tests.app.fakes import FakeCrm, FakeReader
from tests.app.services.team import team_crm
from tests.conftest import NOON

FINE = Check(area="credentials", name="login", told="Logged in.")


@dataclass
class FakeAccount:
    """A CRM whose doctor tells `checks`, and whose reading costs `spends` calls."""

    checks: Sequence[Check] = (FINE,)
    crm: FakeCrm = field(default_factory=team_crm)
    budget: Budget = field(default_factory=Budget)
    spends: int = 0
    trouble: Exception | None = None

    def doctor(self) -> Doctor:
        if self.trouble is not None:
            raise self.trouble
        return FakeDoctor(self.checks)

    def reader(self) -> Reader:
        for _ in range(self.spends):
            self.budget.take()
        return FakeReader(self.crm)

    def writer(self) -> Writer:
        raise NotImplementedError

    def setup(self) -> Setup:
        raise NotImplementedError


@dataclass
class FakeDoctor:
    found: Sequence[Check]

    def checks(self, now: Callable[[], datetime]) -> Sequence[Check]:
        assert now() == NOON
        return self.found


@dataclass
class Clinic:
    """A connection to a FakeAccount."""

    db: Database
    account: FakeAccount
    clock: FixedClock

    @property
    def parts(self) -> Parts:
        box = SecretBox(SecretStr(Fernet.generate_key().decode()))

        def open_crm(
            crm: str, config: Mapping[str, Any], secret: Mapping[str, str], *, keeper: Any = None
        ) -> FakeAccount:
            assert keeper.connection_id == self.row.id
            assert (crm, config, secret) == ("salesforce", {}, {})
            self.account.budget = Budget(self.account.budget.share)
            self.account.budget.told(0, 100)
            return self.account

        return Parts(db=self.db, clock=self.clock, secrets=lambda: box, open_crm=open_crm)

    @property
    def row(self) -> ConnectionRow:
        with self.db.read() as conn:
            return connections.get(conn, "acme")

    def examine(self, *checks: Check) -> Diagnosis:
        self.account.checks = checks or (FINE,)
        return diagnose(self.parts, self.row)

    def sync(self) -> None:
        reader = FakeReader(self.account.crm)
        refresh(self.db, self.row.id, reader, clock=self.clock)


@pytest.fixture
def clinic(database: Database, clock: FixedClock) -> Clinic:
    with database.write() as conn:
        connections.create(
            conn, name="acme", crm="salesforce", config={}, secret=None, at=clock.now()
        )
    return Clinic(database, FakeAccount(), clock)


def lacking(*lost: Any, thinned: Sequence[Any] = ()) -> Check:
    return Check(
        area="fields",
        name="Thing",
        told="Thing can't be read.",
        grade="warning",
        advice="grant it",
        lost=frozenset(lost),
        thinned=frozenset(thinned),
    )


def sights(told: Diagnosis) -> dict[str, str]:
    return {rule.rule: rule.sight for rule in told.rules}


def data(told: Diagnosis, name: str) -> Any:
    return next(check for check in told.checks if (check.area, check.name) == ("data", name))


SEEING = {"late-entry": "sees", "close-date-slippage": "sees", "stage-regression": "sees"}


def test_nothing_missing_is_only_a_warning_before_the_first_sync(clinic: Clinic) -> None:
    told = clinic.examine()
    assert sights(told) == SEEING
    assert (told.state, told.exit_code) == ("warning", 0)
    assert data(told, "sync").state == "warning"


def test_a_lost_need_blinds_a_rule_that_has_no_other_sign(clinic: Clinic) -> None:
    told = clinic.examine(lacking("stage"))
    assert sights(told) == {
        "late-entry": "half-blind",
        "close-date-slippage": "half-blind",
        "stage-regression": "blind",
    }
    assert (told.state, told.exit_code) == ("blind", 7)
    (check,) = [check for check in told.checks if check.name == "Thing"]
    assert check.state == "blind"
    why = {effect.rule: effect.why for effect in check.effects}
    assert why["stage-regression"] == "it looks at stage changes, and Thing can't be seen"
    assert "the stage a deal was entered in is not known" in why["late-entry"]


def test_two_losses_together_may_blind_a_rule_that_neither_blinds_alone(clinic: Clinic) -> None:
    told = clinic.examine(lacking("stage"), replace(lacking("activities"), name="Other"))
    assert sights(told)["late-entry"] == "blind"
    why = next(rule.why for rule in told.rules if rule.rule == "late-entry")
    assert why == ["it looks at stage changes and activities, and Thing and Other can't be seen"]


def test_what_is_seen_in_part_is_a_warning_that_names_the_rules(clinic: Clinic) -> None:
    told = clinic.examine(lacking(thinned=["activities"]))
    assert (told.state, told.exit_code) == ("warning", 0)
    assert sights(told) == SEEING | {
        "late-entry": "half-blind",
        "close-date-slippage": "half-blind",
    }


def test_a_loss_that_no_rule_needs_stays_a_warning(clinic: Clinic) -> None:
    told = clinic.examine(lacking("next_step"))
    assert (told.state, told.exit_code) == ("warning", 0)
    assert sights(told) == SEEING


def test_broken_outweighs_blind(clinic: Clinic) -> None:
    broken = replace(FINE, grade="broken", told="Refused.")
    told = clinic.examine(lacking("stage"), broken)
    assert (told.state, told.exit_code) == ("broken", 8)


def test_a_crm_that_can_not_even_be_opened_is_a_check(clinic: Clinic) -> None:
    clinic.account.trouble = Reauthorise("the token is dead")
    told = clinic.examine()
    assert told.exit_code == 8
    assert told.checks[0].state == "broken"
    assert "the token is dead" in told.checks[0].told
    assert "--replace" in told.checks[0].told


def test_a_missing_package_is_broken_only_where_forestage_writes(clinic: Clinic) -> None:
    missing = Check(area="setup", name="package", told="Not installed.", grade="warning")
    assert clinic.examine(missing).state == "warning"
    with clinic.db.write() as conn:
        connections.update(conn, clinic.row.id, mode="write")
    assert clinic.examine(missing).exit_code == 8


def test_deals_without_activities_or_contacts_weaken_the_rules_that_use_them(
    clinic: Clinic,
) -> None:
    clinic.sync()
    told = clinic.examine()
    assert data(told, "activities").state == "blind"
    assert "0 of 34" in data(told, "activities").told
    assert data(told, "contacts").state == "warning"
    assert "1 of 34" in data(told, "contacts").told
    assert sights(told) == SEEING | {
        "late-entry": "half-blind",
        "close-date-slippage": "half-blind",
    }
    assert data(told, "stages").state == "warning"


def test_owners_and_managers_that_are_missing_are_counted(clinic: Clinic) -> None:
    crm = clinic.account.crm
    crm.change_deal("s0", owner_crm_id=None)
    crm.people = [replace(person, manager_crm_id=None) for person in crm.people]
    clinic.sync()
    told = clinic.examine()
    assert "1 of 34 open deals" in data(told, "owners").told
    assert "2 of 2 owners" in data(told, "managers").told


def test_a_deal_that_was_closed_or_deleted_is_not_counted(clinic: Clinic) -> None:
    clinic.sync()
    with clinic.db.write() as conn:
        conn.execute(sa.update(DEALS).where(DEALS.c.crm_id == "s0").values(is_closed=True))
        conn.execute(sa.update(DEALS).where(DEALS.c.crm_id == "s1").values(deleted_at=NOON))
    assert "of 32 open deals" in data(clinic.examine(), "contacts").told


def test_examining_stores_nothing_and_speaks_of_every_rule(clinic: Clinic) -> None:
    told = clinic.examine(lacking("stage")).as_json()
    assert [rule["rule"] for rule in told["rules"]] == [rule.slug for rule in DEAL_RULES]
    with clinic.db.read() as conn:
        assert calls.of_the_day(conn, clinic.row.id, at=NOON) == 0


def test_calls_are_carried_from_run_to_run_for_a_day(clinic: Clinic) -> None:
    clinic.account.spends = 10
    perform(clinic.parts, clinic.row, "sync", arguments={})
    perform(clinic.parts, clinic.row, "sync", arguments={})
    with pytest.raises(CrmTrouble, match=r"25 of 100 x 0\.25 .* in 60 minutes"):
        perform(clinic.parts, clinic.row, "sync", arguments={})
    with clinic.db.read() as conn:
        assert calls.of_the_day(conn, clinic.row.id, at=NOON) == 25
    clinic.clock.advance(timedelta(hours=23))
    with pytest.raises(Retry):
        clinic.parts.crm(clinic.row).reader()
    clinic.clock.advance(timedelta(hours=2))
    clinic.parts.crm(clinic.row).reader()
    assert clinic.account.budget.made == 10
