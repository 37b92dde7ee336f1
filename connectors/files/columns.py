"""The columns that an import understands, by our name, with the names that CRMs give them.

Names are compared without case, spaces and punctuation, and without the `property_` that
warehouse copies of HubSpot put before them; the first name that a file has wins.
"""

from collections.abc import Mapping, Sequence

from connectors.files.values import plain

Aliases = Mapping[str, Sequence[str]]

COLUMNS: Mapping[str, Aliases] = {
    "deals": {
        "deal_id": ("deal_id", "OpportunityId", "hs_object_id", "Record ID", "Id"),
        "name": ("name", "dealname", "Opportunity Name", "Deal Name"),
        "stage": ("stage", "StageName", "dealstage", "deal_pipeline_stage_id", "Deal Stage"),
        "close_date": ("close_date", "CloseDate"),
        "created_at": ("created_at", "CreatedDate", "createdate", "hs_createdate", "Create Date"),
        "modified_at": (
            "modified_at",
            "LastModifiedDate",
            "hs_lastmodifieddate",
            "Last Modified Date",
            "SystemModstamp",
        ),
        "pipeline": (
            "pipeline",
            "pipeline_id",
            "deal_pipeline_id",
            "RecordTypeId",
            "Opportunity Record Type",
            "Record Type",
        ),
        "amount": ("amount", "TCV", "Deal Amount"),
        "currency": ("currency", "CurrencyIsoCode", "deal_currency_code", "Amount Currency"),
        "owner_id": ("owner_id", "hubspot_owner_id", "Opportunity Owner", "Deal Owner", "Owner"),
        "created_by": ("created_by", "CreatedById", "hs_created_by_user_id", "Created By"),
        "is_closed": ("is_closed", "hs_is_closed", "Closed"),
        "is_won": ("is_won", "hs_is_closed_won", "Won"),
        "type": ("type", "dealtype", "Opportunity Type", "Deal Type"),
        "account_id": ("account_id", "company_id", "hs_primary_associated_company"),
        "account_name": ("account_name", "Account", "company", "Company Name"),
        "lead_source": ("lead_source", "hs_analytics_source"),
        "next_step": ("next_step", "hs_next_step"),
        "forecast_category": (
            "forecast_category",
            "ForecastCategoryName",
            "hs_manual_forecast_category",
        ),
        "is_deleted": ("is_deleted", "hs_is_deleted"),
        "is_private": ("is_private",),
    },
    "history": {
        "deal_id": ("deal_id", "OpportunityId", "Opportunity ID"),
        "changed_at": ("changed_at", "CreatedDate", "timestamp", "Edit Date", "date_entered"),
        "changed_by": ("changed_by", "CreatedById", "Edited By", "Last Modified By"),
        "source": ("source", "source_type"),
        "source_id": ("source_id",),
        "seq": ("seq", "sequence"),
        "row_id": ("row_id", "Id", "history_id", "change_id"),
        # Snapshots: one row a change, with the values after it.
        "stage": ("stage", "StageName", "dealstage", "To Stage"),
        "close_date": ("close_date", "CloseDate"),
        "amount": ("amount",),
        "forecast_category": ("forecast_category", "ForecastCategoryName"),
        "owner_id": ("owner_id", "hubspot_owner_id"),
        "pipeline": ("pipeline", "RecordTypeId"),
        "next_step": ("next_step", "hs_next_step"),
        # Changes: one row a field.
        "field": ("field", "property", "property_name", "name", "Field / Event"),
        "old": ("old", "OldValue", "old_value"),
        "new": ("new", "NewValue", "new_value", "value"),
    },
    "stages": {
        "pipeline": ("pipeline", "pipeline_id", "RecordTypeId", "Record Type"),
        "pipeline_name": ("pipeline_name", "pipeline_label"),
        "stage": ("stage", "stage_id", "MasterLabel", "StageName", "ApiName"),
        "label": ("label", "stage_name", "MasterLabel"),
        "position": ("position", "order", "SortOrder", "display_order"),
        "role": ("role",),
        "is_closed": ("is_closed", "closed"),
        "is_won": ("is_won", "closed_won", "won"),
        "is_active": ("is_active", "active"),
        "probability": ("probability", "DefaultProbability"),
        "forecast": ("forecast", "forecast_category", "ForecastCategoryName"),
    },
    "people": {
        "person_id": ("person_id", "user_id", "owner_id", "Id"),
        "name": ("name", "full_name"),
        "first_name": ("first_name",),
        "last_name": ("last_name",),
        "email": ("email",),
        "manager_id": ("manager_id", "manager", "Manager Id"),
        "is_active": ("is_active", "active"),
        "role": ("role", "role_name", "title"),
        "time_zone": ("time_zone", "TimeZoneSidKey"),
        "is_integration": ("is_integration",),
        "from": ("from", "valid_from"),
        "to": ("to", "valid_to"),
    },
    "activities": {
        "activity_id": ("activity_id", "engagement_id", "Id"),
        "deal_id": ("deal_id", "OpportunityId"),
        "related_id": ("related_id", "WhatId"),
        "account_id": ("account_id", "company_id"),
        "contact_ids": ("contact_ids", "contact_id", "WhoId"),
        "kind": ("kind", "TaskSubtype", "activity_type", "engagement_type", "type"),
        "at": (
            "at",
            "StartDateTime",
            "start_time",
            "ActivityDateTime",
            "CompletedDateTime",
            "hs_timestamp",
            "Date",
        ),
        "due_on": ("due_on", "ActivityDate", "Due Date"),
        "logged_at": ("logged_at", "CreatedDate", "hs_createdate", "created_at"),
        "owner_id": ("owner_id", "hubspot_owner_id", "Assigned"),
        "direction": ("direction", "CallType", "hs_call_direction", "hs_email_direction"),
        "outcome": (
            "outcome",
            "meeting_outcome",
            "hs_meeting_outcome",
            "CallDisposition",
            "hs_call_disposition",
        ),
        "minutes": ("minutes", "DurationInMinutes"),
        "seconds": ("seconds", "CallDurationInSeconds"),
        "is_deleted": ("is_deleted",),
    },
    "contacts": {
        "row_id": ("row_id", "Id"),
        "deal_id": ("deal_id", "OpportunityId"),
        "contact_id": ("contact_id",),
        "role": ("role", "label"),
        "title": ("title", "job_title"),
        "is_primary": ("is_primary",),
        "is_deleted": ("is_deleted",),
    },
}

# `a|b`: one of them will do.
REQUIRED: Mapping[str, Sequence[str]] = {
    "deals": ("deal_id", "stage", "close_date", "created_at"),
    "history": ("deal_id", "changed_at"),
    "stages": ("stage", "position", "is_closed", "is_won"),
    "people": ("person_id",),
    "activities": ("at|due_on",),
    "contacts": ("deal_id", "contact_id"),
}

SNAPSHOT_FIELDS: Sequence[str] = (
    "stage",
    "close_date",
    "amount",
    "forecast_category",
    "owner_id",
    "pipeline",
    "next_step",
)


def index_columns(
    kind: str, headers: Sequence[str], chosen: Mapping[str, str]
) -> Mapping[str, int]:
    """Our name -> place in `headers`. `chosen` (our name -> their header) goes first.

    Raises KeyError with the header that was chosen but isn't there.
    """
    places = {_bare(header): place for place, header in reversed(list(enumerate(headers)))}
    found: dict[str, int] = {}
    for name, aliases in COLUMNS[kind].items():
        if name in chosen:
            if chosen[name] not in headers:
                raise KeyError(chosen[name])
            found[name] = headers.index(chosen[name])
            continue
        for alias in aliases:
            if _bare(alias) in places:
                found[name] = places[_bare(alias)]
                break
    return found


def _bare(header: str) -> str:
    bare = plain(header)
    return bare.removeprefix("property") or bare
