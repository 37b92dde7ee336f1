"""`connectors.base.Doctor` for Salesforce: what the user that Forestage runs as can do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.budget import Budget
from connectors.checks import Check, Cost, Part, clock_check
from connectors.errors import ConnectorError, Reauthorise, Retry
from connectors.salesforce import field_history
from connectors.salesforce.client import Client
from connectors.salesforce.fields import Fields
from connectors.salesforce.history import HISTORY
from connectors.salesforce.rights import rights
from connectors.salesforce.setup import PERMISSION_SET, SalesforceSetup
from connectors.salesforce.wanted import ACTIVITY_OBJECTS, WANTED, Wanted

OLD_VERSIONS = 9  # three years of releases; Salesforce retires them after about seven
USED_WARNING = 0.8
_GRANT_IT = (
    f"assign the permission set {PERMISSION_SET} to the user or grant it read access, then run "
    "`forestage sync --full`"
)
_TRACKED: Mapping[str, Part] = {"Owner": "owner", "NextStep": "next_step"}


class SalesforceDoctor:
    """Looks at one org through the run-time user's eyes; reads only."""

    def __init__(self, client: Client, *, api_version: str, budget: Budget) -> None:
        self._client = client
        self._version = api_version
        budget.lift()
        self._budget = budget
        self._fields = Fields(client)

    def checks(self, now: Callable[[], datetime]) -> Sequence[Check]:
        """What was found; see `connectors.base.Doctor`."""
        found: list[Check] = []
        for look in (
            self._credentials,
            self._versions,
            self._objects,
            self._history,
            lambda: rights(self._client, self._fields),
            self._limits,
            lambda: self._clock(now),
            self._setup,
        ):
            try:
                found += look()
            except ConnectorError as error:
                return [*found, _broken(error)]
            if found[-1].area == "version" and found[-1].grade == "broken":
                return found
        return found

    def _credentials(self) -> Iterator[Check]:
        name = self._client.user_name()
        yield Check(area="credentials", name="login", told=f"Logged in as {name}.")

    def _versions(self) -> Iterator[Check]:
        offered = [str(each["version"]) for each in self._client.versions()]
        newest = max(float(each) for each in offered)
        check = Check(
            area="version",
            name=f"v{self._version}",
            told=f"API v{self._version} is in use; the org offers up to v{newest:.1f}.",
        )
        if self._version not in offered:
            yield replace(
                check,
                grade="broken",
                told=f"The org offers no API v{self._version}, only v{offered[0]} to v{newest}.",
                advice="connect with `--api-version` set to one that it offers",
            )
        elif newest - float(self._version) > OLD_VERSIONS:
            yield replace(
                check, grade="warning", advice="set a newer `--api-version` before it is retired"
            )
        else:
            yield check

    def _objects(self) -> Iterator[Check]:
        hidden = {
            wanted.shape.sobject
            for wanted in WANTED
            if self._fields.describe(wanted.shape.sobject) is None
        }
        for wanted in WANTED:
            if wanted.shape.sobject in hidden:
                yield _hidden_object(wanted, no_activities=hidden.issuperset(ACTIVITY_OBJECTS))
            else:
                yield from self._of_fields(wanted)

    def _of_fields(self, wanted: Wanted) -> Iterator[Check]:
        shape = wanted.shape
        names = (*shape.needed, *shape.optional)
        missing = [name for name in names if not self._can_read(shape.sobject, name)]
        if not missing:
            told = f"{shape.sobject} can be read with all {len(names)} fields that are wanted."
            yield Check(area="fields", name=shape.sobject, told=told)
        for name in missing:
            path = f"{shape.sobject}.{name}"
            if name in shape.needed:
                told = f"{path} can't be read; without it nothing of {shape.sobject} is."
                yield Check(area="fields", name=path, told=told, grade="broken", advice=_GRANT_IT)
            else:
                yield _missing(path, wanted.fields.get(name, Cost("it is left out")))

    def _can_read(self, sobject: str, name: str) -> bool:
        """Whether a field is there for this user; a dotted one on the object that it leads to."""
        relation, dot, rest = name.partition(".")
        if not dot:
            return self._fields.has(sobject, name)
        told = (self._fields.describe(sobject) or {}).values()
        leads = (each["referenceTo"] for each in told if each.get("relationshipName") == relation)
        return any(self._can_read(target, rest) for targets in leads for target in targets)

    def _history(self) -> Iterator[Check]:
        if self._fields.describe(HISTORY.sobject) is not None:
            self._client.rows(f"SELECT Id FROM {HISTORY.sobject} LIMIT 1")
            told = (
                "OpportunityHistory is on in every org and can be read: stage, close date, amount "
                "and forecast have a past."
            )
            yield Check(area="history", name=HISTORY.sobject, told=told)
        yield self._field_history()

    def _field_history(self) -> Check:
        sobject = field_history.FIELD_HISTORY.sobject
        check = Check(
            area="history",
            name=sobject,
            told=f"{sobject} is on: changes of owner and next step are told by Salesforce.",
        )
        if not field_history.is_on(self._fields):
            told = f"{sobject} is off, or hidden from the user"
            untracked = dict(_TRACKED)
        else:
            untracked = {
                name: part
                for name, part in _TRACKED.items()
                if not self._client.rows(f"SELECT Id FROM {sobject} WHERE Field = '{name}' LIMIT 1")
            }
            told = f"{sobject} has no change of {' and '.join(untracked)} yet"
        if not untracked:
            return check
        return replace(
            check,
            grade="warning",
            told=f"{told}: earlier changes are unknown, later ones are seen as differences "
            "between two syncs.",
            advice="switch on Setup > Object Manager > Opportunity > Fields & Relationships > Set "
            "History Tracking for Opportunity Owner and Next Step, and let the user see them",
            thinned=frozenset(untracked.values()),
        )

    def _limits(self) -> Iterator[Check]:
        calls = self._client.get("limits")["DailyApiRequests"]
        daily, left = int(calls["Max"]), int(calls["Remaining"])
        used = daily - left
        check = Check(
            area="limits",
            name="DailyApiRequests",
            told=f"{used:,} of {daily:,} calls a day are used by all programs, {left:,} are left; "
            f"{self._budget.of_day(daily)}.",
        )
        if used >= daily * USED_WARNING:
            advice = "see Setup > System Overview for who uses them; syncs stop at nine tenths"
            check = replace(check, grade="warning", advice=advice)
        yield check

    def _clock(self, now: Callable[[], datetime]) -> Iterator[Check]:
        yield clock_check(self._called, now)

    def _called(self) -> datetime:
        """The CRM's clock, by a call of this moment."""
        self._client.get("")
        return self._client.now()

    def _setup(self) -> Iterator[Check]:
        missing = SalesforceSetup(self._client).missing()
        if not missing:
            told = "The package is installed, and the user can see all of it."
            yield Check(area="setup", name="package", told=told)
            return
        told = (
            f"Not installed, or not visible to the user: {', '.join(missing)}; nothing is written."
        )
        yield Check(
            area="setup",
            name="package",
            told=told,
            grade="warning",
            advice="run `forestage setup --deploy` with an admin's session",
        )


def _hidden_object(wanted: Wanted, *, no_activities: bool) -> Check:
    sobject = wanted.shape.sobject
    if wanted.cost is None:
        told = f"{sobject} can't be read; nothing works without it."
        return Check(area="fields", name=sobject, told=told, grade="broken", advice=_GRANT_IT)
    cost = wanted.cost
    if no_activities and sobject in ACTIVITY_OBJECTS:
        cost = replace(cost, lost=cost.thinned)
    check = _missing(sobject, cost)
    return replace(check, area="history") if sobject == HISTORY.sobject else check


def _missing(name: str, cost: Cost) -> Check:
    return Check(
        area="fields",
        name=name,
        told=f"{name} can't be read, so {cost.told}.",
        grade="warning",
        advice=_GRANT_IT,
        lost=cost.lost,
        thinned=cost.thinned,
    )


def _broken(error: ConnectorError) -> Check:
    """Why no more could be looked at."""
    check = Check(area="credentials", name="call", told=str(error), grade="broken")
    match error:
        case Reauthorise():
            advice = "renew the credentials: `forestage connections add --replace`"
            return replace(check, name="login", advice=advice)
        case Retry():
            return replace(check, name="connection", advice="passing trouble: look again later")
        case _:
            return replace(check, area="permissions", advice="an admin of the CRM must look")
