"""Metadata deploys: a package's zip becomes objects, fields and permission sets."""

import email
import email.policy
import hashlib
import io
import zipfile
from dataclasses import dataclass, replace
from typing import Any

from connectors.sandbox.loopback import Request
from connectors.sandbox.salesforce import ids
from connectors.sandbox.salesforce.catalog import ACTIVITIES
from connectors.sandbox.salesforce.errors import ApiError, not_found
from connectors.sandbox.salesforce.fields import Field, parse
from connectors.sandbox.salesforce.package_files import (
    Component,
    ObjectFile,
    PermissionFile,
    Unreadable,
    read,
)
from connectors.sandbox.salesforce.practice import Practice
from connectors.sandbox.salesforce.store import Store, custom_object
from connectors.sandbox.salesforce.values import Row

_SKIPPED = ("package.xml", "sfdx-project.json")
_FIRST_CUSTOM_PREFIX = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a package."""

    path: str
    kind: str
    name: str
    says: Component
    digest: str


class Deploys:
    """Deploys packages and remembers how each went."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self._results: dict[str, Row] = {}

    def receive(self, request: Request) -> Row:
        """`POST /metadata/deployRequest`: a multipart body with the zip."""
        return {"id": self.deploy(_zip_of(request)), "deployResult": {"status": "Pending"}}

    def deploy(self, archive: bytes, *, check_only: bool = False) -> str:
        """Deploy a zip; gives the id to ask the status with."""
        deploy_id = ids.make("0Af", len(self._results) + 1)
        parts, failures = _parts(archive)
        if not failures:
            failures = _unknown_fields(self._practice.store, parts)
        successes: list[Row] = []
        if not failures:
            with self._practice.store.transaction():
                successes = [self._success(part) for part in parts]
                if not check_only:
                    self._apply(parts)
        self._results[deploy_id] = self._result(deploy_id, parts, successes, failures)
        return deploy_id

    def status(self, deploy_id: str) -> Row:
        """How a deploy went."""
        found = self._results.get(ids.as_18(deploy_id) or "")
        if found is None:
            raise not_found()
        return {"id": found["id"], "deployResult": found}

    def _apply(self, parts: list[Part]) -> None:
        store = self._practice.store
        for part in parts:
            if isinstance(part.says, ObjectFile):
                _install_object(store, part.says)
        for part in parts:
            if isinstance(part.says, PermissionFile):
                _install_permissions(store, part.says, self._practice.now())
        known = store.meta("components") or {}
        known |= {f"{part.kind} {part.name}": part.digest for part in parts}
        store.save_meta("components", known)
        store.refresh_grants()

    def _success(self, part: Part) -> Row:
        known = self._practice.store.meta("components") or {}
        before = known.get(f"{part.kind} {part.name}")
        return {
            "componentType": part.kind,
            "fileName": part.path,
            "fullName": part.name,
            "success": True,
            "created": before is None,
            "changed": before != part.digest,
            "deleted": False,
        }

    def _result(
        self, deploy_id: str, parts: list[Part], successes: list[Row], failures: list[Row]
    ) -> Row:
        now = self._practice.now()
        return {
            "id": deploy_id,
            "status": "Failed" if failures else "Succeeded",
            "success": not failures,
            "done": True,
            "checkOnly": False,
            "rollbackOnError": True,
            "createdDate": now,
            "startDate": now,
            "completedDate": now,
            "numberComponentsTotal": len(parts) + len(failures),
            "numberComponentsDeployed": len(successes),
            "numberComponentErrors": len(failures),
            "numberTestsTotal": 0,
            "numberTestsCompleted": 0,
            "numberTestErrors": 0,
            "details": {
                "componentSuccesses": successes,
                "componentFailures": failures,
                "runTestResult": {"numTestsRun": 0, "numFailures": 0},
            },
        }


def _zip_of(request: Request) -> bytes:
    """The file part of a multipart body."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    for part in message.iter_parts() if message.is_multipart() else ():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content.startswith(b"PK"):
            return content
    raise ApiError(400, "INVALID_MULTIPART_REQUEST", "a zip file is missing from the request")


def _parts(archive: bytes) -> tuple[list[Part], list[Row]]:
    """The components of a zip, and what can't be read."""
    parts: list[Part] = []
    failures: list[Row] = []
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            files = {name: opened.read(name) for name in opened.namelist()}
    except zipfile.BadZipFile as error:
        return [], [_failure("package.xml", "", f"not a zip file: {error}")]
    if not any(name.endswith(_SKIPPED[0]) for name in files):
        return [], [_failure("package.xml", "", "No package.xml found")]
    for path, content in sorted(files.items()):
        if path.endswith(("/", *_SKIPPED)):
            continue
        try:
            kind, name, says = read(path, content)
        except Unreadable as error:
            failures.append(_failure(path, path.rpartition("/")[2], str(error)))
        else:
            parts.append(Part(path, kind, name, says, hashlib.sha256(content).hexdigest()))
    return parts, failures


def _failure(path: str, name: str, problem: str) -> Row:
    return {
        "componentType": "",
        "fileName": path,
        "fullName": name,
        "problem": problem,
        "problemType": "Error",
        "success": False,
    }


def _unknown_fields(store: Store, parts: list[Part]) -> list[Row]:
    """A permission set may only grant what there is, or what comes with it; and an object
    that gets custom fields must be there.
    """
    coming: set[str] = set()
    objects = {
        part.says.name for part in parts if isinstance(part.says, ObjectFile) and part.says.label
    }
    failures: list[Row] = []
    for part in parts:
        if isinstance(part.says, ObjectFile):
            owners = _owners(part.says.name)
            if not all(owner in store.catalog.all or owner in objects for owner in owners):
                problem = f"Entity of type CustomObject named {part.says.name} cannot be found"
                failures.append(_failure(part.path, part.name, problem))
            names = (part.says.name, *owners)
            coming |= {f"{owner}.{each.name}" for owner in names for each in part.says.fields}
    for part in parts:
        if not isinstance(part.says, PermissionFile):
            continue
        for name in part.says.fields:
            owner, _, field = name.partition(".")
            there = [store.catalog.all.get(each) for each in _owners(owner)]
            if name not in coming and not any(each and each.field(field) for each in there):
                problem = f"In field: field - no CustomField named {name} found"
                failures.append(_failure(part.path, part.name, problem))
    return failures


def _owners(name: str) -> tuple[str, ...]:
    """The objects that have the fields of one named so: Activity stands for two."""
    return ACTIVITIES if name == "Activity" else (name,)


def _install_object(store: Store, says: ObjectFile) -> None:
    if says.label is not None and says.name not in store.catalog.all:
        store.add_object(
            custom_object(
                {
                    "name": says.name,
                    "prefix": _free_prefix(store),
                    "label": says.label,
                    "plural": says.plural or says.label,
                }
            )
        )
    if says.label is not None:
        for field in _standard_fields(says):
            store.add_field(says.name, field)
        if says.has_activities:
            _allow_activities(store, says.name)
    for owner in _owners(says.name):
        for field in says.fields:
            store.add_field(owner, field)


def _standard_fields(says: ObjectFile) -> list[Field]:
    fields = [says.name_field] if says.name_field is not None else []
    if says.is_owned:
        fields += parse("OwnerId reference(User,Group) CUD Owner ID")
    return fields


def _allow_activities(store: Store, name: str) -> None:
    """Tasks and events may hang on the object's records."""
    for activity in ACTIVITIES:
        what = store.catalog.all[activity].field("WhatId")
        if what is not None and name not in what.reference_to:
            store.add_field(activity, replace(what, reference_to=(*what.reference_to, name)))


def _free_prefix(store: Store) -> str:
    taken = {each.prefix for each in store.catalog.all.values()}
    return next(
        prefix
        for number in range(_FIRST_CUSTOM_PREFIX, 100)
        if (prefix := f"a{number:02d}") not in taken
    )


def _install_permissions(store: Store, says: PermissionFile, at: str) -> None:
    found = store.select('SELECT "Id" FROM "PermissionSet" WHERE "Name" = ?', (says.name,))
    crm_id = found[0][0] if found else store.new_id("PermissionSet")
    told = {"Label": says.label, "Description": says.description}
    moment = {"LastModifiedDate": at, "SystemModstamp": at}
    if found:
        store.update("PermissionSet", crm_id, told | moment)
    else:
        by = store.meta("api_user")
        new = {"Id": crm_id, "Name": says.name, "IsCustom": 1, "CreatedDate": at}
        authors = {"CreatedById": by, "LastModifiedById": by}
        store.insert(
            "PermissionSet", [store.blank("PermissionSet") | told | moment | new | authors]
        )
    for name in ("FieldPermissions", "ObjectPermissions"):
        store.execute_many(f'DELETE FROM "{name}" WHERE "ParentId" = ?', [(crm_id,)])
    for path, (is_read, is_edit) in says.fields.items():
        owner, _, field = path.partition(".")
        for each in _owners(owner):
            grant = {"PermissionsRead": int(is_read), "PermissionsEdit": int(is_edit)}
            named = {"SobjectType": each, "Field": f"{each}.{field}"}
            _add(store, "FieldPermissions", crm_id, named | grant)
    for owner, rights in says.objects.items():
        _add(store, "ObjectPermissions", crm_id, {"SobjectType": owner} | dict(rights))


def _add(store: Store, name: str, parent: str, values: dict[str, Any]) -> None:
    row = store.blank(name) | values | {"Id": store.new_id(name), "ParentId": parent}
    store.insert(name, [row])
