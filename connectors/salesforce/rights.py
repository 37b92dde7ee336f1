"""What sharing and permission sets let the run-time user do with opportunities."""

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.checks import Check
from connectors.errors import Fatal, Skip
from connectors.salesforce.client import Client, in_list, quoted
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.setup import PERMISSION_SET

_ASSIGNMENTS = Shape(
    sobject="PermissionSetAssignment",
    needed=("PermissionSetId",),
    silent=(
        *("PermissionSet.Name", "PermissionSet.PermissionsViewAllData"),
        "PermissionSet.PermissionsModifyAllData",
    ),
)
_RIGHTS = Shape(
    sobject="ObjectPermissions",
    needed=("ParentId",),
    optional=("PermissionsViewAllRecords", "PermissionsModifyAllRecords"),
)


def rights(client: Client, fields: Fields) -> Iterator[Check]:
    """Whether sharing hides deals, and whether the user may do more than it needs."""
    who = f"WHERE AssigneeId = {quoted(client.user_id())}"
    try:
        held = [row for page in fields.query(_ASSIGNMENTS, who) for row in page.rows]
        sets = in_list([row["PermissionSetId"] for row in held] or [""])
        where = f"WHERE SobjectType = 'Opportunity' AND ParentId IN {sets}"
        held_rights = [row for page in fields.query(_RIGHTS, where) for row in page.rows]
    except (Skip, Fatal):
        told = "What the user may do can't be read, so nobody knows whether it sees all deals."
        yield Check(
            area="permissions",
            name="View All",
            told=told,
            grade="warning",
            advice="grant the user View Setup, or compare the number of deals with a report",
        )
        return
    granted = [row.get("PermissionSet") or {} for row in held]
    yield _sees_all(granted, held_rights)
    if any(row.get("PermissionsModifyAllRecords") for row in held_rights) or any(
        row.get("PermissionsModifyAllData") for row in granted
    ):
        yield Check(
            area="permissions",
            name="Modify All",
            told="The user may change every deal; Forestage only needs to read them.",
            grade="warning",
            advice=f"take Modify All from it; {PERMISSION_SET} is enough",
        )


def _sees_all(granted: Sequence[Any], rights: Sequence[Any]) -> Check:
    sees = any(row.get("PermissionsViewAllRecords") for row in rights) or any(
        row.get("PermissionsViewAllData") for row in granted
    )
    if sees:
        told = "The user sees all deals, whoever they are shared with."
        return Check(area="permissions", name="View All", told=told)
    return Check(
        area="permissions",
        name="View All",
        told="The user has no View All on Opportunity: deals not shared with it are missing from "
        "every figure.",
        grade="warning",
        advice=f"assign the permission set {PERMISSION_SET}, which grants it",
    )
