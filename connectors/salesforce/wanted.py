"""What Forestage would like to read of an org, and what it costs where it can't."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.checks import NOTHING, Part
from connectors.salesforce import history, reader, structure
from connectors.salesforce.fields import Shape


@dataclass(frozen=True, slots=True)
class Cost:
    """What is missing then, in plain words after "so"; which needs of rules it takes or thins."""

    told: str
    lost: frozenset[Part] = NOTHING
    thinned: frozenset[Part] = NOTHING


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object with its fields. `cost` of the whole object; None: nothing works without it."""

    shape: Shape
    cost: Cost | None
    fields: Mapping[str, Cost] = field(default_factory=dict)


def _lost(told: str, *parts: Part) -> Cost:
    return Cost(told, lost=frozenset(parts))


def _thinned(told: str, *parts: Part) -> Cost:
    return Cost(told, thinned=frozenset(parts))


ACTIVITY_OBJECTS = ("Task", "Event", "EmailMessage")
_UNLINKED = _thinned("they can't be told to belong to a deal", "activities")
_OF_NOBODY = _thinned("nobody knows whose they are", "activities")
_NOBODY_MET = _thinned("nobody knows which contact took part", "activities", "contacts")

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
            "AccountId": _thinned("activities on the account count for no deal", "activities"),
            "Amount": _lost("deals are ranked without their amount", "amount"),
            "IsPrivate": Cost("private deals are not left alone"),
            "Type": Cost("renewals and expansions are taken for new business"),
            "LeadSource": Cost("the expected entry stage can't depend on the lead source"),
            "NextStep": _lost("what is planned next is unknown", "next_step"),
            "ForecastCategory": _lost("whether a deal is in commit is unknown", "forecast"),
        },
    ),
    Wanted(
        history.HISTORY,
        _lost(
            "nothing is known of a deal's past, and changes are seen only as differences "
            "between two syncs",
            *("stage", "close_date", "amount", "forecast"),
        ),
        {
            "Amount": _lost("how an amount changed is unknown", "amount"),
            "ForecastCategory": _lost("which deals left commit is unknown", "forecast"),
        },
    ),
    Wanted(
        reader.CONTACT_ROLE,
        _lost("which contacts belong to a deal is unknown", "contacts"),
        {"Contact.Title": Cost("an executive is not told from another contact")},
    ),
    Wanted(
        reader.TASK,
        _thinned("calls, and mails logged as tasks, are not seen", "activities"),
        {
            **dict.fromkeys(("WhatId", "AccountId"), _UNLINKED),
            "WhoId": _NOBODY_MET,
            "OwnerId": _OF_NOBODY,
            "ActivityDate": _thinned("they count from when they were logged", "activities"),
            "TaskSubtype": _thinned("calls and mails are not told from to-dos", "activities"),
        },
    ),
    Wanted(
        reader.EVENT,
        _thinned("meetings are not seen", "activities"),
        {
            **dict.fromkeys(("WhatId", "AccountId"), _UNLINKED),
            "WhoId": _NOBODY_MET,
            "OwnerId": _OF_NOBODY,
            "StartDateTime": _thinned("meetings count from midnight of their day", "activities"),
            "Subject": _thinned("cancelled meetings count as held", "activities"),
        },
    ),
    Wanted(
        reader.EMAIL,
        _thinned("mails are not seen, and so no customer's answer", "activities"),
        {
            "RelatedToId": _UNLINKED,
            "Incoming": _thinned("a customer's mail is not told from our own", "activities"),
        },
    ),
)
