"""The properties that every portal has, of those that matter to selling."""

from typing import Any

from connectors.sandbox.hubspot import catalog

# name | label | type/fieldType | r: read-only for callers, c: also calculated
_STAMPS = """
hs_createdate|Create date|datetime/date|r
hs_lastmodifieddate|Last modified date|datetime/date|r
hs_object_id|Record ID|number/number|r
hs_object_source|Record source|string/text|r
hs_created_by_user_id|Created by user ID|number/number|r
hs_merged_object_ids|Merged record IDs|enumeration/checkbox|r
hubspot_owner_assigneddate|Owner assigned date|datetime/date|r
hubspot_owner_id|Owner|enumeration/select|
"""
_DEAL = """
dealname|Deal name|string/text|
pipeline|Pipeline|enumeration/select|
dealstage|Deal stage|enumeration/radio|
amount|Amount|number/number|
closedate|Close date|datetime/date|
createdate|Create date|datetime/date|
dealtype|Deal type|enumeration/radio|
description|Deal description|string/textarea|
closed_lost_reason|Closed lost reason|string/textarea|
closed_won_reason|Closed won reason|string/textarea|
deal_currency_code|Currency|enumeration/select|
lead_source|Lead source|string/text|
hs_next_step|Next step|string/textarea|
hs_priority|Priority|enumeration/select|
hs_manual_forecast_category|Forecast category|enumeration/select|
hs_forecast_probability|Forecast probability|number/number|
hs_pinned_engagement_id|Pinned engagement ID|number/number|
hs_next_step_updated_at|Next step updated at|datetime/date|r
amount_in_home_currency|Amount in company currency|number/number|c
hs_exchange_rate|Exchange rate|number/number|c
hs_deal_stage_probability|Deal probability|number/number|c
hs_forecast_amount|Forecast amount|number/number|c
hs_projected_amount|Weighted amount|number/number|c
hs_closed_amount|Closed deal amount|number/number|c
hs_is_closed|Is deal closed?|bool/booleancheckbox|c
hs_is_closed_won|Is closed won|bool/booleancheckbox|c
hs_is_closed_lost|Is closed lost|bool/booleancheckbox|c
days_to_close|Days to close|number/number|c
num_associated_contacts|Number of associated contacts|number/number|c
num_notes|Number of sales activities|number/number|c
num_contacted_notes|Number of times contacted|number/number|c
notes_last_updated|Last activity date|datetime/date|c
notes_last_contacted|Last contacted|datetime/date|c
notes_next_activity_date|Next activity date|datetime/date|c
hs_v2_date_entered_current_stage|Date entered current stage|datetime/date|c
"""
_ENGAGEMENT = """
hs_timestamp|Activity date|datetime/date|
"""
_TASK = """
hs_task_subject|Task title|string/text|
hs_task_body|Task notes|string/html|
hs_task_status|Task status|enumeration/select|
hs_task_priority|Priority|enumeration/select|
hs_task_type|Task type|enumeration/select|
hs_task_reminders|Reminders|string/text|
hs_task_completion_date|Completed at|datetime/date|r
hs_task_is_completed|Is completed|number/number|c
"""
_MEETING = """
hs_meeting_title|Meeting name|string/text|
hs_meeting_body|Meeting description|string/html|
hs_internal_meeting_notes|Internal meeting notes|string/html|
hs_meeting_start_time|Meeting start time|datetime/date|
hs_meeting_end_time|Meeting end time|datetime/date|
hs_meeting_location|Meeting location|string/text|
hs_meeting_outcome|Meeting outcome|enumeration/select|
hs_activity_type|Call and meeting type|string/text|
"""
_CALL = """
hs_call_title|Call title|string/text|
hs_call_body|Call notes|string/html|
hs_call_duration|Call duration|number/number|
hs_call_direction|Call direction|enumeration/select|
hs_call_disposition|Call outcome|enumeration/select|
hs_call_status|Call status|enumeration/select|
hs_activity_type|Call and meeting type|string/text|
"""
_EMAIL = """
hs_email_subject|Email subject|string/text|
hs_email_text|Text body|string/textarea|
hs_email_html|HTML body|string/html|
hs_email_direction|Email direction|enumeration/select|
hs_email_status|Email send status|enumeration/select|
"""
_NOTE = """
hs_note_body|Note body|string/html|
"""
_CONTACT = """
firstname|First name|string/text|
lastname|Last name|string/text|
email|Email|string/text|
jobtitle|Job title|string/text|
phone|Phone number|string/phonenumber|
company|Company name|string/text|
hs_buying_role|Buying role|enumeration/checkbox|
createdate|Create date|datetime/date|r
lastmodifieddate|Last modified date|datetime/date|r
associatedcompanyid|Primary associated company ID|number/number|c
"""
_COMPANY = """
name|Company name|string/text|
domain|Company domain name|string/text|
industry|Industry|string/text|
createdate|Create date|datetime/date|r
"""

CALL_OUTCOMES = {
    "no_answer": ("73a0d17f-1163-4015-bdd5-ec830791da20", "No answer"),
    "busy": ("9d9162e7-6cf3-4944-bf63-4dff82258764", "Busy"),
    "wrong_number": ("17b47fee-58de-441e-a44c-c6300d46f273", "Wrong number"),
    "live_message": ("a4c4c377-d246-4b32-a13b-75a56a4cd0ff", "Left live message"),
    "voicemail": ("b2cf5968-551e-4856-9783-52b3da59a7d0", "Left voicemail"),
    "connected": ("f240bbac-87c9-4f6e-bf70-924b57d47db7", "Connected"),
}
DEAL_TYPES = {"newbusiness": "New Business", "existingbusiness": "Existing Business"}
_OPTIONS: dict[str, dict[str, str]] = {
    "dealtype": DEAL_TYPES,
    "hs_priority": {"low": "Low", "medium": "Medium", "high": "High"},
    "hs_manual_forecast_category": {
        "OMIT": "Not forecasted",
        "PIPELINE": "Pipeline",
        "BEST_CASE": "Best case",
        "COMMIT": "Commit",
        "CLOSED": "Closed won",
    },
    "hs_task_status": {
        "NOT_STARTED": "Not started",
        "IN_PROGRESS": "In progress",
        "WAITING": "Waiting",
        "COMPLETED": "Completed",
        "DEFERRED": "Deferred",
    },
    "hs_task_priority": {"NONE": "None", "LOW": "Low", "MEDIUM": "Medium", "HIGH": "High"},
    "hs_task_type": {"TODO": "To-do", "CALL": "Call", "EMAIL": "Email"},
    "hs_meeting_outcome": {
        "SCHEDULED": "Scheduled",
        "COMPLETED": "Completed",
        "RESCHEDULED": "Rescheduled",
        "NO_SHOW": "No show",
        "CANCELED": "Canceled",
    },
    "hs_call_direction": {"INBOUND": "Inbound", "OUTBOUND": "Outbound"},
    "hs_call_disposition": dict(CALL_OUTCOMES.values()),
    "hs_call_status": {
        name: name.replace("_", " ").capitalize()
        for name in ("COMPLETED", "BUSY", "CANCELED", "FAILED", "IN_PROGRESS", "NO_ANSWER")
    },
    "hs_email_direction": {
        "EMAIL": "Email",
        "INCOMING_EMAIL": "Incoming email",
        "FORWARDED_EMAIL": "Forwarded email",
    },
    "hs_email_status": {name: name.capitalize() for name in ("SENT", "BOUNCED", "FAILED")},
    "hs_buying_role": {
        name: name.replace("_", " ").capitalize()
        for name in ("BUDGET_HOLDER", "CHAMPION", "DECISION_MAKER", "END_USER", "INFLUENCER")
    },
}
# Their choices are the portal's own: owners, pipelines, currencies, merged records.
OPEN_CHOICES = frozenset({"hubspot_owner_id", "hs_merged_object_ids"})
_TABLES = {
    catalog.DEAL: _STAMPS + _DEAL,
    catalog.TASK: _STAMPS + _ENGAGEMENT + _TASK,
    catalog.MEETING: _STAMPS + _ENGAGEMENT + _MEETING,
    catalog.CALL: _STAMPS + _ENGAGEMENT + _CALL,
    catalog.NOTE: _STAMPS + _ENGAGEMENT + _NOTE,
    catalog.EMAIL: _STAMPS + _ENGAGEMENT + _EMAIL,
    catalog.CONTACT: _STAMPS + _CONTACT,
    catalog.COMPANY: _STAMPS + _COMPANY,
}
GROUPS = {
    catalog.DEAL: ("dealinformation", "Deal information"),
    catalog.CONTACT: ("contactinformation", "Contact information"),
    catalog.COMPANY: ("companyinformation", "Company information"),
    **{
        each: (catalog.TYPES[each].singular, f"{catalog.TYPES[each].name} information")
        for each in catalog.ACTIVITIES
    },
}


def options(choices: dict[str, str]) -> list[dict[str, Any]]:
    """Choices of an enumeration as the API shows them, from value and label."""
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(choices.items())
    ]


def properties_of(type_id: str) -> dict[str, dict[str, Any]]:
    """Definitions by name."""
    found = {}
    for line in filter(None, _TABLES[type_id].splitlines()):
        name, label, kinds, flag = line.split("|")
        kind, _, field = kinds.partition("/")
        found[name] = definition(
            name=name,
            label=label,
            type=kind,
            fieldType=field,
            groupName=GROUPS[type_id][0],
            options=_choices(name, kind),
            calculated=flag == "c",
            externalOptions=name == "hubspot_owner_id",
            hubspotDefined=True,
            hasUniqueValue=(type_id, name) == (catalog.CONTACT, "email"),
            modificationMetadata={
                "archivable": False,
                "readOnlyDefinition": True,
                "readOnlyValue": flag in ("r", "c"),
            },
        )
    return found


def definition(**told: Any) -> dict[str, Any]:
    """A property's definition with everything that was not told."""
    return {
        "description": "",
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": False,
        "formField": False,
        "options": [],
        "archived": False,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": False,
        },
    } | told


def _choices(name: str, kind: str) -> list[dict[str, Any]]:
    if kind == "bool":
        return options({"true": "Yes", "false": "No"})
    return options(_OPTIONS.get(name, {}))
