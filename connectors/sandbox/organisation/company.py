"""The selling company before its first deal: people and habits, roles, pipelines, accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from connectors.sandbox import acts
from connectors.sandbox.organisation import words
from connectors.sandbox.organisation.habits import HABIT_CYCLE
from connectors.sandbox.organisation.office import FISCAL_YEAR_START_MONTH

NAME = "Fernhill Software"
DOMAIN = "fernhill.example"
HEAD_OFFICE_ZONE = "America/New_York"
_ZONES = ("America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/London")
_DEALS_PER_REP = 50
_LEAST_REPS = 8
_REPS_PER_MANAGER = 7

VP, OPERATIONS, INTEGRATION = "person-vp", "person-ops", "person-integration"
FORMER_REP = "person-former-rep"


def _open(label: str, order: int, probability: int, forecast: acts.Forecast) -> acts.Stage:
    return acts.Stage(label=label, sort_order=order, probability=probability, forecast=forecast)


WON = acts.Stage(
    label="Closed Won",
    sort_order=80,
    probability=100,
    forecast="closed",
    is_closed=True,
    is_won=True,
)
LOST = acts.Stage(
    label="Closed Lost", sort_order=90, probability=0, forecast="omitted", is_closed=True
)
_PROPOSAL = _open("Proposal", 60, 70, "best_case")
_NEGOTIATION = _open("Negotiation", 70, 90, "commit")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its open stages' labels by position."""

    key: str
    name: str
    stages: tuple[acts.Stage, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the open stages, first stage first."""
        return tuple(stage.label for stage in self.stages)


NEW_BUSINESS = Pipeline(
    "pipeline-new",
    "New Business",
    (
        _open("Prospecting", 10, 10, "pipeline"),
        _open("Qualification", 20, 20, "pipeline"),
        _open("Needs Analysis", 30, 35, "pipeline"),
        _open("Value Proposition", 50, 50, "best_case"),
        _PROPOSAL,
        _NEGOTIATION,
    ),
)
RENEWAL = Pipeline(
    "pipeline-renewal",
    "Renewal",
    (_open("Renewal Review", 40, 50, "best_case"), _PROPOSAL, _NEGOTIATION),
)


@dataclass(frozen=True, slots=True)
class Rep:
    """A seller: key, manager's key, time zone, and the name of the habit."""

    key: str
    manager: str
    zone: str
    habit: str


@dataclass(slots=True)
class Company:
    """Who works here and for whom they sell; the same for the same seed and size."""

    reps: list[Rep]
    account_owners: list[str]

    @classmethod
    def build(cls, seed: int, deals: int) -> "Company":
        """A company of a size that carries `deals` deals in two years."""
        count = max(_LEAST_REPS, deals // _DEALS_PER_REP)
        managers = max(1, round(count / _REPS_PER_MANAGER))
        reps = [
            Rep(
                key=f"person-rep-{i:03d}",
                manager=f"person-manager-{i % managers:03d}",
                zone=_ZONES[i % managers % len(_ZONES)],
                habit=HABIT_CYCLE[i % len(HABIT_CYCLE)],
            )
            for i in range(count)
        ]
        rng = Random(f"{seed}:accounts")
        accounts = max(20, int(deals * 0.4))
        return cls(reps, [rng.choice(reps).key for _ in range(accounts)])

    def colleague(self, rng: Random, rep: Rep) -> Rep:
        """Another rep of the same manager, else any other."""
        team = [r for r in self.reps if r.manager == rep.manager and r.key != rep.key]
        return rng.choice(team or [r for r in self.reps if r.key != rep.key])

    def setup(self, at: datetime) -> Iterator[acts.Act]:
        """Everything that stands before the first deal, as acts at `at` by operations."""
        yield acts.FoundCompany(
            at=at,
            by=OPERATIONS,
            name=NAME,
            time_zone=HEAD_OFFICE_ZONE,
            home_currency="USD",
            fiscal_year_start_month=FISCAL_YEAR_START_MONTH,
        )
        yield from self._staff(at)
        for pipeline in (NEW_BUSINESS, RENEWAL):
            yield acts.AddPipeline(
                at=at,
                by=OPERATIONS,
                key=pipeline.key,
                name=pipeline.name,
                stages=(*pipeline.stages, WON, LOST),
            )
        for i, owner in enumerate(self.account_owners):
            yield acts.AddAccount(
                at=at,
                by=OPERATIONS,
                key=account_key(i),
                name=account_name(i),
                industry=words.INDUSTRIES[i % len(words.INDUSTRIES)],
                owner=owner,
            )

    def _staff(self, at: datetime) -> Iterator[acts.Act]:
        managers = sorted({rep.manager: rep.zone for rep in self.reps}.items())
        yield from _roles(at, [key for key, _ in managers])
        yield _person(at, VP, 0, title="VP Sales", role="role-vp")
        yield _person(at, OPERATIONS, 1, title="Revenue Operations", role="role-ops", manager=VP)
        yield _person(at, INTEGRATION, 2, title="Integration", is_integration=True)
        for i, (key, zone) in enumerate(managers):
            yield _person(
                at, key, 3 + i, title="Sales Manager", role=f"role-{key}", manager=VP, zone=zone
            )
        for i, rep in enumerate(self.reps):
            yield _person(
                at,
                rep.key,
                100 + len(managers) + i,
                title="Account Executive",
                role=f"role-reps-{rep.manager}",
                manager=rep.manager,
                zone=rep.zone,
            )
        yield _person(at, FORMER_REP, 99, title="Account Executive", manager=VP)
        yield acts.ChangePerson(at=at, by=OPERATIONS, person=FORMER_REP, is_active=False)


def account_key(index: int) -> str:
    """Key of the account at `index`."""
    return f"account-{index:05d}"


def account_name(index: int) -> str:
    """Name of the account at `index`; none comes twice."""
    heads, tails = words.ACCOUNT_HEADS, words.ACCOUNT_TAILS
    round_, place = divmod(index, len(heads) * len(tails))
    turn, first = divmod(place, len(heads))
    head, tail = heads[first], tails[(turn + first) % len(tails)]
    return f"{head} {tail}" + (f" {round_ + 1}" if round_ else "")


def _roles(at: datetime, managers: list[str]) -> Iterator[acts.AddRole]:
    def role(key: str, name: str, parent: str | None) -> acts.AddRole:
        return acts.AddRole(at=at, by=OPERATIONS, key=key, name=name, parent=parent)

    yield role("role-vp", "VP Sales", None)
    yield role("role-ops", "Revenue Operations", "role-vp")
    for i, key in enumerate(managers, start=1):
        yield role(f"role-{key}", f"Sales Manager Team {i}", "role-vp")
        yield role(f"role-reps-{key}", f"Sales Team {i}", f"role-{key}")


def _person(
    at: datetime,
    key: str,
    number: int,
    *,
    title: str,
    role: str | None = None,
    manager: str | None = None,
    zone: str = HEAD_OFFICE_ZONE,
    is_integration: bool = False,
) -> acts.AddPerson:
    first = "Integration" if is_integration else words.FIRST_NAMES[number % len(words.FIRST_NAMES)]
    last = "User" if is_integration else words.LAST_NAMES[number * 5 % len(words.LAST_NAMES)]
    return acts.AddPerson(
        at=at,
        by=OPERATIONS,
        key=key,
        first_name=first,
        last_name=last,
        email=f"{key.removeprefix('person-')}@{DOMAIN}",
        title=title,
        role=role,
        manager=manager,
        time_zone=zone,
        is_integration=is_integration,
    )
