"""Rows of HubSpot's objects, with those properties that the token may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.errors import Fatal, Skip
from connectors.hubspot.client import Client, Row, next_after

PAGE, PAGE_WITH_HISTORY, SEARCHED = 100, 50, 200
_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What we would like to read of an object type.

    Without a `needed` property a row can't be used; an `optional` one that the portal does
    not tell is left out with a warning; `silent` ones most portals lack. `history`: those
    whose revisions are wanted. `modified`: the property with the last change.
    """

    name: str
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    modified: str = "hs_lastmodifieddate"

    @property
    def properties(self) -> tuple[str, ...]:
        """All that is asked for."""
        return (*self.needed, *self.optional, *self.silent)

    @property
    def page(self) -> int:
        """Rows a page: HubSpot gives no more than 50 with their history."""
        return PAGE_WITH_HISTORY if self.history else PAGE


class Fields:
    """Lists, searches and reads by id. HubSpot leaves out a property that it does not show,
    without a word; that is told here. `warnings` gathers it, once each, until `take_warnings`.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._looked_at: set[Shape] = set()
        self._warned: set[str] = set()
        self._warnings: list[str] = []

    def listed(
        self, shape: Shape, *, archived: bool, after: str | None
    ) -> tuple[Sequence[Row], str | None]:
        """A page in the order of ids, and where the next one begins (None: it was the last)."""
        params = [("limit", str(shape.page)), ("archived", str(archived).lower())]
        params += [("properties", name) for name in shape.properties]
        params += [("propertiesWithHistory", name) for name in shape.history]
        if after:
            params.append(("after", after))
        page = self._client.call("GET", f"objects/{shape.name}", params=params)
        return self._looked(shape, page["results"]), next_after(page)

    def changed(
        self, shape: Shape, *, since: datetime, until: datetime, above: str | None
    ) -> tuple[Sequence[Row], bool]:
        """Rows with an id above `above` that changed within the window, by id; and whether
        there are more. Search tells no archived rows and no histories, and has an index that
        lags by some moments.
        """
        filters = [
            {"propertyName": shape.modified, "operator": "GTE", "value": _epoch_ms(since)},
            {"propertyName": shape.modified, "operator": "LTE", "value": _epoch_ms(until)},
        ]
        if above:
            filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": above})
        return self._searched(shape, filters)

    def having(self, shape: Shape, name: str, *, above: str | None) -> tuple[Sequence[Row], bool]:
        """Rows where a property has a value, likewise."""
        filters = [{"propertyName": name, "operator": "HAS_PROPERTY"}]
        if above:
            filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": above})
        return self._searched(shape, filters)

    def by_id(
        self, shape: Shape, ids: Sequence[str], *, archived: bool = False, key: str | None = None
    ) -> Sequence[Row]:
        """The rows of these ids (or values of the unique property `key`) that are there."""
        rows: list[Row] = []
        for start in range(0, len(ids), shape.page):
            body: dict[str, Any] = {
                "inputs": [{"id": crm_id} for crm_id in ids[start : start + shape.page]],
                "properties": list(shape.properties),
                "propertiesWithHistory": list(shape.history),
            }
            if key:
                body["idProperty"] = key
            params = [("archived", "true")] if archived else []
            place = f"objects/{shape.name}/batch/read"
            rows += self._client.call("POST", place, params=params, body=body)["results"]
        return self._looked(shape, rows)

    def take_warnings(self) -> Sequence[str]:
        """Warnings since the last time this was asked."""
        taken, self._warnings = self._warnings, []
        return taken

    def warn(self, text: str) -> None:
        """Keep a warning, once."""
        if text not in self._warned:
            self._warned.add(text)
            self._warnings.append(text)

    def _searched(
        self, shape: Shape, filters: Sequence[Mapping[str, str]]
    ) -> tuple[Sequence[Row], bool]:
        # By id and beyond the last one, never by page: a search ends at 10,000 rows, and a
        # mass update gives more of them than that one and the same instant.
        body = {
            "filterGroups": [{"filters": list(filters)}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": list(shape.properties),
            "limit": SEARCHED,
        }
        page = self._client.call("POST", f"objects/{shape.name}/search", body=body)
        return self._looked(shape, page["results"]), next_after(page) is not None

    def _looked(self, shape: Shape, rows: Sequence[Row]) -> Sequence[Row]:
        if rows and shape not in self._looked_at:
            self._looked_at.add(shape)
            told = rows[0]["properties"]
            for name in shape.needed:
                if name not in told:
                    raise Fatal(f"HubSpot shows no property {name} of {shape.name} to this token")
            for name in shape.optional:
                if name not in told:
                    self.warn(f"{shape.name}: the property {name} can't be read; left out")
        return rows

    def linked(
        self, source: str, target: str, ids: Sequence[str]
    ) -> Mapping[str, Sequence["Link"]]:
        """What each of these records is associated with; those with nothing are left out.

        Raises `Skip` where the token may not see it.
        """
        found: dict[str, dict[str, Link]] = {}
        for start in range(0, len(ids), _LINKS):
            inputs = [{"id": crm_id} for crm_id in ids[start : start + _LINKS]]
            while inputs:
                place = f"associations/{source}/{target}/batch/read"
                answer = self._client.call("POST", place, body={"inputs": inputs})
                inputs = []
                for each in answer["results"]:
                    crm_id = str(each["from"]["id"])
                    links = found.setdefault(crm_id, {})
                    links.update((link.crm_id, link) for link in map(_link, each["to"]))
                    after = next_after(each)
                    if after:
                        inputs.append({"id": crm_id, "after": after})
        return {crm_id: list(links.values()) for crm_id, links in found.items()}


_LINKS = 1000


@dataclass(frozen=True, slots=True)
class Link:
    """The other end of an association: its id, the portal's own labels, and whether primary."""

    crm_id: str
    labels: Sequence[str]
    is_primary: bool


def _link(told: Mapping[str, Any]) -> Link:
    labels: list[str] = []
    is_primary = False
    for each in told.get("associationTypes") or ():
        if label := each.get("label"):
            if each.get("category") == "USER_DEFINED":
                labels.append(str(label))
            elif label == "Primary":
                is_primary = True
    return Link(str(told["toObjectId"]), labels, is_primary)


def needed(error: Skip) -> Fatal:
    """The error of something that can't be gone without."""
    return Fatal(str(error), code=error.code)


def _epoch_ms(at: datetime) -> str:
    return str(int(at.timestamp() * _MS))
