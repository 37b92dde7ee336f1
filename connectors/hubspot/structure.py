"""The portal itself: account, pipelines, owners, and the managers that an admin told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.hubspot.client import Client, Row
from connectors.records import AccountInfo, PersonRecord, StageRecord

_OWNERS_A_PAGE = "500"
_CERTAIN = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """What the portal can't tell and an admin did: managers (`team:<id or name>` or
    `owner:<id or e-mail>` -> owner id or e-mail of the manager; a person's own entry counts
    before the team's), and the first month of the fiscal year.
    """

    managers: Mapping[str, str] = field(default_factory=dict)
    fiscal_year_start_month: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """What deals need to know of their stage."""

    is_closed: bool
    is_won: bool


class Structure:
    """Reads account, pipelines and owners, each once."""

    def __init__(self, client: Client, portal: Portal) -> None:
        self._client = client
        self._portal = portal
        self._details: Row | None = None
        self._pipelines: Sequence[Row] | None = None
        self._owners: Sequence[Row] | None = None
        self._stages: dict[str, Stage] | None = None
        self._by_user: dict[str, str] | None = None

    def account(self) -> AccountInfo:
        """The portal's identity, time zone, home currency and clock, asked for anew."""
        self._details = None
        details = self._account_details()
        return AccountInfo(
            crm_id=str(details["portalId"]),
            name=f"HubSpot {details['portalId']}",
            time_zone=self.time_zone(),
            home_currency=details.get("companyCurrency"),
            fiscal_year_start_month=self._portal.fiscal_year_start_month,
            now=self._client.now(),
        )

    def time_zone(self) -> str:
        """The portal's own, by which it shows days."""
        return str(self._account_details().get("timeZone") or "UTC")

    def stages(self) -> Sequence[StageRecord]:
        """All stages of all deal pipelines, in their order. A deleted stage is not told."""
        return [
            _stage(stage, pipeline=pipeline, order=order)
            for pipeline in sorted(self._deal_pipelines(), key=_place)
            for order, stage in enumerate(sorted(pipeline["stages"], key=_place))
        ]

    def stage(self, crm_id: str | None) -> Stage | None:
        """Whether a stage is closed and won; None where the portal no longer has it."""
        if self._stages is None:
            self._stages = {
                each.crm_id: Stage(each.is_closed, each.is_won) for each in self.stages()
            }
        return self._stages.get(crm_id or "")

    def people(self) -> Sequence[PersonRecord]:
        """All owners, those who left too; a manager as the admin told."""
        ids = {_folded(owner.get("email")): str(owner["id"]) for owner in self._all_owners()}
        told = {_folded(key): value for key, value in self._portal.managers.items()}
        managers = {key: ids.get(_folded(value), str(value)) for key, value in told.items()}
        return [_person(owner, managers) for owner in self._all_owners()]

    def owner_of(self, user_id: str | None) -> str | None:
        """The owner that a user is; a user without one keeps a name of its own."""
        if not user_id:
            return None
        if self._by_user is None:
            self._by_user = {
                str(user): str(owner["id"])
                for owner in self._all_owners()
                for user in (owner.get("userIdIncludingInactive"), owner.get("userId"))
                if user
            }
        return self._by_user.get(user_id, f"user:{user_id}")

    def _account_details(self) -> Row:
        if self._details is None:
            self._details = self._client.call("GET", "account-info/details")
        return self._details or {}

    def _deal_pipelines(self) -> Sequence[Row]:
        if self._pipelines is None:
            self._pipelines = self._client.call("GET", "pipelines/deals")["results"]
        return self._pipelines or ()

    def _all_owners(self) -> Sequence[Row]:
        if self._owners is None:
            self._owners = [
                owner
                for archived in ("false", "true")
                for page in self._client.pages(
                    "owners", params=[("limit", _OWNERS_A_PAGE), ("archived", archived)]
                )
                for owner in page["results"]
            ]
        return self._owners


def _place(each: Mapping[str, Any]) -> tuple[int, str]:
    return int(each.get("displayOrder") or 0), str(each.get("label") or "")


def _stage(stage: Row, *, pipeline: Row, order: int) -> StageRecord:
    metadata = stage.get("metadata") or {}
    told = metadata.get("probability")
    probability = None if told in (None, "") else float(told)
    is_closed = (
        str(metadata["isClosed"]).casefold() == "true"
        if metadata.get("isClosed") is not None
        else probability in _CERTAIN
    )
    return StageRecord(
        pipeline_crm_id=str(pipeline["id"]),
        pipeline_name=str(pipeline.get("label") or pipeline["id"]),
        crm_id=str(stage["id"]),
        label=str(stage.get("label") or stage["id"]),
        sort_order=order,
        is_closed=is_closed,
        is_won=is_closed and probability == 1.0,
        is_active=not stage.get("archived", False),
        probability=probability,
    )


def _person(owner: Row, managers: Mapping[str, str]) -> PersonRecord:
    crm_id = str(owner["id"])
    names = " ".join(filter(None, (owner.get("firstName"), owner.get("lastName"))))
    team = _primary(owner.get("teams") or ())
    keys = (
        *(f"owner:{owner[name]}" for name in ("id", "email") if owner.get(name)),
        *(f"team:{team[name]}" for name in ("id", "name") if team.get(name)),
    )
    told = next((managers[key] for key in map(_folded, keys) if key in managers), None)
    return PersonRecord(
        crm_id=crm_id,
        name=names or owner.get("email") or f"Owner {crm_id}",
        email=owner.get("email"),
        is_active=not owner.get("archived", False),
        manager_crm_id=told if told != crm_id else None,
        role_name=team.get("name"),
        # A queue owns records, but it is nobody.
        is_integration=owner.get("type") == "QUEUE",
    )


def _folded(text: str | None) -> str:
    return str(text or "").strip().casefold()


def _primary(teams: Iterable[Row]) -> Row:
    ranked = sorted(teams, key=lambda team: not team.get("primary"))
    return ranked[0] if ranked else {}
