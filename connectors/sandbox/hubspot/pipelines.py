"""Pipelines and stages of deals: read, changed by an administrator, and audited."""

from collections.abc import Mapping
from typing import Any

import orjson

from connectors.sandbox.hubspot.calls import Call, member, members, whole
from connectors.sandbox.hubspot.catalog import DEAL
from connectors.sandbox.hubspot.effects import recalculate
from connectors.sandbox.hubspot.errors import invalid, not_found
from connectors.sandbox.hubspot.load_setup import PORTAL_ID
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.store import record_from
from connectors.sandbox.hubspot.values import read_number
from connectors.sandbox.loopback import Response, reply_json

_GENERATED_FROM = 2_000_000_001
Body = dict[str, Any]


class Pipelines:
    """Endpoints under `/pipelines/{type}`; only deals have any here."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self._store = practice.store
        self._stages = practice.stages

    def all(self, call: Call) -> Response:
        """Pipelines in display order."""
        if call.type().id != DEAL:
            return reply_json({"results": []})
        live = [_live(each) for each in self._stages.in_order() if not each["archived"]]
        return reply_json({"results": live})

    def get(self, call: Call) -> Response:
        """One pipeline."""
        return reply_json(_live(self._pipeline(call)))

    def create(self, call: Call) -> Response:
        """201: a new pipeline with its stages."""
        told, now = call.body(), self._practice.now()
        if not told.get("label"):
            raise invalid("label is required")
        pipeline: Body = {
            "id": self._new_id(),
            "label": str(told["label"]),
            "displayOrder": whole(
                told.get("displayOrder", len(self._stages.pipelines)), "displayOrder"
            ),
            "stages": [],
            "createdAt": now,
            "updatedAt": now,
            "archived": False,
        }
        self._save(pipeline, "CREATE")
        for each in members(told, "stages"):
            self._add_stage(pipeline, each)
        return reply_json(_live(pipeline), 201)

    def update(self, call: Call) -> Response:
        """Rename, reorder, or bring back a pipeline."""
        pipeline = self._pipeline(call)
        _apply(pipeline, call.body(), self._practice.now())
        self._save(pipeline, "UPDATE")
        return reply_json(_live(pipeline))

    def archive(self, call: Call) -> Response:
        """204; from 2026-09 on refused while deals stand in it."""
        pipeline = self._pipeline(call)
        self._check_unused(call, "pipeline", pipeline["id"])
        pipeline["archived"] = True
        self._save(pipeline, "DELETE")
        return Response(status=204)

    def audit(self, call: Call) -> Response:
        """What was done to a pipeline, newest first."""
        return self._audit("pipeline = ? AND stage IS NULL", (self._pipeline(call)["id"],))

    def stages(self, call: Call) -> Response:
        """The stages of a pipeline, in display order."""
        return reply_json({"results": _live(self._pipeline(call))["stages"]})

    def stage(self, call: Call) -> Response:
        """One stage."""
        return reply_json(self._stage(call)[1])

    def create_stage(self, call: Call) -> Response:
        """201: a new stage."""
        return reply_json(self._add_stage(self._pipeline(call), call.body()), 201)

    def update_stage(self, call: Call) -> Response:
        """Rename or reorder a stage, or change its probability; its deals follow."""
        pipeline, stage = self._stage(call)
        told = call.body()
        _apply(stage, told, self._practice.now())
        metadata = told.get("metadata") or {}
        if "probability" in metadata:
            stage["metadata"]["probability"] = _probability(metadata["probability"])
        if "isClosed" in metadata:
            stage["metadata"]["isClosed"] = str(metadata["isClosed"]).lower()
        self._save(pipeline, "UPDATE", stage)
        self._recalculate(stage["id"])
        return reply_json(stage)

    def archive_stage(self, call: Call) -> Response:
        """204; from 2026-09 on refused while deals stand in it."""
        pipeline, stage = self._stage(call)
        self._check_unused(call, "dealstage", stage["id"])
        stage["archived"] = True
        self._save(pipeline, "DELETE", stage)
        return Response(status=204)

    def stage_audit(self, call: Call) -> Response:
        """What was done to a stage, newest first."""
        pipeline, stage = self._stage(call)
        return self._audit("pipeline = ? AND stage = ?", (pipeline["id"], stage["id"]))

    def _pipeline(self, call: Call) -> Body:
        found = self._stages.pipelines.get(call.parts["pipeline"])
        if found is None or call.type().id != DEAL:
            raise not_found(f"Pipeline {call.parts['pipeline']} not found")
        return found

    def _stage(self, call: Call) -> tuple[Body, Body]:
        pipeline = self._pipeline(call)
        for stage in pipeline["stages"]:
            if stage["id"] == call.parts["stage"]:
                return pipeline, stage
        raise not_found(f"Stage {call.parts['stage']} not found")

    def _new_id(self) -> str:
        number = int(self._store.meta("pipeline_ids") or _GENERATED_FROM)
        self._store.save_meta("pipeline_ids", number + 1)
        return str(number)

    def _add_stage(self, pipeline: Body, told: Mapping[str, Any]) -> Body:
        if not told.get("label"):
            raise invalid("A stage needs a label")
        probability = _probability(member(told, "metadata", "probability"))
        metadata, now = told["metadata"], self._practice.now()
        is_closed = str(metadata.get("isClosed", float(probability) in (0.0, 1.0))).lower()
        stage: Body = {
            "id": str(told.get("stageId") or self._new_id()),
            "label": str(told["label"]),
            "displayOrder": whole(
                told.get("displayOrder", len(pipeline["stages"])), "displayOrder"
            ),
            "metadata": {"isClosed": is_closed, "probability": probability},
            "createdAt": now,
            "updatedAt": now,
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
        pipeline["stages"].append(stage)
        self._save(pipeline, "CREATE", stage)
        return stage

    def _save(self, pipeline: Body, action: str, stage: Body | None = None) -> None:
        shown = pipeline if stage is None else stage
        body = {"portalId": PORTAL_ID, "action": action, "message": None, "rawObject": shown}
        with self._store.transaction():
            self._stages.save(pipeline)
            self._store.execute(
                "INSERT INTO audit VALUES (?, ?, ?, ?)",
                (
                    pipeline["id"],
                    None if stage is None else stage["id"],
                    self._practice.now(),
                    orjson.dumps(body).decode(),
                ),
            )

    def _audit(self, where: str, bound: tuple[str, ...]) -> Response:
        rows = self._store.select(
            f"SELECT pipeline, stage, at, body FROM audit WHERE {where} ORDER BY rowid DESC", bound
        )
        results = [
            {"identifier": stage or pipeline, "timestamp": at, **orjson.loads(body)}
            for pipeline, stage, at, body in rows
        ]
        return reply_json({"results": results})

    def _check_unused(self, call: Call, name: str, value: str) -> None:
        used = self._store.select(
            "SELECT COUNT(*) FROM object WHERE type = ? AND archived_at IS NULL "
            f"AND json_extract(props, '$.{name}') = ?",
            (DEAL, value),
        )[0][0]
        wants_check = call.request.query.get("validateReferencesBeforeDelete")
        if used and (wants_check == "true" or (wants_check is None and call.version == "2026-09")):
            raise invalid(f"{value} can't be deleted: {used} deals stand in it")

    def _recalculate(self, stage_id: str) -> None:
        rows = self._store.select(
            "SELECT type, id, created_at, updated_at, archived_at, props, history FROM object "
            "WHERE type = ? AND json_extract(props, '$.dealstage') = ?",
            (DEAL, stage_id),
        )
        records = [record_from(row) for row in rows]
        for record in records:
            recalculate(record, self._stages)
        self._store.put(records)


def _probability(told: object) -> str:
    text = read_number(told)
    if text is None or not 0 <= float(text) <= 1:
        raise invalid(f"probability must be from 0.0 to 1.0, got {told}")
    return text


def _live(pipeline: Body) -> Body:
    return pipeline | {"stages": [each for each in pipeline["stages"] if not each["archived"]]}


def _apply(body: Body, told: Mapping[str, Any], now: str) -> None:
    if "label" in told:
        body["label"] = str(told["label"])
    if "displayOrder" in told:
        body["displayOrder"] = whole(told["displayOrder"], "displayOrder")
    if "archived" in told:
        body["archived"] = bool(told["archived"])
    body["updatedAt"] = now
