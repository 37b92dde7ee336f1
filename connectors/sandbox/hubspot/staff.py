"""Owners, users, teams, and the account itself."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors.sandbox.hubspot.calls import Call, whole
from connectors.sandbox.hubspot.errors import not_found
from connectors.sandbox.hubspot.limits import Limits
from connectors.sandbox.hubspot.objects import next_page
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.loopback import Response, reply_json

_OWNERS, _MOST_OWNERS, _USERS = 100, 500, 100
_SECONDS_PER_HOUR = 3600
Body = dict[str, Any]


class Staff:
    """Endpoints of owners, settings and account information."""

    def __init__(self, practice: Practice, limits: Limits) -> None:
        self._practice = practice
        self._store = practice.store
        self._limits = limits

    def owners(self, call: Call) -> Response:
        """A page of owners; those who left only with `archived=true`."""
        limit = call.number("limit", _OWNERS, most=_MOST_OWNERS)
        after = whole(call.request.query.get("after") or 0, "after")
        email = call.request.query.get("email")
        found = [
            each
            for each in self._owners()
            if each["archived"] == call.flag("archived")
            and int(each["id"]) > after
            and (email is None or each["email"] == email)
        ]
        body: Body = {"results": found[:limit]}
        if len(found) > limit:
            body["paging"] = next_page(call, found[limit - 1]["id"])
        return reply_json(body)

    def owner(self, call: Call) -> Response:
        """One owner, by owner id or with `idProperty=userId` by user id."""
        name = (
            "userIdIncludingInactive" if call.request.query.get("idProperty") == "userId" else "id"
        )
        for each in self._owners():
            if str(each[name]) == call.parts["id"] and each["archived"] == call.flag("archived"):
                return reply_json(each)
        raise not_found(f"Owner {call.parts['id']} not found")

    def users(self, call: Call) -> Response:
        """Users who are active."""
        limit = call.number("limit", _USERS, most=_USERS)
        after = whole(call.request.query.get("after") or 0, "after")
        found = [each for each in self._users() if int(each["id"]) > after]
        body: Body = {"results": found[:limit]}
        if len(found) > limit:
            body["paging"] = next_page(call, found[limit - 1]["id"])
        return reply_json(body)

    def user(self, call: Call) -> Response:
        """One user, by id or with `idProperty=EMAIL` by address."""
        name = "email" if call.request.query.get("idProperty") == "EMAIL" else "id"
        for each in self._users():
            if each[name] == call.parts["id"]:
                return reply_json(each)
        raise not_found(f"User {call.parts['id']} not found")

    def teams(self, call: Call) -> Response:
        """Teams with the ids of their users; nothing tells which team stands above which."""
        del call
        people = self._people()
        if not self._practice.edition.has_teams:
            return reply_json({"results": []})
        rows = self._store.select("SELECT id, body FROM team ORDER BY id")
        teams = [
            orjson.loads(body)
            | {
                "userIds": [
                    str(user_id)
                    for _, user_id, each in people
                    if each["team"] == str(team_id) and each["is_active"]
                ],
                "secondaryUserIds": [],
            }
            for team_id, body in rows
        ]
        return reply_json({"results": teams})

    def details(self, call: Call) -> Response:
        """The account: portal id, time zone, currency."""
        del call
        account = self._store.meta("account")
        now: datetime = self._practice.clock.now()
        offset = now.astimezone(ZoneInfo(account["timeZone"])).utcoffset()
        seconds = offset.total_seconds() if offset is not None else 0.0
        sign = "-" if seconds < 0 else "+"
        hours, rest = divmod(abs(int(seconds)), _SECONDS_PER_HOUR)
        return reply_json(
            {
                "portalId": account["portalId"],
                "accountType": "STANDARD",
                "timeZone": account["timeZone"],
                "companyCurrency": account["companyCurrency"],
                "additionalCurrencies": [],
                "utcOffset": f"{sign}{hours:02d}:{rest // 60:02d}",
                "utcOffsetMilliseconds": int(seconds * 1000),
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "na1",
            }
        )

    def usage(self, call: Call) -> Response:
        """How many calls of the day are used."""
        del call
        used, limit = self._limits.daily()
        entry = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": limit,
            "currentUsage": used,
            "collectedAt": self._practice.now(),
            "fetchStatus": "SUCCESS",
            "resetsAt": self._limits.resets_at(),
        }
        return reply_json({"results": [entry]})

    def managers(self) -> dict[str, str]:
        """Who manages whom, as an administrator would tell Forestage: `team:<id>` where one
        owner manages all of a team, else `owner:<id>`. HubSpot itself does not know it.
        """
        by_team: dict[str, set[str | None]] = {}
        for _, _, each in self._people():
            if each["team"]:
                by_team.setdefault(each["team"], set()).add(each["manager"])
        found = {}
        for owner_id, _, each in self._people():
            told = by_team.get(each["team"] or "", {None, "several"})
            if each["manager"] and len(told) == 1:
                found[f"team:{each['team']}"] = each["manager"]
            elif each["manager"]:
                found[f"owner:{owner_id}"] = each["manager"]
        return found

    def fiscal_year_start_month(self) -> int:
        """As an administrator would tell it: the settings have it, the API does not."""
        return int(self._store.meta("account")["fiscalYearStartMonth"])

    def _people(self) -> list[tuple[int, int, Body]]:
        rows = self._store.select("SELECT id, user_id, body FROM person ORDER BY id")
        return [(row[0], row[1], orjson.loads(row[2])) for row in rows]

    def _owners(self) -> list[Body]:
        names = dict(self._store.select("SELECT id, body FROM team"))
        owners = []
        for owner_id, user_id, each in self._people():
            team = each["team"]
            teams = []
            if team and self._practice.edition.has_teams:
                name = orjson.loads(names[int(team)])["name"]
                teams.append({"id": team, "name": name, "primary": True})
            owners.append(
                {
                    "id": str(owner_id),
                    "email": each["email"],
                    "type": "PERSON",
                    "firstName": each["first_name"],
                    "lastName": each["last_name"],
                    "userId": user_id if each["is_active"] else None,
                    "userIdIncludingInactive": user_id,
                    "createdAt": each["created_at"],
                    "updatedAt": each["updated_at"],
                    "archived": not each["is_active"],
                    "teams": teams,
                }
            )
        return owners

    def _users(self) -> list[Body]:
        return [
            {
                "id": str(user_id),
                "email": each["email"],
                "firstName": each["first_name"],
                "lastName": each["last_name"],
                "roleIds": [],
                "primaryTeamId": each["team"],
                "secondaryTeamIds": [],
                "superAdmin": False,
            }
            for _, user_id, each in self._people()
            if each["is_active"]
        ]
