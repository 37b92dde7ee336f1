"""The three rules, read off the catalogue: deal -> (severity, proving rows) or None."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise, zip_longest
from typing import Any

from rules.tables import ACTIVITY_KINDS, FORECASTS
from tests.rules.oracle.history import Edit, Row, value_at
from tests.rules.oracle.organisation import Deal, Organisation, role_of

Verdict = tuple[str, set[tuple[str, int]]]
COMMIT = FORECASTS.index("commit")


def slippage(org: Organisation, deal: Deal) -> Verdict | None:
    """close-date-slippage."""
    if deal.segment == "renewal":
        return None
    pushes = [
        (before, edit)
        for before, edit in pairwise([None, *deal.date_edits])
        if edit is not None and _is_push(org, deal, before, edit)
    ]
    if not pushes:
        return None
    moved = [(edit.new - edit.old).days for _, edit in pushes]
    crossed = any(org.quarter(edit.new) > org.quarter(edit.old) for _, edit in pushes)
    if not (max(moved) >= 21 or crossed or len(pushes) >= 2):
        return None
    late = sum(_late_and_serious(org, deal, edit) for _, edit in pushes)
    signs = [len(pushes) >= 3, sum(moved) >= 45, late >= 2]
    proof = {("close_date", row) for _, edit in pushes for row in edit.ids}
    return ("critical" if sum(signs) >= 2 else "warning"), proof


def _is_push(org: Organisation, deal: Deal, before: Edit | None, edit: Edit) -> bool:
    if edit.old is None or edit.new is None or edit.new <= edit.old:
        return False
    if not org.tells("close_date", edit):
        return False
    now = org.process.stage(*_stage_at(deal, edit.at))
    if now is not None and now["is_closed"]:
        return False
    if _written_by_closing(org, deal, edit):
        return False
    if before is not None and before.creation and org.is_default(deal, edit.old, before.at):
        return False
    return _was_serious(org, deal, before, edit)


def _stage_at(deal: Deal, at: Any) -> tuple[int | None, Any]:
    """The stage in force at `at` and since when."""
    last: tuple[int | None, Any] = (None, at)
    for row in deal.stages:
        if row["at"] <= at:
            last = (row["new"], row["at"])
    return last


def _written_by_closing(org: Organisation, deal: Deal, edit: Edit) -> bool:
    for row in deal.stages:
        old, new = (org.process.stage(row[side], row["at"]) for side in ("old", "new"))
        closes = new is not None and new["is_closed"] and not (old is not None and old["is_closed"])
        if closes and row["at"] >= edit.at:
            closed_on: date = org.day(row["at"])
            return closed_on == org.day(edit.at) and abs((edit.new - closed_on).days) <= 1
    return False


def _was_serious(org: Organisation, deal: Deal, before: Edit | None, edit: Edit) -> bool:
    """Whether the old date was in force while the deal stood in a middle or late stage."""
    since = None if before is None else before.at
    for row, after in zip_longest(deal.stages, deal.stages[1:]):
        ended_before = since is not None and after is not None and after["at"] <= since
        if row["at"] < edit.at and not ended_before and _is_serious(org, row):
            return True
    return since is not None and edit.at == since and _stood_seriously(org, deal, since)


def _stood_seriously(org: Organisation, deal: Deal, at: Any) -> bool:
    rows = [row for row in deal.stages if row["at"] <= at]
    return bool(rows) and _is_serious(org, rows[-1])


def _is_serious(org: Organisation, row: Row) -> bool:
    stage = org.process.stage(row["new"], row["at"])
    if stage is None:
        return True
    if stage["role"] is None:
        return not stage["is_closed"]
    return role_of(stage) in ("middle", "late")


def _late_and_serious(org: Organisation, deal: Deal, edit: Edit) -> bool:
    owner = value_at(deal.owners, edit.at)
    made_on = org.day(edit.at, org.zones.get(owner))
    rows = [row for row in deal.stages if row["at"] < edit.at]
    stage = org.process.stage(rows[-1]["new"], rows[-1]["at"]) if rows else None
    in_commit = value_at(deal.forecasts, edit.at, before=True) == COMMIT
    return (edit.old - made_on).days <= 7 and (role_of(stage) == "late" or in_commit)


def regression(org: Organisation, deal: Deal) -> Verdict | None:
    """stage-regression."""
    if deal.segment == "renewal":
        return None
    falls = [edit for edit in deal.stage_edits if _is_fall(org, deal, edit)]
    if not falls:
        return None
    causes = {fall.key: _cause(org, deal, fall) for fall in falls}
    proof = {("stage", row) for fall in falls for row in fall.ids}
    for skip in causes.values():
        proof |= {("stage", row) for edit in skip or () for row in edit.ids}
    newest = falls[-1]
    depth = -_step(org, newest)
    was_late = role_of(org.process.stage(newest.old, newest.at)) == "late"
    in_commit = value_at(deal.forecasts, newest.at, before=True) == COMMIT
    ever = any(row["new"] == COMMIT and row["at"] < newest.at for row in deal.forecasts)
    again = len(falls) > 1 and newest.at - falls[-2].at <= timedelta(days=90)
    if again or (depth >= 2 and (was_late or in_commit)):
        return "critical", proof
    if len(falls) == 1 and depth == 1 and causes[newest.key] is None and not ever:
        return "info", proof
    return "warning", proof


def _step(org: Organisation, edit: Edit) -> int:
    """How many open stages of one pipeline an edit moved; 0 where that can't be told."""
    return _between(org, (edit.old, edit.at), (edit.new, edit.rows[-1]["at"]))


def _between(org: Organisation, start: tuple[Any, Any], end: tuple[Any, Any]) -> int:
    old, new = org.process.stage(*start), org.process.stage(*end)
    if old is None or new is None or old["pipeline_id"] != new["pipeline_id"]:
        return 0
    if old["position"] is None or new["position"] is None:
        return 0
    return int(new["position"] - old["position"])


def _held(deal: Deal, row: Row) -> timedelta | None:
    """How long the stage that `row` leaves had stood, or None."""
    for before, after in pairwise(deal.stages):
        if after is row and before["new"] == row["old"]:
            return after["at"] - before["at"]  # type: ignore[no-any-return]
    return None


def _is_fall(org: Organisation, deal: Deal, edit: Edit) -> bool:
    held = _held(deal, edit.rows[0])
    return (
        _step(org, edit) < 0
        and (held is None or held >= timedelta(minutes=30))
        and org.tells("stage", edit)
    )


def _cause(org: Organisation, deal: Deal, fall: Edit) -> tuple[Edit, Edit] | None:
    """The latest skip before the fall of a stage at or above the one it fell to."""
    landed = org.process.stage(fall.new, fall.rows[-1]["at"])
    assert landed is not None
    found = [
        (first, last)
        for first, last, top in _skips(org, deal)
        if _place(deal, last) < _place(deal, fall) and top >= landed["position"]
    ]
    return max(found, key=lambda skip: (_place(deal, skip[1]), _place(deal, skip[0])), default=None)


def _place(deal: Deal, edit: Edit) -> int:
    return next(n for n, row in enumerate(deal.stages) if row is edit.rows[0])


def _skips(org: Organisation, deal: Deal) -> list[tuple[Edit, Edit, int]]:
    """Stages passed over: the edits that prove it, and the highest skipped position."""
    skips = []
    for edit, after in zip_longest(deal.stage_edits, deal.stage_edits[1:]):
        if _step(org, edit) > 1 and org.tells("stage", edit):
            if after is not None and _step(org, after) < 0:
                held = _held(deal, after.rows[0])
                if held is not None and held < timedelta(minutes=30):
                    continue
            stage = org.process.stage(edit.new, edit.rows[-1]["at"])
            assert stage is not None
            skips.append((edit, edit, stage["position"] - 1))
    return skips + _passed_through(org, deal)


def _passed_through(org: Organisation, deal: Deal) -> list[tuple[Edit, Edit, int]]:
    edit_of = {id(row): edit for edit in deal.stage_edits for row in edit.rows}
    skips = []
    for entered, left in pairwise(deal.stages):
        first, last = edit_of.get(id(entered)), edit_of.get(id(left))
        held = _held(deal, left)
        if first is None or last is None or first is last or held is None:
            continue
        up = _between(org, (entered["old"], entered["at"]), (entered["new"], entered["at"])) > 0
        on = _between(org, (left["old"], left["at"]), (left["new"], left["at"])) > 0
        told = org.tells("stage", first) and org.tells("stage", last)
        if up and on and told and held < timedelta(hours=1):
            stage = org.process.stage(left["old"], left["at"])
            assert stage is not None
            skips.append((first, last, stage["position"]))
    return skips


def late_entry(org: Organisation, deal: Deal) -> Verdict | None:
    """late-entry."""
    stage, position = org.entry(deal)
    if not deal.stages or not org.direct(deal):
        return None
    pipeline_id = -1 if stage is None else stage["pipeline_id"]
    if pipeline_id in org.in_question:
        return None
    beyond = position is not None and position > org.expected_entry(deal, pipeline_id)
    talks = _talks(org, deal)
    lag = timedelta()
    if len(talks) >= 2:
        lag = deal.row["created_at"] - min(talk["at"] for talk in talks)
    first_day = _first_day(org, deal)
    start = 0 if position is not None and stage is not None and stage["is_won"] else position
    reached = [at for _, at in first_day] + ([] if position is None else [position])
    rushed = start is not None and bool(reached) and max(reached) - start >= 2
    lagged = lag >= timedelta(days=14)
    if not (beyond or lagged):
        return None
    proof = {("stage", row) for edit in deal.stage_edits if edit.creation for row in edit.ids}
    if rushed:
        proof |= {("stage", row) for edit, _ in first_day for row in edit.ids}
    if lagged:
        proof |= {("activity", talk["activity_id"]) for talk in talks}
    if beyond and lag >= timedelta(days=30):
        return "critical", proof
    return ("warning" if lagged or (beyond and rushed) else "info"), proof


def _first_day(org: Organisation, deal: Deal) -> list[tuple[Edit, int]]:
    """Edits by people within 24 hours of creation, and the position that each reached."""
    entry, _ = org.entry(deal)
    found: list[tuple[Edit, int]] = []
    for edit in deal.stage_edits:
        stage = org.process.stage(edit.new, edit.rows[-1]["at"])
        soon = edit.at <= deal.row["created_at"] + timedelta(hours=24)
        if edit.creation or not edit.seen or org.by_machine(edit) or not soon:
            continue
        if stage is None or entry is None or stage["pipeline_id"] != entry["pipeline_id"]:
            continue
        reached = stage["position"]
        if stage["is_won"]:
            reached = org.process.steps(stage["pipeline_id"])
        if reached is not None:
            found.append((edit, reached))
    return found


def _talks(org: Organisation, deal: Deal) -> list[Row]:
    if not deal.owners or deal.owners[0]["new"] is None:
        return []
    contacts = {
        row["contact_id"]
        for row in org.tables.contact_roles.iter_rows(named=True)
        if row["deal_id"] == deal.id and row["valid_from"] <= org.as_of
    }
    present: dict[int, set[int]] = {}
    for row in org.tables.activity_contacts.iter_rows(named=True):
        present.setdefault(row["activity_id"], set()).add(row["contact_id"])
    talks: dict[int, Row] = {}
    for row in org.tables.activities.iter_rows(named=True):
        kind = ACTIVITY_KINDS[row["kind"]]
        took_place = (kind == "meeting" and row["is_held"]) or (
            kind == "call" and row["is_two_way"]
        )
        here = row["deal_id"] == deal.id
        theirs = row["deal_id"] is None and present.get(row["activity_id"], set()) & contacts
        created = deal.row["created_at"]
        if (
            took_place
            and (here or theirs)
            and row["owner_id"] == deal.owners[0]["new"]
            and max(row["at"], row["logged_at"]) <= org.as_of
            and created - timedelta(days=90) <= row["at"] < created
        ):
            talks[row["activity_id"]] = row
    return list(talks.values())


ORACLES: dict[str, Callable[[Organisation, Deal], Verdict | None]] = {
    "late-entry": late_entry,
    "close-date-slippage": slippage,
    "stage-regression": regression,
}
