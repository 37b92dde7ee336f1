"""What a seller tends to do, and what one deal's seller means to do with it.

A deal has at most one intent per rule. `*_PLANTED` intents go beyond the published
default for a warning; `*_DECOYS` only look like it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

LATE_ENTRY = "late-entry"
SLIPPAGE = "close-date-slippage"
REGRESSION = "stage-regression"

HABIT_CYCLE = (
    "sound", "pushes-dates", "sound", "enters-late", "sound", "skips-then-falls-back", "sound",
    "lets-rot", "sound", "sound",
)  # fmt: skip

LATE_PLANTED = (
    "met-weeks-before", "met-weeks-before", "met-long-before", "raced-through", "won-on-entry",
)  # fmt: skip
LATE_DECOYS = ("one-meeting-before", "cancelled-meetings", "recent-meetings", "lost-at-once")
SLIP_PLANTED = ("long-push", "period-crossed", "two-pushes", "serial-pushes", "push-after-pull-in")
SLIP_DECOYS = (
    "small-move", "pull-in", "to-and-fro", "typo", "default-date", "rewritten-at-closing",
)  # fmt: skip
FALL_PLANTED = ("fall-from-commit", "deep-fall", "skip-then-fall", "second-fall")
FALL_DECOYS = ("misclick-back", "misclick-forward", "workflow-bounce", "reopened")

_LAST = 5
_MIDDLE, _LATE = 2, 4
_WON_SHARE = 0.18
# Where lost deals are lost, by position of the stage.
_LOST_AT = (0.16, 0.22, 0.24, 0.17, 0.13, 0.08)
_MEAN_DWELL = (22.0, 30.0, 37.0, 37.0, 33.0, 28.0)
_SHORT_LIVED = {"won-on-entry", "lost-at-once", "raced-through"}


@dataclass(frozen=True, slots=True)
class Habit:
    """How often (0 to 1) deals of such a seller are entered late, pushed, fallen, left to rot."""

    late: float
    slips: float
    falls: float
    rots: float
    serial: float = 0.1


HABITS: Mapping[str, Habit] = {
    "sound": Habit(0.02, 0.06, 0.04, 0.12),
    "enters-late": Habit(0.50, 0.10, 0.05, 0.05),
    "pushes-dates": Habit(0.05, 0.65, 0.06, 0.10, serial=0.5),
    "skips-then-falls-back": Habit(0.06, 0.15, 0.50, 0.08),
    "lets-rot": Habit(0.05, 0.20, 0.06, 0.45, serial=0.3),
}
_LATE_DECOY_SHARE, _SLIP_DECOY_SHARE, _FALL_DECOY_SHARE = 0.09, 0.14, 0.09
_CONVERTED = 0.68
_ENTERED_A_STAGE_ON, _FELL_A_STAGE = 0.03, 0.02


@dataclass(slots=True)
class Plan:
    """What shall become of one deal in New Business. Positions count from 0.

    `lost_at` None: it is won, else lost there, left alone for `rot_days` before.
    `slip_at`, `fall_at`: the position from which on that intent is acted out. `dwell`: days
    in each stage.
    """

    late: str | None = None
    slip: str | None = None
    fall: str | None = None
    entry: int = 0
    slip_at: int = _MIDDLE
    fall_at: int = _MIDDLE
    lost_at: int | None = None
    rot_days: float = 0.0
    is_conversion: bool = False
    is_deleted: bool = False
    changes_owner: bool = False
    dwell: list[float] = field(default_factory=list)

    def remaining(self, position: int) -> float:
        """Days that the deal still needs from the beginning of stage `position`."""
        last = _LAST if self.lost_at is None else self.lost_at
        ahead = sum(self.dwell[position : last + 1]) + (last - position + 1)
        return ahead + (35 if self.fall in FALL_PLANTED else 0)


def plain_plan(rng: Random) -> Plan:
    """A deal that is worked soundly: no intent of any kind."""
    plan = Plan(dwell=[max(3.0, rng.gammavariate(2.2, mean / 2.2)) for mean in _MEAN_DWELL])
    if rng.random() >= _WON_SHARE:
        plan.lost_at = rng.choices(range(len(_LOST_AT)), _LOST_AT)[0]
    return plan


def new_plan(rng: Random, habit_name: str) -> Plan:
    """What a seller of that habit does with one more deal."""
    habit = HABITS[habit_name]
    plan = plain_plan(rng)
    plan.late = _pick(rng, (habit.late, _LATE_DECOY_SHARE), (LATE_PLANTED, LATE_DECOYS))
    plan.is_conversion = _may_be_converted(plan) and rng.random() < _CONVERTED
    _plan_entry(rng, plan)
    if plan.late not in _SHORT_LIVED:
        _plan_slip(rng, plan, habit)
        _plan_fall(rng, plan, habit)
    plan.rot_days = rng.uniform(90, 300) if rng.random() < habit.rots else rng.uniform(5, 40)
    if plan.late is None and plan.slip is None and plan.fall is None:
        _plan_plain(rng, plan)
    return plan


def _pick(
    rng: Random, shares: tuple[float, float], kinds: tuple[tuple[str, ...], tuple[str, ...]]
) -> str | None:
    """One of the planted kinds, one of the decoys, or mostly none, by their shares."""
    draw = rng.random()
    if draw < shares[0]:
        return rng.choice(kinds[0])
    return rng.choice(kinds[1]) if draw < sum(shares) else None


def _may_be_converted(plan: Plan) -> bool:
    return plan.late in {None, "lost-at-once"}


def _plan_entry(rng: Random, plan: Plan) -> None:
    if plan.late == "met-long-before":
        plan.entry = rng.choice((2, 3, 4))
    elif plan.late == "raced-through":
        plan.entry = rng.choice((1, 2))
    elif plan.late == "won-on-entry":
        plan.entry, plan.lost_at = 3, None
    elif plan.late == "lost-at-once":
        plan.lost_at = 0
    reached = plan.entry + 3 if plan.late == "raced-through" else plan.entry
    _reach(rng, plan, reached)


def _plan_slip(rng: Random, plan: Plan, habit: Habit) -> None:
    plan.slip = _pick(rng, (habit.slips, _SLIP_DECOY_SHARE), (SLIP_PLANTED, SLIP_DECOYS))
    if plan.slip in SLIP_PLANTED and rng.random() < habit.serial:
        plan.slip = "serial-pushes"
    if plan.slip is None:
        return
    if plan.slip == "default-date":
        plan.is_conversion = _may_be_converted(plan)
        plan.slip = "default-date" if plan.is_conversion else None
    plan.slip_at = max(plan.entry, rng.choice((2, 2, 3, 4)))
    _reach(rng, plan, plan.slip_at)


def _plan_fall(rng: Random, plan: Plan, habit: Habit) -> None:
    plan.fall = _pick(rng, (habit.falls, _FALL_DECOY_SHARE), (FALL_PLANTED, FALL_DECOYS))
    if plan.fall is None:
        return
    if plan.entry > 1 and plan.fall not in {"fall-from-commit", "deep-fall"}:
        plan.fall = None
        return
    if plan.fall == "reopened":
        plan.lost_at = plan.lost_at or _MIDDLE
    plan.fall_at = {
        "fall-from-commit": _LAST,
        "deep-fall": rng.choice((_LATE, _LAST)),
        "skip-then-fall": 1,
        "second-fall": 3,
        "reopened": 0,
    }.get(plan.fall, rng.choice((2, 3, 4)))
    _reach(rng, plan, max(plan.fall_at, _MIDDLE))


def _plan_plain(rng: Random, plan: Plan) -> None:
    draw = rng.random()
    if draw < _ENTERED_A_STAGE_ON and not plan.is_conversion:
        plan.entry = 1
        _reach(rng, plan, 1)
    elif draw < _ENTERED_A_STAGE_ON + _FELL_A_STAGE:
        plan.fall, plan.fall_at = "first-fall", 3
        _reach(rng, plan, 3)
    elif draw < 0.07:  # noqa: PLR2004
        plan.is_deleted = True
    elif draw < 0.11:  # noqa: PLR2004
        plan.changes_owner = True


def _reach(rng: Random, plan: Plan, position: int) -> None:
    """See to it that the deal lives long enough to get to `position`."""
    if plan.lost_at is not None and plan.lost_at < position:
        plan.lost_at = rng.randint(position, _LAST)
