"""Pipelines and their stages as they stand, and what a stage brings to a deal."""

from dataclasses import dataclass
from typing import Any

import orjson

from connectors.sandbox.hubspot.builtin import options
from connectors.sandbox.hubspot.catalog import DEAL
from connectors.sandbox.hubspot.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a pipeline; `probability` from 0 to 1."""

    id: str
    pipeline: str
    probability: float
    is_closed: bool

    @property
    def is_won(self) -> bool:
        """Closed, and certain."""
        return self.is_closed and self.probability == 1.0


class Stages:
    """The portal's deal pipelines, by id; archived ones stay known to deals that stand there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.by_id: dict[str, Stage] = {}
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read them again, and make them the choices of the deal's properties."""
        rows = self._store.select("SELECT id, body FROM pipeline WHERE type = ?", (DEAL,))
        self.pipelines = {row[0]: orjson.loads(row[1]) for row in rows}
        self.by_id = {}
        labels: dict[str, str] = {}
        for pipeline in self.in_order():
            for stage in pipeline["stages"]:
                labels[stage["id"]] = f"{stage['label']} ({pipeline['label']})"
                self.by_id[stage["id"]] = Stage(
                    id=stage["id"],
                    pipeline=pipeline["id"],
                    probability=float(stage["metadata"]["probability"]),
                    is_closed=stage["metadata"]["isClosed"] == "true",
                )
        definitions = self._store.properties[DEAL]
        definitions["dealstage"]["options"] = options(labels)
        definitions["pipeline"]["options"] = options(
            {each["id"]: each["label"] for each in self.in_order()}
        )

    def in_order(self) -> list[dict[str, Any]]:
        """Pipelines by display order, ties by label."""
        return sorted(self.pipelines.values(), key=lambda p: (p["displayOrder"], p["label"]))

    def save(self, pipeline: dict[str, Any]) -> None:
        """Store a pipeline as it is now."""
        pipeline["stages"].sort(key=lambda s: (s["displayOrder"], s["label"]))
        self._store.execute(
            "INSERT OR REPLACE INTO pipeline VALUES (?, ?, ?)",
            (DEAL, pipeline["id"], orjson.dumps(pipeline).decode()),
        )
        self.refresh()


def of_deal(stages: Stages, props: dict[str, str]) -> Stage | None:
    """The stage that a deal stands in, None if the portal no longer has it."""
    return stages.by_id.get(props.get("dealstage", ""))
