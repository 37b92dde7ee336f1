"""Field paths of a query: which table, which column, through which relationships."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sandbox.salesforce.catalog import Catalog
from connectors.sandbox.salesforce.errors import ApiError, no_such_column
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.objects import Sobject

Chain = tuple[str, ...]
MAX_DEPTH = 5
_VIRTUAL: Mapping[tuple[str, str], str] = {
    ("Opportunity", "HasOpenActivity"): (
        '(EXISTS (SELECT 1 FROM "Task" x WHERE x."WhatId" = {t}."Id" AND x."IsClosed" = 0 '
        'AND x."IsDeleted" = 0) OR EXISTS (SELECT 1 FROM "Event" x WHERE x."WhatId" = {t}."Id" '
        'AND x."IsDeleted" = 0 AND x."EndDateTime" > \'{now}\'))'
    ),
    ("Opportunity", "HasOverdueTask"): (
        '(EXISTS (SELECT 1 FROM "Task" x WHERE x."WhatId" = {t}."Id" AND x."IsClosed" = 0 '
        'AND x."IsDeleted" = 0 AND x."ActivityDate" < substr(\'{now}\', 1, 10)))'
    ),
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field path: the SQL that gives it, its field, and the relationships on the way."""

    sql: str
    field: Field
    chain: Chain


@dataclass(frozen=True, slots=True)
class Node:
    """A record on a path: its SQL alias or, where it may be of several objects, its id."""

    alias: str
    sobject: Sobject | None
    id_sql: str


@dataclass(slots=True)
class Scope:
    """The object of a FROM, and what its paths have joined so far."""

    catalog: Catalog
    base: Sobject
    now: str
    alias: str | None = None
    prefix: str = "t"
    nodes: dict[Chain, Node] = field(default_factory=dict)
    joins: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nodes[()] = Node(f"{self.prefix}0", self.base, f'{self.prefix}0."Id"')

    def from_sql(self) -> str:
        """The FROM with its joins."""
        return f'"{self.base.name}" {self.prefix}0 ' + " ".join(self.joins)

    def resolve(self, path: str) -> Resolved:
        """A field path; refused in the API's words if there is no such field."""
        steps = path.split(".")
        if len(steps) > 1 and steps[0].lower() in {
            (self.alias or "").lower(),
            self.base.name.lower(),
        }:
            steps = steps[1:]
        if len(steps) - 1 > MAX_DEPTH:
            raise ApiError(400, "INVALID_FIELD", f"SOQL relationships are too deep: {path}")
        chain: Chain = ()
        for step in steps[:-1]:
            chain = self._follow(chain, step)
        node = self.nodes[chain]
        if node.sobject is None:
            return Resolved(*self._of_any(node, steps[-1]), chain)
        found = node.sobject.field(steps[-1])
        if found is None:
            raise no_such_column(steps[-1], node.sobject.name)
        virtual = _VIRTUAL.get((node.sobject.name, found.name))
        if virtual is not None:
            return Resolved(virtual.format(t=node.alias, now=self.now), found, chain)
        return Resolved(f'{node.alias}."{found.name}"', found, chain)

    def _follow(self, chain: Chain, step: str) -> Chain:
        """Join along one relationship; gives the chain with its exact name."""
        node = self.nodes[chain]
        reference = next(
            (
                each
                for each in (node.sobject.fields if node.sobject else ())
                if each.relationship is not None and each.relationship.lower() == step.lower()
            ),
            None,
        )
        if reference is None or reference.relationship is None:
            raise _no_such_relationship(step)
        longer = (*chain, reference.relationship)
        if longer not in self.nodes:
            self._join(longer, node, reference)
        return longer

    def _join(self, chain: Chain, node: Node, reference: Field) -> None:
        key = f'{node.alias}."{reference.name}"'
        target = reference.reference_to[0]
        if reference.is_polymorphic and target != "User":
            self.nodes[chain] = Node(node.alias, None, key)
            return
        sobject = self.catalog.find(target)
        if sobject is None:
            raise _no_such_relationship(chain[-1])
        alias = f"{self.prefix}{len(self.nodes)}"
        self.joins.append(f'LEFT JOIN "{target}" {alias} ON {alias}."Id" = {key}')
        self.nodes[chain] = Node(alias, sobject, f'{alias}."Id"')

    def _of_any(self, node: Node, name: str) -> tuple[str, Field]:
        """What can be asked of a record that may be of several objects: Id, Type, Name."""
        key = node.id_sql
        lower = name.lower()
        if lower == "id":
            return key, Field(name="Id", type="reference", label="ID", length=18)
        named = [each for each in self.catalog.all.values() if each.name_field]
        if lower == "type":
            cases = " ".join(f"WHEN '{each.prefix}' THEN '{each.name}'" for each in named)
        elif lower == "name":
            cases = " ".join(
                f"WHEN '{each.prefix}' THEN "
                f'(SELECT "{each.name_field}" FROM "{each.name}" WHERE "Id" = {key})'
                for each in named
            )
        else:
            raise no_such_column(name, "Name")
        return f"CASE substr({key}, 1, 3) {cases} END", Field(
            name=name.capitalize(), type="string", label=name.capitalize(), length=255
        )


def _no_such_relationship(name: str) -> ApiError:
    """One that does not exist, or whose object the caller may not see."""
    return ApiError(
        400,
        "INVALID_FIELD",
        f"Didn't understand relationship '{name}' in field path. If you are attempting to "
        "use a custom relationship, be sure to append the '__r' after the custom "
        "relationship name. Please reference your WSDL or the describe call for the "
        "appropriate names.",
    )
