"""Batches of records: up to 100 inputs a call, and what became of each."""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.sandbox.hubspot.calls import Call, texts
from connectors.sandbox.hubspot.errors import ApiError, invalid
from connectors.sandbox.hubspot.objects import PAGE, PAGE_WITH_HISTORY
from connectors.sandbox.hubspot.practice import Practice
from connectors.sandbox.hubspot.records import Records
from connectors.sandbox.hubspot.store import Record
from connectors.sandbox.hubspot.views import Views, Wanted
from connectors.sandbox.loopback import Response, reply_json

_MULTI_STATUS = 207
Input = dict[str, Any]


class Batches:
    """Endpoints under `/objects/{type}/batch`."""

    def __init__(self, practice: Practice, records: Records, views: Views) -> None:
        self._practice = practice
        self._store = practice.store
        self._records = records
        self._views = views

    def read(self, call: Call) -> Response:
        """Records by id or unique property; 207 with one error for all that are missing."""
        body = call.body()
        history = texts(body, "propertiesWithHistory")
        inputs = call.inputs(PAGE_WITH_HISTORY if history else PAGE)
        wanted = Wanted(properties=texts(body, "properties"), history=history)
        kind, by, found, missing = call.type(), body.get("idProperty"), {}, []
        with self._store.lock:
            for each in inputs:
                record = self._records.find(
                    kind, each.get("id"), by=by, archived=call.flag("archived")
                )
                if record is None:
                    missing.append(str(each.get("id")))
                else:
                    found[record.id] = record
            shown = self._views.show(list(found.values()), wanted)
        errors = []
        if missing:
            message = (
                f"Could not get some {kind.singular.upper()} objects, they may be deleted or "
                "not exist. Check that ids are valid."
            )
            errors.append(ApiError(404, "OBJECT_NOT_FOUND", message).row({"ids": missing}))
        return self.reply(shown, errors)

    def create(self, call: Call) -> Response:
        """201. A bad row fails alone if every input has an `objectWriteTraceId`, else all."""
        inputs, kind = call.inputs(PAGE), call.type()
        is_traced = all(each.get("objectWriteTraceId") for each in inputs)

        def one(each: Input) -> Record:
            return self._records.create(
                kind,
                each.get("properties", {}),
                links=each.get("associations"),
                version=call.version,
            )

        return self._each(inputs, one, status=201, is_alone=is_traced)

    def update(self, call: Call) -> Response:
        """200, or 207 where some inputs were refused."""
        inputs, kind = call.inputs(PAGE), call.type()
        asked = [str(each.get("id")) for each in inputs]
        twice = sorted({each for each in asked if asked.count(each) > 1})
        if twice:
            raise invalid(f"Duplicate IDs found in batch input: {twice}. IDs must be unique")

        def one(each: Input) -> Record:
            record = self._records.find(kind, each.get("id"), by=each.get("idProperty"))
            if record is None:
                message = f"Object not found. objectId are usually numeric: {each.get('id')}"
                context = {"ids": [str(each.get("id"))]}
                raise ApiError(404, "OBJECT_NOT_FOUND", message, context=context)
            return self._records.update(record, each.get("properties", {}), version=call.version)

        return self._each(inputs, one, status=200, is_alone=True)

    def upsert(self, call: Call) -> Response:
        """By a unique property: changes what is there, makes what is not; takes no links."""
        inputs, kind = call.inputs(PAGE), call.type()
        made: set[int] = set()

        def one(each: Input) -> Record:
            by = each.get("idProperty")
            if not by:
                raise invalid("idProperty is required")
            told = dict(each.get("properties", {}))
            record = self._records.find(kind, each.get("id"), by=by)
            if record is not None:
                return self._records.update(record, told, version=call.version)
            told.setdefault(by, each.get("id"))
            record = self._records.create(kind, told, version=call.version)
            made.add(record.id)
            return record

        return self._each(inputs, one, status=200, is_alone=True, made=made)

    def archive(self, call: Call) -> Response:
        """204, whatever of it was there."""
        inputs = call.inputs(PAGE)
        with self._store.transaction():
            self._records.archive(call.type(), [each.get("id") for each in inputs])
        return Response(status=204)

    def _each(
        self,
        inputs: Sequence[Input],
        one: Callable[[Input], Record],
        *,
        status: int,
        is_alone: bool,
        made: set[int] | None = None,
    ) -> Response:
        shown, errors = [], []
        with self._store.transaction():
            for each in inputs:
                try:
                    with self._store.transaction():
                        record = one(each)
                except ApiError as error:
                    if not is_alone:
                        raise
                    trace = each.get("objectWriteTraceId")
                    errors.append(
                        error.row({"objectWriteTraceId": [str(trace)]} if trace else _id_of(each))
                    )
                    continue
                body = self._views.show([record], Wanted(properties=list(record.props)))[0]
                if each.get("objectWriteTraceId"):
                    body["objectWriteTraceId"] = each["objectWriteTraceId"]
                if made is not None:
                    body["new"] = record.id in made
                shown.append(body)
        return self.reply(shown, errors, status)

    def reply(
        self, shown: Sequence[Any], errors: Sequence[Any] = (), status: int = 200
    ) -> Response:
        """The envelope of a batch."""
        now = self._practice.now()
        body: dict[str, Any] = {
            "status": "COMPLETE",
            "results": shown,
            "startedAt": now,
            "completedAt": now,
        }
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
            status = _MULTI_STATUS
        return reply_json(body, status)


def _id_of(each: Input) -> dict[str, list[str]]:
    return {"id": [str(each["id"])]} if each.get("id") else {}
