"""Set-up: proposals from the connection's own data, confirmed by an admin, kept."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.errors import BadInput, Conflict
from app.services import setup
from app.services.setup import SetupProposal
from app.store import connections
from app.store.database import Database
from app.store.deals import DEALS, PIPELINES, STAGE_PERIODS, STAGES
from app.store.people import PEOPLE
from rules.tables import ROLES, SEGMENTS
from tests.app.services.story import DAY, connect
from tests.app.services.team import Team, team_crm
from tests.conftest import NOON


def _accept(team: Team, **values: Any) -> None:
    document = {**setup.propose(team.db, team.connection_id).as_json(), **values}
    proposal = SetupProposal.from_json(document)
    setup.accept(team.db, team.connection_id, proposal, by="Ada", clock=team.clock)


def _periods(team: Team, label: str) -> list[Any]:
    with team.db.read() as conn:
        return [
            (row.position, ROLES[row.role], row.basis, row.valid_to)
            for row in conn.execute(
                sa.select(STAGE_PERIODS)
                .join(STAGES, STAGES.c.id == STAGE_PERIODS.c.stage_id)
                .where(STAGES.c.label == label)
                .order_by(STAGE_PERIODS.c.id)
            )
        ]


def _segments(team: Team) -> set[tuple[str, str | None]]:
    with team.db.read() as conn:
        rows = conn.execute(sa.select(DEALS.c.crm_id, DEALS.c.segment))
        return {(row[0], None if row[1] is None else SEGMENTS[row[1]]) for row in rows}


def test_roles_entry_and_segments_are_proposed_from_the_data(database: Database) -> None:
    crm = team_crm()
    crm.change_deal("s0", deal_type="Renewal")
    team = Team(database, crm)
    proposal = setup.propose(database, team.connection_id).as_json()
    (pipeline,) = proposal["pipelines"]
    assert [(stage["label"], stage["role"]) for stage in pipeline["stages"]] == [
        ("Qualify", "early"),
        ("Prove", "middle"),
        ("Propose", "late"),
        ("Won", "closed"),
        ("Lost", "closed"),
    ]
    assert (pipeline["expected_entry"], pipeline["entries"]) == (0, 34)
    assert {row["deal_type"]: row["segment"] for row in proposal["segments"]} == {
        None: "new",
        "Renewal": "renewal",
    }
    assert (proposal["one_to_one"], proposal["coaching"]) == ({"weekday": 5}, "agenda")


def test_an_accepted_proposal_is_confirmed_back_to_the_beginning(database: Database) -> None:
    crm = team_crm()
    crm.change_deal("s0", deal_type="Renewal")
    team = Team(database, crm)
    _accept(team)
    assert _periods(team, "Qualify") == [(0, "early", "confirmed", None)]
    assert {("s0", "renewal"), ("s1", "new")} <= _segments(team)
    with database.read() as conn:
        row = connections.by_id(conn, team.connection_id)
        assert conn.scalar(sa.select(PIPELINES.c.expected_entry)) == 0
    assert row.setup is not None
    assert row.setup["accepted"] == {"by": "Ada", "at": "2026-03-02T12:00:00Z"}


def test_a_confirmed_role_that_changes_holds_up_to_now(database: Database) -> None:
    team = Team(database, team_crm())
    _accept(team)
    team.clock.advance(DAY)
    pipelines = setup.propose(database, team.connection_id).as_json()["pipelines"]
    pipelines[0]["stages"][1]["role"] = "late"
    _accept(team, pipelines=pipelines)
    assert _periods(team, "Prove") == [
        (1, "middle", "confirmed", NOON + DAY),
        (1, "late", "confirmed", None),
    ]
    team.sync()
    again = setup.propose(database, team.connection_id).as_json()["pipelines"]
    assert again[0]["stages"][1]["role"] == "late"


def test_deals_that_come_later_get_their_segment(database: Database) -> None:
    crm = team_crm()
    crm.change_deal("s0", deal_type="Renewal")
    team = Team(database, crm)
    _accept(team)
    team.later(DAY, lambda crm: crm.change_deal("s1", deal_type="Renewal"))
    assert ("s1", "renewal") in _segments(team)


def test_users_that_are_programs_can_be_named(database: Database) -> None:
    team = Team(database, team_crm())
    _accept(team, integration_users=["u2"])
    with database.read() as conn:
        programs = conn.scalars(sa.select(PEOPLE.c.crm_id).where(PEOPLE.c.is_integration)).all()
    assert programs == ["u2"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"coaching": "weekly"}, "coaching"),
        ({"one_to_one": {"weekday": 8}}, "one_to_one.weekday"),
        ({"segments": [{"deal_type": "X", "segment": "gold"}]}, "segment"),
        ({"pipelines": [{"crm_id": "nope"}]}, "pipelines"),
        ({"pipelines": [{"crm_id": "p1", "stages": [{"crm_id": "nope"}]}]}, "stages"),
        ({"pipelines": [{"crm_id": "p1", "stages": [{"crm_id": "won", "role": "end"}]}]}, "role"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_stored(
    sqlite_database: Database, change: dict[str, Any], field: str
) -> None:
    team = Team(sqlite_database, team_crm(slips=1, quiet=1))
    with pytest.raises(BadInput, match=field):
        _accept(team, **change)
    with sqlite_database.read() as conn:
        assert connections.by_id(conn, team.connection_id).setup is None


def test_nothing_can_be_proposed_before_the_first_sync(sqlite_database: Database) -> None:
    connection_id = connect(sqlite_database)
    with pytest.raises(Conflict, match="sync it first"):
        setup.propose(sqlite_database, connection_id)
