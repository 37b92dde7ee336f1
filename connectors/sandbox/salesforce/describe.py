"""Describes: what the API tells of objects and fields."""

from typing import Any

from connectors.sandbox.salesforce.catalog import Catalog
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.ids import MASTER_RECORD_TYPE
from connectors.sandbox.salesforce.objects import Sobject

Body = dict[str, Any]
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "anyType": "xsd:anyType",
}
_NEVER = (
    "aiPredictionField",
    "autoNumber",
    "calculated",
    "cascadeDelete",
    "dependentPicklist",
    "deprecatedAndHidden",
    "displayLocationInDecimal",
    "encrypted",
    "formulaTreatNullNumberAsZero",
    "highScaleNumber",
    "htmlFormatted",
    "namePointing",
    "queryByDistance",
    "restrictedDelete",
    "writeRequiresMasterRead",
)
_NOTHING = (
    "calculatedFormula",
    "controllerName",
    "defaultValueFormula",
    "filteredLookupInfo",
    "inlineHelpText",
    "mask",
    "maskType",
    "referenceTargetField",
    "relationshipOrder",
)
_BYTES_A_CHARACTER = 3
_INT_DIGITS = 8


def field(each: Field) -> Body:
    """One field of a describe."""
    wide = each.type not in ("id", "reference") and each.name != "Fiscal"
    return {
        **dict.fromkeys(_NEVER, False),
        **dict.fromkeys(_NOTHING),
        "aggregatable": each.type not in ("boolean", "textarea"),
        "byteLength": each.length * (_BYTES_A_CHARACTER if wide else 1),
        "caseSensitive": each.is_case_sensitive,
        "compoundFieldName": each.compound,
        "createable": each.createable,
        "custom": each.is_custom,
        "defaultValue": False if each.type == "boolean" else each.default,
        "defaultedOnCreate": each.defaulted,
        "digits": _INT_DIGITS if each.type == "int" else 0,
        "externalId": each.is_external_id,
        "extraTypeInfo": "plaintextarea" if each.type == "textarea" else None,
        "filterable": each.filterable,
        "groupable": each.groupable,
        "idLookup": each.name == "Id" or each.is_external_id or each.is_name,
        "label": each.label,
        "length": each.length,
        "name": each.name,
        "nameField": each.is_name,
        "nillable": each.nillable,
        "permissionable": each.createable and each.nillable,
        "picklistValues": [picklist_value(choice) for choice in each.picklist],
        "polymorphicForeignKey": each.is_polymorphic,
        "precision": each.precision,
        "referenceTo": list(each.reference_to),
        "relationshipName": each.relationship,
        "restrictedPicklist": each.is_restricted,
        "scale": each.scale,
        "searchPrefilterable": each.type == "reference",
        "soapType": _SOAP.get(each.type, "xsd:string"),
        "sortable": each.sortable,
        "type": each.type,
        "unique": each.is_unique,
        "updateable": each.updateable,
    }


def picklist_value(choice: Any) -> Body:
    """One value of a picklist."""
    return {
        "active": choice.is_active,
        "defaultValue": choice.is_default,
        "label": choice.label,
        "validFor": None,
        "value": choice.value,
    }


def brief(sobject: Sobject, base: str) -> Body:
    """An object in the global describe."""
    urls = f"{base}/sobjects/{sobject.name}"
    return {
        "activateable": False,
        "createable": sobject.createable,
        "custom": sobject.is_custom,
        "customSetting": False,
        "deletable": sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": sobject.createable,
        "mergeable": False,
        "mruEnabled": sobject.createable,
        "name": sobject.name,
        "queryable": True,
        "replicateable": sobject.has("SystemModstamp"),
        "retrieveable": True,
        "searchable": sobject.createable,
        "triggerable": sobject.createable,
        "undeletable": sobject.deletable,
        "updateable": sobject.updateable,
        "urls": {
            "sobject": urls,
            "describe": f"{urls}/describe",
            "rowTemplate": f"{urls}/{{ID}}",
        },
    }


def full(
    sobject: Sobject, catalog: Catalog, record_types: list[tuple[str, str, str, bool]], base: str
) -> Body:
    """The describe of one object. `record_types`: id, name, developer name, active."""
    return {
        **brief(sobject, base),
        "actionOverrides": [],
        "childRelationships": _children(sobject, catalog),
        "fields": [field(each) for each in sobject.fields],
        "namedLayoutInfos": [],
        "recordTypeInfos": _record_types(record_types),
        "supportedScopes": [{"label": f"All {sobject.plural.lower()}", "name": "everything"}],
    }


def _children(sobject: Sobject, catalog: Catalog) -> list[Body]:
    return [
        {
            "cascadeDelete": False,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": each.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": each.child_relationship,
            "restrictedDelete": False,
        }
        for child in catalog.visible.values()
        for each in child.fields
        if sobject.name in each.reference_to
    ]


def _record_types(rows: list[tuple[str, str, str, bool]]) -> list[Body]:
    infos = [
        {
            "active": is_active,
            "available": is_active,
            "defaultRecordTypeMapping": position == 0,
            "developerName": developer_name,
            "master": False,
            "name": name,
            "recordTypeId": crm_id,
        }
        for position, (crm_id, name, developer_name, is_active) in enumerate(rows)
    ]
    master = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": not infos,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER_RECORD_TYPE,
    }
    return [*infos, master]
