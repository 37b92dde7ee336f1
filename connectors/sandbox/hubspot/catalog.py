"""What there is by default: object types, their scopes, and which associations they have."""

from dataclasses import dataclass

DEAL, TASK, MEETING, CALL, NOTE, EMAIL = "0-3", "0-27", "0-47", "0-48", "0-46", "0-49"
CONTACT, COMPANY = "0-1", "0-2"
ACTIVITIES = (TASK, MEETING, CALL, NOTE, EMAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """`modified` is the property that tells the last change, `scope` the object whose scopes
    open it, `first_id` where its ids begin, `revisions` how many values a history keeps.
    """

    id: str
    name: str
    singular: str
    scope: str
    first_id: int
    defaults: tuple[str, ...]
    searched: tuple[str, ...]
    modified: str = "hs_lastmodifieddate"
    created: str = "hs_createdate"
    revisions: int = 20


_STAMPS = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
_TYPES = (
    ObjectType(
        id=DEAL,
        name="deals",
        singular="deal",
        scope="deals",
        first_id=31_000_000_000,
        defaults=(
            "amount",
            "closedate",
            "createdate",
            "dealname",
            "dealstage",
            "hs_lastmodifieddate",
            "hs_object_id",
            "pipeline",
        ),
        searched=("dealname", "hs_next_step"),
    ),
    ObjectType(
        id=TASK,
        name="tasks",
        singular="task",
        scope="contacts",
        first_id=52_000_000_000,
        defaults=_STAMPS,
        searched=("hs_task_subject", "hs_task_body"),
    ),
    ObjectType(
        id=MEETING,
        name="meetings",
        singular="meeting_event",
        scope="contacts",
        first_id=53_000_000_000,
        defaults=_STAMPS,
        searched=("hs_meeting_title",),
    ),
    ObjectType(
        id=CALL,
        name="calls",
        singular="call",
        scope="contacts",
        first_id=54_000_000_000,
        defaults=_STAMPS,
        searched=("hs_call_title",),
    ),
    ObjectType(
        id=NOTE,
        name="notes",
        singular="note",
        scope="contacts",
        first_id=55_000_000_000,
        defaults=_STAMPS,
        searched=("hs_note_body",),
    ),
    ObjectType(
        id=EMAIL,
        name="emails",
        singular="email",
        scope="contacts",
        first_id=56_000_000_000,
        defaults=_STAMPS,
        searched=("hs_email_subject",),
    ),
    ObjectType(
        id=CONTACT,
        name="contacts",
        singular="contact",
        scope="contacts",
        first_id=71_000_000_000,
        defaults=(
            "createdate",
            "email",
            "firstname",
            "hs_object_id",
            "lastmodifieddate",
            "lastname",
        ),
        searched=("email", "firstname", "lastname"),
        modified="lastmodifieddate",
        created="createdate",
        revisions=45,
    ),
    ObjectType(
        id=COMPANY,
        name="companies",
        singular="company",
        scope="companies",
        first_id=81_000_000_000,
        defaults=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        searched=("name", "domain"),
    ),
)
TYPES = {each.id: each for each in _TYPES}
_BY_NAME = {
    **TYPES,
    **{each.name: each for each in _TYPES},
    **{each.singular: each for each in _TYPES},
    "meeting": TYPES[MEETING],
}


def object_type(name: str) -> ObjectType | None:
    """A type by its name, singular name or id."""
    return _BY_NAME.get(name.lower())


@dataclass(frozen=True, slots=True)
class LinkType:
    """A kind of association in one direction."""

    source: str
    target: str
    type_id: int
    is_primary: bool = False


_PAIRS = (
    (DEAL, CONTACT, 3, 4),
    (DEAL, COMPANY, 341, 342),
    (CONTACT, COMPANY, 279, 280),
    (COMPANY, CALL, 181, 182),
    (COMPANY, EMAIL, 185, 186),
    (COMPANY, MEETING, 187, 188),
    (COMPANY, NOTE, 189, 190),
    (COMPANY, TASK, 191, 192),
    (CONTACT, CALL, 193, 194),
    (CONTACT, EMAIL, 197, 198),
    (CONTACT, MEETING, 199, 200),
    (CONTACT, NOTE, 201, 202),
    (CONTACT, TASK, 203, 204),
    (DEAL, CALL, 205, 206),
    (DEAL, EMAIL, 209, 210),
    (DEAL, MEETING, 211, 212),
    (DEAL, NOTE, 213, 214),
    (DEAL, TASK, 215, 216),
)
_PRIMARY_PAIRS = ((DEAL, COMPANY, 5, 6), (CONTACT, COMPANY, 1, 2))
DEFAULT_LINKS: dict[tuple[str, str], int] = {}
REVERSE: dict[int, int] = {}
LINK_TYPES: dict[int, LinkType] = {}
for _pairs, _is_primary in ((_PAIRS, False), (_PRIMARY_PAIRS, True)):
    for _source, _target, _there, _back in _pairs:
        LINK_TYPES[_there] = LinkType(_source, _target, _there, _is_primary)
        LINK_TYPES[_back] = LinkType(_target, _source, _back, _is_primary)
        REVERSE[_there], REVERSE[_back] = _back, _there
        if not _is_primary:
            DEFAULT_LINKS[_source, _target] = _there
            DEFAULT_LINKS[_target, _source] = _back
# Labels of the portal's own between deals and contacts start here, both ways alike.
FIRST_LABEL_ID = 27
