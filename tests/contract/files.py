"""The contract suite's door to an export: files that are written anew after every edit."""

import csv
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.base import Reader, Writer
from connectors.files import ExportSettings, connect
from tests.contract.door import BEGAN, PEOPLE, Wall

STAGES = ("Prospecting", "Proposal", "Negotiation", "Closed Won", "Closed Lost")
_COLUMNS = {
    "stage": "stage",
    "amount": "amount",
    "close_on": "close_date",
    "owner": "owner_id",
    "next_step": "next_step",
}


@dataclass(frozen=True)
class _Deal:
    key: str
    created_at: datetime
    modified_at: datetime
    values: dict[str, Any]
    is_deleted: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)


class FilesDoor:
    def __init__(self, directory: Path, *, deals: int) -> None:
        self.wall = Wall()
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._deals: dict[str, _Deal] = {}
        self._rows = 0
        for number in range(deals):
            at = BEGAN - timedelta(days=60 - number)
            values = {"stage": "Prospecting", "amount": 1000 + number, "owner_id": PEOPLE[0]}
            values |= {"close_date": "2026-08-31", "next_step": "Call"}
            key = f"D{number}"
            self._deals[key] = _Deal(key, at, at, values)
            self._keep(key, at, PEOPLE[0])

    def reader(self) -> Reader:
        told = list(self._deals.values())
        self._write(
            "deals",
            [
                {
                    "deal_id": deal.key,
                    "name": f"Deal {deal.key}",
                    "created_at": deal.created_at.isoformat(),
                    "modified_at": deal.modified_at.isoformat(),
                    "is_deleted": "yes" if deal.is_deleted else "no",
                    **deal.values,
                }
                for deal in told
            ],
        )
        self._write("history", [row for deal in told for row in deal.history])
        stages = [
            {"stage": stage, "position": place, "is_closed": place > 2, "is_won": place == 3}
            for place, stage in enumerate(STAGES)
        ]
        self._write("stages", stages)
        paths = {kind: self._directory / f"{kind}.csv" for kind in ("deals", "history", "stages")}
        return connect(paths, name="acme", now=self.wall(), settings=ExportSettings())

    def writer(self) -> Writer | None:
        return None

    def deals(self) -> list[str]:
        return [deal.key for deal in self._deals.values() if not deal.is_deleted]

    def stages(self, deal: str) -> list[str]:
        del deal
        return list(STAGES)

    def crm_id(self, deal: str) -> str:
        return deal

    def edit(self, deal: str, *, by: str, late_s: float = 0, **fields: Any) -> None:
        before = self._deals[deal]
        at = max(self.wall.at - timedelta(seconds=late_s), before.modified_at)
        told = {_COLUMNS[name]: str(value) for name, value in fields.items()}
        self._deals[deal] = replace(before, modified_at=at, values=before.values | told)
        self._keep(deal, at, by)

    def edit_by_program(self, deal: str, **fields: Any) -> None:
        self.edit(deal, by="program", **fields)

    def delete(self, deal: str, *, by: str) -> None:
        del by
        self._mark(deal, is_deleted=True)

    def undelete(self, deal: str) -> None:
        self._mark(deal, is_deleted=False)

    def _mark(self, deal: str, *, is_deleted: bool) -> None:
        at = self.wall.at
        self._deals[deal] = replace(self._deals[deal], is_deleted=is_deleted, modified_at=at)

    def _keep(self, deal: str, at: datetime, by: str) -> None:
        self._rows += 1
        values = self._deals[deal].values
        told = {"deal_id": deal, "changed_at": at.isoformat(), "row_id": f"H{self._rows:05}"}
        self._deals[deal].history.append(told | {"changed_by": by} | values)

    def _write(self, kind: str, rows: list[dict[str, Any]]) -> None:
        with (self._directory / f"{kind}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
