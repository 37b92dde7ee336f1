"""One deal's story as it is written: where the deal stands now, and the acts so far."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Literal

from connectors.sandbox import acts
from connectors.sandbox.organisation import company as co
from connectors.sandbox.organisation import words
from connectors.sandbox.organisation.office import moment, promisable

_DAY = timedelta(days=1)
_NOTED_TOO = 0.3
Outcome = Literal["won", "lost"]


class Story:
    """A deal's acts and truth rows, written in the order in which things happen.

    `now` moves on with `wait`, always to another working day, so that two saves of one
    field never fall within an hour of each other unless somebody corrects themselves.
    """

    def __init__(
        self, rng: Random, *, deal: str, rep: co.Rep, account: int, pipeline: co.Pipeline
    ) -> None:
        self.rng, self.deal, self.rep, self.pipeline = rng, deal, rep, pipeline
        self.account, self.account_number = co.account_key(account), account
        self.acts: list[acts.Act] = []
        self.truth: list[acts.Truth] = []
        self.contacts: list[str] = []
        self.position = 0
        self.created_at: datetime | None = None
        self.heir: co.Rep | None = None
        self.is_estimated = False
        self.pushes = 0
        self._serial = 0
        self._amount = 1_000 * max(3, round(rng.lognormvariate(3.4, 0.8)))

    def start(self, day: date) -> None:
        """Begin on a day; nothing is written yet."""
        self.now = moment(self.rng, self.rep.zone, day)

    def wait(self, days: float) -> None:
        """Let at least one day pass, to office hours of a workday about `days` later."""
        day = (self.now + max(1.0, days) * _DAY).date()
        later = moment(self.rng, self.rep.zone, day)
        while later < self.now + 20 * timedelta(hours=1):
            day += _DAY
            later = moment(self.rng, self.rep.zone, day)
        self.now = later

    def new_key(self, kind: str) -> str:
        """A key for one more thing around this deal."""
        self._serial += 1
        return f"{self.deal}-{kind}{self._serial}"

    def create(
        self,
        *,
        position: int,
        close_on: date,
        lead_source: str,
        deal_type: str,
        by: str | None = None,
        via: acts.Via = "user",
    ) -> None:
        """Enter the deal."""
        self.position, self.close_on, self.created_at = position, close_on, self.now
        product = self.rng.choice(words.PRODUCTS)
        self.acts.append(
            acts.CreateDeal(
                at=self.now,
                by=by or self.rep.key,
                key=self.deal,
                name=f"{co.account_name(self.account_number)} - {product}",
                pipeline=self.pipeline.key,
                stage=self.pipeline.labels[position],
                amount=None if via == "conversion" else self._amount,
                close_on=close_on,
                owner=self.rep.key,
                account=self.account,
                lead_source=lead_source,
                deal_type=deal_type,
                via=via,
            )
        )

    def move(self, position: int, *, close_on: date | None = None) -> None:
        """The rep moves the deal to an open stage, sometimes noting the next step or amount."""
        rng = self.rng
        amount = None
        if rng.random() < _NOTED_TOO or position == len(self.pipeline.labels) - 1:
            self._amount = 100 * round(self._amount * rng.uniform(0.9, 1.25) / 100)
            amount = self._amount
        next_step = rng.choice(words.NEXT_STEPS) if rng.random() < _NOTED_TOO else None
        self.save(position=position, close_on=close_on, amount=amount, next_step=next_step)

    def save(
        self,
        *,
        position: int | None = None,
        close_on: date | None = None,
        amount: int | None = None,
        owner: co.Rep | None = None,
        next_step: str | None = None,
        by: str | None = None,
        via: acts.Via = "user",
    ) -> None:
        """One save of one or more fields, by the owner unless told otherwise."""
        by = by or self.rep.key
        if position is not None:
            self.position = position
        if close_on is not None:
            self.close_on = close_on
        if owner is not None:
            self.rep = owner
        self.acts.append(
            acts.EditDeal(
                at=self.now,
                by=by,
                deal=self.deal,
                stage=None if position is None else self.pipeline.labels[position],
                close_on=close_on,
                amount=amount,
                owner=None if owner is None else owner.key,
                next_step=next_step,
                via=via,
            )
        )

    def close(self, outcome: Outcome, *, close_on: date | None = None) -> None:
        """Win or lose the deal."""
        stage = co.WON if outcome == "won" else co.LOST
        self.acts.append(
            acts.EditDeal(
                at=self.now, by=self.rep.key, deal=self.deal, stage=stage.label, close_on=close_on
            )
        )

    def minutes_later(self, low: int, high: int) -> None:
        """Let some minutes pass: somebody corrects themselves, or a flow runs."""
        self.now += timedelta(seconds=self.rng.randint(low * 60, high * 60))

    def day_in(self, low: int, high: int) -> date:
        """A day to promise, between `low` and `high` days from now."""
        return promisable(self.now.date() + self.rng.randint(low, high) * _DAY)

    def log(self, rule: str, kind: str, *, is_decoy: bool) -> None:
        """Write down what was meant by the act just done."""
        self.truth.append(
            acts.Truth(deal=self.deal, rule=rule, at=self.now, is_decoy=is_decoy, kind=kind)
        )
