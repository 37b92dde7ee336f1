"""The contacts and people files, and the people whom only other files name."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from connectors.files.cells import Cells, Tools, read_rows
from connectors.files.sheet import Sheet
from connectors.records import ContactRecord, PersonRecord


def read_contacts(
    sheet: Sheet | None, tools: Tools | None, deals: Iterable[str]
) -> Sequence[ContactRecord]:
    """Contact roles; one on a deal that was not read is refused."""
    if sheet is None or tools is None:
        return ()
    known = frozenset(deals)
    taken: dict[str, int] = {}

    def parse(cells: Cells) -> ContactRecord:
        deal = cells.need("deal_id", cells.crm_id("deal_id"))
        if deal not in known:
            raise cells.fail("no_deal", "deal_id", "is not among the deals that were read")
        contact = cells.need("contact_id", cells.crm_id("contact_id"))
        crm_id = cells.crm_id("row_id") or _pair(deal, contact)
        first = taken.setdefault(crm_id, cells.line)
        if first != cells.line:
            raise cells.fail("duplicate", "contact_id", f"is the row of line {first} again")
        return ContactRecord(
            crm_id=crm_id,
            deal_crm_id=deal,
            contact_crm_id=contact,
            role=cells.label("role"),
            title=cells.prose("title"),
            is_primary=cells.truth("is_primary") or False,
            is_deleted=cells.truth("is_deleted") or False,
        )

    return list(read_rows(sheet, tools, parse))


def _pair(deal: str, contact: str) -> str:
    return hashlib.sha256(f"{deal}\x1f{contact}".encode()).hexdigest()[:24]


def read_people(
    sheet: Sheet | None, tools: Tools | None, named: Iterable[str]
) -> Sequence[PersonRecord]:
    """People of the file, and by their bare id those whom only other files name."""
    people: dict[str, PersonRecord] = {}
    if sheet is not None and tools is not None:
        lines: dict[str, int] = {}

        def parse(cells: Cells) -> PersonRecord | None:
            person = _person(cells, tools.now)
            if person is None:
                return None
            first = lines.setdefault(person.crm_id, cells.line)
            if first != cells.line:
                raise cells.fail("duplicate", "person_id", f"is the person of line {first} again")
            return person

        people = {person.crm_id: person for person in read_rows(sheet, tools, parse) if person}
    managers = {person.manager_crm_id for person in people.values() if person.manager_crm_id}
    for crm_id in sorted({*named, *managers} - people.keys()):
        people[crm_id] = PersonRecord(crm_id=crm_id, name=crm_id)
    return list(people.values())


def _person(cells: Cells, now: datetime) -> PersonRecord | None:
    """The person as they are managed now; None for a row of another time."""
    crm_id = cells.need("person_id", cells.crm_id("person_id"))
    since, until = cells.day("from"), cells.day("to")
    if since is not None and until is not None and until < since:
        raise cells.fail("contradiction", "to", "lies before the start")
    ended = until is not None and datetime.combine(until, time.max, UTC) < now
    if ended or (since is not None and datetime.combine(since, time.min, UTC) > now):
        return None
    manager = cells.crm_id("manager_id")
    if manager == crm_id:
        raise cells.fail("contradiction", "manager_id", "is the person itself")
    parts = (cells.prose("first_name"), cells.prose("last_name"))
    return PersonRecord(
        crm_id=crm_id,
        name=cells.prose("name") or " ".join(filter(None, parts)) or crm_id,
        email=cells.prose("email"),
        is_active=cells.truth("is_active") is not False,
        manager_crm_id=manager,
        role_name=cells.prose("role"),
        time_zone=_time_zone(cells),
        is_integration=cells.truth("is_integration") or False,
    )


def _time_zone(cells: Cells) -> str | None:
    name = cells.label("time_zone", most=64)
    if name is None:
        return None
    try:
        return ZoneInfo(name).key
    except (KeyError, OSError, ValueError):
        raise cells.fail("time_zone", "time_zone", "is no IANA time zone") from None
