"""What Forestage would like to read of an org, and what it costs where it can't."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.checks import Cost, losing, thinning
from connectors.salesforce import history, reader, structure
from connectors.salesforce.fields import Shape


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object with its fields. `cost` of the whole object; None: nothing works without it."""

    shape: Shape
    cost: Cost | None
    fields: Mapping[str, Cost] = field(default_factory=dict)


ACTIVITY_OBJECTS = ("Task", "Event", "EmailMessage")
_UNLINKED = thinning("they can't be told to belong to a deal", "activities")
_OF_NOBODY = thinning("nobody knows whose they are", "activities")
_NOBODY_MET = thinning("nobody knows which contact took part", "activities", "contacts")

WANTED = (
    Wanted(structure.ORGANIZATION, None),
    Wanted(structure.STAGE, None),
    Wanted(
        structure.USER,
        None,
        {
            "ManagerId": Cost("managers are told by the role tree alone"),
            "IsActive": Cost("people who have left count as active"),
        },
    ),
    Wanted(structure.ROLE, Cost("managers come from User.ManagerId alone")),
    Wanted(reader.ACCOUNT, Cost("deals are shown without their account's name")),
    Wanted(
        reader.DEAL,
        None,
        {
            "AccountId": thinning("activities on the account count for no deal", "activities"),
            "Amount": losing("deals are ranked without their amount", "amount"),
            "IsPrivate": Cost("private deals are not left alone"),
            "Type": Cost("renewals and expansions are taken for new business"),
            "LeadSource": Cost("the expected entry stage can't depend on the lead source"),
            "NextStep": losing("what is planned next is unknown", "next_step"),
            "ForecastCategory": losing("whether a deal is in commit is unknown", "forecast"),
        },
    ),
    Wanted(
        history.HISTORY,
        losing(
            "nothing is known of a deal's past, and changes are seen only as differences "
            "between two syncs",
            *("stage", "close_date", "amount", "forecast"),
        ),
        {
            "Amount": losing("how an amount changed is unknown", "amount"),
            "ForecastCategory": losing("which deals left commit is unknown", "forecast"),
        },
    ),
    Wanted(
        reader.CONTACT_ROLE,
        losing("which contacts belong to a deal is unknown", "contacts"),
        {"Contact.Title": Cost("an executive is not told from another contact")},
    ),
    Wanted(
        reader.TASK,
        thinning("calls, and mails logged as tasks, are not seen", "activities"),
        {
            **dict.fromkeys(("WhatId", "AccountId"), _UNLINKED),
            "WhoId": _NOBODY_MET,
            "OwnerId": _OF_NOBODY,
            "ActivityDate": thinning("they count from when they were logged", "activities"),
            "TaskSubtype": thinning("calls and mails are not told from to-dos", "activities"),
        },
    ),
    Wanted(
        reader.EVENT,
        thinning("meetings are not seen", "activities"),
        {
            **dict.fromkeys(("WhatId", "AccountId"), _UNLINKED),
            "WhoId": _NOBODY_MET,
            "OwnerId": _OF_NOBODY,
            "StartDateTime": thinning("meetings count from midnight of their day", "activities"),
            "Subject": thinning("cancelled meetings count as held", "activities"),
        },
    ),
    Wanted(
        reader.EMAIL,
        thinning("mails are not seen, and so no customer's answer", "activities"),
        {
            "RelatedToId": _UNLINKED,
            "Incoming": thinning("a customer's mail is not told from our own", "activities"),
        },
    ),
)
