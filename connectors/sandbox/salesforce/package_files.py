"""What a package's files say: custom objects, fields and permission sets, in the metadata
format (one file an object) or the source format (one file a field).
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sandbox.salesforce.fields import Field, Picklist

_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_TYPES = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Html": "textarea",
    "Checkbox": "boolean",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Date": "date",
    "DateTime": "datetime",
    "Picklist": "picklist",
    "Lookup": "reference",
    "MasterDetail": "reference",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
}
_SMALL_TEXT = 255
_FILE = re.compile(r"(?:.*/)?(?P<name>[^/]+?)\.(?P<kind>\w+?)(?:-meta\.xml)?\Z")
_SOURCE_FIELD = re.compile(
    r"(?:.*/)?objects/(?P<object>\w+)/fields/(?P<name>\w+)\.field-meta\.xml\Z"
)


class Unreadable(ValueError):
    """A component that the organisation refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFile:
    """A custom object, or custom fields of a standard one (`label` None)."""

    name: str
    label: str | None = None
    plural: str | None = None
    has_activities: bool = False
    is_owned: bool = True
    name_field: Field | None = None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionFile:
    """A permission set: fields with (read, edit), objects with their rights by column."""

    name: str
    label: str
    description: str | None
    fields: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    objects: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)


Component = ObjectFile | PermissionFile | None

_OBJECT_RIGHTS = {
    "PermissionsCreate": "allowCreate",
    "PermissionsRead": "allowRead",
    "PermissionsEdit": "allowEdit",
    "PermissionsDelete": "allowDelete",
    "PermissionsViewAllRecords": "viewAllRecords",
    "PermissionsModifyAllRecords": "modifyAllRecords",
}
_KINDS = {
    "object": "CustomObject",
    "field": "CustomField",
    "permissionset": "PermissionSet",
    "tab": "CustomTab",
    "layout": "Layout",
    "app": "CustomApplication",
    "listView": "ListView",
    "notiftype": "CustomNotificationType",
    "flexipage": "FlexiPage",
    "flow": "Flow",
    "workflow": "Workflow",
}


def read(path: str, content: bytes) -> tuple[str, str, Component]:
    """Type and full name of a component, and what it says (None: nothing that shows in the
    API). Raises `Unreadable`.
    """
    try:
        root = ET.fromstring(content)  # noqa: S314 -- a package of one's own, on loopback
    except ET.ParseError as error:
        raise Unreadable(f"Error parsing file: {error}") from error
    lone = _SOURCE_FIELD.match(path)
    if lone is not None:
        owner = lone["object"]
        only = ObjectFile(name=owner, fields=(_field(root, owner),))
        return "CustomField", f"{owner}.{lone['name']}", only
    found = _FILE.match(path)
    if found is None or found["kind"] not in _KINDS:
        raise Unreadable(f"Unknown type of component: {path}")
    name, kind = found["name"], _KINDS[found["kind"]]
    if kind == "CustomObject":
        return kind, name, _object(name, root)
    if kind == "PermissionSet":
        return kind, name, _permissions(name, root)
    return kind, name, None


def _text(node: ET.Element, tag: str) -> str | None:
    found = node.findtext(_NAMESPACE + tag)
    return found.strip() if found else None


def _is_true(node: ET.Element, tag: str) -> bool:
    return _text(node, tag) == "true"


def _object(name: str, root: ET.Element) -> ObjectFile:
    label = _text(root, "label")
    if name.endswith("__c") and not label:
        raise Unreadable("Must specify a non-empty label for the CustomObject")
    own = root.find(_NAMESPACE + "nameField")
    if label and own is None:
        raise Unreadable("Must specify a nameField of type Text or AutoNumber")
    name_field = None
    if own is not None:
        is_text = _text(own, "type") == "Text"
        name_field = Field(
            name="Name",
            type="string",
            label=_text(own, "label") or "Name",
            length=80,
            is_name=True,
            createable=is_text,
            updateable=is_text,
            nillable=True,
        )
    fields = tuple(_field(node, name) for node in root.findall(_NAMESPACE + "fields"))
    return ObjectFile(
        name=name,
        label=label,
        plural=_text(root, "pluralLabel") or label,
        has_activities=_is_true(root, "enableActivities"),
        is_owned=_text(root, "sharingModel") != "ControlledByParent",
        name_field=name_field,
        fields=fields,
    )


def _field(node: ET.Element, owner: str) -> Field:
    name, kind = _text(node, "fullName"), _text(node, "type")
    if not name or not name.endswith("__c"):
        raise Unreadable(f"{owner}.{name}: the name of a custom field must end with __c")
    if kind not in _TYPES:
        raise Unreadable(f"{owner}.{name}: no field type {kind}")
    is_required = _is_true(node, "required") or kind == "MasterDetail"
    is_long = kind in ("LongTextArea", "Html")
    reference = _text(node, "referenceTo")
    children = _text(node, "relationshipName")
    if _TYPES[kind] == "reference" and not reference:
        raise Unreadable(f"{owner}.{name}: referenceTo is missing")
    if kind in ("Text", "LongTextArea") and not _text(node, "length"):
        raise Unreadable(f"{owner}.{name}: length is missing")
    return Field(
        name=name,
        type=_TYPES[kind],
        label=_text(node, "label") or name,
        length=_length(node, kind),
        precision=int(_text(node, "precision") or 0),
        scale=int(_text(node, "scale") or 0),
        reference_to=(reference,) if reference else (),
        relationship=name.removesuffix("__c") + "__r" if reference else None,
        child_relationship=f"{children}__r" if children else None,
        createable=True,
        updateable=True,
        nillable=not is_required and kind != "Checkbox",
        filterable=not is_long,
        sortable=not is_long,
        groupable=_TYPES[kind] not in ("textarea", "datetime", "double", "currency", "percent"),
        is_external_id=_is_true(node, "externalId"),
        is_unique=_is_true(node, "unique"),
        is_case_sensitive=_is_true(node, "caseSensitive"),
        is_custom=True,
        picklist=_picklist(node),
        default=_text(node, "defaultValue") if kind == "Checkbox" else None,
    )


def _length(node: ET.Element, kind: str) -> int:
    if _TYPES[kind] == "reference":
        return 18
    if kind == "Phone":
        return 40
    if kind == "Email":
        return 80
    told = _text(node, "length")
    return (
        int(told)
        if told
        else _SMALL_TEXT
        if _TYPES[kind] in ("string", "textarea", "picklist", "url")
        else 0
    )


def _picklist(node: ET.Element) -> tuple[Picklist, ...]:
    path = f"{_NAMESPACE}valueSet/{_NAMESPACE}valueSetDefinition/{_NAMESPACE}value"
    return tuple(
        Picklist(
            value=_text(value, "fullName") or "",
            label=_text(value, "label") or _text(value, "fullName") or "",
            is_default=_is_true(value, "default"),
        )
        for value in node.findall(path)
    )


def _permissions(name: str, root: ET.Element) -> PermissionFile:
    fields = {
        _text(node, "field") or "": (_is_true(node, "readable"), _is_true(node, "editable"))
        for node in root.findall(_NAMESPACE + "fieldPermissions")
    }
    objects = {
        _text(node, "object") or "": {
            column: _is_true(node, tag) for column, tag in _OBJECT_RIGHTS.items()
        }
        for node in root.findall(_NAMESPACE + "objectPermissions")
    }
    return PermissionFile(
        name=name,
        label=_text(root, "label") or name,
        description=_text(root, "description"),
        fields=fields,
        objects=objects,
    )
