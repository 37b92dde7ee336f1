"""The HTTP API: tokens, limits, faults, and which address does what."""

import dataclasses
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from connectors.sandbox.faults import Fault, Faults
from connectors.sandbox.hubspot import auth, limits
from connectors.sandbox.hubspot.batches import Batches
from connectors.sandbox.hubspot.calls import Call
from connectors.sandbox.hubspot.errors import ApiError
from connectors.sandbox.hubspot.links import Links
from connectors.sandbox.hubspot.load_setup import PORTAL_ID
from connectors.sandbox.hubspot.objects import Objects
from connectors.sandbox.hubspot.pipelines import Pipelines
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.records import Records
from connectors.sandbox.hubspot.routes import Parts, Routes, locate, scopes_for
from connectors.sandbox.hubspot.schema import Schema
from connectors.sandbox.hubspot.staff import Staff
from connectors.sandbox.hubspot.views import Views
from connectors.sandbox.loopback import Request, Response, reply_json

_TOKEN = re.compile(r"/oauth/(?:v1|v3|2026-0[39])/token\Z")
_INTROSPECT = re.compile(r"/oauth/(?:v3|2026-0[39])/token/introspect\Z")
_METADATA = re.compile(r"/oauth/v1/access-tokens/(?P<token>[^/]+)\Z")
_HTML = "text/html; charset=utf-8"
FAULTS = frozenset(
    {"401", "403", "423", "429", "429_daily", "477", "500", "502", "503", "504", "521", "524"}
    | {"slow", "reset", "cut"}
)


class Api:
    """Serves one practice portal. `on_advance` runs after its people have worked on."""

    def __init__(self, practice: Practice, on_advance: Callable[[], None]) -> None:
        self._practice = practice
        self._on_advance = on_advance
        self._tokens = auth.Tokens(practice.clock)
        self._limits = limits.Limits(practice)
        self._faults = Faults(FAULTS)
        self._calls = 0
        self._by_method: Counter[str] = Counter()
        self._by_path: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._records = Records(practice)
        views = Views(practice)
        batches = Batches(practice, self._records, views)
        self._staff = Staff(practice, self._limits)
        self._routes = Routes(
            Parts(
                Objects(practice, self._records, views),
                batches,
                Links(practice, self._records, batches),
                Schema(practice, batches),
                Pipelines(practice),
                self._staff,
            )
        )
        self.base_url = ""

    def handle(self, request: Request) -> Response:
        """One call, with its faults and errors."""
        if request.path.startswith("/_sandbox/"):
            return self._own(request)
        number = self._count(request)
        fault = self._faults.strike(number, f"{request.method} {request.path}")
        response = self._faulty(fault) or self._serve(request)
        if fault is not None and fault.kind == "cut":
            response = dataclasses.replace(response, cut_after=len(response.body) // 2)
        headers = {**response.headers, "X-HubSpot-Correlation-Id": str(uuid.uuid4())}
        return dataclasses.replace(response, headers=headers)

    def _count(self, request: Request) -> int:
        with self._lock:
            self._calls += 1
            self._by_method[request.method] += 1
            found = locate(request.path)
            place = re.sub(r"/\d{6,}", "/{id}", found[1] if found else request.path)
            self._by_path[place] += 1
            return self._calls

    def _serve(self, request: Request) -> Response:
        try:
            if _TOKEN.match(request.path) and request.method == "POST":
                return auth.token(request, self._tokens)
            if _INTROSPECT.match(request.path) and request.method == "POST":
                return auth.introspect(request.form(), "", self._tokens)
            metadata = _METADATA.match(request.path)
            if metadata is not None:
                return auth.introspect({}, metadata["token"], self._tokens)
            return self._authorised(request)
        except ApiError as error:
            return reply_json(error.body(), error.status)

    def _authorised(self, request: Request) -> Response:
        grant = self._tokens.grant(request)
        is_search = request.path.endswith("/search")
        response = self._limits.refuse(grant.app, is_search=is_search)
        if response is None:
            try:
                response = self._route(request, grant)
            except ApiError as error:
                response = reply_json(error.body(), error.status)
        if is_search:
            return response
        told = self._limits.headers(grant.app, is_static=grant.is_static)
        return dataclasses.replace(response, headers={**response.headers, **told})

    def _route(self, request: Request, grant: auth.Grant) -> Response:
        place = locate(request.path)
        if place is None:
            raise ApiError(404, "OBJECT_NOT_FOUND", f"No route {request.path}")
        found = self._routes.find(request.method, place[1])
        if found is None:
            status = 405 if self._routes.knows(place[1]) else 404
            raise ApiError(status, "OBJECT_NOT_FOUND", f"No route {request.method} {request.path}")
        serve, parts, way = found
        call = Call(request=request, version=place[0], parts=parts, base_url=self.base_url)
        auth.check_scopes(grant, scopes_for(way, call))
        return serve(call)

    def _faulty(self, fault: Fault | None) -> Response | None:
        """The failed reply that a fault makes; None: the call is served all the same."""
        if fault is None or fault.kind == "cut":
            return None
        if fault.kind == "slow":
            time.sleep(fault.seconds)
            return None
        if fault.kind == "reset":
            return Response(is_reset=True)
        if fault.kind == "429":
            return limits.ten_secondly()
        if fault.kind == "429_daily":
            return limits.daily()
        if fault.kind == "401":
            self._tokens.revoke_oauth()
        return _failed(fault)

    def _own(self, request: Request) -> Response:
        """What the sandbox offers beside the vendor's API."""
        doors: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("POST", "advance"): self._advance,
            ("POST", "faults"): self._set_faults,
            ("POST", "limits"): self._set_limits,
            ("POST", "tokens"): self._add_token,
            ("POST", "demands"): self._set_demands,
            ("POST", "permissions"): self._set_permissions,
            ("POST", "settings"): self._set_settings,
            ("GET", "truth"): self._truth,
            ("GET", "state"): lambda _: reply_json(self._state()),
        }
        door = doors.get((request.method, request.path.removeprefix("/_sandbox/")))
        if door is None:
            names = ", ".join(" ".join(each) for each in doors)
            return reply_json({"error": f"there are {names}"}, 404)
        try:
            return door(request)
        except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
            return reply_json({"error": str(error)}, 400)

    def _advance(self, request: Request) -> Response:
        days = request.json().get("days")
        if not isinstance(days, int) or days < 0:
            raise ValueError("days must be a whole number from 0 on")
        acts = self._practice.advance(days)
        self._on_advance()
        return reply_json({"acts": acts, "now": self._practice.now()})

    def _set_faults(self, request: Request) -> Response:
        return reply_json({"faults": self._faults.replace(request.json(), self._calls)})

    def _set_limits(self, request: Request) -> Response:
        """`ten_secondly`, `daily`, `search_per_second`, and `index_lag_seconds`."""
        told = dict(request.json())
        lag = float(told.pop("index_lag_seconds", self._records.index_lag_seconds))
        if lag < 0:
            raise ValueError("index_lag_seconds must not be negative")
        allowed = self._limits.set(told)
        self._records.index_lag_seconds = lag
        return reply_json({**allowed, "index_lag_seconds": lag})

    def _add_token(self, request: Request) -> Response:
        told = request.json()
        self._tokens.add_static(str(told["token"]), frozenset(map(str, told["scopes"])))
        return reply_json({"token": told["token"]})

    def _set_demands(self, request: Request) -> Response:
        """`[{type, property, when}]`: what 2026-09 enforces on every write."""
        return reply_json({"demands": self._records.demands.replace(request.json())})

    def _set_permissions(self, request: Request) -> Response:
        """`{"hide": ["deals.hs_next_step"]}`: properties that no caller sees now."""
        with self._practice.store.transaction():
            hidden = self._practice.edition.hide(map(str, request.json()["hide"]))
        return reply_json({"hidden": hidden})

    def _set_settings(self, request: Request) -> Response:
        """`{"edition": "starter"}`: what the portal has, and the calls that it grants."""
        grant = self._practice.edition.change(str(request.json()["edition"]))
        return reply_json(self._limits.set(dataclasses.asdict(grant)))

    def _truth(self, _: Request) -> Response:
        lines = "\n".join(self._practice.truth()) + "\n"
        return Response(body=lines.encode(), content_type="application/x-ndjson")

    def _state(self) -> dict[str, Any]:
        with self._lock:
            calls = {
                "calls": self._calls,
                "calls_by_method": dict(self._by_method),
                "calls_by_path": dict(self._by_path),
            }
        return {
            "crm": "hubspot",
            "now": self._practice.now(),
            **calls,
            "counts": self._practice.counts(),
            "faults": self._faults.waiting(),
            "limits": dataclasses.asdict(self._limits.allowed),
            "edition": self._practice.edition.name,
            "hidden": list(self._practice.edition.hidden),
            "portal_id": PORTAL_ID,
            "managers": self._staff.managers(),
            "fiscal_year_start_month": self._staff.fiscal_year_start_month(),
        }


_MESSAGES = {
    "401": ("INVALID_AUTHENTICATION", "Authentication credentials are no longer valid."),
    "403": ("MISSING_SCOPES", "This app hasn't been granted all required scopes."),
    "423": ("LOCKED", "The resource is locked by a high volume of calls. Wait 2 seconds."),
    "477": ("MIGRATION_IN_PROGRESS", "This account is being migrated between data centers."),
    "500": ("SERVER_ERROR", "internal error"),
    "503": ("SERVICE_UNAVAILABLE", "Service temporarily unavailable"),
}


def _failed(fault: Fault) -> Response:
    """What a failing call is told; gateways (502, 504, 52x) answer with a page."""
    status = int(fault.kind)
    if fault.kind not in _MESSAGES:
        return Response(
            status=status, body=b"<html><h1>Bad gateway</h1></html>", content_type=_HTML
        )
    category, message = _MESSAGES[fault.kind]
    headers = {"Retry-After": "1"} if fault.kind == "477" else {}
    body = ApiError(status, category, message).body()
    return Response(status=status, body=orjson.dumps(body), headers=headers)
