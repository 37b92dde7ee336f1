"""`connectors.base.Setup` for Salesforce: deploys the package and grants it.

Run it with an admin's session; the run-time user needs far less.
"""

import io
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import orjson

from connectors.errors import Fatal, Retry
from connectors.salesforce.client import Client, Row, quoted
from connectors.salesforce.fields import Fields, Shape
from connectors.salesforce.outgoing import FLAG, FLAG_COLUMNS, FLAG_KEY, TASK, TASK_KEY

PERMISSION_SET = "Forestage_Integration"
POLL_S = 2.0
LONGEST_DEPLOY_S = 900.0

_ZIP_EPOCH = (2020, 1, 1, 0, 0, 0)
_FEEDBACK_FIELDS = ("Disposition__c", "Snooze_Until__c")
_DEPLOY_OPTIONS = {
    "allowMissingFiles": False,
    "autoUpdatePackage": False,
    "checkOnly": False,
    "ignoreWarnings": True,
    "performRetrieve": False,
    "purgeOnDelete": False,
    "rollbackOnError": True,
    "singlePackage": True,
}
_PERMISSION_SETS = Shape(sobject="PermissionSet", needed=("Id", "Name"))
_ASSIGNMENTS = Shape(sobject="PermissionSetAssignment", needed=("Id",))


class SalesforceSetup:
    """Installs into one org: as `admin`, for the user that `runtime` runs as."""

    def __init__(
        self,
        runtime: Client,
        *,
        admin: Client | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._runtime = runtime
        self._client = admin or runtime
        self._pause = pause

    @property
    def calls(self) -> int:
        """HTTP calls made so far."""
        return self._client.calls

    def missing(self) -> Sequence[str]:
        """What the run-time user can't see: it is not installed, or not granted."""
        fields = Fields(self._runtime)
        missing: list[str] = []
        if fields.describe(FLAG) is None:
            missing.append(f"object {FLAG}")
        else:
            names = (FLAG_KEY, *(column.api for column in FLAG_COLUMNS), *_FEEDBACK_FIELDS)
            missing += [f"field {FLAG}.{name}" for name in names if not fields.has(FLAG, name)]
        if not fields.has(TASK, TASK_KEY):
            missing.append(f"field {TASK}.{TASK_KEY}")
        return missing

    def install(self) -> Sequence[str]:
        """Deploy the package and assign its permission set to the run-time user; returns what
        that changed.

        Raises `Fatal` with Salesforce's own words for each component that it refuses, and
        then nothing is installed.
        """
        answer = self._client.upload(
            "metadata/deployRequest",
            {
                "json": (
                    None,
                    orjson.dumps({"deployOptions": _DEPLOY_OPTIONS}),
                    "application/json",
                ),
                "file": ("forestage.zip", package_zip(), "application/zip"),
            },
        )
        changed = _changed(self._finished(str(answer["id"])))
        return [*changed, *self._grant()]

    def _finished(self, deployment: str) -> Mapping[str, Any]:
        """The result of a deployment, waited for."""
        path = f"metadata/deployRequest/{deployment}?includeDetails=true"
        waited = 0.0
        while True:
            result: Mapping[str, Any] = self._client.get(path)["deployResult"]
            if result["done"]:
                break
            if waited >= LONGEST_DEPLOY_S:
                raise Retry(f"Salesforce still works on deployment {deployment}", after=60)
            self._pause(POLL_S)
            waited += POLL_S
        if not result["success"]:
            raise Fatal(f"Salesforce refused the package: {_problems(result)}")
        return result

    def _grant(self) -> Sequence[str]:
        fields = Fields(self._client)
        granted = _id(fields.query(_PERMISSION_SETS, f"WHERE Name = {quoted(PERMISSION_SET)}"))
        if granted is None:
            raise Fatal(f"{PERMISSION_SET} was deployed but can't be read: View Setup is needed")
        user = self._runtime.user_id()
        where = f"WHERE AssigneeId = {quoted(user)} AND PermissionSetId = {quoted(granted)}"
        if _id(fields.query(_ASSIGNMENTS, where)) is not None:
            return ()
        body = {"AssigneeId": user, "PermissionSetId": granted}
        self._client.send("POST", "sobjects/PermissionSetAssignment", body)
        return (f"PermissionSetAssignment {PERMISSION_SET}",)


def package_zip() -> bytes:
    """The package as the Metadata API takes it: `package.xml` at the root, always the same
    bytes for the same files.
    """
    root = files("connectors.salesforce") / "package"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_contents(root, "")):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content)
    return buffer.getvalue()


def _contents(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _contents(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()


def _details(result: Mapping[str, Any], kind: str) -> Sequence[Row]:
    """Salesforce sends one component as an object, several as a list."""
    found = (result.get("details") or {}).get(kind) or []
    return [found] if isinstance(found, dict) else found


def _problems(result: Mapping[str, Any]) -> str:
    failures = [
        f"{failure.get('fullName')}: {failure.get('problem')}"
        for failure in _details(result, "componentFailures")
    ]
    return "; ".join(failures) or str(result.get("errorMessage") or result.get("status"))


def _changed(result: Mapping[str, Any]) -> Sequence[str]:
    return [
        f"{part.get('componentType')} {part['fullName']}"
        for part in _details(result, "componentSuccesses")
        if part.get("componentType") and (part.get("created") or part.get("changed"))
    ]


def _id(pages: Iterator[Any]) -> str | None:
    return next((str(row["Id"]) for page in pages for row in page.rows), None)
