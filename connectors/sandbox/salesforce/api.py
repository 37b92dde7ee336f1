"""The HTTP API: sessions, limits, faults, and which address does what."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.sandbox.faults import Fault, Faults
from connectors.sandbox.loopback import Request, Response, reply_json
from connectors.sandbox.salesforce import auth
from connectors.sandbox.salesforce.deploy import Deploys
from connectors.sandbox.salesforce.errors import ApiError, MultipleChoices, not_found
from connectors.sandbox.salesforce.practice import Practice
from connectors.sandbox.salesforce.rest import Call, Rest, Usage
from connectors.sandbox.salesforce.soap import Soap

DAILY_CALLS = 100_000
_NEWEST = 68
_OLDEST = 41
_RELEASES = ("Winter", "Spring", "Summer")
_VERSIONED = re.compile(r"/services/data/v(\d+\.0)(/.*)?\Z")
_SOAP = re.compile(r"/services/Soap/(u|c|m)/([\d.]+)(/.*)?\Z")


@dataclass(slots=True)
class Calls:
    """How many calls were served. Guarded by the API's lock."""

    total: int
    by_method: Counter[str]
    by_path: Counter[str]


class Api:
    """Serves one practice organisation. `on_advance` runs after its people have worked on."""

    def __init__(self, practice: Practice, on_advance: Callable[[], None]) -> None:
        self._practice = practice
        self._on_advance = on_advance
        self._tokens = auth.Tokens(practice.clock.now)
        self._faults = Faults()
        self._calls = Calls(0, Counter(), Counter())
        self._lock = threading.Lock()
        self._locks_due = 0
        self._daily_calls = DAILY_CALLS
        self._calls_of_others = 0
        deploys = Deploys(practice)
        self._rest = Rest(practice, deploys, self._strikes_lock)
        self._soap = Soap(practice, self._tokens, deploys)
        self.base_url = ""

    def handle(self, request: Request) -> Response:
        """One call, with its faults, errors and limit header."""
        if request.path.startswith("/_sandbox/"):
            return self._own(request)
        number = self._count(request)
        fault = self._faults.strike(number, f"{request.method} {request.path}")
        usage = Usage(number + self._calls_of_others, self._daily_calls)
        response = self._faulty(fault) or self._serve(request, usage)
        if fault is not None and fault.kind == "cut":
            response = Response(
                status=response.status,
                body=response.body,
                content_type=response.content_type,
                headers=response.headers,
                cut_after=len(response.body) // 2,
            )
        limit = {"Sforce-Limit-Info": f"api-usage={usage.calls}/{usage.daily}"}
        return Response(
            status=response.status,
            body=response.body,
            content_type=response.content_type,
            headers={**response.headers, **limit},
            cut_after=response.cut_after,
        )

    def _count(self, request: Request) -> int:
        with self._lock:
            self._calls.total += 1
            self._calls.by_method[request.method] += 1
            found = _VERSIONED.match(request.path)
            place = (found[2] or "/") if found else request.path
            self._calls.by_path["/".join(place.split("/")[:4])] += 1
            return self._calls.total

    def _serve(self, request: Request, usage: Usage) -> Response:
        try:
            return self._route(request, usage)
        except MultipleChoices as error:
            found = _VERSIONED.match(request.path)
            base = f"/services/data/v{found[1]}" if found else ""
            return reply_json([base + url for url in error.urls], error.status)
        except ApiError as error:
            return reply_json(error.body(), error.status)
        except orjson.JSONDecodeError as error:
            body = ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}").body()
            return reply_json(body, 400)

    def _route(self, request: Request, usage: Usage) -> Response:
        path = request.path
        if path in ("/services/data", "/services/data/"):
            return reply_json(_versions())
        if path == "/services/oauth2/token":
            return self._token(request)
        if path == "/services/oauth2/revoke":
            self._tokens.revoke({**request.query, **request.form()}.get("token", ""))
            return Response(status=200)
        found = _SOAP.match(path)
        if found is not None:
            with self._practice.store.lock:
                return self._soap.serve(request, found[1], found[2], self.base_url)
        self._authorise(request)
        if usage.calls > usage.daily:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if path == "/services/oauth2/userinfo" or path.startswith("/id/"):
            return reply_json(self._identity())
        found = _VERSIONED.match(path)
        if found is None:
            raise not_found()
        if not _OLDEST <= float(found[1]) <= _NEWEST:
            raise not_found()
        return self._rest.serve(Call(request, found[1], found[2] or "/", usage))

    def _authorise(self, request: Request) -> None:
        if not self._tokens.is_good(auth.bearer(request)):
            raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return reply_json(
                {"error": "invalid_request", "error_description": "must use HTTP POST"}, 400
            )
        return auth.token(
            request,
            self._tokens,
            base_url=self.base_url,
            organisation=self._practice.organisation_id,
            user=self._practice.user_id,
            username=str(self._user()["Username"]),
        )

    def _user(self) -> dict[str, Any]:
        return self._practice.store.get("User", self._practice.user_id) or {}

    def _identity(self) -> dict[str, object]:
        user = self._user()
        organisation = self._practice.organisation_id
        return {
            "id": f"{self.base_url}/id/{organisation}/{user['Id']}",
            "user_id": user["Id"],
            "organization_id": organisation,
            "username": user["Username"],
            "preferred_username": user["Username"],
            "display_name": user["Name"],
            "name": user["Name"],
            "email": user["Email"],
            "active": True,
            "user_type": "STANDARD",
            "zoneinfo": user["TimeZoneSidKey"],
            "timezone": user["TimeZoneSidKey"],
            "language": "en_US",
            "locale": "en_US",
            "urls": {"rest": f"{self.base_url}/services/data/v{{version}}/"},
        }

    def _faulty(self, fault: Fault | None) -> Response | None:
        """The failed reply that a fault makes; None: the call is served all the same."""
        if fault is None or fault.kind == "cut":
            return None
        if fault.kind == "slow":
            time.sleep(fault.seconds)
            return None
        if fault.kind == "lock":
            with self._lock:
                self._locks_due += 1
            return None
        if fault.kind == "401":
            self._tokens.revoke_all()
        status, code, message = _FAILURES[fault.kind]
        headers = {"Retry-After": "1"} if fault.kind in ("429", "503") else {}
        body = ApiError(status, code, message).body()
        return Response(status=status, body=orjson.dumps(body), headers=headers)

    def _strikes_lock(self) -> bool:
        """Whether the row being written meets a lock error; used up once."""
        with self._lock:
            if self._locks_due < 1:
                return False
            self._locks_due -= 1
            return True

    def _own(self, request: Request) -> Response:
        """What the sandbox offers beside the vendor's API."""
        doors: dict[str, Callable[[Request], Response]] = {
            "POST advance": self._advance,
            "POST faults": self._set_faults,
            "POST permissions": self._permissions,
            "POST limits": self._limits,
            "POST settings": self._settings,
            "GET truth": self._truth,
            "GET state": lambda _: reply_json(self._state()),
        }
        door = doors.get(f"{request.method} {request.path.removeprefix('/_sandbox/')}")
        if door is None:
            return reply_json({"error": f"there are {', '.join(doors)}"}, 404)
        return door(request)

    def _set_faults(self, request: Request) -> Response:
        try:
            count = self._faults.replace(request.json(), self._calls.total)
        except (KeyError, TypeError, ValueError, re.error) as error:
            return reply_json({"error": str(error)}, 400)
        return reply_json({"faults": count})

    def _truth(self, _: Request) -> Response:
        lines = "\n".join(self._practice.truth()) + "\n"
        return Response(body=lines.encode(), content_type="application/x-ndjson")

    def _advance(self, request: Request) -> Response:
        told = request.json()
        days = told.get("days") if isinstance(told, dict) else None
        if not isinstance(days, int) or days < 0:
            return reply_json({"error": "days must be a whole number from 0 on"}, 400)
        acts = self._practice.advance(days)
        self._on_advance()
        return reply_json({"acts": acts, "now": self._practice.now()})

    def _permissions(self, request: Request) -> Response:
        """`{"hide": ["Opportunity.NextStep", "Task"]}`: what the API user may not see now."""
        told = request.json()
        names = told.get("hide") if isinstance(told, dict) else None
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            return reply_json({"error": "hide must be a list of objects and fields"}, 400)
        try:
            self._practice.hide(names)
        except ValueError as error:
            return reply_json({"error": str(error)}, 400)
        return reply_json({"hidden": len(set(names))})

    def _settings(self, request: Request) -> Response:
        """Any of `field_history` (true: kept from now on; false: no longer), `rotation` (refresh
        tokens are good for one use), `jwt_public_key` (PEM, of the app's certificate) and
        `not_in_bulk` (objects that bulk queries are refused for).
        """
        told = request.json()
        kinds = {
            "field_history": bool,
            "rotation": bool,
            "jwt_public_key": str,
            "not_in_bulk": list,
        }
        if not isinstance(told, dict) or not all(
            isinstance(value, kinds.get(name, ())) for name, value in told.items()
        ):
            told_kinds = ", ".join(f"{name}: {kind.__name__}" for name, kind in kinds.items())
            return reply_json({"error": told_kinds}, 400)
        if "field_history" in told:
            is_on = told["field_history"]
            self._practice.track_fields(self._practice.clock.now() if is_on else None)
        self._practice.refuse_in_bulk(told.get("not_in_bulk", self._practice.not_in_bulk()))
        self._tokens.rotates = told.get("rotation", self._tokens.rotates)
        self._tokens.public_key = told.get("jwt_public_key", self._tokens.public_key)
        return reply_json({"set": sorted(told)})

    def _limits(self, request: Request) -> Response:
        """`{"daily_calls": 500, "others": 100}`: the day's limit, and the calls that other
        programs have made of it.
        """
        told = request.json()
        given = dict(told) if isinstance(told, dict) else {}
        daily, others = given.get("daily_calls", DAILY_CALLS), given.get("others", 0)
        if not all(isinstance(each, int) and each >= 0 for each in (daily, others)):
            return reply_json({"error": "daily_calls and others must be whole numbers"}, 400)
        with self._lock:
            self._daily_calls, self._calls_of_others = daily, others
        return reply_json({"daily_calls": daily, "others": others})

    def _state(self) -> dict[str, object]:
        with self._lock:
            calls = {
                "calls": self._calls.total,
                "calls_by_method": dict(self._calls.by_method),
                "calls_by_path": dict(self._calls.by_path),
            }
        return {
            "crm": "salesforce",
            "now": self._practice.now(),
            **calls,
            "counts": self._practice.counts(),
            "faults": self._faults.waiting(),
            "organisation_id": self._practice.organisation_id,
            "user_id": self._practice.user_id,
        }


_FAILURES = {
    "401": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "403_limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "429": (429, "REQUEST_LIMIT_EXCEEDED", "Too many requests"),
    "500": (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    "503": (503, "SERVER_UNAVAILABLE", "The service is not available."),
}


def _versions() -> list[dict[str, str]]:
    """The versions served, oldest first; v68.0 is Winter '27."""
    versions = []
    for number in range(_OLDEST, _NEWEST + 1):
        season = _RELEASES[(number - _NEWEST) % 3]
        year = 27 + (number - _NEWEST) // 3
        versions.append(
            {
                "label": f"{season} '{year:02d}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
        )
    return versions
