"""Errors as the API says them: an HTTP status and one JSON object."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """A refused call; `body()` is what goes over the wire."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        sub_category: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        context: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.sub_category = sub_category
        self.errors = list(errors)
        self.context = context

    def body(self) -> dict[str, Any]:
        """The object that HubSpot answers a failed call with."""
        body: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
        }
        return body | self._parts()

    def row(self, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The same, as one error of a batch's reply; `context` says which input it was."""
        merged = {**(self.context or {}), **context}
        row: dict[str, Any] = {"status": "error", "message": self.message}
        return row | self._parts() | {"context": merged}

    def _parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"category": self.category}
        if self.sub_category:
            parts["subCategory"] = self.sub_category
        if self.errors:
            parts["errors"] = self.errors
        if self.context:
            parts["context"] = dict(self.context)
        return parts


def invalid(message: str, **more: Any) -> ApiError:
    """A call that can't be served as it is."""
    return ApiError(400, "VALIDATION_ERROR", message, **more)


def not_found(message: str = "resource not found") -> ApiError:
    """Nothing there."""
    return ApiError(404, "OBJECT_NOT_FOUND", message)


def bad_values(problems: Sequence[tuple[str, str, str]]) -> ApiError:
    """Property values that were refused: (property, code, message)."""
    told = ",".join(
        f'{{"isValid":false,"message":"{message}","error":"{code}","name":"{name}"}}'
        for name, code, message in problems
    )
    return invalid(
        f"Property values were not valid: [{told}]",
        errors=[
            {"message": message, "code": code, "context": {"propertyName": [name]}}
            for name, code, message in problems
        ],
    )
