"""Which address does what, in all path families, and which scopes it takes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connectors.sandbox.hubspot.batches import Batches
from connectors.sandbox.hubspot.calls import Call
from connectors.sandbox.hubspot.links import Links
from connectors.sandbox.hubspot.objects import Objects
from connectors.sandbox.hubspot.pipelines import Pipelines
from connectors.sandbox.hubspot.schema import Schema
from connectors.sandbox.hubspot.staff import Staff
from connectors.sandbox.loopback import Response

_DATED = r"2026-0[39]"
# Version and address within its area, from each family's way to say it.
_AREA = r"objects|properties|pipelines|owners|associations"
_FAMILIES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"/crm/(?P<version>v[34])/(?P<place>(?:{_AREA})(?:/.*)?)\Z",
        rf"/crm/(?P<place>{_AREA})/(?P<version>{_DATED})(?P<rest>/.*)?\Z",
        rf"/(?P<place>account-info)/(?P<version>v3|{_DATED})(?P<rest>/.*)\Z",
        rf"/settings/(?P<version>v3|{_DATED})/(?P<place>users(?:/.*)?)\Z",
        rf"/settings/(?P<place>users)/(?P<version>{_DATED})(?P<rest>/.*)?\Z",
    )
)
Serve = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Parts:
    """The handlers of all areas."""

    objects: Objects
    batches: Batches
    links: Links
    schema: Schema
    pipelines: Pipelines
    staff: Staff


def locate(path: str) -> tuple[str, str] | None:
    """Version and address within the API, the same for all families; None if it is in none."""
    for family in _FAMILIES:
        found = family.match(path)
        if found is None:
            continue
        named = found.groupdict()
        return named["version"], (named["place"] + (named.get("rest") or "")).rstrip("/")
    return None


class Routes:
    """Finds the handler of a call."""

    def __init__(self, parts: Parts) -> None:
        self._routes = [
            (method, re.compile(_pattern(address)), serve, way)
            for method, address, serve, way in _table(parts)
        ]

    def find(self, method: str, place: str) -> tuple[Serve, dict[str, str], str] | None:
        """The handler, the named pieces of the address, and the kind of scope it takes; a
        method of "" stands for none that is allowed there.
        """
        for allowed, pattern, serve, way in self._routes:
            found = pattern.match(place)
            if found is not None and allowed == method:
                return serve, found.groupdict(), way
        return None

    def knows(self, place: str) -> bool:
        """Whether the address is there at all."""
        return any(pattern.match(place) for _, pattern, _, _ in self._routes)


def scopes_for(way: str, call: Call) -> frozenset[str]:
    """The scopes of which a call needs one."""
    area, _, verb = way.partition(".")
    if area in ("objects", "schemas"):
        wanted = call.type("from" if "from" in call.parts else "type").scope
        scopes = {f"crm.{area}.{wanted}.{verb}"}
        if area == "schemas" and verb == "read":
            scopes.add(f"crm.objects.{wanted}.read")
        return frozenset(scopes)
    return frozenset({"none": (), "owners": ("crm.objects.owners.read",)}.get(area, (way,)))


def _pattern(address: str) -> str:
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", address) + r"\Z"


def _table(parts: Parts) -> Iterator[tuple[str, str, Serve, str]]:
    yield from _object_routes(parts)
    yield from _link_routes(parts.links)
    yield from _schema_routes(parts.schema)
    yield from _pipeline_routes(parts.pipelines)
    staff = parts.staff
    yield "GET", "owners", staff.owners, "owners"
    yield "GET", "owners/{id}", staff.owner, "owners"
    yield "GET", "users/teams", staff.teams, "settings.users.teams.read"
    yield "GET", "users", staff.users, "settings.users.read"
    yield "GET", "users/{id}", staff.user, "settings.users.read"
    yield "GET", "account-info/details", staff.details, "none"
    yield "GET", "account-info/api-usage/daily/private-apps", staff.usage, "none"


def _object_routes(parts: Parts) -> Iterator[tuple[str, str, Serve, str]]:
    objects, batches = parts.objects, parts.batches
    read, write = "objects.read", "objects.write"
    yield "POST", "objects/{type}/batch/read", batches.read, read
    yield "POST", "objects/{type}/batch/create", batches.create, write
    yield "POST", "objects/{type}/batch/update", batches.update, write
    yield "POST", "objects/{type}/batch/upsert", batches.upsert, write
    yield "POST", "objects/{type}/batch/archive", batches.archive, write
    yield "POST", "objects/{type}/search", objects.search, read
    yield "POST", "objects/{type}/merge", objects.merge, write
    yield "GET", "objects/{type}", objects.page, read
    yield "POST", "objects/{type}", objects.create, write
    yield "GET", "objects/{type}/{id}", objects.get, read
    yield "PATCH", "objects/{type}/{id}", objects.update, write
    yield "DELETE", "objects/{type}/{id}", objects.archive, write


def _link_routes(links: Links) -> Iterator[tuple[str, str, Serve, str]]:
    read, write = "objects.read", "objects.write"
    one = "objects/{type}/{id}/associations"
    yield "PUT", one + "/default/{to}/{to_id}", links.put_default, write
    yield "GET", one + "/{to}", links.page, read
    yield "PUT", one + "/{to}/{to_id}", links.put, write
    yield "DELETE", one + "/{to}/{to_id}", links.delete, write
    many = "associations/{from}/{to}"
    yield "GET", many + "/labels", links.labels, read
    yield "POST", many + "/batch/read", links.read, read
    yield "POST", many + "/batch/create", links.create, write
    yield "POST", many + "/batch/associate/default", links.create_default, write
    yield "POST", many + "/batch/archive", links.archive, write


def _schema_routes(schema: Schema) -> Iterator[tuple[str, str, Serve, str]]:
    read, write = "schemas.read", "schemas.write"
    yield "GET", "properties/{type}/groups", schema.groups, read
    yield "POST", "properties/{type}/groups", schema.create_group, write
    yield "GET", "properties/{type}/groups/{name}", schema.get_group, read
    yield "PATCH", "properties/{type}/groups/{name}", schema.update_group, write
    yield "DELETE", "properties/{type}/groups/{name}", schema.archive_group, write
    yield "POST", "properties/{type}/batch/read", schema.batch_read, read
    yield "POST", "properties/{type}/batch/create", schema.batch_create, write
    yield "POST", "properties/{type}/batch/archive", schema.batch_archive, write
    yield "GET", "properties/{type}", schema.all, read
    yield "POST", "properties/{type}", schema.create, write
    yield "GET", "properties/{type}/{name}", schema.get, read
    yield "PATCH", "properties/{type}/{name}", schema.update, write
    yield "DELETE", "properties/{type}/{name}", schema.archive, write


def _pipeline_routes(pipelines: Pipelines) -> Iterator[tuple[str, str, Serve, str]]:
    read, write = "objects.read", "objects.write"
    one = "pipelines/{type}/{pipeline}"
    stage = one + "/stages/{stage}"
    yield "GET", "pipelines/{type}", pipelines.all, read
    yield "POST", "pipelines/{type}", pipelines.create, write
    yield "GET", one, pipelines.get, read
    yield "PATCH", one, pipelines.update, write
    yield "DELETE", one, pipelines.archive, write
    yield "GET", one + "/audit", pipelines.audit, read
    yield "GET", one + "/stages", pipelines.stages, read
    yield "POST", one + "/stages", pipelines.create_stage, write
    yield "GET", stage, pipelines.stage, read
    yield "PATCH", stage, pipelines.update_stage, write
    yield "DELETE", stage, pipelines.archive_stage, write
    yield "GET", stage + "/audit", pipelines.stage_audit, read
