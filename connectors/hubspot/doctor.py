"""`connectors.base.Doctor` for HubSpot: what the token may see, and what it costs where not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.budget import Budget
from connectors.checks import Check, Cost, clock_check, losing, thinning
from connectors.errors import ConnectorError, Fatal, Reauthorise, Skip
from connectors.hubspot.client import LEGACY, Client
from connectors.hubspot.deals import DEAL
from connectors.hubspot.faults import MISSING_SCOPES
from connectors.hubspot.fields import Shape
from connectors.hubspot.reader import ACTIVITIES, COMPANY
from connectors.hubspot.setup import HubSpotSetup
from connectors.hubspot.structure import Portal, Structure

USED_WARNING = 0.8
_DEPLOY = "run `forestage setup --deploy` with a token that may create properties"
_SCOPES = "give the token the scope that HubSpot names; see docs/hubspot.md"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object type. `cost` of all of it; None: nothing works without it."""

    shape: Shape
    cost: Cost | None
    fields: Mapping[str, Cost] = field(default_factory=dict)


_ACTIVITY_COST = {
    "meetings": "meetings are not seen",
    "calls": "calls are not seen",
    "emails": "mails are not seen, and so no customer's answer",
    "notes": "notes are not seen",
    "tasks": "tasks are not seen, and coaching tasks can't be written",
}
WANTED = (
    Wanted(
        DEAL,
        None,
        {
            "amount": losing("deals are ranked without their amount", "amount"),
            "closedate": losing("no close date is known", "close_date"),
            "hubspot_owner_id": losing("nobody knows whose a deal is", "owner"),
            "dealtype": Cost("renewals and expansions are told by their pipeline alone"),
            "hs_next_step": losing("what is planned next is unknown", "next_step"),
            "hs_manual_forecast_category": losing(
                "whether a deal is in commit is unknown", "forecast"
            ),
            "deal_currency_code": Cost("all amounts count as the portal's own currency"),
            "hs_created_by_user_id": Cost("imports are told by the history's source alone"),
        },
    ),
    Wanted(COMPANY, Cost("deals are shown without their company's name")),
    Wanted(
        Shape(name="contacts", optional=("jobtitle",)),
        Cost("an executive is not told from another contact", thinned=frozenset({"contacts"})),
        {"jobtitle": Cost("an executive is not told from another contact")},
    ),
    *(Wanted(shape, thinning(_ACTIVITY_COST[shape.name], "activities")) for _, shape in ACTIVITIES),
)


class HubSpotDoctor:
    """Looks at one portal through the token's eyes; reads only."""

    def __init__(self, client: Client, *, api_version: str, portal: Portal, budget: Budget) -> None:
        budget.lift()
        self._budget = budget
        self._client = client
        self._version = api_version
        self._portal = portal

    def checks(self, now: Callable[[], datetime]) -> Sequence[Check]:
        """What was found; see `connectors.base.Doctor`."""
        found: list[Check] = []
        for look in (
            self._credentials,
            self._versions,
            self._people,
            self._objects,
            self._history,
            self._limits,
            lambda: self._clock(now),
            self._setup,
        ):
            try:
                found += look()
            except ConnectorError as error:
                return [*found, _broken(error)]
        return found

    def _credentials(self) -> Iterator[Check]:
        account = Structure(self._client, self._portal).account()
        told = f"The token opens portal {account.crm_id} ({account.time_zone})."
        yield Check(area="credentials", name="token", told=told)

    def _versions(self) -> Iterator[Check]:
        told = f"API {self._version} is in use."
        check = Check(area="version", name=self._version, told=told)
        if self._version == LEGACY:
            told += " HubSpot supports v3 until September 2027, its associations until March 2027."
            advice = "connect with `--api-version 2026-09`"
            check = replace(check, told=told, grade="warning", advice=advice)
        yield check

    def _people(self) -> Iterator[Check]:
        people = [each for each in Structure(self._client, self._portal).people() if each.is_active]
        led = {each.manager_crm_id for each in people} - {None}
        alone = [each for each in people if not each.manager_crm_id and each.crm_id not in led]
        check = Check(
            area="permissions",
            name="managers",
            told=f"{len(people)} active owners, {len(led)} of them manage others.",
        )
        if alone:
            names = ", ".join(each.name for each in alone[:3])
            check = replace(
                check,
                told=f"{len(alone)} of {len(people)} active owners have no manager ({names}, ...); "
                "HubSpot does not know managers, so nobody gets their coaching tasks.",
                grade="warning",
                advice="tell them by `connections add hubspot --replace --managers FILE.csv`",
            )
        yield check

    def _objects(self) -> Iterator[Check]:
        hidden: list[tuple[Wanted, Skip]] = []
        for wanted in WANTED:
            try:
                yield from self._of_object(wanted)
            except Skip as error:
                hidden.append((wanted, error))
        is_blind = _ACTIVITY_COST.keys() <= {wanted.shape.name for wanted, _ in hidden}
        for wanted, refusal in hidden:
            yield _hidden(wanted, refusal, no_activities=is_blind)

    def _of_object(self, wanted: Wanted) -> Iterator[Check]:
        """By what one of its rows shows: HubSpot leaves out what the token may not see."""
        shape = wanted.shape
        params = [("limit", "1"), *(("properties", name) for name in shape.properties)]
        rows = self._client.call("GET", f"objects/{shape.name}", params=params)["results"]
        told = set(rows[0]["properties"]) if rows else set(shape.properties)
        names = (*shape.needed, *shape.optional)
        missing = [name for name in names if name not in told]
        if not missing:
            words = f"{shape.name} can be read with all {len(names)} properties that are wanted."
            yield Check(area="fields", name=shape.name, told=words)
        for name in missing:
            path = f"{shape.name}.{name}"
            if name in shape.needed:
                words = f"{path} can't be read; without it nothing of {shape.name} is."
                yield Check(area="fields", name=path, told=words, grade="broken", advice=_SCOPES)
            else:
                yield _missing(path, wanted.fields.get(name, Cost("it is left out")), None)

    def _history(self) -> Iterator[Check]:
        told = (
            "HubSpot keeps the last 20 values of a property and tells them with the deal; "
            "Forestage keeps what it has read for good, so the past begins at most 20 changes "
            "before the first sync."
        )
        yield Check(area="history", name="propertiesWithHistory", told=told)

    def _limits(self) -> Iterator[Check]:
        if self._client.daily is None:
            told = "HubSpot tells no daily limit of calls to this token (OAuth apps have none)."
            yield Check(area="limits", name="daily", told=told)
            return
        left, daily = self._client.daily
        check = Check(
            area="limits",
            name="daily",
            told=f"{daily - left:,} of {daily:,} calls a day are used by all programs, "
            f"{left:,} are left; {self._budget.of_day(daily)}.",
        )
        if daily - left >= daily * USED_WARNING:
            advice = "see Development > Monitoring > API call usage for who uses them"
            check = replace(check, grade="warning", advice=advice)
        yield check

    def _clock(self, now: Callable[[], datetime]) -> Iterator[Check]:
        yield clock_check(self._called, now)

    def _called(self) -> datetime:
        """The CRM's clock, by a call of this moment."""
        self._client.call("GET", "account-info/details")
        return self._client.now()

    def _setup(self) -> Iterator[Check]:
        try:
            missing = HubSpotSetup(self._client).missing()
        except Fatal as error:
            told = f"Whether Forestage's properties are there can't be seen: {error}"
            yield Check(area="setup", name="properties", told=told, grade="warning", advice=_DEPLOY)
            return
        check = Check(area="setup", name="properties", told="Forestage's properties are there.")
        if missing:
            told = f"Not there: {', '.join(missing)}; nothing is written."
            check = replace(check, told=told, grade="warning", advice=_DEPLOY)
        yield check


def _hidden(wanted: Wanted, error: Skip, *, no_activities: bool) -> Check:
    name, cost = wanted.shape.name, wanted.cost
    if cost is None:
        told = f"{name} can't be read; nothing works without them: {error}"
        return Check(area="permissions", name=name, told=told, grade="broken", advice=_SCOPES)
    if no_activities and name in _ACTIVITY_COST:
        cost = replace(cost, lost=cost.thinned)
    return replace(_missing(name, cost, error), area="permissions")


def _missing(name: str, cost: Cost, error: Skip | None) -> Check:
    why = f" ({error})" if error is not None and error.code == MISSING_SCOPES else ""
    return Check(
        area="fields",
        name=name,
        told=f"{name} can't be read, so {cost.told}{why}.",
        grade="warning",
        advice=_SCOPES if error is not None else "the portal lacks the property, or hides it",
        lost=cost.lost,
        thinned=cost.thinned,
    )


def _broken(error: ConnectorError) -> Check:
    if isinstance(error, Reauthorise):
        advice = "renew the token: `connections add hubspot --replace`"
        told = str(error)
        return Check(
            area="credentials", name="connection", told=told, grade="broken", advice=advice
        )
    return Check(area="permissions", name="connection", told=str(error), grade="broken")
